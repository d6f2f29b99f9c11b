/** Waits between attempts as data: a ladder with jitter, so that cameras that failed together do not come back together. */
import type { DurationMs } from '../../../shared/time.ts';

export interface RetryLadder {
  /** Waits by attempt; the last one repeats. */
  readonly stepsMs: readonly DurationMs[];
  /** 0.2 spreads each wait over ±20 %. */
  readonly jitter: number;
}

/** The wait before attempt `failures` + 1, with `random` in [0, 1). */
export function retryWaitMs(ladder: RetryLadder, failures: number, random: number): DurationMs {
  const step = ladder.stepsMs[Math.min(Math.max(failures, 1), ladder.stepsMs.length) - 1] ?? 0;
  return step * (1 + ladder.jitter * (2 * random - 1));
}
