/** How often one token may ring (docs/design/relay.md): a handshake costs the home half a millisecond, and who rings is unknown until it is done. */
import { toHex } from '../../../shared/relay/bytes.ts';
import { type DurationMs, SECOND_MS } from '../../../shared/time.ts';

const RINGS_PER_S = 5;
/** Tokens remembered; a home registers 64 at most. */
const MOST_TOKENS = 256;

export class RingLimiter {
  readonly #rings = new Map<string, readonly DurationMs[]>();

  /** Whether this token may ring now; counts the ring where it may. `nowMs`: monotonic. */
  take(token: Uint8Array, nowMs: DurationMs): boolean {
    const key = toHex(token);
    const lately = (this.#rings.get(key) ?? []).filter((atMs) => nowMs - atMs < SECOND_MS);
    if (lately.length >= RINGS_PER_S) return false;
    this.#rings.delete(key);
    this.#rings.set(key, [...lately, nowMs]);
    const oldest = this.#rings.keys().next();
    if (this.#rings.size > MOST_TOKENS && oldest.done !== true) this.#rings.delete(oldest.value);
    return true;
  }
}
