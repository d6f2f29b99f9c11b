/** The window's time for sessions: monotonic, and it goes on while the computer sleeps, so that nothing from before counts as fresh when it wakes. */
import type { SessionClock } from '../../shared/relay/wire.ts';

/** The wall clock is adjusted by less than this at a time; more, and the computer slept (or its clock was set, which does no harm: what is fresh says so again at once). */
const SLEPT_MS = 1_000;

/** Both in milliseconds: a clock that never steps but may stand still in sleep, and the wall's. */
export function awakeOrAsleep(monotonicMs: () => number, wallMs: () => number): () => number {
  let lastMonotonicMs = monotonicMs();
  let lastWallMs = wallMs();
  let sleptMs = 0;
  return () => {
    const [monotonicNowMs, wallNowMs] = [monotonicMs(), wallMs()];
    const aheadMs = wallNowMs - lastWallMs - (monotonicNowMs - lastMonotonicMs);
    if (aheadMs > SLEPT_MS) sleptMs += aheadMs;
    lastMonotonicMs = monotonicNowMs;
    lastWallMs = wallNowMs;
    return monotonicNowMs + sleptMs;
  };
}

export const pageClock: SessionClock = {
  nowMs: awakeOrAsleep(
    () => performance.now(),
    () => Date.now(),
  ),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
