/** Frames, bytes and keyframes per second of one stream: for the watchdog and the camera's page. */
import type { DurationMs } from '../../../shared/time.ts';
import type { WatchdogFacts } from './watchdog.ts';

const WINDOW_MS: DurationMs = 5_000;
const LONGEST_OVER_MS: DurationMs = 60_000;

export interface Rates {
  readonly fps: number;
  readonly bitsPerSecond: number;
  readonly keyframeDistanceMs: DurationMs | null;
}

export class StreamMeter {
  #windowStartMs: DurationMs | null = null;
  #frames = 0;
  #bytes = 0;
  #fps = 0;
  #bitsPerSecond = 0;
  #intervalMs = 0;
  #longestMs = 0;
  #longestSinceMs = 0;
  #lastVideoMs: DurationMs | null = null;
  #lastKeyframeMs: DurationMs | null = null;
  #lastKeyframeMediaMs: DurationMs | null = null;
  #keyframeDistanceMs: DurationMs | null = null;
  #lastMediaMs: DurationMs | null = null;
  #receivedBytes = 0;

  /** Bytes from the camera, whatever they hold. */
  received(bytes: number): void {
    this.#receivedBytes += bytes;
  }

  /** Of all sessions. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** A new session begins: rates stay on show, silence is counted anew. */
  restart(): void {
    this.#lastVideoMs = null;
    this.#lastKeyframeMs = null;
    this.#lastKeyframeMediaMs = null;
    this.#lastMediaMs = null;
    this.#windowStartMs = null;
    this.#frames = 0;
    this.#bytes = 0;
  }

  /** One fragment with video, at monotonic `nowMs`. */
  video(nowMs: DurationMs, mediaMs: DurationMs, keyframe: boolean, frames: number, bytes: number): void {
    if (this.#lastMediaMs !== null) this.#interval((mediaMs - this.#lastMediaMs) / Math.max(1, frames), nowMs);
    this.#lastMediaMs = mediaMs;
    this.#lastVideoMs = nowMs;
    if (keyframe) {
      if (this.#lastKeyframeMediaMs !== null) this.#keyframeDistanceMs = Math.round(mediaMs - this.#lastKeyframeMediaMs);
      this.#lastKeyframeMediaMs = mediaMs;
      this.#lastKeyframeMs = nowMs;
    }
    this.#frames += frames;
    this.#bytes += bytes;
    this.#windowStartMs ??= nowMs;
    const spanMs = nowMs - this.#windowStartMs;
    if (spanMs < WINDOW_MS) return;
    this.#fps = Math.round((this.#frames * 10_000) / spanMs) / 10;
    this.#bitsPerSecond = Math.round((this.#bytes * 8_000) / spanMs);
    this.#windowStartMs = nowMs;
    this.#frames = 0;
    this.#bytes = 0;
  }

  sound(bytes: number): void {
    this.#bytes += bytes;
  }

  facts(): Omit<WatchdogFacts, 'startedMs' | 'patience'> {
    return { lastVideoMs: this.#lastVideoMs, frameIntervalMs: this.#intervalMs, longestIntervalMs: this.#longestMs, lastKeyframeMs: this.#lastKeyframeMs, keyframeDistanceMs: this.#keyframeDistanceMs };
  }

  rates(): Rates {
    return { fps: this.#fps, bitsPerSecond: this.#bitsPerSecond, keyframeDistanceMs: this.#keyframeDistanceMs };
  }

  #interval(intervalMs: DurationMs, nowMs: DurationMs): void {
    if (intervalMs <= 0) return;
    this.#intervalMs = this.#intervalMs === 0 ? intervalMs : this.#intervalMs * 0.95 + intervalMs * 0.05;
    if (nowMs - this.#longestSinceMs > LONGEST_OVER_MS) {
      this.#longestMs = 0;
      this.#longestSinceMs = nowMs;
    }
    this.#longestMs = Math.max(this.#longestMs, intervalMs);
  }
}
