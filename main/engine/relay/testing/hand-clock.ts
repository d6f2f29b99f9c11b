/** A clock that goes when a test says so; wall time and monotonic time go together. */
import type { Clock } from '../../core/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

export class HandClock implements Clock {
  #nowMs: number;
  #timers: Timer[] = [];

  constructor(startMs = 1_800_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.after(durationMs, resolve);
      signal?.addEventListener('abort', () => {
        cancel();
        resolve();
      });
      if (signal?.aborted === true) resolve();
    });
  }

  every(periodMs: number, tick: () => void): () => void {
    let cancel = (): void => undefined;
    const arm = (): void => {
      cancel = this.after(periodMs, () => {
        arm();
        tick();
      });
    };
    arm();
    return () => cancel();
  }

  after(durationMs: number, run: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + durationMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** Timers that were set and not cancelled. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Time goes on, timer by timer. */
  go(durationMs: number): void {
    const untilMs = this.#nowMs + durationMs;
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= untilMs).toSorted((one, other) => one.atMs - other.atMs)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = untilMs;
  }
}
