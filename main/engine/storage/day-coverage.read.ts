/** Reads what day coverage is summed up from: exact spans and gaps of main streams (docs/design/coverage.md). */
import type { CameraCoverage } from '../../../shared/model/coverage.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { Span, TimelineGap } from '../../../shared/model/timeline.ts';
import { type EpochMs, SECOND_MS, type TimeRange } from '../../../shared/time.ts';
import { coverageOfDays } from './day-coverage.ts';
import { type ReadableDb, snapshotOf } from './database.ts';
import { SIZE_CLASSES } from './size-class.ts';
import type { IdLookup } from './stream-ids.ts';
import { timelineRows } from './timeline-rows.read.ts';

/** What goes on right now and has no row yet. */
export interface CoverageNow {
  readonly cameraId: CameraId;
  readonly spans: readonly Span[];
  readonly gaps: readonly TimelineGap[];
}

export interface DayCoverageQuery {
  readonly cameraIds: readonly CameraId[];
  /** Oldest first, one after the other. */
  readonly days: readonly TimeRange[];
  readonly nowMs: EpochMs;
  readonly now: readonly CoverageNow[];
}

/** An outage that ends where a camera's first footage begins belongs to the camera's time. */
const TOUCHING_MS = SECOND_MS;

/** Answers in the order asked. */
export function dayCoverageReader(db: ReadableDb, ids: IdLookup): (query: DayCoverageQuery) => readonly CameraCoverage[] {
  const rows = timelineRows(db);
  const onOneState = snapshotOf(db);
  return ({ cameraIds, days, nowMs, now }) =>
    onOneState(() => {
      const window = { startMs: days[0]?.startMs ?? 0, endMs: days.at(-1)?.endMs ?? 0 };
      return cameraIds.map((cameraId) => {
        const streamId = ids.stream(cameraId, 'main');
        const live = now.find((each) => each.cameraId === cameraId);
        const spans = [...(streamId === null ? [] : rows.spans(streamId, window)), ...(live?.spans ?? [])];
        const gaps = [...(streamId === null ? [] : rows.gaps(streamId, window, SIZE_CLASSES)), ...(live?.gaps ?? [])];
        const firstMs = Math.min(streamId === null ? Infinity : (rows.bounds(streamId)?.startMs ?? Infinity), ...(live?.spans ?? []).map(({ startMs }) => startMs));
        return { cameraId, days: coverageOfDays(days, { spans, gaps, sinceMs: since(firstMs, gaps), untilMs: nowMs }) };
      });
    });
}

/** From the first footage on, and the outage right before it. Older gaps are of footage that is gone. */
function since(firstMs: EpochMs, gaps: readonly TimelineGap[]): EpochMs | null {
  if (firstMs === Infinity) return gaps.length === 0 ? null : Math.min(...gaps.map(({ startMs }) => startMs));
  let sinceMs = firstMs;
  for (const gap of gaps.toSorted((a, b) => b.endMs - a.endMs)) {
    if (gap.startMs < sinceMs && gap.endMs >= sinceMs - TOUCHING_MS) sinceMs = gap.startMs;
  }
  return sinceMs;
}
