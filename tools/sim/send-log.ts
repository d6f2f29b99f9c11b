/** Owns the send log: which picture left which camera when, the truth that tests hold recordings against. */
import { createWriteStream, type WriteStream } from 'node:fs';

export type SimStream = 'main' | 'sub';

export interface SendLogEntry {
  /** 1 for the first camera. */
  readonly cameraIndex: number;
  readonly stream: SimStream;
  /** The number burnt into the picture: its place in the loop, or (live clock) a count since the encoder's start. */
  readonly frameIndex: number;
  /** How often the loop had been through before; 0 with the live clock. */
  readonly pass: number;
  readonly keyframe: boolean;
  /** As in the RTP header: unsigned 32 bit, 90 kHz, the picture's presentation time. */
  readonly rtpTimestamp: number;
  /** Wall clock, milliseconds since 1970: when the picture was taken, that is when it was due. */
  readonly capturedMs: number;
  /** Wall clock when it was handed to the network; later than captured during a network stall. */
  readonly sentMs: number;
  /** How many clients it went to. */
  readonly clients: number;
}

/** Enough for 30 minutes of one stream at 30 frames per second. */
const RING_ENTRIES = 54_000;

/** One per camera; a ring in memory per stream, and a JSONL file where asked for. */
export class SendLog {
  readonly #rings = new Map<SimStream, { entries: SendLogEntry[]; next: number }>();
  readonly #file: WriteStream | null;

  constructor(path: string | null) {
    this.#file = path === null ? null : createWriteStream(path, { flags: 'a' });
  }

  add(entry: SendLogEntry): void {
    let ring = this.#rings.get(entry.stream);
    if (ring === undefined) {
      ring = { entries: [], next: 0 };
      this.#rings.set(entry.stream, ring);
    }
    ring.entries[ring.next] = entry;
    ring.next = (ring.next + 1) % RING_ENTRIES;
    this.#file?.write(`${JSON.stringify(entry)}\n`);
  }

  /** Entries in the order sent, oldest first; only those sent at or after `sinceMs`. */
  read(stream: SimStream, sinceMs = 0): SendLogEntry[] {
    const ring = this.#rings.get(stream);
    if (ring === undefined) return [];
    const whole = ring.entries.length < RING_ENTRIES;
    const ordered = whole ? ring.entries : [...ring.entries.slice(ring.next), ...ring.entries.slice(0, ring.next)];
    return ordered.filter((entry) => entry.sentMs >= sinceMs);
  }

  async close(): Promise<void> {
    const file = this.#file;
    if (file !== null) await new Promise<void>((resolve) => file.end(resolve));
  }
}
