/** The moment that is shown, shared by all tiles so that cameras play in step; pure but for the time it is given. */
import type { EpochMs } from '../../shared/time.ts';

export class PlaybackClock {
  #positionMs: EpochMs;
  #atMs: number;
  #rate = 1;
  #playing = false;
  /** Tiles that have nothing to show yet although footage is there: time waits for them. */
  #held = false;

  constructor(positionMs: EpochMs, nowMs: number) {
    this.#positionMs = positionMs;
    this.#atMs = nowMs;
  }

  get rate(): number {
    return this.#rate;
  }

  get playing(): boolean {
    return this.#playing;
  }

  /** The moment shown at `nowMs` of the page's monotonic clock. */
  positionMs(nowMs: number): EpochMs {
    return this.#playing && !this.#held ? this.#positionMs + (nowMs - this.#atMs) * this.#rate : this.#positionMs;
  }

  seek(positionMs: EpochMs, nowMs: number): void {
    this.#positionMs = positionMs;
    this.#atMs = nowMs;
  }

  play(nowMs: number): void {
    this.#settle(nowMs);
    this.#playing = true;
  }

  pause(nowMs: number): void {
    this.#settle(nowMs);
    this.#playing = false;
  }

  setRate(rate: number, nowMs: number): void {
    this.#settle(nowMs);
    this.#rate = rate;
  }

  hold(held: boolean, nowMs: number): void {
    if (held === this.#held) return;
    this.#settle(nowMs);
    this.#held = held;
  }

  #settle(nowMs: number): void {
    this.#positionMs = this.positionMs(nowMs);
    this.#atMs = nowMs;
  }
}
