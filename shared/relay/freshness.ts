/** The sign of life of a session: nonces that come back say how old what is shown may be (docs/design/relay.md, "Freshness"). */

/** Older than this, a picture is greyed with its age. */
export const GREY_AFTER_MS = 1_500;
/** Older than this, it goes blank. */
export const BLANK_AFTER_MS = 3_000;

export interface Freshness {
  /** How long ago the newest of our nonces that came back was sent. */
  ageMs(): number;
  /** After each nonce that came back. Returns how to stop listening. */
  onBeat(listener: () => void): () => void;
}

export type FreshnessLevel = 'fresh' | 'grey' | 'blank';

/** What a picture may look like at that age of the session. */
export function freshnessLevel(ageMs: number): FreshnessLevel {
  if (ageMs > BLANK_AFTER_MS) return 'blank';
  return ageMs > GREY_AFTER_MS ? 'grey' : 'fresh';
}

/** Nonces kept while they wait for their echo; at two a second, a delay of over two minutes. */
const MOST_WAITING = 256;

interface Sent {
  readonly nonce: number;
  readonly sentMs: number;
}

/** What one end remembers of its nonces. */
export interface BeatState {
  readonly nextNonce: number;
  /** Not yet echoed, oldest first. */
  readonly waiting: readonly Sent[];
  /** When the newest nonce that came back was sent. */
  readonly freshMs: number;
  /** Round trip of that nonce; null before the first. */
  readonly roundTripMs: number | null;
  readonly leastRoundTripMs: number | null;
}

/** `provenMs`: when the last thing was sent that is known to have been answered (message 1 of the handshake). */
export function startBeats(provenMs: number): BeatState {
  return { nextNonce: 1, waiting: [], freshMs: provenMs, roundTripMs: null, leastRoundTripMs: null };
}

/** A nonce goes out now. */
export function sendBeat(state: BeatState, nowMs: number): { readonly state: BeatState; readonly nonce: number } {
  const nonce = state.nextNonce;
  return { nonce, state: { ...state, nextNonce: nonce + 1, waiting: [...state.waiting.slice(1 - MOST_WAITING), { nonce, sentMs: nowMs }] } };
}

/** A nonce came back; null when it was never sent, or came back before: no honest end says that. */
export function receiveEcho(state: BeatState, nonce: number, nowMs: number): BeatState | null {
  const at = state.waiting.findIndex((sent) => sent.nonce === nonce);
  const sent = state.waiting[at];
  if (sent === undefined) return null;
  const roundTripMs = nowMs - sent.sentMs;
  return { ...state, waiting: state.waiting.slice(at + 1), freshMs: sent.sentMs, roundTripMs, leastRoundTripMs: Math.min(roundTripMs, state.leastRoundTripMs ?? roundTripMs) };
}
