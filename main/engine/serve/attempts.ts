/** Limits guesses of a password, per address and in total, so that neither one guesser nor many at once get far. */
import { MINUTE_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';

export interface AttemptLimits {
  readonly windowMs: number;
  readonly perAddress: number;
  /** From all addresses together; higher, so that one noisy device does not lock the family out at once. */
  readonly total: number;
}

const ATTEMPT_LIMITS: AttemptLimits = { windowMs: 15 * MINUTE_MS, perAddress: 8, total: 40 };

export interface Attempts {
  /** Counts a guess before it is checked; false when there were too many. */
  allow(address: string): boolean;
  /** A right password makes earlier guesses of that address forgotten. */
  succeeded(address: string): void;
}

export function createAttempts(clock: Clock, limits: AttemptLimits = ATTEMPT_LIMITS): Attempts {
  let recent: { readonly address: string; readonly atMs: number }[] = [];
  return {
    allow(address) {
      const nowMs = clock.monotonicMs();
      recent = recent.filter((attempt) => nowMs - attempt.atMs < limits.windowMs);
      const own = recent.filter((attempt) => attempt.address === address).length;
      if (own >= limits.perAddress || recent.length >= limits.total) return false;
      recent.push({ address, atMs: nowMs });
      return true;
    },
    succeeded(address) {
      recent = recent.filter((attempt) => attempt.address !== address);
    },
  };
}
