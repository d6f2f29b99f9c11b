/** When an engine that ended is started again: a pure decision on when it ended before. */
import { MINUTE_MS, type DurationMs } from '../../shared/time.ts';

/**
 * The first restart is at once: recording has to be back within three seconds (I4). After that the waits grow, because
 * something that fails at every start will fail again.
 */
const WAITS_MS: readonly DurationMs[] = [0, 250, 1_000, 3_000, 10_000, 30_000];
/** More ends than this within the window, and somebody has to look at it. */
export const MAX_ENDS = 8;
export const ENDS_WINDOW_MS = 5 * MINUTE_MS;

export type RestartDecision = { readonly kind: 'restart'; readonly waitMs: DurationMs } | { readonly kind: 'give-up' };

/** `endsMs`: monotonic times at which the engine ended, the newest last and equal to now. */
export function decideRestart(endsMs: readonly DurationMs[], nowMs: DurationMs): RestartDecision {
  const recent = recentEnds(endsMs, nowMs).length;
  if (recent > MAX_ENDS) return { kind: 'give-up' };
  return { kind: 'restart', waitMs: WAITS_MS[Math.min(recent - 1, WAITS_MS.length - 1)] ?? 0 };
}

/** Those that still count. */
export function recentEnds(endsMs: readonly DurationMs[], nowMs: DurationMs): readonly DurationMs[] {
  return endsMs.filter((endMs) => nowMs - endMs < ENDS_WINDOW_MS);
}
