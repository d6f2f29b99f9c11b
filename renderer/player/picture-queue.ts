/** Decoded pictures waiting for their moment; holds few, because each pins memory of the decoder. Pure but for closing. */
import type { DecodedPicture } from './video-decoder.ts';

/** Enough for reordering and a late animation frame; decoders stall when many pictures stay open. */
export const PICTURES_HELD = 8;

export class PictureQueue {
  #pictures: DecodedPicture[] = [];

  get size(): number {
    return this.#pictures.length;
  }

  get newestMs(): number | null {
    return this.#pictures.at(-1)?.wallMs ?? null;
  }

  get earliestMs(): number | null {
    return this.#pictures[0]?.wallMs ?? null;
  }

  push(picture: DecodedPicture): void {
    this.#pictures.push(picture);
  }

  /** The latest picture at or before a moment, taken out; earlier ones are closed. Null when none is due. */
  takeDue(atMs: number): DecodedPicture | null {
    let due: DecodedPicture | null = null;
    while (this.#pictures[0] !== undefined && this.#pictures[0].wallMs <= atMs) {
      due?.frame.close();
      due = this.#pictures.shift() ?? null;
    }
    return due;
  }

  /** Whether the newest picture still stands at a moment, by its own duration. */
  covers(atMs: number): boolean {
    const newest = this.#pictures.at(-1);
    const durationMs = (newest?.frame.duration ?? 0) / 1000;
    return newest !== undefined && newest.wallMs <= atMs && atMs < newest.wallMs + durationMs;
  }

  /** Closes all but the newest: on the way to a sought moment only the last one before it can be shown. */
  dropBeforeNewest(): void {
    for (const { frame } of this.#pictures.splice(0, this.#pictures.length - 1)) frame.close();
  }

  clear(): void {
    for (const { frame } of this.#pictures.splice(0)) frame.close();
  }
}
