/** Decoded pictures waiting for their moment; holds few, because each pins memory of the decoder. Pure but for closing. */
import type { DurationMs, EpochMs } from '../../shared/time.ts';
import { ROUNDING_MS } from './tile-player.ts';

/** Enough for reordering and a late animation frame; decoders stall when many pictures stay open. */
export const PICTURES_HELD = 8;

/** As much of a DecodedPicture as the queue needs. */
export interface QueuedPicture {
  readonly frame: { close(): void };
  readonly wallMs: EpochMs;
  readonly durationMs: DurationMs;
}

export class PictureQueue<Picture extends QueuedPicture> {
  readonly #pictures: Picture[] = [];

  get size(): number {
    return this.#pictures.length;
  }

  push(picture: Picture): void {
    this.#pictures.push(picture);
  }

  /** The latest picture at or before a moment, taken out; earlier ones are closed. Null when none is due. */
  takeDue(atMs: EpochMs): Picture | null {
    let due: Picture | null = null;
    while (this.#pictures[0] !== undefined && this.#pictures[0].wallMs <= atMs + ROUNDING_MS) {
      due?.frame.close();
      due = this.#pictures.shift() ?? null;
    }
    return due;
  }

  /**
   * The picture that covers a sought moment, once it is known that no later one does: a later one is there, it lasts
   * beyond the moment, or nothing more will come (`drained`). Where footage begins after the moment, its first picture.
   * Null until then; pictures that cannot be it are closed.
   */
  takeCovering(atMs: EpochMs, drained: boolean): Picture | null {
    const newest = this.#pictures.at(-1);
    if (newest === undefined) return null;
    if (drained || newest.wallMs + newest.durationMs > atMs + ROUNDING_MS) return this.takeDue(Math.max(atMs, this.#pictures[0]?.wallMs ?? atMs));
    for (const { frame } of this.#pictures.splice(0, this.#pictures.length - 1)) frame.close();
    return null;
  }

  clear(): void {
    for (const { frame } of this.#pictures.splice(0)) frame.close();
  }
}
