/** The relay's whole memory: which control socket answers to which token, which viewer waits for its home, which pairs are spliced. */
import { randomBytes } from 'node:crypto';
import { decodeRegister, encodeRelayMessage, SESSION_KEY_BYTES } from '../shared/relay/protocol.ts';
import type { CloseWord, Connection, Surroundings } from './connection.ts';
import { Deadlines } from './deadlines.ts';
import { type HandOver, Splice } from './splice.ts';

/** A token somebody registered, or that has sessions left from when somebody did. */
interface Ringing {
  home: Connection | null;
  sessions: number;
}

interface Waiting {
  readonly viewer: Connection;
  readonly token: Buffer;
  readonly sessionKey: Buffer;
}

/** So that thousands that came in one storm are not written to in one go. */
const REDIALS_PER_SWEEP = 200;

/** How a table looks something up: the bytes as a string of the same length. */
const keyOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

export class SessionTable {
  readonly #around: Surroundings;
  readonly #handOver: HandOver | null;
  readonly #tokens = new Map<string, Ringing>();
  /** The tokens a control socket holds now; one that a newer socket registered is no longer among them. */
  readonly #homes = new Map<Connection, Set<string>>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #late: Deadlines<Waiting>;
  readonly #splices = new Set<Splice>();
  /** Homes to be asked again to dial anew; null where there is no balancer that might lead elsewhere by now. */
  readonly #redials: Deadlines<Connection> | null;

  constructor(around: Surroundings, { handOver, behindProxy }: { readonly handOver: HandOver | null; readonly behindProxy: boolean }) {
    this.#around = around;
    this.#handOver = handOver;
    // A home whose dial failed keeps this socket, and is asked again.
    this.#redials = behindProxy ? new Deadlines(2 * (around.limits.redialLeastMs + around.limits.redialSpreadMs)) : null;
    this.#late = new Deadlines(around.limits.homeComesMs);
  }

  /** Makes a connection the control socket of a home. */
  addHome(home: Connection): void {
    this.#homes.set(home, new Set());
    home.onMessage = (message) => {
      if (!home.takeControl()) return;
      const tokens = decodeRegister(message);
      if (tokens === null) home.close('protocol', 'protocol');
      else this.#register(home, tokens);
    };
    home.onClosed = () => {
      this.#register(home, []);
      this.#homes.delete(home);
      this.#redials?.delete(home);
      this.#count();
    };
    home.send(encodeRelayMessage({ type: 'welcome' }));
    this.#askToRedial(home);
    this.#count();
  }

  /** Tells every home that this relay is about to go, and when to come back. */
  announceRestart(leastMs: number, spreadMs: number): void {
    const message = encodeRelayMessage({ type: 'reconnect-in', leastMs, spreadMs });
    for (const home of this.#homes.keys()) home.send(message);
  }

  /** Rings the home of a viewer's token; the reason where that cannot be, and then nothing has been said to either. */
  ring(viewer: Connection, token: Buffer): 'nobody' | 'home-limit' | null {
    const ringing = this.#tokens.get(keyOf(token));
    const home = ringing?.home ?? null;
    if (ringing === undefined || home === null) return 'nobody';
    if (this.#sessionsOf(home) >= this.#around.limits.sessionsPerHome) return 'home-limit';
    // A copy: the hello's bytes are part of a larger buffer of the socket's.
    const waiting: Waiting = { viewer, token: Buffer.from(token), sessionKey: randomBytes(SESSION_KEY_BYTES) };
    ringing.sessions += 1;
    this.#waiting.set(keyOf(waiting.sessionKey), waiting);
    this.#late.add(waiting, this.#around.nowMs());
    viewer.onMessage = () => viewer.close('protocol', 'protocol');
    viewer.onClosed = () => {
      this.#stopWaiting(waiting);
      this.#release(waiting.token);
    };
    viewer.send(encodeRelayMessage({ type: 'session', sessionKey: waiting.sessionKey }));
    home.send(encodeRelayMessage({ type: 'ring', token: waiting.token, sessionKey: waiting.sessionKey }));
    this.#count();
    return null;
  }

  /** Splices a home's own socket with the viewer that waits under this key; false where nobody does. */
  join(home: Connection, sessionKey: Buffer): boolean {
    const waiting = this.#waiting.get(keyOf(sessionKey));
    if (waiting === undefined) return false;
    this.#stopWaiting(waiting);
    const { viewer, token } = waiting;
    const splice = new Splice({
      ...{ token, sessionKey: waiting.sessionKey, viewer, home, around: this.#around, handOver: this.#handOver },
      onEnd: () => {
        this.#splices.delete(splice);
        this.#release(token);
      },
    });
    this.#splices.add(splice);
    this.#around.counters.sessionsTotal += 1;
    const joined = encodeRelayMessage({ type: 'joined' });
    home.send(joined);
    viewer.send(joined);
    this.#count();
    return true;
  }

  /** Ends every spliced pair. */
  endAll(word: CloseWord): void {
    for (const splice of this.#splices) splice.end(word);
  }

  /** Ends what has waited too long: viewers whose home did not come, and sessions with an end that takes nothing. */
  sweep(nowMs: number): void {
    for (const home of this.#redials?.takeDue(nowMs, REDIALS_PER_SWEEP) ?? []) this.#askToRedial(home);
    for (const { viewer } of this.#late.takeDue(nowMs)) viewer.close('late', 'home-late');
    for (const splice of this.#splices) if (splice.hasSlowEnd) splice.endIfStalled(nowMs);
  }

  /** Behind a balancer a route may lead to another process by now: only a new dial finds out. */
  #askToRedial(home: Connection): void {
    if (this.#redials === null) return;
    const { redialLeastMs, redialSpreadMs } = this.#around.limits;
    home.send(encodeRelayMessage({ type: 'reconnect-in', leastMs: redialLeastMs, spreadMs: redialSpreadMs }));
    this.#redials.add(home, this.#around.nowMs());
  }

  #register(home: Connection, tokens: readonly Uint8Array[]): void {
    const own = this.#homes.get(home);
    if (own === undefined) return;
    const wanted = new Set(tokens.map(keyOf));
    for (const key of own) {
      if (wanted.has(key)) continue;
      own.delete(key);
      const ringing = this.#tokens.get(key);
      if (ringing === undefined) continue;
      ringing.home = null;
      if (ringing.sessions === 0) this.#tokens.delete(key);
    }
    for (const key of wanted) {
      const ringing = this.#tokens.get(key);
      if (ringing === undefined) this.#tokens.set(key, { home, sessions: 0 });
      else if (ringing.home !== home) {
        // The newer registration is the truth: the older socket may be one whose end nobody has noticed yet.
        if (ringing.home !== null) this.#homes.get(ringing.home)?.delete(key);
        ringing.home = home;
      }
      own.add(key);
    }
    this.#count();
  }

  /** Waiting and joined sessions of all tokens a control socket holds, also those begun before it held them. */
  #sessionsOf(home: Connection): number {
    let sessions = 0;
    for (const key of this.#homes.get(home) ?? []) sessions += this.#tokens.get(key)?.sessions ?? 0;
    return sessions;
  }

  #stopWaiting(waiting: Waiting): void {
    this.#waiting.delete(keyOf(waiting.sessionKey));
    this.#late.delete(waiting);
  }

  #release(token: Buffer): void {
    const key = keyOf(token);
    const ringing = this.#tokens.get(key);
    if (ringing !== undefined) {
      ringing.sessions -= 1;
      if (ringing.sessions === 0 && ringing.home === null) this.#tokens.delete(key);
    }
    this.#count();
  }

  #count(): void {
    const { counters } = this.#around;
    counters.controlSockets = this.#homes.size;
    counters.tokens = this.#tokens.size;
    counters.waiting = this.#waiting.size;
    counters.sessions = this.#splices.size;
  }
}
