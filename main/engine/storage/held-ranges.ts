/** Which footage is held: locked, or kept longer for an event that it shows. Pure. */
import type { CameraId } from '../../../shared/model/ids.ts';
import type { EventKind } from '../../../shared/model/timeline.ts';
import type { TimeRange } from '../../../shared/time.ts';

export interface HeldRange extends TimeRange {
  readonly cameraId: CameraId;
}

/** `locked` is never deleted; `event` goes after everything that is not held. */
export type Held = 'locked' | 'event' | null;

/** Events whose footage the owner may want longer: what was seen, not that a camera was away. */
export const KEPT_EVENT_KINDS: readonly EventKind[] = ['motion', 'person', 'vehicle', 'animal', 'note'];

/** A range holds every segment of its camera that it touches, all streams. Where both do, the lock counts. */
export function heldCheck(locks: readonly HeldRange[], events: readonly HeldRange[]): (segment: HeldRange) => Held {
  const isLocked = touchCheck(locks);
  const isEvent = touchCheck(events);
  return (segment) => (isLocked(segment) ? 'locked' : isEvent(segment) ? 'event' : null);
}

function touchCheck(ranges: readonly HeldRange[]): (segment: HeldRange) => boolean {
  const byCamera = new Map([...Map.groupBy(ranges, (range) => range.cameraId)].map(([cameraId, mine]) => [cameraId, merged(mine)]));
  return ({ cameraId, startMs, endMs }) => {
    const mine = byCamera.get(cameraId);
    if (mine === undefined) return false;
    // The last that begins before the segment's end; being disjoint, those before it end earlier still.
    let low = 0;
    let high = mine.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((mine[middle]?.startMs ?? 0) < endMs) low = middle + 1;
      else high = middle;
    }
    return (mine[low - 1]?.endMs ?? Number.NEGATIVE_INFINITY) > startMs;
  };
}

/** In order and disjoint. */
function merged(ranges: readonly TimeRange[]): readonly TimeRange[] {
  const result: { startMs: number; endMs: number }[] = [];
  for (const { startMs, endMs } of ranges.toSorted((a, b) => a.startMs - b.startMs)) {
    const last = result.at(-1);
    if (last !== undefined && startMs <= last.endMs) last.endMs = Math.max(last.endMs, endMs);
    else result.push({ startMs, endMs });
  }
  return result;
}
