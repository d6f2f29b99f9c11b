/** Time for thousands of sessions in one process that passes only when it is told to. */
import type { SessionClock } from '../../shared/relay/wire.ts';

interface Timer {
  run: (() => void) | null;
}

export class DrillClock implements SessionClock {
  #nowMs = 1_000;
  readonly #timers = new Map<number, Timer[]>();
  /** When there are timers, soonest first. */
  #times: number[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): () => void {
    const atMs = this.#nowMs + Math.max(0, ms);
    const timer: Timer = { run };
    const same = this.#timers.get(atMs);
    if (same === undefined) {
      this.#timers.set(atMs, [timer]);
      this.#times.splice(this.#times.findLastIndex((earlier) => earlier < atMs) + 1, 0, atMs);
    } else same.push(timer);
    return () => {
      timer.run = null;
    };
  }

  /** Passes to the next moment at which something is to run, not beyond `endMs`; false when that is reached. */
  step(endMs: number): boolean {
    const atMs = this.#times[0];
    if (atMs === undefined || atMs > endMs) {
      this.#nowMs = Math.max(this.#nowMs, endMs);
      return false;
    }
    this.#times.shift();
    this.#nowMs = atMs;
    const due = this.#timers.get(atMs) ?? [];
    this.#timers.delete(atMs);
    for (const timer of due) timer.run?.();
    return true;
  }
}
