/** Drives all tiles of recordings by one clock on animation frames: seeking, waiting for each other, jumping gaps, reaching now. */
import type { EpochMs } from '../../../shared/time.ts';
import { PlaybackClock } from '../../player/playback-clock.ts';
import type { RecordedTile } from '../../player/tile-player.ts';

/** A tile that has nothing for so long does not hold the others any more. */
const HOLD_LIMIT_MS = 2_500;

export interface PlaybackListener {
  /** On every frame while it runs, and on every change. */
  onPosition(positionMs: EpochMs): void;
  /** All tiles have shown the newest footage. */
  onReachedNow(): void;
}

export class PlaybackController {
  readonly #clock: PlaybackClock;
  readonly #tiles = new Set<RecordedTile>();
  readonly #listener: PlaybackListener;
  #frame: number | null = null;
  #heldSinceMs: number | null = null;
  #scrubbing = false;

  constructor(positionMs: EpochMs, listener: PlaybackListener) {
    this.#clock = new PlaybackClock(positionMs, performance.now());
    this.#listener = listener;
    this.#loop();
  }

  get positionMs(): EpochMs {
    return this.#clock.positionMs(performance.now());
  }

  get playing(): boolean {
    return this.#clock.playing;
  }

  get rate(): number {
    return this.#clock.rate;
  }

  add(tile: RecordedTile): () => void {
    tile.setRate(this.#clock.rate);
    this.#tiles.add(tile);
    return () => this.#tiles.delete(tile);
  }

  /** Goes to a moment. While the pointer moves (`scrubbing`) time stands and each tile shows one picture. */
  seek(toMs: EpochMs, scrubbing = false): void {
    this.#scrubbing = scrubbing;
    this.#clock.seek(toMs, performance.now());
    for (const tile of this.#tiles) tile.seek(toMs, scrubbing);
    this.#listener.onPosition(toMs);
  }

  play(): void {
    this.#clock.play(performance.now());
  }

  pause(): void {
    this.#clock.pause(performance.now());
  }

  setRate(rate: number): void {
    this.#clock.setRate(rate, performance.now());
    for (const tile of this.#tiles) tile.setRate(rate);
  }

  close(): void {
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
    this.#tiles.clear();
  }

  #loop(): void {
    this.#frame = requestAnimationFrame((nowMs) => {
      this.#loop();
      this.#tick(Math.max(nowMs, performance.now() - 50));
    });
  }

  #tick(nowMs: number): void {
    const positionMs = this.#clock.positionMs(nowMs);
    for (const tile of this.#tiles) tile.tick(positionMs);
    if (!this.#clock.playing) return;
    this.#holdFor(positionMs, nowMs);
    if (!this.#scrubbing) this.#jumpGaps(positionMs, nowMs);
    this.#listener.onPosition(this.#clock.positionMs(nowMs));
  }

  #holdFor(positionMs: EpochMs, nowMs: number): void {
    const starving = this.#scrubbing || [...this.#tiles].some((tile) => tile.starving(positionMs));
    if (!starving) this.#heldSinceMs = null;
    else this.#heldSinceMs ??= nowMs;
    const tooLong = this.#heldSinceMs !== null && nowMs - this.#heldSinceMs > HOLD_LIMIT_MS && !this.#scrubbing;
    this.#clock.hold(starving && !tooLong, nowMs);
  }

  /** Where no tile has footage, time jumps to the first that has some again. */
  #jumpGaps(positionMs: EpochMs, nowMs: number): void {
    if (this.#tiles.size === 0) return;
    let resumesAtMs = Number.POSITIVE_INFINITY;
    for (const tile of this.#tiles) {
      const tileResumes = tile.resumesAtMs(positionMs);
      if (tileResumes === null) return;
      resumesAtMs = Math.min(resumesAtMs, tileResumes);
    }
    if (resumesAtMs === Number.POSITIVE_INFINITY) {
      this.#clock.pause(nowMs);
      this.#listener.onReachedNow();
    } else this.#clock.seek(resumesAtMs, nowMs);
  }
}
