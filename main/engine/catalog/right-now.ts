/**
 * Adds what is missing right now to answers of the index. `open` has to be taken from the ledger before the index is asked: what
 * gets its row in between is then in both, and counts once; the other way round it could be in neither. Pure.
 */
import type { Gap } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { CameraEvent, CameraTimeline, TimelineGap } from '../../../shared/model/timeline.ts';
import type { TimeRange } from '../../../shared/time.ts';
import { offlineEvents } from './camera-events.ts';

/** Gaps and events in the window. Main streams only, as the timeline draws them. */
export function withOpenGaps(timelines: readonly CameraTimeline[], open: readonly Gap[], window: TimeRange): readonly CameraTimeline[] {
  return timelines.map((timeline) => {
    const { cameraId } = timeline;
    const mine = open.filter((gap) => gap.cameraId === cameraId && gap.stream === 'main' && overlaps(gap, window) && !timeline.gaps.some((known) => isSameStart(known, gap)));
    const added: readonly TimelineGap[] = mine.map(({ startMs, endMs, cause, detail }) => ({ startMs, endMs, cause, detail }));
    const gaps = added.length === 0 ? timeline.gaps : [...timeline.gaps, ...added].toSorted((a, b) => a.startMs - b.startMs);
    return { ...timeline, gaps, events: withOpenEvents(timeline.events, open, { ...window, cameraIds: [cameraId] }) };
  });
}

/** Events of these cameras in a range, oldest first, those of outages that have not ended among them; with a `limit`, the newest. */
export function withOpenEvents(events: readonly CameraEvent[], open: readonly Gap[], query: TimeRange & { readonly cameraIds: readonly CameraId[]; readonly limit?: number }): readonly CameraEvent[] {
  const mine = offlineEvents(open.filter((gap) => query.cameraIds.includes(gap.cameraId)));
  const added = mine.filter((event) => overlaps(event, query) && !events.some((known) => known.id === event.id));
  if (added.length === 0) return events;
  const all = [...events, ...added].toSorted((a, b) => a.startMs - b.startMs);
  return query.limit === undefined ? all : all.slice(-query.limit);
}

function overlaps(a: TimeRange, b: TimeRange): boolean {
  return a.startMs < b.endMs && a.endMs > b.startMs;
}

/** Two gaps of a camera do not begin at one moment: it is the same one, as it was and as it ended. */
function isSameStart(a: TimeRange, b: TimeRange): boolean {
  return Math.abs(a.startMs - b.startMs) < 1;
}
