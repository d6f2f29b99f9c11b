/**
 * Time as the whole program speaks of it: milliseconds since 1970 in UTC on the wall, milliseconds for lengths,
 * half-open ranges. The zone belongs to the display (docs/design/time.md).
 */

/** Milliseconds since 1970-01-01T00:00Z; fractions allowed where a frame's time is meant. */
export type EpochMs = number;
/** A length of time in milliseconds. */
export type DurationMs = number;

/** From `startMs` up to, not including, `endMs`. */
export interface TimeRange {
  readonly startMs: EpochMs;
  readonly endMs: EpochMs;
}

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export function rangeLengthMs(range: TimeRange): DurationMs {
  return Math.max(0, range.endMs - range.startMs);
}

export function rangeContains(range: TimeRange, atMs: EpochMs): boolean {
  return atMs >= range.startMs && atMs < range.endMs;
}

/** The part two ranges share, or null where they share nothing. */
export function intersectRanges(a: TimeRange, b: TimeRange): TimeRange | null {
  const startMs = Math.max(a.startMs, b.startMs);
  const endMs = Math.min(a.endMs, b.endMs);
  return startMs < endMs ? { startMs, endMs } : null;
}

/** UTC calendar day of a moment, as on disk: `2026-11-21`. */
export function utcDay(atMs: EpochMs): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

/** UTC hour of a moment, as on disk: `00` to `23`. */
export function utcHour(atMs: EpochMs): string {
  return new Date(atMs).toISOString().slice(11, 13);
}
