/** What both ends of a session have in common: keys, order, sign of life, new keys, and an end that is final (docs/design/relay.md, "The session"). */
import type { TextCodec } from '../contract/frame.ts';
import { type BeatState, receiveEcho, sendBeat, startBeats } from './freshness.ts';
import { CONTROL_BUCKET_BYTES, encodeRecord, plainRecord, readWholeNumbers, type SessionRecord, wholeNumbers } from './record.ts';
import { BadRecord, Opener, type Plain, Sealer } from './session-ciphers.ts';
import { type Begun, WIRE_GOODBYE } from './session-handshake.ts';
import { HomeRekey, type Rekeying, ViewerRekey } from './session-rekey.ts';
import type { SessionLimits } from './session-types.ts';
import type { SessionClock, Wire } from './wire.ts';

/** Of a reason that goes to the peer. */
const MOST_REASON_LETTERS = 200;
/** Echoes that wait to be sent; an honest peer sends two nonces a second. */
const MOST_ECHOES = 64;

export interface CoreParts {
  readonly end: 'home' | 'viewer';
  readonly begun: Begun;
  readonly wire: Wire;
  readonly clock: SessionClock;
  readonly text: TextCodec;
  readonly limits: SessionLimits;
  /** When message 1 of the handshake went out (viewer) or came in (home). */
  readonly provenMs: number;
  /** The next record of this end's own, after what is urgent. */
  next(): Plain | null;
  /** A record of a type the core does not know. Throws BadRecord. */
  take(record: SessionRecord, sealedBytes: number): void;
  /** A nonce came back. */
  onBeat(beats: BeatState): void;
  /** Once, when the session is over: forget what waits. */
  onOver(): void;
}

/** One end of a session from its first record to its end. */
export class SessionCore {
  readonly #parts: CoreParts;
  readonly #sealer: Sealer;
  readonly #opener: Opener;
  readonly #rekey: Rekeying;
  #beats: BeatState;
  #isBeatDue = false;
  #echoes: number[] = [];
  #lastNonce = 0;
  #urgent: Plain | null = null;
  #openedMs: number;
  #keysMs: number;
  #hasOpened = false;
  #onFirst: (() => void) | null = null;
  #stopTick: () => void = () => undefined;
  #overReason: string | null = null;
  #closeListeners: ((reason: string) => void)[] = [];

  constructor(parts: CoreParts) {
    const { begun, wire, clock } = parts;
    this.#parts = parts;
    this.#openedMs = this.#keysMs = clock.nowMs();
    this.#beats = startBeats(parts.provenMs);
    const fail = (reason: string): void => this.fail(reason);
    this.#sealer = new Sealer(begun.keys.send, { next: () => this.#next(), send: (sealed) => wire.send(sealed), fail });
    this.#opener = new Opener(begun.keys.receive, { take: (record, size) => this.#take(record, size), mayOverlap: () => !this.#rekey.isAwaitingChange, fail });
    const Rekey = parts.end === 'home' ? HomeRekey : ViewerRekey;
    this.#rekey = new Rekey(begun.keys.hash, {
      identity: begun.identity,
      limits: parts.limits,
      post: (payload, sent) => this.#post({ bytes: encodeRecord(plainRecord('rekey', payload), CONTROL_BUCKET_BYTES), ...(sent === undefined ? {} : { sent }) }),
      sendUnder: (cipher) => this.#sealer.switchTo(cipher),
      receiveUnder: (cipher) => this.#opener.switchTo(cipher),
      changed: () => (this.#keysMs = clock.nowMs()),
      fail,
    });
  }

  get isOver(): boolean {
    return this.#overReason !== null;
  }

  /** How long ago the newest nonce that came back was sent. */
  ageMs(): number {
    return this.#parts.clock.nowMs() - this.#beats.freshMs;
  }

  /** Begins to receive; the viewer speaks at once, the home when the first record opened (`onFirst`). */
  start(onFirst: () => void): void {
    const { begun, end } = this.#parts;
    this.#onFirst = onFirst;
    begun.inbox.handOn(
      (bytes) => this.#opener.push(bytes),
      // What came before is opened first: it may be a goodbye that says why.
      (reason) => this.#opener.whenIdle(() => this.fail(`The line was closed (${reason}).`)),
    );
    if (end === 'viewer') this.#tick();
  }

  /** Sends what may go now. */
  pump(): void {
    if (this.#hasOpened || this.#parts.end === 'viewer') this.#sealer.pump();
  }

  onClose(listener: (reason: string) => void): void {
    if (this.#overReason === null) this.#closeListeners.push(listener);
    else listener(this.#overReason);
  }

  /** Says goodbye and ends it. */
  close(reason: string): void {
    if (this.isOver) return;
    const payload = this.#parts.text.encode(reason.slice(0, MOST_REASON_LETTERS));
    this.#urgent = { bytes: encodeRecord(plainRecord('bye', payload), CONTROL_BUCKET_BYTES), sent: () => this.#leave() };
    this.#end(reason);
    // Where nothing may be sent yet, there is nobody to say it to.
    if (this.#hasOpened || this.#parts.end === 'viewer') this.#sealer.pump();
    else this.#leave();
  }

  /** Ends it at once: the keys are gone before anybody is told. */
  fail(reason: string): void {
    if (this.isOver) return;
    // Closing the wire tells us so; by then it is known why.
    this.#overReason = reason;
    this.#leave();
    this.#end(reason);
  }

  #end(reason: string): void {
    this.#overReason = reason;
    this.#opener.end();
    this.#stopTick();
    this.#rekey.wipe();
    this.#parts.begun.identity.psk.fill(0);
    this.#parts.onOver();
    for (const tell of this.#closeListeners.splice(0)) tell(reason);
  }

  #leave(): void {
    this.#sealer.end();
    this.#opener.end();
    this.#parts.wire.close(WIRE_GOODBYE);
  }

  #post(plain: Plain): void {
    if (this.isOver) return;
    this.#urgent = plain;
    this.pump();
  }

  #next(): Plain | null {
    const urgent = this.#urgent;
    this.#urgent = null;
    if (urgent !== null) return urgent;
    if (this.isOver) return null;
    return this.#nextBeat() ?? this.#parts.next();
  }

  #nextBeat(): Plain | null {
    const echo = this.#echoes.shift() ?? 0;
    let nonce = 0;
    if (this.#isBeatDue) {
      this.#isBeatDue = false;
      ({ nonce, state: this.#beats } = sendBeat(this.#beats, this.#parts.clock.nowMs()));
    }
    return nonce === 0 && echo === 0 ? null : { bytes: encodeRecord(plainRecord('heartbeat', wholeNumbers(nonce, echo)), CONTROL_BUCKET_BYTES) };
  }

  #tick(): void {
    const { clock, limits, end } = this.#parts;
    this.#stopTick = clock.after(limits.heartbeatMs, () => this.#tick());
    const silentMs = end === 'home' ? clock.nowMs() - this.#openedMs : this.ageMs();
    if (silentMs > limits.silenceMs) {
      this.fail(end === 'home' ? 'The device has not said anything for too long.' : 'The home has not answered for too long.');
      return;
    }
    this.#lookAtKeys();
    this.#isBeatDue = true;
    this.pump();
  }

  #lookAtKeys(): void {
    if (!this.isOver) this.#rekey.look(this.#parts.clock.nowMs() - this.#keysMs, this.#sealer.keyBytes + this.#opener.keyBytes);
  }

  #take(record: SessionRecord, sealedBytes: number): void | Promise<void> {
    this.#openedMs = this.#parts.clock.nowMs();
    if (!this.#hasOpened) this.#first();
    switch (record.type) {
      case 'heartbeat':
        return this.#takeBeat(record.payload);
      case 'rekey':
        return this.#rekey.take(record.payload);
      case 'bye':
        return this.fail(this.#parts.text.decode(record.payload));
      case 'message':
      case 'credit':
      case 'fill':
      case 'pace':
        this.#parts.take(record, sealedBytes);
        return this.#lookAtKeys();
    }
  }

  #first(): void {
    this.#hasOpened = true;
    if (this.#parts.end === 'home') this.#tick();
    this.#onFirst?.();
  }

  #takeBeat(payload: Uint8Array): void {
    const [nonce, echo] = readWholeNumbers(payload, 2) ?? [];
    if (nonce === undefined || echo === undefined || (nonce === 0 && echo === 0) || (nonce !== 0 && nonce <= this.#lastNonce)) throw new BadRecord('A sign of life came that could not be read.');
    if (echo !== 0) {
      const beats = receiveEcho(this.#beats, echo, this.#parts.clock.nowMs());
      if (beats === null) throw new BadRecord('A sign of life came back that was never sent.');
      this.#beats = beats;
      this.#parts.onBeat(beats);
    }
    if (nonce !== 0) {
      this.#lastNonce = nonce;
      if (this.#echoes.length >= MOST_ECHOES) throw new BadRecord('Signs of life came too often.');
      this.#echoes.push(nonce);
      this.pump();
    }
  }
}
