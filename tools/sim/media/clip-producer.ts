/** Owns the replay of a clip in a loop at its own pace, phase kept while nobody listens. */
import type { AccessUnit, VideoClip } from './clip.ts';
import { monotonicMs, startPacing, stopPacing, type Paced } from './pacer.ts';
import type { PictureProducer, ProducedPicture, VideoFormat } from './stream-feed.ts';

/** How late a picture may be before the ones behind it are skipped rather than sent in a burst. */
const MAX_LATE_MS = 2000;

export class ClipProducer implements PictureProducer, Paced {
  readonly #clip: VideoClip;
  readonly #frameMs: number;
  readonly #epochMs = monotonicMs();
  readonly #maxOffset90k: number;
  #index = 0;
  #onPicture: ((picture: ProducedPicture) => void) | null = null;
  dueMs = 0;

  constructor(clip: VideoClip) {
    this.#clip = clip;
    this.#frameMs = 1000 / clip.fps;
    this.#maxOffset90k = Math.max(...clip.units.map((unit) => unit.offset90k));
  }

  format(): Promise<VideoFormat> {
    return Promise.resolve(this.#clip);
  }

  start(onPicture: (picture: ProducedPicture) => void): void {
    this.#onPicture = onPicture;
    this.#catchUp(monotonicMs());
    startPacing(this);
  }

  stop(): void {
    this.#onPicture = null;
    stopPacing(this);
  }

  nextKeyframe90k(): number | null {
    const { units } = this.#clip;
    const from = this.#onPicture === null ? Math.ceil((monotonicMs() - this.#epochMs) / this.#frameMs) : this.#index;
    for (let index = from; index < from + units.length; index += 1) {
      const unit = units[index % units.length];
      if (unit?.keyframe === true) return this.#media90k(index, unit);
    }
    return null;
  }

  fire(nowMs: number): void {
    if (nowMs - this.dueMs > MAX_LATE_MS) this.#catchUp(nowMs);
    while (this.dueMs <= nowMs && this.#onPicture !== null) {
      const { units } = this.#clip;
      const unit = units[this.#index % units.length];
      if (unit !== undefined) {
        this.#onPicture({
          codec: this.#clip.codec,
          nals: unit.nals,
          keyframe: unit.keyframe,
          frameNumber: unit.frameNumber,
          pass: Math.floor(this.#index / units.length),
          media90k: this.#media90k(this.#index, unit),
          // With B-frames a picture waits for the later ones it depends on, so it was taken before it is sent.
          capturedMs: Date.now() - (nowMs - this.dueMs) - (this.#maxOffset90k - unit.offset90k) / 90,
        });
      }
      this.#index += 1;
      this.dueMs = this.#epochMs + this.#index * this.#frameMs;
    }
  }

  #catchUp(nowMs: number): void {
    this.#index = Math.max(this.#index, Math.ceil((nowMs - this.#epochMs) / this.#frameMs));
    this.dueMs = this.#epochMs + this.#index * this.#frameMs;
  }

  #media90k(index: number, unit: AccessUnit): number {
    return Math.round((index * 90_000) / this.#clip.fps) + unit.offset90k;
  }
}
