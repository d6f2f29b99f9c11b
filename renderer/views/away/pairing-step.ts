/** Where a pairing stands, from what the home tells and what was pressed here. Pure. */
import type { Grants, PairingOffer } from '../../../shared/model/remote.ts';
import { type DurationMs, type EpochMs, MINUTE_MS, SECOND_MS } from '../../../shared/time.ts';

export interface PairingFacts {
  /** Whether the home has answered that the offer is open. */
  readonly began: boolean;
  /** The open offer, as the home tells it now. */
  readonly offer: PairingOffer | null;
  /** The offer as it was when Allow was pressed, until that is answered. */
  readonly allowing: PairingOffer | null;
  /** What was allowed. */
  readonly allowed: { readonly name: string; readonly grants: Grants } | null;
  readonly lastPairing: string | null;
  /** The device that was turned away: what follows is a new code, for somebody else had this one. */
  readonly turnedAway: string | null;
}

export type PairingStep =
  | { readonly kind: 'opening' }
  | { readonly kind: 'offer'; readonly offer: PairingOffer }
  | { readonly kind: 'candidate'; readonly offer: PairingOffer; readonly candidate: NonNullable<PairingOffer['candidate']>; readonly busy: boolean }
  | { readonly kind: 'allowed'; readonly name: string; readonly grants: Grants }
  | { readonly kind: 'ended'; readonly sentence: string };

export function pairingStep({ began, offer, allowing, allowed, lastPairing, turnedAway }: PairingFacts): PairingStep {
  if (allowed !== null) return { kind: 'allowed', ...allowed };
  // The home ends the offer before it answers that the device has kept its keys.
  const waiting = allowing?.candidate ?? null;
  if (allowing !== null && waiting !== null) return { kind: 'candidate', offer: allowing, candidate: waiting, busy: true };
  if (turnedAway !== null) return { kind: 'ended', sentence: `${turnedAway} was turned away, and the code is no longer valid: somebody else may have seen it.` };
  if (!began) return { kind: 'opening' };
  if (offer === null) return { kind: 'ended', sentence: lastPairing ?? 'The code is no longer valid.' };
  return offer.candidate === null ? { kind: 'offer', offer } : { kind: 'candidate', offer, candidate: offer.candidate, busy: false };
}

/** "4:05": time left; never more than the five minutes, where this computer's clock is behind the home's. */
export function timeLeft(expiresMs: EpochMs, nowMs: EpochMs): string {
  const leftMs: DurationMs = Math.min(5 * MINUTE_MS, Math.max(0, expiresMs - nowMs));
  const seconds = Math.ceil(leftMs / SECOND_MS);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Six digits as two threes, easier to compare. */
export function digitsInTwo(digits: string): readonly [string, string] {
  return [digits.slice(0, 3), digits.slice(3)];
}
