/**
 * Classes of length for spans, gaps and events. A range that overlaps a window and has at most length L begins at most L
 * before it, so one index range per class finds every overlap and reads nothing else; and a coarse question
 * leaves out the classes that no pixel could show (docs/design/storage.md, "Timeline").
 */
import { DAY_MS, type DurationMs, HOUR_MS, MINUTE_MS, SECOND_MS, type TimeRange } from '../../../shared/time.ts';

/** Upper bounds (exclusive) of the classes 0 to 4; class 5 is everything longer. */
const LIMITS_MS: readonly DurationMs[] = [15 * SECOND_MS, MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, DAY_MS];

export const SIZE_CLASSES: readonly number[] = [...LIMITS_MS.keys(), LIMITS_MS.length];

/** The class of a range. */
export function sizeClassOf(range: TimeRange): number {
  const lengthMs = range.endMs - range.startMs;
  const index = LIMITS_MS.findIndex((limitMs) => lengthMs < limitMs);
  return index === -1 ? LIMITS_MS.length : index;
}

/** How long before a window a range of this class can begin and still reach into it; null without bound. */
export function reachMs(sizeClass: number): DurationMs | null {
  return LIMITS_MS[sizeClass] ?? null;
}

/** Classes that may hold a range of at least `lengthMs`; a window of W then holds at most W / (their shortest) disjoint ranges. */
export function classesFrom(lengthMs: DurationMs): readonly number[] {
  return SIZE_CLASSES.filter((sizeClass) => (LIMITS_MS[sizeClass] ?? Number.POSITIVE_INFINITY) > lengthMs);
}

/** The class of what lasts a day or longer: the only one without a bound. */
export const DAY_LONG_CLASS = LIMITS_MS.length;

/** All others: what is in them ends at most a day after it began. */
export const SHORT_CLASSES: readonly number[] = SIZE_CLASSES.filter((sizeClass) => sizeClass < DAY_LONG_CLASS);

/** No range of these classes (a tail of SIZE_CLASSES) is shorter. */
export function leastMs(classes: readonly number[]): DurationMs {
  return LIMITS_MS[(classes[0] ?? 0) - 1] ?? 0;
}
