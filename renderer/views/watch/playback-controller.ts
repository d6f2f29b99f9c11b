/** Drives all tiles of recordings by one clock on animation frames: seeking, waiting for each other, jumping gaps, stepping, reaching now. */
import type { EpochMs } from '../../../shared/time.ts';
import { PlaybackClock } from '../../player/playback-clock.ts';
import { ROUNDING_MS, type SteppedTile } from '../../player/tile-player.ts';

/** A tile that has nothing for so long does not hold those that have something. */
const HOLD_LIMIT_MS = 2_500;
/** Animation frames stop while the page is hidden or the computer sleeps; that time is not played. */
const ASLEEP_MS = 1_000;
/** A key that is held down asks for more steps than can be shown. */
const STEPS_AHEAD = 3;

export interface PlaybackListener {
  /** On every frame while it runs, and on every change. */
  onPosition(positionMs: EpochMs): void;
  /** All tiles have shown the newest footage. */
  onReachedNow(): void;
}

/** Where time and animation frames come from. */
export interface FrameSource {
  /** Monotonic milliseconds. */
  now(): number;
  request(callback: (nowMs: number) => void): number;
  cancel(id: number): void;
}

const browserFrames: FrameSource = { now: () => performance.now(), request: (callback) => requestAnimationFrame(callback), cancel: (id) => cancelAnimationFrame(id) };

export class PlaybackController {
  readonly #clock: PlaybackClock;
  readonly #tiles = new Set<SteppedTile>();
  readonly #listener: PlaybackListener;
  readonly #frames: FrameSource;
  #frame: number | null = null;
  /** Since when tiles have waited without a moment in between in which they did not. */
  readonly #waitingSinceMs = new Map<SteppedTile, number>();
  #scrubbing = false;
  /** What tiles were sent to last, and whether all that follows comes too; null once time has moved on. */
  #sought: { readonly toMs: EpochMs; readonly one: boolean } | null = null;
  /** Steps by a picture that wait for tiles to settle; negative goes back. */
  #steps = 0;
  #last: { readonly atMs: number; readonly positionMs: EpochMs };

  constructor(positionMs: EpochMs, listener: PlaybackListener, frames: FrameSource = browserFrames) {
    this.#frames = frames;
    this.#clock = new PlaybackClock(positionMs, frames.now());
    this.#last = { atMs: frames.now(), positionMs };
    this.#listener = listener;
    this.#loop();
  }

  get positionMs(): EpochMs {
    return this.#clock.positionMs(this.#frames.now());
  }

  get playing(): boolean {
    return this.#clock.playing;
  }

  get rate(): number {
    return this.#clock.rate;
  }

  add(tile: SteppedTile): () => void {
    tile.setRate(this.#clock.rate);
    this.#tiles.add(tile);
    return () => {
      this.#tiles.delete(tile);
      this.#waitingSinceMs.delete(tile);
    };
  }

  /**
   * Goes to a moment. While the pointer is down (`scrubbing`) time stands; when it moves, each tile shows one picture. A pointer that
   * goes down asks for everything, so that letting it go where it went down, which is a click, has nothing left to ask for.
   */
  seek(toMs: EpochMs, scrubbing = false): void {
    const one = scrubbing && this.#scrubbing;
    const known = this.#scrubbing && this.#sought !== null && this.#sought.toMs === toMs && (one || !this.#sought.one);
    this.#scrubbing = scrubbing;
    this.#steps = 0;
    this.#moveTo(toMs);
    if (!known) {
      this.#sought = { toMs, one };
      for (const tile of this.#tiles) tile.seek(toMs, one);
    }
    this.#listener.onPosition(toMs);
  }

  play(): void {
    this.#steps = 0;
    this.#clock.play(this.#frames.now());
  }

  pause(): void {
    this.#clock.pause(this.#frames.now());
  }

  /** Goes to the next (1) or the previous (-1) picture of any tile and stands there. */
  stepPicture(direction: 1 | -1): void {
    this.pause();
    this.#steps = Math.max(-STEPS_AHEAD, Math.min(STEPS_AHEAD, this.#steps + direction));
  }

  setRate(rate: number): void {
    this.#clock.setRate(rate, this.#frames.now());
    for (const tile of this.#tiles) tile.setRate(rate);
  }

  close(): void {
    if (this.#frame !== null) this.#frames.cancel(this.#frame);
    this.#frame = null;
    this.#tiles.clear();
  }

  #loop(): void {
    this.#frame = this.#frames.request(() => {
      this.#loop();
      this.#tick(this.#frames.now());
    });
  }

  #moveTo(positionMs: EpochMs): void {
    const atMs = this.#frames.now();
    this.#clock.seek(positionMs, atMs);
    this.#last = { atMs, positionMs };
  }

  #tick(nowMs: number): void {
    if (nowMs - this.#last.atMs > ASLEEP_MS) this.#clock.seek(this.#last.positionMs, nowMs);
    const positionMs = this.#clock.positionMs(nowMs);
    this.#last = { atMs: nowMs, positionMs };
    for (const tile of this.#tiles) tile.tick(positionMs);
    if (this.#steps !== 0) this.#step(positionMs, nowMs);
    if (!this.#clock.playing) return;
    this.#holdFor(positionMs, nowMs);
    if (!this.#scrubbing) this.#jumpGaps(positionMs, nowMs);
    this.#listener.onPosition(this.#clock.positionMs(nowMs));
  }

  #holdFor(positionMs: EpochMs, nowMs: number): void {
    let holds = this.#scrubbing;
    let othersPlay = false;
    let lacks = false;
    for (const tile of this.#tiles) {
      if (!tile.filling && !tile.starving(positionMs)) {
        this.#waitingSinceMs.delete(tile);
        othersPlay ||= !tile.stuck && tile.resumesAtMs(positionMs) === null;
        continue;
      }
      const sinceMs = this.#waitingSinceMs.get(tile) ?? nowMs;
      this.#waitingSinceMs.set(tile, sinceMs);
      holds ||= nowMs - sinceMs <= HOLD_LIMIT_MS;
      lacks ||= tile.filling;
    }
    // Where nobody else plays there is nobody to let go on: what would be passed over is still to come.
    this.#clock.hold(holds || (lacks && !othersPlay), nowMs);
  }

  /** One step, once every tile shows what it has for the moment; the rest waits for the next frames. */
  #step(positionMs: EpochMs, nowMs: number): void {
    const tiles = [...this.#tiles].filter((tile) => !tile.stuck);
    if (tiles.length === 0 || tiles.some((tile) => tile.starving(positionMs))) return;
    const shown = tiles.map((tile) => tile.shown).filter((range) => range !== null);
    if (this.#steps > 0) {
      this.#steps -= 1;
      const ends = [...shown.map(({ endMs }) => endMs), ...tiles.map((tile) => tile.resumesAtMs(positionMs) ?? Number.POSITIVE_INFINITY)];
      const nextMs = Math.min(...ends.filter((endMs) => endMs > positionMs + ROUNDING_MS));
      if (nextMs !== Number.POSITIVE_INFINITY) this.#stand(nextMs + ROUNDING_MS, nowMs);
      return;
    }
    const rest = this.#steps + 1;
    const beginsMs = Math.max(...shown.map(({ startMs }) => startMs).filter((startMs) => startMs <= positionMs + ROUNDING_MS));
    // Two roundings before a picture's own time is well inside the one before it.
    if (beginsMs !== Number.NEGATIVE_INFINITY) this.seek(beginsMs - 2 * ROUNDING_MS);
    this.#steps = beginsMs === Number.NEGATIVE_INFINITY ? 0 : rest;
  }

  /** Forward steps need no seek: tiles have the next pictures already. */
  #stand(positionMs: EpochMs, nowMs: number): void {
    this.#clock.seek(positionMs, nowMs);
    this.#last = { atMs: nowMs, positionMs };
    for (const tile of this.#tiles) tile.tick(positionMs);
    this.#listener.onPosition(positionMs);
  }

  /** Where no tile has footage, time jumps to the first that has some again. */
  #jumpGaps(positionMs: EpochMs, nowMs: number): void {
    const tiles = [...this.#tiles].filter((tile) => !tile.stuck);
    if (tiles.length === 0) return;
    let resumesAtMs = Number.POSITIVE_INFINITY;
    for (const tile of tiles) {
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
