/** Cameras that went away and came back, as events: what stands in the list of what happened, one for each such gap. Pure. */
import { type Gap, GAP_CAUSE_LABEL, type GapCause } from '../../../shared/model/gap.ts';
import type { CameraEvent } from '../../../shared/model/timeline.ts';
import { type DurationMs, rangeLengthMs, SECOND_MS } from '../../../shared/time.ts';

/** A shorter outage is a hiccup of the network: a gap on the timeline, but nothing to tell. */
export const WORTH_TELLING_MS: DurationMs = 10 * SECOND_MS;

/** What lies with the camera or the way to it; the disk, the computer and the owner have other causes. */
const OF_THE_CAMERA: ReadonlySet<GapCause> = new Set(['camera-unreachable', 'camera-refused', 'stream-stalled']);

/**
 * The event of a gap in a camera's main stream, from loss to return, labelled with its cause; null for every other gap. The id
 * follows from camera and beginning, so that an outage still open and its end are one event, however often it is written down.
 */
export function offlineEvent(gap: Gap): CameraEvent | null {
  if (gap.stream !== 'main' || !OF_THE_CAMERA.has(gap.cause) || rangeLengthMs(gap) < WORTH_TELLING_MS) return null;
  const { cameraId, startMs, endMs, cause } = gap;
  return { id: `offline-${cameraId}-${Math.round(startMs)}`, cameraId, startMs, endMs, kind: 'camera-offline', label: GAP_CAUSE_LABEL[cause] };
}
