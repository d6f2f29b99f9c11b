/**
 * The time from which footage's age is counted. A clock that leaps ahead (a wrong battery, a wrong hand) would make
 * everything too old at once: a leap of more than a day is believed after a day of running in it. Pure.
 */
import { DAY_MS, type DurationMs, type EpochMs } from '../../../shared/time.ts';

/** Also what a computer that was off for longer does to the clock: its old footage then stays a day longer. */
const LEAP_MS: DurationMs = DAY_MS;
const BELIEVED_AFTER_MS: DurationMs = DAY_MS;

export interface AgeClock {
  /** What age is counted from. */
  readonly nowMs: EpochMs;
  /** Where time had got to before any leap, gone on since; never goes back. */
  readonly knownMs: EpochMs;
  readonly monotonicMs: DurationMs;
  /** When, by the monotonic clock, the leap that is not believed yet was seen. */
  readonly doubtedSinceMs: DurationMs | null;
}

/**
 * At the start of a life. `newestDayStartMs`: when the newest 24 hours of footage began, null where there is none. Where recording went
 * on without a break that is a day ago; what a leap left behind, an hour dated to another year, moves it by that hour.
 */
export function startAgeClock(newestDayStartMs: EpochMs | null, wallMs: EpochMs, monotonicMs: DurationMs): AgeClock {
  const knownMs = newestDayStartMs === null ? wallMs : newestDayStartMs + DAY_MS;
  return readAgeClock({ nowMs: knownMs, knownMs, monotonicMs, doubtedSinceMs: null }, wallMs, monotonicMs);
}

/** The clocks read anew, any time later in the same life. */
export function readAgeClock(before: AgeClock, wallMs: EpochMs, monotonicMs: DurationMs): AgeClock {
  const knownMs = before.knownMs + (monotonicMs - before.monotonicMs);
  // A clock that is behind makes footage younger: nothing goes too early.
  if (wallMs <= knownMs + LEAP_MS) return { nowMs: wallMs, knownMs: Math.max(knownMs, wallMs), monotonicMs, doubtedSinceMs: null };
  const doubtedSinceMs = before.doubtedSinceMs ?? monotonicMs;
  if (monotonicMs - doubtedSinceMs >= BELIEVED_AFTER_MS) return { nowMs: wallMs, knownMs: wallMs, monotonicMs, doubtedSinceMs: null };
  return { nowMs: knownMs, knownMs, monotonicMs, doubtedSinceMs };
}
