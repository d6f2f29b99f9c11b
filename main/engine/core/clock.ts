/** Time as an argument: the only place in the engine that asks the system for it (docs/design/time.md). */
import { setTimeout as delay } from 'node:timers/promises';
import type { DurationMs, EpochMs } from '../../../shared/time.ts';

export interface Clock {
  /** Wall time; may step when the system's clock is set. */
  nowMs(): EpochMs;
  /** Never steps; its zero means nothing. */
  monotonicMs(): DurationMs;
  /** Resolves after `durationMs`, or at once when `signal` aborts: look at the signal afterwards. */
  sleep(durationMs: DurationMs, signal?: AbortSignal): Promise<void>;
  /** Calls `tick` every `periodMs` until the returned function is called. */
  every(periodMs: DurationMs, tick: () => void): () => void;
  /** Calls `action` once after `durationMs` unless the returned function is called first. */
  after(durationMs: DurationMs, action: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(durationMs, signal) {
    try {
      await delay(durationMs, undefined, signal ? { signal } : undefined);
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  },
  every(periodMs, tick) {
    const timer = setInterval(tick, periodMs);
    return () => clearInterval(timer);
  },
  after(durationMs, action) {
    const timer = setTimeout(action, durationMs);
    return () => clearTimeout(timer);
  },
};
