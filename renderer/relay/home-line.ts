/** What is known of the line to another home at this moment: whether its pictures may be seen, and why not. */
import { type Freshness, freshnessLevel } from '../../shared/relay/freshness.ts';
import { pageClock } from './page-clock.ts';
import { sameSight, type Sight, sightOf } from './sight.ts';

export interface LineClock {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Calls again and again; returns how to stop it. */
  every(ms: number, run: () => void): () => void;
}

const browserClock: LineClock = {
  nowMs: () => pageClock.nowMs(),
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};

/** How late a picture may grey or go: far below what anybody can tell from 1.5 s. */
const LOOK_MS = 50;

export class HomeLine {
  readonly #clock: LineClock;
  readonly #listeners = new Set<() => void>();
  #signs: Freshness | null = null;
  #stop: (() => void)[] = [];
  #beatMs = 0;
  #ended = 'Calling that home …';
  #sight: Sight;
  #warning: string | null = null;

  constructor(clock: LineClock = browserClock) {
    this.#clock = clock;
    this.#sight = this.#look();
  }

  /** What may be shown; the same object until it changes. */
  get sight(): Sight {
    return this.#sight;
  }

  /** What a person should know of that home whatever its line does; null most of the time. */
  get warning(): string | null {
    return this.#warning;
  }

  /** Asked by whoever is about to put a picture on the screen: answered by the clock, not by what was told last. */
  maySee(): boolean {
    return this.#signs !== null && freshnessLevel(this.#signs.ageMs()) !== 'blank';
  }

  /** Returns how to stop listening. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A session is open. */
  open(signs: Freshness): void {
    this.#forget();
    this.#signs = signs;
    this.#beatMs = this.#clock.nowMs();
    const stopBeats = signs.onBeat(() => {
      this.#beatMs = this.#clock.nowMs();
      this.#follow();
    });
    this.#stop = [stopBeats, this.#clock.every(LOOK_MS, () => this.#follow())];
    this.#follow();
  }

  /** The session is over, or none could be opened: nothing of this home is shown until the next. `reason`: a sentence. */
  end(reason: string): void {
    this.#forget();
    this.#ended = reason;
    this.#follow();
  }

  warn(sentence: string): void {
    this.#warning = sentence;
    this.#tell();
  }

  /** Stops looking at the clock; nothing is told any more. */
  close(): void {
    this.#listeners.clear();
    this.#forget();
  }

  #forget(): void {
    this.#signs = null;
    for (const stop of this.#stop.splice(0)) stop();
  }

  #look(): Sight {
    const silentMs = this.#clock.nowMs() - this.#beatMs;
    return this.#signs === null ? sightOf({ ended: this.#ended, ageMs: 0, silentMs }) : sightOf({ ended: null, ageMs: this.#signs.ageMs(), silentMs });
  }

  #follow(): void {
    const next = this.#look();
    if (sameSight(next, this.#sight)) return;
    this.#sight = next;
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
