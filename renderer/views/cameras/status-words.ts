/** A camera's state in a few words and a colour. */
import type { CameraStatus } from '../../../shared/model/camera.ts';
import type { Tone } from '../../components/StatusDot.tsx';
import { formatMoment } from '../../components/format.ts';

export function toneOf({ state }: CameraStatus): Tone {
  return state === 'live' ? 'good' : state === 'connecting' ? 'busy' : state === 'paused' ? 'plain' : 'wrong';
}

export function statusWords({ state, sinceMs, recording }: CameraStatus): string {
  const since = formatMoment(sinceMs, Date.now());
  switch (state) {
    case 'live':
      return recording ? 'Recording' : 'Live, not recording';
    case 'connecting':
      return 'Connecting…';
    case 'offline':
      return `Offline since ${since}`;
    case 'refused':
      return 'Refuses the password';
    case 'paused':
      return `Paused since ${since}`;
  }
}
