/** A line between two ends of a session that runs on a clock of the test's: as slow, as far and as hostile as wanted. */
import { HeldWire } from '../../../../shared/relay/held-wire.ts';
import type { AeadKey, CryptoSuite, Soon } from '../../../../shared/relay/suite.ts';
import type { SessionClock } from '../../../../shared/relay/wire.ts';

interface Timer {
  readonly atMs: number;
  readonly number: number;
  readonly run: () => void;
}

/** A suite that tells whether it owes an answer, so that a clock of the test's does not run ahead of threads. */
export function watched(suite: CryptoSuite): { readonly suite: CryptoSuite; isIdle(): boolean } {
  let owed = 0;
  const count = <T>(answer: Soon<T>): Soon<T> => {
    if (!(answer instanceof Promise)) return answer;
    owed += 1;
    return answer.finally(() => (owed -= 1));
  };
  const watchedKey = (key: AeadKey): AeadKey => ({
    seal: (counter, associated, plain) => count(key.seal(counter, associated, plain)),
    open: (counter, associated, sealed) => count(key.open(counter, associated, sealed)),
    wipe: () => key.wipe(),
  });
  return {
    isIdle: () => owed === 0,
    suite: {
      random: (bytes) => suite.random(bytes),
      generateKeyPair: () => count(suite.generateKeyPair()),
      importKeyPair: (bytes) => count(suite.importKeyPair(bytes)),
      agree: (own, peer) => count(suite.agree(own, peer)),
      sha256: (data) => count(suite.sha256(data)),
      hmac: (key, data) => count(suite.hmac(key, data)),
      aeadKey(key) {
        const made = count(suite.aeadKey(key));
        return made instanceof Promise ? made.then(watchedKey) : watchedKey(made);
      },
    },
  };
}

/** Time that passes only in `advance`. */
export class FakeClock implements SessionClock {
  #nowMs = 1_000;
  #numbers = 0;
  #timers: Timer[] = [];
  readonly #isIdle: () => boolean;

  /** `isIdle`: nothing is owed that does not wait for this clock. */
  constructor(isIdle: () => boolean = () => true) {
    let wasIdle = true;
    // Twice in a row: an answer may ask for more.
    this.#isIdle = () => {
      const isStill = wasIdle;
      wasIdle = isIdle();
      return isStill && wasIdle;
    };
  }

  nowMs(): number {
    return this.#nowMs;
  }

  get pendingTimers(): number {
    return this.#timers.length;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, ms), number: (this.#numbers += 1), run };
    // Kept in order: by time, then by when it was asked for.
    const at = this.#timers.findLastIndex((other) => other.atMs <= timer.atMs) + 1;
    this.#timers.splice(at, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets everything run that does not wait for time: one turn for what answers at once, until it is quiet for what answers from threads. */
  async #settle(): Promise<void> {
    do await new Promise<void>((resolve) => setImmediate(resolve));
    while (!this.#isIdle());
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.#settle();
    for (let next = this.#timers[0]; next !== undefined && next.atMs <= endMs; next = this.#timers[0]) {
      this.#timers.shift();
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await this.#settle();
    }
    this.#nowMs = endMs;
  }

  /** Advances from timer to timer until the condition holds; throws when it does not within `ms`. */
  async until(what: string, condition: () => boolean, ms = 20_000): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.#settle();
    while (!condition()) {
      if (this.#nowMs >= endMs) throw new Error(`it did not happen that ${what}`);
      await this.advance(Math.max(0, Math.min(endMs, this.#timers[0]?.atMs ?? endMs) - this.#nowMs));
    }
  }
}

export interface LineShape {
  /** One way. */
  delayMs: number;
  bytesPerS: number;
}

/** What a relay in between may do with a message: these go on, in this order. */
export type Meddler = (bytes: Uint8Array, index: number) => readonly Uint8Array[];

/** One direction of the line. */
export class Direction {
  readonly #clock: SessionClock;
  readonly #deliver: (bytes: Uint8Array) => void;
  readonly shape: LineShape;
  meddle: Meddler = (bytes) => [bytes];
  /** Everything handed to it, as it was. */
  readonly seen: { readonly atMs: number; readonly bytes: Uint8Array }[] = [];
  isKeeping = false;
  isStalled = false;
  #held: Uint8Array[] = [];
  #freeMs = 0;
  #count = 0;
  waitingBytes = 0;

  constructor(clock: SessionClock, shape: LineShape, deliver: (bytes: Uint8Array) => void) {
    this.#clock = clock;
    this.#deliver = deliver;
    this.shape = shape;
  }

  send(bytes: Uint8Array): void {
    if (this.isKeeping) this.seen.push({ atMs: this.#clock.nowMs(), bytes: bytes.slice() });
    for (const each of this.meddle(bytes, this.#count++)) this.inject(each);
  }

  /** Puts a message on the line that nobody sent. */
  inject(bytes: Uint8Array): void {
    if (this.isStalled) {
      this.#held.push(bytes);
      return;
    }
    const nowMs = this.#clock.nowMs();
    this.#freeMs = Math.max(nowMs, this.#freeMs) + (bytes.length * 1000) / this.shape.bytesPerS;
    this.waitingBytes += bytes.length;
    this.#clock.after(this.#freeMs + this.shape.delayMs - nowMs, () => {
      this.waitingBytes -= bytes.length;
      this.#deliver(bytes);
    });
  }

  resume(): void {
    this.isStalled = false;
    for (const bytes of this.#held.splice(0)) this.inject(bytes);
  }
}

class End extends HeldWire {
  readonly #out: () => Direction;
  readonly #onClosed: () => void;

  constructor(out: () => Direction, onClosed: () => void) {
    super();
    this.#out = out;
    this.#onClosed = onClosed;
  }

  send(bytes: Uint8Array): void {
    if (this.closedReason === null) this.#out().send(bytes);
  }

  protected override hungUp(): void {
    this.#onClosed();
  }
}

/** Two wires joined by a line; closing one closes the other after the line's delay. */
export class Line {
  readonly toViewer: Direction;
  readonly toHome: Direction;
  readonly home: End;
  readonly viewer: End;

  constructor(clock: SessionClock, shape: Partial<LineShape> = {}) {
    const whole = { delayMs: 1, bytesPerS: 1e9, ...shape };
    this.home = new End(() => this.toViewer, () => clock.after(whole.delayMs + 1, () => this.viewer.gone('the other end is gone')));
    this.viewer = new End(() => this.toHome, () => clock.after(whole.delayMs + 1, () => this.home.gone('the other end is gone')));
    this.toViewer = new Direction(clock, { ...whole }, (bytes) => this.viewer.receive(bytes));
    this.toHome = new Direction(clock, { ...whole }, (bytes) => this.home.receive(bytes));
  }
}
