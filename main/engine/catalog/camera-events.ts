/** Cameras that went away and came back, as events: what stands in the list of what happened. Pure. */
import { type Gap, GAP_CAUSE_LABEL } from '../../../shared/model/gap.ts';
import type { CameraEvent } from '../../../shared/model/timeline.ts';
import { DAY_MS, type DurationMs, HOUR_MS, MINUTE_MS, rangeLengthMs, SECOND_MS } from '../../../shared/time.ts';
import { OF_THE_CAMERA } from './dead-time.ts';

/** A shorter outage is a hiccup of the network: a gap on the timeline, but nothing to tell. */
export const WORTH_TELLING_MS: DurationMs = 10 * SECOND_MS;
/** Gaps that follow each other within this are of one outage. */
const TOUCHING_MS: DurationMs = 1;

/**
 * What there is to tell of gaps in cameras' main streams, as they follow each other in one outage: that a camera went away,
 * from loss to return, labelled with the cause of the longest part. Other causes (disk, computer, owner) tell nothing. The id
 * follows from camera and beginning, so that an outage still open and its end are one event, however often it is written down.
 */
export function offlineEvents(gaps: readonly Gap[]): readonly CameraEvent[] {
  return awayTimes(gaps).map((parts) => {
    const [first, ...rest] = parts;
    const longest = rest.reduce((best, part) => (rangeLengthMs(part) > rangeLengthMs(best) ? part : best), first);
    return { id: `offline-${first.cameraId}-${Math.round(first.startMs)}`, cameraId: first.cameraId, startMs: first.startMs, endMs: (rest.at(-1) ?? first).endMs, kind: 'camera-offline', label: GAP_CAUSE_LABEL[longest.cause] };
  });
}

/** That a camera is back, at the moment of its first frame, and how long it was away: where these gaps, all of one outage that is over, end with its absence. */
export function onlineEvents(gaps: readonly Gap[]): readonly CameraEvent[] {
  const overMs = Math.max(...gaps.map((gap) => gap.endMs));
  return offlineEvents(gaps)
    .filter((away) => away.endMs === overMs)
    .map(({ cameraId, endMs, ...away }) => ({ id: `online-${cameraId}-${Math.round(endMs)}`, cameraId, startMs: endMs, endMs, kind: 'camera-online', label: `Back after ${inWords(endMs - away.startMs)}` }));
}

/** Runs of touching gaps that lie with one camera, those worth telling. */
function awayTimes(gaps: readonly Gap[]): readonly (readonly [Gap, ...Gap[]])[] {
  const runs: [Gap, ...Gap[]][] = [];
  for (const gap of gaps.toSorted((a, b) => a.startMs - b.startMs)) {
    if (gap.stream !== 'main' || !OF_THE_CAMERA.has(gap.cause)) continue;
    const run = runs.find((one) => one[0].cameraId === gap.cameraId && Math.abs((one.at(-1) ?? one[0]).endMs - gap.startMs) <= TOUCHING_MS);
    if (run === undefined) runs.push([gap]);
    else run.push(gap);
  }
  return runs.filter((run) => (run.at(-1) ?? run[0]).endMs - run[0].startMs >= WORTH_TELLING_MS);
}

/** "21 s", "4 min", "2 h 5 min", "3 days". */
function inWords(durationMs: DurationMs): string {
  if (durationMs < 2 * MINUTE_MS) return `${Math.round(durationMs / SECOND_MS)} s`;
  if (durationMs < HOUR_MS - MINUTE_MS / 2) return `${Math.round(durationMs / MINUTE_MS)} min`;
  if (durationMs >= 2 * DAY_MS) return `${Math.round(durationMs / DAY_MS)} days`;
  const minutes = Math.round(durationMs / MINUTE_MS);
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
