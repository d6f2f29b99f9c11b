/** A camera's state in a few words and a colour. */
import type { CameraStatus } from '../../../shared/model/camera.ts';
import type { Tone } from '../../components/StatusDot.tsx';
import { formatMoment } from '../../components/format.ts';

export function toneOf({ state }: CameraStatus): Tone {
  return state === 'live' ? 'good' : state === 'connecting' ? 'busy' : state === 'paused' ? 'plain' : 'wrong';
}

export function statusWords({ state, sinceMs, recording, keeping }: CameraStatus): string {
  const since = formatMoment(sinceMs, Date.now());
  switch (state) {
    case 'live':
      if (recording) return 'Recording';
      if (keeping?.kind === 'events') return 'Live, recorded when something happens';
      if (keeping?.kind === 'not-scheduled') return keeping.untilMs === null ? 'Live, not recorded at any hour' : `Live, recorded again from ${formatMoment(keeping.untilMs, Date.now())}`;
      return 'Live, not recording';
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
