/** Time in which nothing could be recorded, where nothing was to be recorded either: it is not missing. Pure but for the zone's calendar. */
import type { Gap } from '../../../shared/model/gap.ts';
import type { WeekSchedule } from '../../../shared/model/recording-mode.ts';
import { DAY_MS, intersectRanges, type TimeRange } from '../../../shared/time.ts';
import { isScheduled, nextBorderMs } from '../../../shared/week-schedule.ts';
import type { DeadTime } from './dead-time.ts';

/** Who was away for longer sees the time before as one piece: nothing asks for it by days (docs/design/coverage.md). */
const LONGEST_MS = 62 * DAY_MS;

/** Parts of a range outside a week's hours, in order; those of its last LONGEST_MS only. */
export function offHours(schedule: WeekSchedule, range: TimeRange): readonly TimeRange[] {
  const parts: TimeRange[] = [];
  for (let atMs = Math.max(range.startMs, range.endMs - LONGEST_MS); atMs < range.endMs; ) {
    const endMs = Math.min(nextBorderMs(schedule, atMs) ?? Infinity, range.endMs);
    if (!isScheduled(schedule, atMs)) parts.push({ startMs: atMs, endMs });
    atMs = endMs;
  }
  return parts;
}

/**
 * The same gaps, those of dead times divided at the borders of the hours. What a camera was told to do does not change while
 * Porchlight does not run, so the schedule of now was that of then.
 */
export function withOffHours(gaps: readonly Gap[], deadTimes: readonly DeadTime[], schedule: WeekSchedule | null): readonly Gap[] {
  if (schedule === null) return gaps;
  return gaps.flatMap((gap) => {
    const dead = deadTimes.find((time) => time.cause === gap.cause && intersectRanges(time, gap) !== null);
    if (dead === undefined) return [gap];
    const parts: Gap[] = [];
    let atMs = gap.startMs;
    for (const off of offHours(schedule, gap)) {
      if (off.startMs > atMs) parts.push({ ...gap, startMs: atMs, endMs: off.startMs });
      parts.push({ ...gap, ...off, cause: 'not-scheduled', detail: `Outside the hours in which this camera is recorded. ${gap.detail}` });
      atMs = off.endMs;
    }
    return atMs < gap.endMs ? [...parts, { ...gap, startMs: atMs }] : parts;
  });
}
