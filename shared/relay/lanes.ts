/** Lanes: their numbers, and which record of what waits at home goes next (docs/design/relay.md, "Lanes"). */
import { CONTROL_BUCKET_BYTES, encodeRecord, MAX_PAYLOAD_BYTES, sealedBytes } from './record.ts';
import type { Lane, Outgoing } from './session-types.ts';
import type { Bytes } from './suite.ts';

export const CONTROL_LANE = 0;
/** Media streams have the lanes 1 to 0xFEFF, answers with bytes those from here on. */
const FIRST_ANSWER_LANE = 0xff00;
const MEDIA_LANES = FIRST_ANSWER_LANE - 1;
/** Half of the answers' lanes are for previews, half for everything else. */
const ANSWER_LANES = 0x80;

/** The lane of a media stream of the contract. */
export function mediaLane(stream: number): number {
  return 1 + (stream % MEDIA_LANES);
}

/** Whether an answer with bytes to that question may come on the lane: as a preview or as anything else. */
export function isAnswerLane(lane: number, id: number): boolean {
  return lane === laneNumber({ kind: 'previews', id }) || lane === laneNumber({ kind: 'bulk', id });
}

/** The number in the records of a lane. */
export function laneNumber(lane: Lane): number {
  switch (lane.kind) {
    case 'control':
      return CONTROL_LANE;
    case 'live':
    case 'playback':
      return mediaLane(lane.stream);
    case 'previews':
      return FIRST_ANSWER_LANE + (lane.id % ANSWER_LANES);
    case 'bulk':
      return FIRST_ANSWER_LANE + ANSWER_LANES + (lane.id % ANSWER_LANES);
  }
}

/** What waits is taken by class: control before live before the rest. */
export type LaneClass = 'control' | 'live' | 'rest';
export const classOf = (kind: Lane['kind']): LaneClass => (kind === 'control' || kind === 'live' ? kind : 'rest');

const KIB = 1024;
const BUCKET_BYTES: Readonly<Record<Lane['kind'], number>> = { control: CONTROL_BUCKET_BYTES, live: KIB, playback: KIB, previews: 4 * KIB, bulk: 4 * KIB };
/** Bytes a lane may send in its turn: a whole record at least, so that every turn moves something. */
const QUANTUM_BYTES = 16 * KIB;
const WEIGHT: Readonly<Record<Lane['kind'], number>> = { control: 1, live: 1, playback: 1, previews: 4, bulk: 1 };

/** A record on its way to the sealer. */
export interface LaneRecord {
  readonly laneClass: LaneClass;
  readonly sealedBytes: number;
  readonly plain: Bytes;
}

interface LaneQueue {
  readonly number: number;
  readonly messages: Outgoing[];
  /** Of the first message. */
  sentBytes: number;
  /** Of the deficit round robin (Shreedhar and Varghese, 1995). */
  deficitBytes: number;
  hasTurn: boolean;
}

const CLASSES: readonly LaneClass[] = ['control', 'live', 'rest'];

/** What waits at home for one viewer. */
export class Lanes {
  readonly #turns: Readonly<Record<LaneClass, LaneQueue[]>> = { control: [], live: [], rest: [] };
  readonly #byNumber = new Map<number, LaneQueue>();
  /** The next message's number of each lane that was ever used. */
  readonly #frames = new Map<number, number>();
  readonly #queuedBytes: Record<LaneClass, number> = { control: 0, live: 0, rest: 0 };

  /** Bytes of messages, not yet made into records. */
  get queuedBytes(): number {
    return this.#queuedBytes.control + this.#queuedBytes.live + this.#queuedBytes.rest;
  }

  queuedOf(laneClass: LaneClass): number {
    return this.#queuedBytes[laneClass];
  }

  /** Puts the message behind those of its lane. */
  push(message: Outgoing): void {
    const number = laneNumber(message.lane);
    const laneClass = classOf(message.lane.kind);
    let queue = this.#byNumber.get(number);
    if (queue === undefined) {
      queue = { number, messages: [], sentBytes: 0, deficitBytes: 0, hasTurn: false };
      this.#byNumber.set(number, queue);
      this.#turns[laneClass].push(queue);
    }
    queue.messages.push(message);
    this.#queuedBytes[laneClass] += message.frame.length;
  }

  /** The next record of the first class that has one which may go; null where none may. `mayGo` sees the class and the sealed size, which is `leastBytes` at least. */
  take(mayGo: (laneClass: LaneClass, sealedBytes: number) => boolean, leastBytes = 0): LaneRecord | null {
    for (const laneClass of CLASSES) {
      const queue = this.#whoseTurn(laneClass, leastBytes);
      if (queue !== null && mayGo(laneClass, nextSealedBytes(queue, leastBytes))) return this.#takeFrom(queue, laneClass, leastBytes);
    }
    return null;
  }

  /** Forgets what waits of a lane, but for a message that has begun. */
  drop(lane: Lane): void {
    const queue = this.#byNumber.get(laneNumber(lane));
    if (queue === undefined) return;
    const laneClass = classOf(lane.kind);
    const dropped = queue.messages.splice(queue.sentBytes > 0 ? 1 : 0);
    for (const message of dropped) this.#queuedBytes[laneClass] -= message.frame.length;
    if (queue.messages.length === 0) this.#retire(queue, laneClass);
  }

  clear(): void {
    for (const laneClass of CLASSES) {
      this.#turns[laneClass].length = 0;
      this.#queuedBytes[laneClass] = 0;
    }
    this.#byNumber.clear();
  }

  /** The lane whose turn it is within a class, by bytes. */
  #whoseTurn(laneClass: LaneClass, leastBytes: number): LaneQueue | null {
    const turns = this.#turns[laneClass];
    for (;;) {
      const queue = turns[0];
      const kind = queue?.messages[0]?.lane.kind;
      if (queue === undefined || kind === undefined) return null;
      if (!queue.hasTurn) {
        queue.hasTurn = true;
        queue.deficitBytes += QUANTUM_BYTES * WEIGHT[kind];
      }
      if (nextSealedBytes(queue, leastBytes) <= queue.deficitBytes) return queue;
      queue.hasTurn = false;
      turns.push(...turns.splice(0, 1));
    }
  }

  #takeFrom(queue: LaneQueue, laneClass: LaneClass, leastBytes: number): LaneRecord | null {
    const message = queue.messages[0];
    if (message === undefined) return null;
    const { lane, camera, frame: bytes } = message;
    const payload = bytes.subarray(queue.sentBytes, queue.sentBytes + MAX_PAYLOAD_BYTES);
    const isLast = queue.sentBytes + payload.length === bytes.length;
    const frame = this.#frames.get(queue.number) ?? 0;
    const ptsMs = Math.max(0, Math.round(message.ptsMs));
    const plain = encodeRecord({ type: 'message', isFirst: queue.sentBytes === 0, isLast, stream: queue.number, camera, frame, ptsMs, payload }, Math.max(leastBytes, BUCKET_BYTES[lane.kind]));
    const size = nextSealedBytes(queue, leastBytes);
    queue.deficitBytes -= size;
    queue.sentBytes += payload.length;
    this.#queuedBytes[laneClass] -= payload.length;
    if (isLast) {
      this.#frames.set(queue.number, (frame + 1) % 2 ** 32);
      queue.messages.shift();
      queue.sentBytes = 0;
      if (queue.messages.length === 0) this.#retire(queue, laneClass);
    }
    return { laneClass, sealedBytes: size, plain };
  }

  /** An empty lane gives up its turn and what it had saved. */
  #retire(queue: LaneQueue, laneClass: LaneClass): void {
    const turns = this.#turns[laneClass];
    turns.splice(turns.indexOf(queue), 1);
    this.#byNumber.delete(queue.number);
  }
}

function nextSealedBytes(queue: LaneQueue, leastBytes: number): number {
  const message = queue.messages[0];
  if (message === undefined) return 0;
  return sealedBytes(Math.min(MAX_PAYLOAD_BYTES, message.frame.length - queue.sentBytes), Math.max(leastBytes, BUCKET_BYTES[message.lane.kind]));
}
