/** The sound of recordings, handed over a little ahead of its moment and taken back when time stands or goes elsewhere. */
import type { EpochMs } from '../../shared/time.ts';
import type { AudioSink } from './audio-sink.ts';
import type { EncodedUnit } from './demux.ts';

/** Sound is handed over this far ahead of its moment. */
const AHEAD_MS = 400;
const LATE_MS = 50;

export class SoundAhead {
  #waiting: EncodedUnit[] = [];
  #sink: AudioSink | null = null;
  /** The moment up to which sound was looked after. */
  #atMs: EpochMs = 0;
  #quiet = true;

  /** Null for off. */
  setSink(sink: AudioSink | null): void {
    this.#sink = sink;
    if (sink === null) this.#waiting = [];
  }

  get heard(): boolean {
    return this.#sink !== null;
  }

  /** Packets in order; dropped while nobody listens. */
  add(units: readonly EncodedUnit[]): void {
    if (this.#sink !== null) this.#waiting.push(...units);
  }

  /** Plays what is due at a moment; called on every animation frame. Only at normal speed there is sound. */
  play(positionMs: EpochMs, rate: number): void {
    const stands = positionMs === this.#atMs;
    this.#atMs = positionMs;
    if (this.#sink === null || rate !== 1) {
      this.#waiting = [];
      return;
    }
    if (stands) {
      // Paused, or waiting for pictures: what was handed over ahead is not to be heard now.
      if (!this.#quiet) this.#sink.silence();
      this.#quiet = true;
      return;
    }
    this.#quiet = false;
    while (this.#waiting[0] !== undefined && this.#waiting[0].wallMs < positionMs + AHEAD_MS) {
      const unit = this.#waiting.shift();
      if (unit !== undefined && unit.wallMs >= positionMs - LATE_MS) this.#sink.play(unit, unit.wallMs - positionMs);
    }
  }

  silence(): void {
    this.#waiting = [];
    this.#sink?.silence();
  }
}
