/** What the relay allows, each number with its reason (docs/design/relay.md, "The wire to the relay"). */
import { MAX_MESSAGE_BYTES } from '../shared/relay/protocol.ts';

export interface RelayLimits {
  /** From an open connection to its hello. */
  readonly helloMs: number;
  /** From a ring to the home's own socket for that session. */
  readonly homeComesMs: number;
  /** An end that takes nothing for this long while something waits for it is given up, with its pair. */
  readonly stallMs: number;
  /** Between pings; a peer silent for a whole such time after one is dead. */
  readonly pingMs: number;
  /** From our close to the end of the socket, whether the other side answers or not. */
  readonly closeMs: number;
  /** An unknown token is answered after a random time up to this. */
  readonly unknownDelayMs: number;
  /** Largest message. */
  readonly messageBytes: number;
  /** Bytes that may wait for one end before the other is no longer read. */
  readonly backlogBytes: number;
  /** Of one session, both directions together; 0 for no limit. */
  readonly sessionBitsPerS: number;
  readonly sessionsPerHome: number;
  /** New connections of one address (of an IPv6 /64) a second. */
  readonly connectsPerAddressPerS: number;
  /** Open connections of one address. */
  readonly connectionsPerAddress: number;
  /** New connections a second, of everybody. */
  readonly acceptsPerS: number;
  /** Open connections, of everybody. */
  readonly connections: number;
  /** Registrations, pings and pongs of one socket a second. */
  readonly controlsPerS: number;
  /** Behind a balancer: homes dial anew after this, at least, and up to this more. */
  readonly redialLeastMs: number;
  readonly redialSpreadMs: number;
}

export const LIMITS: RelayLimits = {
  // A hello is one packet after the handshakes; 5 s is a very bad line, and a bound on what half-open sockets cost.
  helloMs: 5_000,
  // The home dials once more: four round trips with TLS. Viewers give up looking after about as long.
  homeComesMs: 10_000,
  stallMs: 10_000,
  // Below the 60 s after which many routers and balancers forget a silent connection.
  pingMs: 30_000,
  closeMs: 3_000,
  unknownDelayMs: 200,
  messageBytes: MAX_MESSAGE_BYTES,
  // Twice Node's own high-water mark: below it, TLS (whose writes are done a turn later) would stop the source after every few messages;
  // above, thousands of stalled ends would be gigabytes. A line that takes less than this in `stallMs`, 100 kbit/s, may count as taking nothing.
  backlogBytes: 128 * 1024,
  // A 4K main stream has 16 Mbit/s; 8 would starve it.
  sessionBitsPerS: 25_000_000,
  sessionsPerHome: 8,
  connectsPerAddressPerS: 20,
  // Carriers put a street behind one address: three sockets for each of some hundred homes. One stranger cannot fill the table alone.
  connectionsPerAddress: 512,
  // What a storm may bring in at all; how fast it is let in, relay/admission.ts finds out. A TLS handshake costs about 1 ms of a core.
  acceptsPerS: 2_000,
  // 35 KiB each under TLS: 700 MB when full.
  connections: 20_000,
  // A home registers when a device or the day changes; browsers and ws send no pings by themselves.
  controlsPerS: 10,
  // A process that comes back takes its routes back; its homes have to follow within 30 s, with the balancer's check (2 s) and a viewer's next try (4 s) on top.
  redialLeastMs: 15_000,
  redialSpreadMs: 6_000,
};

/** A limit of so many a second, with `burst` of them at once. */
export class Bucket {
  readonly #perMs: number;
  readonly #burst: number;
  #left: number;
  #atMs: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#left = burst;
    this.#atMs = nowMs;
  }

  #refill(nowMs: number): void {
    this.#left = Math.min(this.#burst, this.#left + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }

  /** Takes one where there is one. */
  take(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** Takes `amount`, also what is not there; the milliseconds until the debt is paid, 0 without one. */
  charge(amount: number, nowMs: number): number {
    this.#refill(nowMs);
    this.#left -= amount;
    return this.#left >= 0 ? 0 : -this.#left / this.#perMs;
  }

  isFull(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#left >= this.#burst;
  }
}
