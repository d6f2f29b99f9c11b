/** Copies of the fragments of one group of pictures, in pieces of memory that go from group to group and stream to stream. */
import type { SessionFragment } from './media.ts';

/** Fresh memory for each frame costs a collection of garbage each few seconds. */
const PIECE_BYTES = 256 * 1024;
const MAX_SPARE_PIECES = 32;
const sparePieces: Uint8Array[] = [];

export class PictureGroup {
  #fragments: SessionFragment[] = [];
  #sizeBytes = 0;
  /** What the bytes lie in; the last is being filled. */
  #pieces: Uint8Array[] = [];
  #usedBytes = 0;

  /** In the order they came, a keyframe first. */
  get fragments(): readonly SessionFragment[] {
    return this.#fragments;
  }

  /** Of the fragments; the memory behind them is a piece more at most. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Keeps a copy: the fragment's bytes are lent. */
  add(fragment: SessionFragment): void {
    this.#fragments.push({ ...fragment, bytes: this.#copy(fragment.bytes) });
    this.#sizeBytes += fragment.bytes.length;
  }

  /** Gives the memory back. What was in `fragments` must not be used any more. */
  clear(): void {
    this.#fragments = [];
    this.#sizeBytes = 0;
    this.#usedBytes = 0;
    for (const piece of this.#pieces) if (piece.length === PIECE_BYTES && sparePieces.length < MAX_SPARE_PIECES) sparePieces.push(piece);
    this.#pieces = [];
  }

  #copy(bytes: Uint8Array): Uint8Array {
    let piece = this.#pieces.at(-1);
    if (piece === undefined || this.#usedBytes + bytes.length > piece.length) {
      piece = bytes.length > PIECE_BYTES ? new Uint8Array(bytes.length) : (sparePieces.pop() ?? new Uint8Array(PIECE_BYTES));
      this.#pieces.push(piece);
      this.#usedBytes = 0;
    }
    const copy = piece.subarray(this.#usedBytes, this.#usedBytes + bytes.length);
    copy.set(bytes);
    this.#usedBytes += bytes.length;
    return copy;
  }
}
