/**
 * Notices that media time stands still while pictures come. A camera whose clock is set back (summer time, a time server) sends
 * timestamps that were there before; ffmpeg's muxer makes each of them one tick more than the last, until they have caught up. Pure.
 */
import type { DurationMs } from '../../../shared/time.ts';

/** A picture further than this is not standing: ffmpeg adds a tick, 0.01 ms. */
const STANDING_MS: DurationMs = 1;
/** Two fields of a picture have the same time, and now and then two pictures. */
const FEWEST = 3;
/** Less is nothing anybody sees. */
const SHORTEST_MS: DurationMs = 150;
/** Longer than this a new connection is quicker: timestamps may take hours to catch up. */
const LONGEST_MS: DurationMs = 1_000;

export type TimeFlow = 'flows' | 'stands' | 'flows again';

export class StandingTimes {
  #last: { readonly arrivalMs: DurationMs; readonly mediaMs: DurationMs } | null = null;
  #sinceMs: DurationMs = 0;
  #count = 0;

  /** Takes one picture: when it arrived, and its decode time. `stands` where that is not worth waiting for; `flows again` with the first picture after one that was. */
  take(arrivalMs: DurationMs, mediaMs: DurationMs): TimeFlow {
    const last = this.#last;
    this.#last = { arrivalMs, mediaMs };
    if (last === null) return 'flows';
    if (Math.abs(mediaMs - last.mediaMs) >= STANDING_MS) {
      const stood = this.#stoodFor(last.arrivalMs) >= SHORTEST_MS;
      this.#count = 0;
      return stood ? 'flows again' : 'flows';
    }
    if (this.#count === 0) this.#sinceMs = last.arrivalMs;
    this.#count += 1;
    return this.#stoodFor(arrivalMs) > LONGEST_MS ? 'stands' : 'flows';
  }

  #stoodFor(untilMs: DurationMs): DurationMs {
    return this.#count < FEWEST ? 0 : untilMs - this.#sinceMs;
  }
}
