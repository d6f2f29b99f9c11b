/** Messages longer than a record: their parts put together again, lane by lane, strictly in turn. */
import { concat } from './bytes.ts';
import { MAX_PAYLOAD_BYTES, type SessionRecord } from './record.ts';
import { BadRecord } from './session-ciphers.ts';

/** A whole message: an encoded contract frame. */
export interface WholeMessage {
  readonly lane: number;
  readonly camera: number;
  readonly bytes: Uint8Array;
}

interface Begun {
  readonly camera: number;
  readonly ptsMs: number;
  readonly parts: Uint8Array[];
  sizeBytes: number;
}

/** What has come of each lane. */
export class Parts {
  readonly #mostBytes: number;
  readonly #begun = new Map<number, Begun>();
  /** The next message's number of each lane. */
  readonly #frames = new Map<number, number>();
  #heldBytes = 0;

  /** All unfinished messages together may be `mostBytes` long. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** The message this record completes, or null. Throws BadRecord on a part out of turn, or one too many. */
  take(record: SessionRecord): WholeMessage | null {
    const { stream: lane, camera, frame, ptsMs, payload, isFirst, isLast } = record;
    const begun = this.#begun.get(lane);
    if (frame !== (this.#frames.get(lane) ?? 0) || isFirst !== (begun === undefined)) throw new BadRecord('A part of a message came out of its turn.');
    if (begun !== undefined && (begun.camera !== camera || begun.ptsMs !== ptsMs)) throw new BadRecord('A part of a message came that belongs to another.');
    if (!isLast && payload.length !== MAX_PAYLOAD_BYTES) throw new BadRecord('A part of a message came that is too short.');
    if (this.#heldBytes + payload.length > this.#mostBytes) throw new BadRecord('A message came that is too long.');
    if (isLast) {
      this.#frames.set(lane, (frame + 1) % 2 ** 32);
      this.#begun.delete(lane);
      this.#heldBytes -= begun?.sizeBytes ?? 0;
      return { lane, camera, bytes: begun === undefined ? payload : concat(...begun.parts, payload) };
    }
    this.#heldBytes += payload.length;
    if (begun === undefined) this.#begun.set(lane, { camera, ptsMs, parts: [payload], sizeBytes: payload.length });
    else {
      begun.parts.push(payload);
      begun.sizeBytes += payload.length;
    }
    return null;
  }

  clear(): void {
    this.#begun.clear();
  }
}
