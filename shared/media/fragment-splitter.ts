/** Cuts a fragmented MP4 byte stream into its init and its whole fragments, with a copy only where a fragment spans chunks. */
import { fourcc, MalformedMediaError, readU32 } from './boxes.ts';

/** ftyp + moov, or everything up to and including one mdat. The bytes are the receiver's to keep, and may be views of a chunk that was pushed; a splitter that lends wants them back when `emit` returns. */
export type SplitUnit = { readonly kind: 'init'; readonly bytes: Uint8Array } | { readonly kind: 'fragment'; readonly bytes: Uint8Array };

/** A keyframe of 4K video at 100 Mbit/s with half a second of credit: 6 MB; a frame above this is a broken stream. */
export const MAX_FRAGMENT_BYTES = 32 * 1024 * 1024;

const MOOV = fourcc('moov');
const MDAT = fourcc('mdat');
const MFRA = fourcc('mfra');
const NOTHING = new Uint8Array(0);
/** What a splitter that lends begins with: most frames fit. */
const LENT_BYTES = 64 * 1024;

export class FragmentSplitter {
  readonly #emit: (unit: SplitUnit) => void;
  readonly #maxBytes: number;
  readonly #lends: boolean;
  /** The unit being collected: `#have` bytes of it are in `#held`, and nothing can be said before there are `#need`. */
  #held = NOTHING;
  #have = 0;
  #need = 8;
  /** Set by #measure: the last box of the unit that ends at `#need`, or 0 when more headers must be seen first. */
  #last = 0;

  /** `lends`: units are good until `emit` returns and no longer; pushed chunks may be filled anew after that, and nothing is allocated per unit. */
  constructor(emit: (unit: SplitUnit) => void, maxFragmentBytes: number = MAX_FRAGMENT_BYTES, lends = false) {
    this.#emit = emit;
    this.#maxBytes = maxFragmentBytes;
    this.#lends = lends;
  }

  /** Bytes of a unit that is not whole yet. */
  get pendingBytes(): number {
    return this.#have;
  }

  /** Takes the next bytes of the stream and emits every unit they complete. The chunk must not be changed afterwards. Throws MalformedMediaError when the bytes are no fragmented MP4 or a unit is too large. */
  push(pushed: Uint8Array): void {
    // A Node Buffer's slice() is a view where everybody else's is a copy: what is emitted is never one.
    const chunk = pushed.constructor === Uint8Array ? pushed : new Uint8Array(pushed.buffer, pushed.byteOffset, pushed.byteLength);
    let at = 0;
    while (this.#have > 0 && at < chunk.length) at = this.#fill(chunk, at);
    while (at < chunk.length) {
      this.#measure(chunk, at, chunk.length - at);
      if (this.#need > chunk.length - at) {
        this.#hold(chunk.subarray(at));
        return;
      }
      this.#finish(chunk.subarray(at, at + this.#need));
      at += this.#need;
      this.#need = 8;
    }
  }

  /** Copies from the chunk what the held unit still needs; returns where the chunk goes on. */
  #fill(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.#need - this.#have, chunk.length - at);
    if (this.#held.length < this.#need) this.#grow(this.#need);
    this.#held.set(chunk.subarray(at, at + taken), this.#have);
    this.#have += taken;
    if (this.#have < this.#need) return at + taken;
    if (this.#last === 0) this.#measure(this.#held, 0, this.#have);
    if (this.#have === this.#need && this.#last !== 0) {
      this.#finish(this.#held.subarray(0, this.#need));
      if (!this.#lends) this.#held = NOTHING;
      this.#have = 0;
      this.#need = 8;
      this.#last = 0;
    }
    return at + taken;
  }

  #hold(rest: Uint8Array): void {
    const wantedBytes = Math.max(this.#need, rest.length);
    if (!this.#lends || this.#held.length < wantedBytes) this.#held = new Uint8Array(this.#lends ? Math.max(LENT_BYTES, 2 * wantedBytes) : wantedBytes);
    this.#held.set(rest);
    this.#have = rest.length;
  }

  #grow(toBytes: number): void {
    const larger = new Uint8Array(this.#lends ? Math.max(LENT_BYTES, 2 * toBytes) : toBytes);
    larger.set(this.#held.subarray(0, this.#have));
    this.#held = larger;
  }

  /** How long the unit that begins at `start` is, as far as the `have` bytes there tell: sets #need, and #last once it is final. */
  #measure(bytes: Uint8Array, start: number, have: number): void {
    this.#last = 0;
    for (let off = 0; ; ) {
      if (off + 8 > have) {
        this.#need = off + 8;
        return;
      }
      let size = readU32(bytes, start + off);
      const type = readU32(bytes, start + off + 4);
      if (size === 1) {
        if (off + 16 > have) {
          this.#need = off + 16;
          return;
        }
        size = readU32(bytes, start + off + 8) * 2 ** 32 + readU32(bytes, start + off + 12);
        if (size < 16) throw new MalformedMediaError('a box smaller than its header');
      } else if (size < 8) throw new MalformedMediaError(`a box of ${size} bytes`);
      off += size;
      if (off > this.#maxBytes) throw new MalformedMediaError(`a fragment of more than ${this.#maxBytes} bytes`);
      if (type === MDAT || type === MOOV || type === MFRA) {
        this.#need = off;
        this.#last = type;
        return;
      }
    }
  }

  #finish(bytes: Uint8Array): void {
    if (this.#last === MOOV) this.#emit({ kind: 'init', bytes });
    else if (this.#last === MDAT) this.#emit({ kind: 'fragment', bytes });
  }
}
