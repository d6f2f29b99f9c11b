/**
 * How late packets come, as differences of arrival and media time: the lowest of the last minute, which is the one that came
 * straight through. Where even the lowest grow evenly, it is the camera's clock that is slow, and the growth is counted in. Pure.
 */
import type { DurationMs } from '../../../shared/time.ts';

/** Long enough that every pause for breath of a busy network holds one packet that came straight through. */
const WINDOW_MS: DurationMs = 60_000;
const BUCKET_MS: DurationMs = 5_000;
/** One picture that comes early is a mistake in its timestamp (a damaged stream has them); this many in a row were not late. */
const CONFIRMED_BY = 3;
/** What grows for so many buckets, and never less than half or more than twice as fast as at its median, grows evenly: a queue that fills does not for 20 s. */
const FEWEST_BUCKETS = 4;
/** Growth that is followed anyway (wall-clock.ts). */
const SLOWEST = 0.001;
/** A camera that counts pictures and sends half as many by night. A queue that fills at this rate would be six seconds long. */
const USELESS = 0.1;

interface Bucket {
  readonly startMs: DurationMs;
  lowestMs: DurationMs;
  lowestAtMs: DurationMs;
}

export class Lateness {
  #buckets: Bucket[] = [];
  #last: DurationMs[] = [];
  /** Milliseconds by which packets come later (below zero: earlier) per millisecond; 0 unless they do so evenly. */
  #growth = 0;
  #lowestMs: DurationMs = Number.POSITIVE_INFINITY;

  /** Everything before is forgotten. */
  startAnew(arrivalMs: DurationMs, differenceMs: DurationMs): void {
    this.#buckets = [{ startMs: arrivalMs, lowestMs: differenceMs, lowestAtMs: arrivalMs }];
    this.#last = [];
    this.#growth = 0;
    this.#lowestMs = differenceMs;
  }

  /** Takes a picture's difference; returns the one that counts: the highest of the last few, or, where what was buffered may still be coming (`atOnce`), this one. */
  note(arrivalMs: DurationMs, differenceMs: DurationMs, atOnce: boolean): DurationMs {
    this.#last = [...this.#last.slice(1 - CONFIRMED_BY), differenceMs];
    const confirmedMs = atOnce ? differenceMs : Math.max(...this.#last);
    const newest = this.#buckets.at(-1);
    if (newest === undefined || arrivalMs - newest.startMs >= BUCKET_MS) {
      this.#growth = growthOf(this.#buckets);
      this.#buckets = [...this.#buckets.filter((bucket) => arrivalMs - bucket.startMs < WINDOW_MS), { startMs: arrivalMs, lowestMs: confirmedMs, lowestAtMs: arrivalMs }];
      this.#lowestMs = Math.min(...this.#buckets.map((bucket) => bucket.lowestMs));
    } else if (confirmedMs < newest.lowestMs) {
      newest.lowestMs = confirmedMs;
      newest.lowestAtMs = arrivalMs;
      this.#lowestMs = Math.min(this.#lowestMs, confirmedMs);
    }
    return confirmedMs;
  }

  /** Whether it grows evenly. */
  get grows(): boolean {
    return this.#growth > 0;
  }

  /** The camera's clock is so wrong, for a whole window, that pictures are better dated by when they come. */
  get isUseless(): boolean {
    return Math.abs(this.#growth) > USELESS && this.#buckets.length >= WINDOW_MS / BUCKET_MS;
  }

  /** The lowest, as it would be at this moment. */
  lowestAt(nowMs: DurationMs): DurationMs {
    if (this.#growth <= 0) return this.#lowestMs;
    return Math.min(...this.#buckets.map((bucket) => bucket.lowestMs + this.#growth * (nowMs - bucket.lowestAtMs)));
  }
}

/** The median slope between buckets; 0 where it is not even. */
function growthOf(buckets: readonly Bucket[]): number {
  if (buckets.length < FEWEST_BUCKETS) return 0;
  const slopes = buckets.flatMap((from, index) => buckets.slice(index + 1).map((to) => (to.lowestMs - from.lowestMs) / (to.lowestAtMs - from.lowestAtMs)));
  const sorted = slopes.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const steps = buckets.slice(1).map((to, index) => (to.lowestMs - (buckets[index]?.lowestMs ?? 0)) / (to.startMs - (buckets[index]?.startMs ?? 0)));
  return Math.abs(median) > SLOWEST && steps.every((step) => step / median > 0.5 && step / median < 2) ? median : 0;
}
