/** Missing footage and the closed set of its causes (DESIGN.md section 4). */
import type { TimeRange } from '../time.ts';
import type { StreamKind } from './camera.ts';
import type { CameraId } from './ids.ts';

export const GAP_CAUSES = [
  'camera-unreachable',
  'camera-refused',
  'stream-stalled',
  'disk-full',
  'disk-missing',
  'disk-too-slow',
  'disk-failing',
  'porchlight-failed',
  'stopped-by-you',
  'paused-by-you',
  'computer-asleep',
  'computer-off',
  'power-lost',
  'clock-changed',
  'not-scheduled',
] as const;

export type GapCause = (typeof GAP_CAUSES)[number];

/** What a person reads for each cause. */
export const GAP_CAUSE_LABEL: Readonly<Record<GapCause, string>> = {
  'camera-unreachable': 'Camera could not be reached',
  'camera-refused': 'Camera refused the connection',
  'stream-stalled': 'Camera stopped sending pictures',
  'disk-full': 'Disk was full',
  'disk-missing': 'Disk was not there',
  'disk-too-slow': 'Disk was too slow',
  'disk-failing': 'Disk reported errors',
  'porchlight-failed': 'Porchlight failed and restarted',
  'stopped-by-you': 'Porchlight was closed',
  'paused-by-you': 'Paused by you',
  'computer-asleep': 'Computer was asleep',
  'computer-off': 'Computer was off',
  'power-lost': 'Power was lost',
  'clock-changed': 'Clock was changed',
  'not-scheduled': 'Not scheduled',
};

export interface Gap extends TimeRange {
  readonly cameraId: CameraId;
  readonly stream: StreamKind;
  readonly cause: GapCause;
  /** A detail for the day report ("camera answered 401"); no secrets. */
  readonly detail: string;
}
