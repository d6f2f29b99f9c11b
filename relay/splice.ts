/** A viewer's and a home's socket made one line: message by message as they are, the slower end setting the pace (docs/design/relay.md). */
import type { CloseWord, Connection, Surroundings } from './connection.ts';
import { Bucket } from './limits.ts';

/** Small messages cost the relay as much as this; without it, empty ones would be free. */
const LEAST_CHARGE_BYTES = 256;
/** A timer for less than this comes late anyway. */
const LEAST_WAIT_MS = 5;

/** One end of a joined session, as the hook of a test sees it. */
export interface SessionEnd {
  readonly role: 'viewer' | 'home-session';
  readonly token: Buffer;
  readonly sessionKey: Buffer;
  /** False once its session is over. */
  readonly isOpen: boolean;
}

/** A message on its way, for tests that misroute, repeat, hold back or change: only what is handed to `deliver` arrives. */
export interface Passage {
  readonly from: SessionEnd;
  /** The end it is meant for. */
  readonly to: SessionEnd;
  readonly message: Buffer;
  readonly deliver: (to: SessionEnd, message: Uint8Array) => void;
}

export type HandOver = (passage: Passage) => void;

class End implements SessionEnd {
  readonly role: SessionEnd['role'];
  readonly token: Buffer;
  readonly sessionKey: Buffer;
  readonly connection: Connection;
  readonly splice: Splice;
  /** Ends that are not read on until this one has taken what waits for it. */
  readonly heldBack = new Set<End>();
  slowEnd: End | null = null;
  isOverRate = false;
  takenBytes = 0;
  movedMs = 0;

  constructor(role: SessionEnd['role'], connection: Connection, splice: Splice) {
    this.role = role;
    this.token = splice.token;
    this.sessionKey = splice.sessionKey;
    this.connection = connection;
    this.splice = splice;
  }

  get isOpen(): boolean {
    return this.connection.isOpen;
  }
}

export interface SpliceOptions {
  readonly token: Buffer;
  readonly sessionKey: Buffer;
  readonly viewer: Connection;
  readonly home: Connection;
  readonly around: Surroundings;
  readonly handOver: HandOver | null;
  readonly onEnd: () => void;
}

export class Splice {
  readonly token: Buffer;
  readonly sessionKey: Buffer;
  readonly #around: Surroundings;
  readonly #handOver: HandOver | null;
  readonly #onEnd: () => void;
  readonly #viewer: End;
  readonly #home: End;
  readonly #rate: Bucket | null;
  #rateTimer: NodeJS.Timeout | null = null;
  #isOver = false;
  #word: CloseWord = 'ended';

  constructor({ token, sessionKey, viewer, home, around, handOver, onEnd }: SpliceOptions) {
    this.token = token;
    this.sessionKey = sessionKey;
    this.#around = around;
    this.#handOver = handOver;
    this.#onEnd = onEnd;
    this.#viewer = new End('viewer', viewer, this);
    this.#home = new End('home-session', home, this);
    const bytesPerS = around.limits.sessionBitsPerS / 8;
    // A second's worth at once: a keyframe passes whole.
    this.#rate = bytesPerS === 0 ? null : new Bucket(bytesPerS, bytesPerS, around.nowMs());
    this.#wire(this.#viewer, this.#home);
    this.#wire(this.#home, this.#viewer);
  }

  /** Whether an end has taken nothing for `stallMs` although something waits; ends the session then. */
  endIfStalled(nowMs: number): void {
    for (const end of [this.#viewer, this.#home]) {
      if (end.heldBack.size === 0) continue;
      const { takenBytes } = end.connection;
      if (takenBytes !== end.takenBytes) [end.takenBytes, end.movedMs] = [takenBytes, nowMs];
      else if (nowMs - end.movedMs >= this.#around.limits.stallMs) {
        this.#around.counters.refusals.stalled += 1;
        this.end('ended');
        return;
      }
    }
  }

  /** Whether anything waits for a slow end, so that `endIfStalled` has to look. */
  get hasSlowEnd(): boolean {
    return this.#viewer.heldBack.size + this.#home.heldBack.size > 0;
  }

  /** Closes both ends, with what waits for them still sent. */
  end(word: CloseWord): void {
    this.#word = word;
    this.#viewer.connection.close(word, null);
  }

  #wire(end: End, other: End): void {
    const { connection } = end;
    connection.onMessage = (message) => this.#forward(end, other, message);
    connection.onDrain = () => this.#drained(end);
    connection.onClosed = () => this.#over(end, other);
  }

  /** One end is gone: what waits for the other is still sent, then that one is told. */
  #over(end: End, other: End): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#rateTimer !== null) clearTimeout(this.#rateTimer);
    this.#rateTimer = null;
    this.#drained(end);
    other.connection.close(this.#word, null);
    this.#onEnd();
  }

  #forward(from: End, to: End, message: Buffer): void {
    const { counters } = this.#around;
    counters.messagesTotal += 1;
    counters.bytesTotal += message.length;
    if (this.#handOver === null) this.#deliver(from, to, message);
    else this.#handOver({ from, to, message, deliver: (other, bytes) => other instanceof End && this.#deliver(from, other, bytes) });
    this.#charge(from, message.length);
  }

  #deliver(from: End, to: End, message: Uint8Array): void {
    to.connection.send(message);
    if (to.connection.backlogBytes <= this.#around.limits.backlogBytes || !to.isOpen || from.slowEnd !== null) return;
    if (to.heldBack.size === 0) [to.takenBytes, to.movedMs] = [to.connection.takenBytes, this.#around.nowMs()];
    to.heldBack.add(from);
    from.slowEnd = to;
    this.#around.counters.pausesSlow += 1;
    from.connection.pause();
  }

  #drained(end: End): void {
    for (const each of end.heldBack) this.#letGo(each);
    end.heldBack.clear();
  }

  #letGo(held: End): void {
    held.slowEnd = null;
    if (!held.isOverRate && held.isOpen) held.connection.resume();
  }

  /** Takes a message off the session's rate; in debt, its sender is not read until that is paid. */
  #charge(from: End, bytes: number): void {
    if (this.#rate === null) return;
    const waitMs = this.#rate.charge(Math.max(bytes, LEAST_CHARGE_BYTES), this.#around.nowMs());
    if (waitMs === 0 || from.isOverRate || !from.isOpen) return;
    from.isOverRate = true;
    this.#around.counters.pausesRate += 1;
    from.connection.pause();
    this.#rateTimer ??= setTimeout(() => this.#paid(), Math.max(LEAST_WAIT_MS, waitMs));
  }

  #paid(): void {
    this.#rateTimer = null;
    const waitMs = this.#rate?.charge(0, this.#around.nowMs()) ?? 0;
    if (waitMs > 0) {
      this.#rateTimer = setTimeout(() => this.#paid(), Math.max(LEAST_WAIT_MS, waitMs));
      return;
    }
    for (const end of [this.#viewer, this.#home]) {
      if (!end.isOverRate) continue;
      end.isOverRate = false;
      if (end.slowEnd === null && end.isOpen) end.connection.resume();
    }
  }
}
