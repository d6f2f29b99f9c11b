/** Which pictures lie in a MediaSource, by wall time and by the element's own time; pure. */
import type { EpochMs, TimeRange } from '../../shared/time.ts';
import { ROUNDING_MS } from './tile-player.ts';

/** A picture in the buffer. */
export interface BufferedPicture extends TimeRange {
  /** Where it begins on the video element's time line. */
  readonly mediaSeconds: number;
  readonly keyframe: boolean;
}

/** Element times are rounded to microseconds or ticks: a picture is known by its time within this. */
const SAME_PICTURE_SECONDS = 0.004;

export class FrameTable {
  /** In the order of showing. */
  #pictures: BufferedPicture[] = [];

  get newest(): BufferedPicture | null {
    return this.#pictures.at(-1) ?? null;
  }

  get oldest(): BufferedPicture | null {
    return this.#pictures[0] ?? null;
  }

  /** Takes pictures in any order; one at the same moment replaces what was there. */
  add(pictures: readonly BufferedPicture[]): void {
    for (const picture of pictures) {
      let at = this.#pictures.length;
      while (at > 0 && (this.#pictures[at - 1]?.startMs ?? 0) > picture.startMs + ROUNDING_MS) at -= 1;
      const before = this.#pictures[at - 1];
      const same = before !== undefined && Math.abs(before.startMs - picture.startMs) <= ROUNDING_MS;
      this.#pictures.splice(same ? at - 1 : at, same ? 1 : 0, picture);
    }
  }

  /** The picture that is to be seen at a moment: the last that begins by then; null before the first. */
  at(wallMs: EpochMs): BufferedPicture | null {
    return this.#pictures.findLast(({ startMs }) => startMs <= wallMs + ROUNDING_MS) ?? null;
  }

  /** The picture that covers a moment, or the first one after it, once no other can: something later is there. Null until then. */
  covering(wallMs: EpochMs): BufferedPicture | null {
    const { newest } = this;
    if (newest === null || newest.endMs <= wallMs + ROUNDING_MS) return null;
    return this.at(wallMs) ?? this.oldest;
  }

  /** The picture that the element says it shows. */
  byMedia(seconds: number): BufferedPicture | null {
    const found = this.#pictures.findLast(({ mediaSeconds }) => mediaSeconds <= seconds + SAME_PICTURE_SECONDS);
    return found !== undefined && seconds - found.mediaSeconds <= Math.max(SAME_PICTURE_SECONDS, (found.endMs - found.startMs) / 1000) ? found : null;
  }

  /** Forgets whole groups of pictures that end before a moment of the element's time; returns where what is kept begins, null where nothing was dropped. */
  dropBefore(seconds: number): number | null {
    const keep = this.#pictures.findLastIndex(({ mediaSeconds, keyframe }) => keyframe && mediaSeconds <= seconds);
    if (keep <= 0) return null;
    this.#pictures = this.#pictures.slice(keep);
    return this.#pictures[0]?.mediaSeconds ?? null;
  }

  /** Forgets what begins at a moment or later: other pictures come in its place. */
  dropFrom(wallMs: EpochMs): void {
    this.#pictures = this.#pictures.filter(({ startMs }) => startMs < wallMs - ROUNDING_MS);
  }

  clear(): void {
    this.#pictures = [];
  }
}
