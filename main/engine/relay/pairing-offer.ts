/** An open offer to pair as facts, and what becomes of it: pure (docs/design/relay.md, "Keys and pairing"). */
import type { PairingKind, PairingOffer } from '../../../shared/model/remote.ts';
import { type DurationMs, type EpochMs, MINUTE_MS } from '../../../shared/time.ts';

export const OFFER_MS: DurationMs = 5 * MINUTE_MS;
export const TRIES = 3;

export interface OfferState {
  readonly kind: PairingKind;
  readonly text: string;
  readonly relays: readonly string[];
  readonly expiresMs: EpochMs;
  readonly triesLeft: number;
  readonly candidate: { readonly key: string; readonly name: string; readonly digits: string; readonly cameMs: EpochMs } | null;
  readonly warning: string | null;
  /** The owner said yes: the device is keeping its keys, and nothing else may happen. */
  readonly isAllowing: boolean;
}

/** What comes of an offer: it stays, or it ends with a sentence. */
export type OfferStep = { readonly state: OfferState; readonly ended: null } | { readonly state: null; readonly ended: string };

const stay = (state: OfferState): OfferStep => ({ state, ended: null });
const end = (ended: string): OfferStep => ({ state: null, ended });

export function openOffer(offer: Pick<OfferState, 'kind' | 'text' | 'relays'>, nowMs: EpochMs): OfferState {
  return { ...offer, expiresMs: nowMs + OFFER_MS, triesLeft: TRIES, candidate: null, warning: null, isAllowing: false };
}

const SECOND = 'A second device came with the same code and was turned away. If you showed the code to one device only, somebody else has seen it: press Refuse, and begin again.';
const WRONG = 'Something came to this offer that does not know its code.';

/** A device that knows the code came. Null: it is turned away, because another is being looked at. */
export function deviceCame(state: OfferState, device: { readonly key: string; readonly name: string; readonly digits: string }, nowMs: EpochMs): { readonly state: OfferState; readonly taken: boolean } {
  if (state.candidate !== null) return { state: { ...state, warning: SECOND }, taken: false };
  return { state: { ...state, candidate: { ...device, name: shownName(device.name), cameMs: nowMs } }, taken: true };
}

/** A handshake failed: whoever came does not know the code. */
export function wrongCode(state: OfferState): OfferStep {
  return spend({ ...state, warning: state.warning ?? WRONG }, 'Three times something came that does not know the code, so the code is void. Begin again with a new one.');
}

/** The device went away before it was allowed or refused. */
export function deviceLeft(state: OfferState, key: string): OfferStep {
  if (state.candidate?.key !== key || state.isAllowing) return stay(state);
  return spend({ ...state, candidate: null }, 'The device went away, for the third time. Begin again with a new code.');
}

export function refused(state: OfferState): OfferStep {
  if (state.candidate === null) return stay(state);
  return spend({ ...state, candidate: null }, 'Three devices were refused, so the code is void. Begin again with a new one.');
}

/** Whether the device with these digits may be let in now. */
export function mayAllow(state: OfferState | null, digits: string, nowMs: EpochMs): state is OfferState {
  return state !== null && !state.isAllowing && state.candidate?.digits === digits && nowMs < state.expiresMs;
}

function spend(state: OfferState, lastSentence: string): OfferStep {
  return state.triesLeft <= 1 ? end(lastSentence) : stay({ ...state, triesLeft: state.triesLeft - 1 });
}

/** As the interface shows it. */
export function shownOffer({ kind, text, relays, expiresMs, triesLeft, candidate, warning }: OfferState): PairingOffer {
  return { kind, text, relays, expiresMs, triesLeft, warning, candidate: candidate === null ? null : { name: candidate.name, digits: candidate.digits, cameMs: candidate.cameMs } };
}

const MOST_NAME = 60;

/** A name somebody else chose, fit to be shown: one line, no direction marks, not empty. */
export function shownName(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').replaceAll(/\s+/g, ' ').trim().slice(0, MOST_NAME).trim() || 'A device';
}
