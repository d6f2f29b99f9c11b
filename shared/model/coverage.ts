/** How much of a day was recorded, and why the rest is missing (docs/design/coverage.md). */
import type { DurationMs, TimeRange } from '../time.ts';
import type { GapCause } from './gap.ts';
import type { CameraId } from './ids.ts';

/** Missing footage of one cause, all its gaps of the day together. `unknown`: nothing was written down about it. */
export interface MissingFootage {
  readonly cause: GapCause | 'unknown';
  readonly missingMs: DurationMs;
  readonly gaps: number;
}

/** One stretch of missing footage, as far as it lies in the day. */
export interface CoverageGap extends TimeRange {
  readonly cause: GapCause | 'unknown';
  readonly detail: string;
}

/** A local day of a camera's main stream; 23 or 25 hours long where the clock changes. */
export interface DayCoverage extends TimeRange {
  /** Time in which there should be footage: from the camera's first day on, up to now, without what was not scheduled. */
  readonly expectedMs: DurationMs;
  readonly recordedMs: DurationMs;
  readonly notScheduledMs: DurationMs;
  /** By cause, longest first. */
  readonly missing: readonly MissingFootage[];
  /** The longest of the day, in order of time. */
  readonly longestGaps: readonly CoverageGap[];
}

export interface CameraCoverage {
  readonly cameraId: CameraId;
  /** Oldest first. */
  readonly days: readonly DayCoverage[];
}

/** The share of expected time that was recorded, 0 to 1; null where nothing was expected. */
export function recordedShare({ expectedMs, recordedMs }: Pick<DayCoverage, 'expectedMs' | 'recordedMs'>): number | null {
  return expectedMs <= 0 ? null : Math.min(1, recordedMs / expectedMs);
}
