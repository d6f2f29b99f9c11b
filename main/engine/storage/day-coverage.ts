/** Sums up what was recorded of each day and why the rest is missing; pure (docs/design/coverage.md). */
import type { CoverageGap, DayCoverage, MissingFootage } from '../../../shared/model/coverage.ts';
import type { Span, TimelineGap } from '../../../shared/model/timeline.ts';
import { type DurationMs, type EpochMs, intersectRanges, rangeLengthMs, type TimeRange } from '../../../shared/time.ts';

export interface Recorded {
  /** Unbroken footage of the main stream, in any order, overlaps allowed. */
  readonly spans: readonly Span[];
  readonly gaps: readonly TimelineGap[];
  /** From when on there should be footage; null for a camera of which nothing is known. */
  readonly sinceMs: EpochMs | null;
  /** Up to when: now, for a day that has not ended. */
  readonly untilMs: EpochMs;
}

/** A frame's time is right within this (docs/design/time.md): a hole that is shorter and of no known cause is none. */
const NO_HOLE_MS = 500;
/** Gaps that are listed one by one, per day. */
const LISTED_GAPS = 20;

export function coverageOfDays(days: readonly TimeRange[], recorded: Recorded): readonly DayCoverage[] {
  const spans = joined(recorded.spans);
  // What is footage is not missing, whatever a gap says: a span of later footage may reach into the end of a gap by a frame.
  const gaps = recorded.gaps.toSorted((a, b) => a.startMs - b.startMs);
  return days.map((day) => coverageOfDay(day, spans, gaps, recorded));
}

function coverageOfDay(day: TimeRange, spans: readonly TimeRange[], gaps: readonly TimelineGap[], { sinceMs, untilMs }: Recorded): DayCoverage {
  const wanted = sinceMs === null ? null : intersectRanges(day, { startMs: sinceMs, endMs: untilMs });
  if (wanted === null) return { ...day, expectedMs: 0, recordedMs: 0, notScheduledMs: 0, missing: [], longestGaps: [] };
  const mine = within(spans, wanted);
  const holes = holesOf(mine, wanted);
  const parts = holes.flatMap((hole) => explain(hole, gaps));
  const notScheduledMs = sum(parts.filter(({ cause }) => cause === 'not-scheduled'));
  const missing = parts.filter(({ cause }) => cause !== 'not-scheduled');
  const missingMs = sum(missing);
  const expectedMs = rangeLengthMs(wanted) - notScheduledMs;
  return {
    ...day,
    expectedMs,
    recordedMs: Math.max(0, expectedMs - missingMs),
    notScheduledMs,
    missing: byCause(missing),
    longestGaps: missing.toSorted((a, b) => rangeLengthMs(b) - rangeLengthMs(a)).slice(0, LISTED_GAPS).sort((a, b) => a.startMs - b.startMs),
  };
}

/** A hole between footage in parts by cause. What no gap explains is unknown, where it is long enough to be a hole at all. */
function explain(hole: TimeRange, gaps: readonly TimelineGap[]): CoverageGap[] {
  const parts: CoverageGap[] = [];
  let atMs = hole.startMs;
  const unknownTo = (endMs: EpochMs): void => {
    if (endMs - atMs > NO_HOLE_MS) parts.push({ startMs: atMs, endMs, cause: 'unknown', detail: '' });
  };
  for (const gap of gaps) {
    if (gap.endMs <= atMs) continue;
    if (gap.startMs >= hole.endMs) break;
    const startMs = Math.max(gap.startMs, atMs);
    const endMs = Math.min(gap.endMs, hole.endMs);
    unknownTo(startMs);
    parts.push({ startMs: startMs - atMs > NO_HOLE_MS ? startMs : atMs, endMs, cause: gap.cause, detail: gap.detail });
    atMs = endMs;
  }
  const last = parts.at(-1);
  // A gap is as long as the hole it explains, give or take a frame.
  if (last !== undefined && hole.endMs - atMs <= NO_HOLE_MS) parts[parts.length - 1] = { ...last, endMs: hole.endMs };
  else unknownTo(hole.endMs);
  return parts;
}

function byCause(parts: readonly CoverageGap[]): readonly MissingFootage[] {
  const causes = Map.groupBy(parts, ({ cause }) => cause);
  return [...causes].map(([cause, of]) => ({ cause, missingMs: sum(of), gaps: of.length })).sort((a, b) => b.missingMs - a.missingMs);
}

function sum(parts: readonly TimeRange[]): DurationMs {
  return parts.reduce((total, part) => total + rangeLengthMs(part), 0);
}

/** In order, what overlaps or touches as one. */
function joined(spans: readonly Span[]): readonly TimeRange[] {
  const whole: { startMs: EpochMs; endMs: EpochMs }[] = [];
  for (const { startMs, endMs } of spans.toSorted((a, b) => a.startMs - b.startMs)) {
    const last = whole.at(-1);
    if (last !== undefined && startMs <= last.endMs) last.endMs = Math.max(last.endMs, endMs);
    else whole.push({ startMs, endMs });
  }
  return whole;
}

function within(spans: readonly TimeRange[], range: TimeRange): readonly TimeRange[] {
  return spans.flatMap((span) => intersectRanges(span, range) ?? []);
}

function holesOf(spans: readonly TimeRange[], range: TimeRange): readonly TimeRange[] {
  const holes: TimeRange[] = [];
  let atMs = range.startMs;
  for (const { startMs, endMs } of spans) {
    if (startMs > atMs) holes.push({ startMs: atMs, endMs: startMs });
    atMs = Math.max(atMs, endMs);
  }
  if (atMs < range.endMs) holes.push({ startMs: atMs, endMs: range.endMs });
  return holes;
}
