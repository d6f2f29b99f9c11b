/** When a tile that ran out of footage goes on: not with the next picture, but once there is enough for a while. Pure but for whom it tells. */
import type { DurationMs } from '../../shared/time.ts';

/** Footage to have before time goes on, in ms of the clock on the wall. */
const ENOUGH_MS: DurationMs = 1_500;
/** A moment that takes longer than this to come, comes over a slow line. */
const SLOW_SEEK_MS: DurationMs = 700;
/** A wait that is over sooner needs no word. */
const SAY_AFTER_MS: DurationMs = 700;

/** What a tile waits for: the moment it was sent to, or footage that comes slower than it is played. */
export type Loading = 'moment' | 'footage';

export interface RefillLook {
  readonly nowMs: number;
  /** There is nothing to show for the moment. */
  readonly starving: boolean;
  /** The moment was just gone to. */
  readonly seeking: boolean;
  /** Footage that has come and was not shown, in ms of footage; Infinity where no more comes. */
  readonly aheadMs: DurationMs;
  readonly rate: number;
}

export class Refill {
  readonly #onLoading: (loading: Loading | null) => void;
  #sinceMs: number | null = null;
  #ranDry = false;
  #filling = false;
  #told: Loading | null = null;

  constructor(onLoading: (loading: Loading | null) => void) {
    this.#onLoading = onLoading;
  }

  /** Time waits until there is enough. */
  get filling(): boolean {
    return this.#filling;
  }

  /** Another moment: what was waited for is not wanted any more. */
  reset(): void {
    this.#sinceMs = null;
    this.#ranDry = false;
    this.#filling = false;
  }

  /** On every animation frame. */
  step({ nowMs, starving, seeking, aheadMs, rate }: RefillLook): void {
    const lacks = aheadMs < ENOUGH_MS * rate;
    if (starving) this.#sinceMs ??= nowMs;
    if (starving && lacks && !seeking) this.#ranDry = true;
    const isSlow = this.#ranDry || (this.#sinceMs !== null && nowMs - this.#sinceMs >= SLOW_SEEK_MS);
    this.#filling = lacks && (this.#filling || (starving && isSlow));
    if (!starving && !this.#filling) this.reset();
    const loading = this.#sinceMs === null || nowMs - this.#sinceMs < SAY_AFTER_MS ? null : this.#ranDry ? 'footage' : 'moment';
    if (loading === this.#told) return;
    this.#told = loading;
    this.#onLoading(loading);
  }
}
