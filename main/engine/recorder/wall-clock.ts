/** When a frame was filmed: media time to monotonic time to wall time, pure arithmetic over what is observed (docs/design/time.md). */
import type { DurationMs, EpochMs } from '../../../shared/time.ts';
import { Lateness } from './lateness.ts';

/** A difference between the system clock and ours beyond this is a step of the system clock, not its own steering. */
const STEP_LIMIT_MS: DurationMs = 500;
/** Steering by time services is at most 500 ppm; this follows five times as fast and is invisible. */
const ANCHOR_SLEW_MS_PER_S = 2.5;

/** Turns monotonic time into wall time; compared with the system clock about once a second. */
export class WallAnchor {
  #offsetMs: DurationMs;
  #comparedMs: DurationMs;

  constructor(wallMs: EpochMs, monotonicMs: DurationMs) {
    this.#offsetMs = wallMs - monotonicMs;
    this.#comparedMs = monotonicMs;
  }

  wallOf(monotonicMs: DurationMs): EpochMs {
    return monotonicMs + this.#offsetMs;
  }

  /** Whether `compare` would find a step. */
  steps(wallMs: EpochMs, monotonicMs: DurationMs): boolean {
    return Math.abs(wallMs - this.wallOf(monotonicMs)) > STEP_LIMIT_MS;
  }

  /** Milliseconds by which the system clock stepped since the last comparison, 0 when it did not. After a step the anchor holds the new time. */
  compare(wallMs: EpochMs, monotonicMs: DurationMs): DurationMs {
    const differenceMs = wallMs - this.wallOf(monotonicMs);
    if (Math.abs(differenceMs) > STEP_LIMIT_MS) {
      this.#offsetMs += differenceMs;
      this.#comparedMs = monotonicMs;
      return differenceMs;
    }
    const mayMoveMs = (ANCHOR_SLEW_MS_PER_S * Math.max(0, monotonicMs - this.#comparedMs)) / 1_000;
    this.#offsetMs += Math.max(-mayMoveMs, Math.min(mayMoveMs, differenceMs));
    this.#comparedMs = monotonicMs;
    return 0;
  }
}

/** Ten times the drift of a poor camera crystal (100 ppm). */
const SLEW_MS_PER_S = 1;
/** Until then a camera may still be sending what it had buffered before we came: the estimate falls at once with each earlier packet. */
const SETTLE_MS: DurationMs = 5_000;
/** Where the estimate has not proved late by more than `LATE_MS` for this long, it says when the first picture was filmed. */
const QUIET_MS: DurationMs = 1_000;
const LATE_MS: DurationMs = 20;
/** A packet that is earlier than every packet of the last minute by more than this did not come early: the camera's timestamps jumped. */
const JUMP_MS: DurationMs = 1_000;
/** Until the estimate has settled, as much may come at once as a camera keeps in memory. */
const BUFFERED_MS: DurationMs = 30_000;
/** By how much an estimate may rise without a segment's end: less than what spans are joined over. */
const LEAP_MS: DurationMs = 300;

/**
 * Media time to monotonic time of one session: the lowest difference of arrival and media time in a sliding window.
 * Packets can be late, never early, so a stall moves nothing.
 */
export class ArrivalOffset {
  readonly #lateness = new Lateness();
  #offsetMs: DurationMs | null = null;
  #startedMs: DurationMs = 0;
  /** When a packet last proved the estimate late. */
  #fellMs: DurationMs = 0;
  #movedMs: DurationMs = 0;
  #lastArrivalMs: DurationMs = 0;
  #lastMediaMs: DurationMs = 0;

  /** Whether media time jumps against arrival at this frame, so that what was known does not hold for it. */
  jumpsAt(arrivalMs: DurationMs, mediaMs: DurationMs): boolean {
    if (this.#offsetMs === null) return false;
    // From one frame to the next, media time may run ahead of arrival only by as much as it was late before.
    const aheadMs = mediaMs - this.#lastMediaMs - (arrivalMs - this.#lastArrivalMs);
    const wasLateMs = this.#lastArrivalMs - this.#lastMediaMs - this.#lateness.lowestAt(this.#lastArrivalMs);
    if (aheadMs > wasLateMs + (this.#settling(arrivalMs) ? BUFFERED_MS : JUMP_MS) || mediaMs < this.#lastMediaMs - JUMP_MS) return true;
    // A slow clock was found out.
    return this.#lateness.grows && this.#lateness.lowestAt(arrivalMs) - this.#offsetMs > LEAP_MS;
  }

  /** Takes one frame: when it arrived (monotonic) and what its media time is. Where media time jumped, the estimate starts anew. */
  observe(arrivalMs: DurationMs, mediaMs: DurationMs): void {
    const jumps = this.jumpsAt(arrivalMs, mediaMs);
    if (this.#offsetMs === null || (jumps && !this.#lateness.grows)) {
      this.startAnew(arrivalMs, mediaMs);
      return;
    }
    this.#lastArrivalMs = arrivalMs;
    this.#lastMediaMs = mediaMs;
    const lowestMs = this.#lateness.lowestAt(arrivalMs);
    const settling = this.#settling(arrivalMs);
    if (this.#lateness.note(arrivalMs, arrivalMs - mediaMs, settling) < lowestMs - LATE_MS) this.#fellMs = arrivalMs;
    this.#follow(arrivalMs, settling, jumps);
  }

  /** Forgets what was known: this frame is on time. */
  startAnew(arrivalMs: DurationMs, mediaMs: DurationMs): void {
    this.#lateness.startAnew(arrivalMs, arrivalMs - mediaMs);
    this.#offsetMs = arrivalMs - mediaMs;
    this.#startedMs = arrivalMs;
    this.#fellMs = arrivalMs;
    this.#movedMs = arrivalMs;
    this.#lastArrivalMs = arrivalMs;
    this.#lastMediaMs = mediaMs;
  }

  /** The camera's timestamps run at a speed of their own. */
  get isUseless(): boolean {
    return this.#lateness.isUseless;
  }

  /** Monotonic time of a media time; null before the first frame. */
  monotonicOf(mediaMs: DurationMs): DurationMs | null {
    return this.#offsetMs === null ? null : mediaMs + this.#offsetMs;
  }

  /** Whether the estimate is as good as it gets soon: what came at once because it had been waiting, here or in the camera, is through. */
  settledAt(nowMs: DurationMs): boolean {
    return this.#offsetMs !== null && (nowMs - this.#fellMs >= QUIET_MS || !this.#settling(nowMs));
  }

  #settling(arrivalMs: DurationMs): boolean {
    return arrivalMs - this.#startedMs < SETTLE_MS;
  }

  #follow(arrivalMs: DurationMs, settling: boolean, mayLeap: boolean): void {
    const lowestMs = this.#lateness.lowestAt(arrivalMs);
    const offsetMs = this.#offsetMs ?? lowestMs;
    const mayMoveMs = (SLEW_MS_PER_S * (arrivalMs - this.#movedMs)) / 1_000;
    // An estimate that proves too late by more than drift explains is put right at once: it was never true.
    const fall = settling || offsetMs - lowestMs > LATE_MS ? lowestMs : Math.max(lowestMs, offsetMs - mayMoveMs);
    const rise = this.#lateness.grows && (mayLeap || lowestMs - offsetMs <= LEAP_MS) ? lowestMs : Math.min(lowestMs, offsetMs + mayMoveMs);
    this.#offsetMs = lowestMs < offsetMs ? fall : rise;
    this.#movedMs = arrivalMs;
  }
}
