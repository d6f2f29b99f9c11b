/** One WebSocket of the relay: binary messages in and out, what waits to be sent, pings, and an end that comes for certain. */
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { CLOSE_CODES } from '../shared/relay/protocol.ts';
import type { Counters, Refusal } from './counters.ts';
import { Deadlines } from './deadlines.ts';
import { Bucket, type RelayLimits } from './limits.ts';

export type CloseWord = keyof typeof CLOSE_CODES;

/** What all connections of a relay share. */
export interface Surroundings {
  readonly limits: RelayLimits;
  readonly counters: Counters;
  readonly nowMs: () => number;
  readonly pings: Deadlines<Connection>;
  readonly closing: Deadlines<Connection>;
}

const IGNORE = (): void => undefined;
/** A ping is answered as long as no more than this waits: whoever pings and does not read gets no memory for it. */
const PONG_BACKLOG_BYTES = 16 * 1024;

export class Connection {
  /** Binary messages; replaced as the connection becomes something. */
  onMessage: (message: Buffer) => void = IGNORE;
  onClosed: () => void = IGNORE;
  /** What waited to be sent has been taken. */
  onDrain: () => void = IGNORE;

  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #around: Surroundings;
  #controls: Bucket | null = null;
  #sentBytes = 0;
  #isHeard = true;
  #isPaused = false;
  #isEnded = false;

  constructor(ws: WebSocket, socket: Duplex, around: Surroundings) {
    this.#ws = ws;
    this.#socket = socket;
    this.#around = around;
    ws.on('message', (data, isBinary) => this.#receive(data, isBinary));
    ws.on('ping', (data: Buffer) => this.#answerPing(data));
    ws.on('pong', () => this.#takeControl());
    ws.on('error', IGNORE); // What is wrong with a frame ends the connection; ws closes it by itself.
    ws.on('close', () => this.#closed());
    socket.on('drain', () => this.onDrain());
    around.pings.add(this, around.nowMs());
  }

  get isOpen(): boolean {
    return !this.#isEnded;
  }

  /** Bytes that wait in this process to be sent. */
  get backlogBytes(): number {
    return this.#socket.writableLength;
  }

  /** Bytes the system has taken of what was sent, in steps of one write: it moves as long as the other side reads. */
  get takenBytes(): number {
    return this.#sentBytes - this.#socket.writableLength;
  }

  send(message: Uint8Array): void {
    if (this.#isEnded) return;
    this.#sentBytes += message.length;
    this.#ws.send(message, { binary: true, compress: false });
  }

  pause(): void {
    this.#isPaused = true;
    this.#ws.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#ws.resume();
  }

  /** Closes with what waits still sent, and for certain after `closeMs`. The reason is counted where one is given. */
  close(word: CloseWord, reason: Refusal | null): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (reason !== null) this.#around.counters.refusals[reason] += 1;
    this.#around.pings.delete(this);
    this.#around.closing.add(this, this.#around.nowMs());
    this.#ws.close(CLOSE_CODES[word], word);
    // A paused socket would not see the other side's answer; what else it says is dropped.
    if (this.#isPaused) this.resume();
    this.#finish();
  }

  /** Ends at once, without a word. */
  destroy(): void {
    this.#ws.terminate();
  }

  /** A ping is due: cuts a peer that said nothing since the last one. */
  pingOrCut(): void {
    if (this.#isEnded) return;
    // Nothing is read of a paused one, its pongs neither; whoever paused it watches it.
    if (!this.#isHeard && !this.#isPaused) {
      this.#around.counters.refusals.dead += 1;
      this.destroy();
      return;
    }
    this.#isHeard = false;
    this.#ws.ping();
    this.#around.pings.add(this, this.#around.nowMs());
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isEnded) return;
    this.#isHeard = true;
    if (isBinary && Buffer.isBuffer(data)) this.onMessage(data);
    else this.close('protocol', 'protocol');
  }

  #answerPing(data: Buffer): void {
    if (this.#takeControl() && this.backlogBytes < PONG_BACKLOG_BYTES) this.#ws.pong(data, false);
  }

  /** Counts a ping, a pong or a registration; false where it was one too many, and the connection ends. */
  #takeControl(): boolean {
    if (this.#isEnded) return false;
    this.#isHeard = true;
    return this.takeControl();
  }

  takeControl(): boolean {
    const { controlsPerS } = this.#around.limits;
    const nowMs = this.#around.nowMs();
    this.#controls ??= new Bucket(controlsPerS, controlsPerS * 2, nowMs);
    if (this.#controls.take(nowMs)) return true;
    this.close('limit', 'control-rate');
    return false;
  }

  #closed(): void {
    this.#around.pings.delete(this);
    this.#around.closing.delete(this);
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#finish();
  }

  #finish(): void {
    const tell = this.onClosed;
    this.onMessage = IGNORE;
    this.onClosed = IGNORE;
    this.onDrain = IGNORE;
    tell();
  }
}
