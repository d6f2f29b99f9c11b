/** The home's end of a session: what waits for the viewer, in lanes, and how much of it may be under way (docs/design/relay.md, "The session"). */
import { Flight } from './credits.ts';
import { Lanes } from './lanes.ts';
import { readWholeNumbers, type SessionRecord } from './record.ts';
import { BadRecord, type Plain } from './session-ciphers.ts';
import { SessionCore } from './session-core.ts';
import { MAX_RECORD_BYTES } from './protocol.ts';
import { answerHandshake, type Begun, SessionRefusal, WIRE_GOODBYE } from './session-handshake.ts';
import { MOST_QUESTION_BYTES, sessionLimits } from './session-limits.ts';
import { fillRecord, slotMsOf, Slots } from './session-pace.ts';
import { Parts } from './session-parts.ts';
import type { HomeSession, HomeSessionOptions, Lane, LineState, Outgoing, SessionLimits } from './session-types.ts';
import type { Bytes } from './suite.ts';
import type { SessionClock } from './wire.ts';

/** Questions that came before anybody listened; more is not kept. */
const MOST_EARLY = 256;

/** The home's end, once the viewer's first record was opened. Rejects with a SessionRefusal, and closes the wire. */
export async function acceptSession(options: HomeSessionOptions): Promise<HomeSession> {
  try {
    const { devicePublicKey, ...begun } = await answerHandshake(options);
    const end = new HomeEnd(options, begun, devicePublicKey);
    await end.begin();
    return end;
  } catch (cause) {
    options.wire.close(WIRE_GOODBYE);
    throw cause;
  }
}

/** What the home knows of the line; the figures are of the moment they are read. */
class Line implements LineState {
  readonly #lanes: Lanes;
  readonly #flight: Flight;
  readonly #limits: SessionLimits;
  readonly #listeners = new Set<() => void>();
  roundTripMs: number | null = null;
  droppedLive = 0;

  constructor(lanes: Lanes, flight: Flight, limits: SessionLimits) {
    this.#lanes = lanes;
    this.#flight = flight;
    this.#limits = limits;
  }

  get rateBytesPerS(): number {
    return this.#flight.rateBytesPerS;
  }

  get windowBytes(): number {
    return this.#flight.windowBytes;
  }

  get queuedBytes(): number {
    return this.#lanes.queuedBytes;
  }

  get liveRoomBytes(): number {
    const liveBytes = this.#flight.inFlightOf('live') + this.#lanes.queuedOf('live');
    if (this.queuedBytes > this.#limits.liveQueueBytes) return 0;
    if (liveBytes === 0) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#flight.liveWindowBytes(this.#lanes.queuedOf('rest') > 0) - liveBytes);
  }

  onRoom(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tellRoom(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  forget(): void {
    this.#listeners.clear();
  }
}

class HomeEnd implements HomeSession {
  readonly devicePublicKey: Bytes;
  readonly line: LineState;
  readonly #line: Line;
  readonly #limits: SessionLimits;
  readonly #clock: SessionClock;
  readonly #core: SessionCore;
  readonly #lanes = new Lanes();
  readonly #flight: Flight;
  readonly #parts = new Parts(MOST_QUESTION_BYTES);
  readonly #slots: Slots;
  #listener: ((frame: Uint8Array) => void) | null = null;
  #early: Uint8Array[] = [];

  constructor(options: HomeSessionOptions, begun: Begun, devicePublicKey: Bytes) {
    const { wire, clock, text } = options;
    this.devicePublicKey = devicePublicKey;
    this.#clock = clock;
    this.#limits = sessionLimits(options.limits);
    this.#flight = new Flight(this.#limits);
    this.#slots = new Slots(clock, () => this.#core.pump());
    this.line = this.#line = new Line(this.#lanes, this.#flight, this.#limits);
    this.#core = new SessionCore({
      end: 'home',
      begun,
      wire,
      clock,
      text,
      limits: this.#limits,
      provenMs: clock.nowMs(),
      next: () => this.#next(),
      take: (record) => this.#take(record),
      onBeat: ({ roundTripMs }) => {
        this.#line.roundTripMs = roundTripMs;
        if (roundTripMs !== null) this.#flight.roundTrip(roundTripMs);
      },
      onOver: () => this.#forget(),
    });
  }

  /** Resolves when the viewer's first record opened: until then it may be somebody who repeats an old greeting. */
  async begin(): Promise<void> {
    let stop: () => void = () => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        stop = this.#clock.after(this.#limits.handshakeMs, () => this.#core.fail('Nothing came behind the greeting.'));
        this.#core.onClose((reason) => reject(new SessionRefusal('unreadable', reason)));
        this.#core.start(resolve);
      });
    } finally {
      stop();
    }
  }

  onClose(listener: (reason: string) => void): void {
    this.#core.onClose(listener);
  }

  close(reason: string): void {
    this.#core.close(reason);
  }

  onMessage(listener: (frame: Uint8Array) => void): void {
    if (this.#listener !== null) throw new Error('a session has one listener');
    this.#listener = listener;
    for (const frame of this.#early.splice(0)) if (!this.#core.isOver) listener(frame);
  }

  sendSealed(outgoing: Outgoing): boolean {
    if (this.#core.isOver) return false;
    const size = outgoing.frame.length;
    const isDroppable = outgoing.lane.kind === 'live' && outgoing.essential !== true;
    if (isDroppable && size > this.line.liveRoomBytes) {
      this.#line.droppedLive += 1;
      this.#flight.held();
      return false;
    }
    const queuedBytes = this.#lanes.queuedBytes;
    if (!isDroppable && queuedBytes > 0 && queuedBytes + size > this.#limits.mostQueueBytes) {
      this.#core.close('Too much was waiting for this device.');
      return false;
    }
    this.#lanes.push(outgoing);
    this.#core.pump();
    return true;
  }

  dropLane(lane: Lane): void {
    this.#lanes.drop(lane);
    this.#line.tellRoom();
  }

  #next(): Plain | null {
    const isPaced = this.#slots.isOn;
    if (isPaced && !this.#slots.take()) return null;
    const nowMs = this.#clock.nowMs();
    const restWaits = this.#lanes.queuedOf('rest') > 0;
    const record = this.#lanes.take((laneClass, size) => this.#flight.mayGo(laneClass, size, nowMs, restWaits), isPaced ? MAX_RECORD_BYTES : 0);
    if (record === null) return isPaced ? this.#fill(nowMs) : null;
    this.#flight.sent(record.laneClass, record.sealedBytes, nowMs, this.#lanes.queuedBytes > 0);
    return { bytes: record.plain };
  }

  /** A slot that nothing is there for; where the window is full, the line and not the footage decides. */
  #fill(nowMs: number): Plain | null {
    if (!this.#flight.hasWindow) return null;
    this.#flight.sent('control', MAX_RECORD_BYTES, nowMs, false);
    return { bytes: fillRecord(MAX_RECORD_BYTES) };
  }

  #take(record: SessionRecord): void {
    if (record.type === 'credit') return this.#takeCredit(record.payload);
    if (record.type === 'pace') return this.#takePace(record.payload);
    if (record.type === 'fill' && record.payload.length === 0 && this.#slots.isOn) return;
    if (record.type !== 'message' || record.stream !== 0 || record.camera !== 0 || record.ptsMs !== 0) throw new BadRecord('A record came that no device sends.');
    const message = this.#parts.take(record);
    if (message === null) return;
    if (this.#listener !== null) this.#listener(message.bytes);
    else if (this.#early.length < MOST_EARLY) this.#early.push(message.bytes);
    else throw new BadRecord('Too much came before anybody listened.');
  }

  #takePace(payload: Uint8Array): void {
    const [bytesPerS] = readWholeNumbers(payload, 1) ?? [];
    const slotMs = bytesPerS === undefined ? null : slotMsOf(bytesPerS);
    if (slotMs === null || this.#slots.isOn) throw new BadRecord('The device asked for a rate that is none.');
    this.#slots.start(slotMs);
  }

  #takeCredit(payload: Uint8Array): void {
    const [totalBytes] = readWholeNumbers(payload, 1) ?? [];
    if (totalBytes === undefined || !this.#flight.opened(totalBytes, this.#clock.nowMs())) throw new BadRecord('The device counted what was never sent.');
    this.#core.pump();
    this.#line.tellRoom();
  }

  #forget(): void {
    this.#slots.stop();
    this.#lanes.clear();
    this.#parts.clear();
    this.#line.forget();
    this.#early = [];
  }
}
