/** The viewer's end of a session: a Channel that delivers only what was asked for, and the sign of life that its pictures go by (docs/design/relay.md, "The session"). */
import type { ChannelMessage } from '../contract/channel.ts';
import { decodeFrame, encodeFrame, type TextCodec } from '../contract/frame.ts';
import { CREDIT_MS, Opened } from './credits.ts';
import { cameraNumber } from './derive.ts';
import type { Freshness } from './freshness.ts';
import { CONTROL_LANE } from './lanes.ts';
import { CONTROL_BUCKET_BYTES, encodeRecord, MAX_PAYLOAD_BYTES, plainRecord, type SessionRecord, wholeNumbers } from './record.ts';
import { Asked, cameraAskedBy } from './session-asked.ts';
import { BadRecord, type Plain } from './session-ciphers.ts';
import { SessionCore } from './session-core.ts';
import { startHandshake, WIRE_GOODBYE } from './session-handshake.ts';
import { MOST_MESSAGE_BYTES, sessionLimits } from './session-limits.ts';
import { fillRecord, Slots, VIEWER_SLOT_BYTES, VIEWER_SLOT_MS } from './session-pace.ts';
import { Parts, type WholeMessage } from './session-parts.ts';
import type { LogHead, ViewerSession, ViewerSessionOptions } from './session-types.ts';
import type { Bytes, CryptoSuite } from './suite.ts';
import type { SessionClock } from './wire.ts';

/** Answers and events that came before anybody listened; more is not kept. */
const MOST_EARLY = 256;

/** The viewer's end, once the home answered. Rejects with a SessionRefusal, and closes the wire. */
export async function openSession(options: ViewerSessionOptions): Promise<ViewerSession> {
  try {
    const begun = await startHandshake(options);
    const end = new ViewerEnd(options, begun);
    end.begin();
    return end;
  } catch (cause) {
    options.wire.close(WIRE_GOODBYE);
    throw cause;
  }
}

/** A message on its way out, waiting until its camera's number is known. */
interface Unsent {
  readonly head: unknown;
  readonly frame: Bytes;
  readonly cameraId: string | null;
}

class ViewerEnd implements ViewerSession {
  readonly logHead: LogHead;
  readonly homeWallMs: number;
  readonly freshness: Freshness;
  readonly #suite: CryptoSuite;
  readonly #text: TextCodec;
  readonly #clock: SessionClock;
  readonly #core: SessionCore;
  readonly #asked = new Asked();
  readonly #parts = new Parts(MOST_MESSAGE_BYTES);
  readonly #opened = new Opened();
  readonly #beatListeners = new Set<() => void>();
  readonly #numbers = new Map<string, number>();
  readonly #slots: Slots;
  /** The rate to ask for, until it was; 0 for none. */
  #askedRate: number;
  #unsent: Unsent[] = [];
  #outbox: { readonly frame: Bytes; sentBytes: number }[] = [];
  #frameNumber = 0;
  #isCreditDue = false;
  #stopCredit: (() => void) | null = null;
  #listener: ((message: ChannelMessage) => void) | null = null;
  #early: ChannelMessage[] = [];

  constructor(options: ViewerSessionOptions, begun: Awaited<ReturnType<typeof startHandshake>>) {
    const { suite, wire, clock, text } = options;
    this.#suite = suite;
    this.#text = text;
    this.#clock = clock;
    this.#slots = new Slots(clock, () => this.#core.pump());
    this.#askedRate = options.constantBytesPerS ?? 0;
    this.logHead = begun.logHead;
    this.homeWallMs = begun.homeWallMs;
    this.#core = new SessionCore({
      end: 'viewer',
      begun,
      wire,
      clock,
      text,
      limits: sessionLimits(options.limits),
      provenMs: begun.provenMs,
      next: () => this.#next(),
      take: (record, sealedBytes) => this.#take(record, sealedBytes),
      onBeat: () => {
        for (const listener of [...this.#beatListeners]) listener();
      },
      onOver: () => this.#forget(),
    });
    this.freshness = {
      // What is over proves nothing any more.
      ageMs: () => (this.#core.isOver ? Number.POSITIVE_INFINITY : this.#core.ageMs()),
      onBeat: (listener) => {
        this.#beatListeners.add(listener);
        return () => this.#beatListeners.delete(listener);
      },
    };
  }

  begin(): void {
    if (this.#askedRate > 0) this.#slots.start(VIEWER_SLOT_MS);
    this.#core.start(() => undefined);
  }

  onClose(listener: (reason: string) => void): void {
    this.#core.onClose(listener);
  }

  close(reason: string): void {
    this.#core.close(reason);
  }

  onMessage(listener: (message: ChannelMessage) => void): void {
    if (this.#listener !== null) throw new Error('a session has one listener');
    this.#listener = listener;
    for (const message of this.#early.splice(0)) if (!this.#core.isOver) listener(message);
  }

  send(message: ChannelMessage): void {
    if (this.#core.isOver) return;
    this.#unsent.push({ head: message.head, frame: encodeFrame(message, this.#text), cameraId: cameraAskedBy(message.head) });
    if (this.#unsent.length === 1) this.#sendKnown();
  }

  /** Sends what waits, in order, up to the first whose camera has no number yet. */
  #sendKnown(): void {
    for (let first = this.#unsent[0]; first !== undefined; first = this.#unsent[0]) {
      const camera = first.cameraId === null ? 0 : this.#numbers.get(first.cameraId);
      if (camera === undefined) {
        void this.#learn(first.cameraId ?? '');
        return;
      }
      this.#unsent.shift();
      // Before it goes out: the answer may come at once.
      this.#asked.asks(first.head, camera);
      this.#outbox.push({ frame: first.frame, sentBytes: 0 });
      this.#core.pump();
    }
  }

  async #learn(cameraId: string): Promise<void> {
    try {
      this.#numbers.set(cameraId, await cameraNumber(this.#suite, cameraId));
    } catch {
      this.#core.fail('A camera was asked for that cannot be.');
    }
    if (!this.#core.isOver) this.#sendKnown();
  }

  #next(): Plain | null {
    if (this.#isCreditDue) {
      this.#isCreditDue = false;
      this.#stopCredit?.();
      this.#stopCredit = null;
      return { bytes: encodeRecord(plainRecord('credit', wholeNumbers(this.#opened.say(this.#clock.nowMs()))), CONTROL_BUCKET_BYTES) };
    }
    if (this.#askedRate > 0) {
      const payload = wholeNumbers(this.#askedRate);
      this.#askedRate = 0;
      return { bytes: encodeRecord(plainRecord('pace', payload), CONTROL_BUCKET_BYTES) };
    }
    const isPaced = this.#slots.isOn;
    if (isPaced && !this.#slots.take()) return null;
    const message = this.#outbox[0];
    if (message === undefined) return isPaced ? { bytes: fillRecord(VIEWER_SLOT_BYTES) } : null;
    const { frame: bytes, sentBytes } = message;
    const payload = bytes.subarray(sentBytes, sentBytes + MAX_PAYLOAD_BYTES);
    const isLast = sentBytes + payload.length === bytes.length;
    const frame = this.#frameNumber;
    message.sentBytes += payload.length;
    if (isLast) {
      this.#outbox.shift();
      this.#frameNumber = (frame + 1) % 2 ** 32;
    }
    return { bytes: encodeRecord({ type: 'message', isFirst: sentBytes === 0, isLast, stream: CONTROL_LANE, camera: 0, frame, ptsMs: 0, payload }, isPaced ? VIEWER_SLOT_BYTES : CONTROL_BUCKET_BYTES) };
  }

  #take(record: SessionRecord, sealedBytes: number): void {
    if (record.type === 'fill' && record.payload.length === 0 && this.#slots.isOn) return this.#count(sealedBytes);
    if (record.type !== 'message') throw new BadRecord('A record came that no home sends.');
    this.#count(sealedBytes);
    const whole = this.#parts.take(record);
    if (whole !== null) this.#deliver(whole);
  }

  #deliver({ lane, camera, bytes }: WholeMessage): void {
    const message = this.#read(bytes);
    const judged = this.#asked.judge(message, lane, camera);
    if (judged.verdict === 'refuse') throw new BadRecord(judged.why);
    if (judged.verdict === 'ignore') return;
    if (this.#listener !== null) this.#listener(message);
    else if (this.#early.length < MOST_EARLY) this.#early.push(message);
    else throw new BadRecord('Too much came before anybody listened.');
  }

  #read(bytes: Uint8Array): ChannelMessage {
    try {
      return decodeFrame(bytes, this.#text);
    } catch {
      throw new BadRecord('A message came that could not be read.');
    }
  }

  /** Says what was opened at 16 KiB (48 KiB on a fast line), or 20 ms after the first byte that was not yet said. */
  #count(sealedBytes: number): void {
    if (this.#opened.add(sealedBytes, this.#clock.nowMs())) this.#credit();
    else this.#stopCredit ??= this.#clock.after(CREDIT_MS, () => this.#credit());
  }

  #credit(): void {
    this.#isCreditDue = true;
    this.#core.pump();
  }

  #forget(): void {
    this.#stopCredit?.();
    this.#stopCredit = null;
    this.#slots.stop();
    this.#unsent = [];
    this.#outbox = [];
    this.#early = [];
    this.#parts.clear();
    this.#beatListeners.clear();
  }
}
