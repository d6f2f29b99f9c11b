/** Reads the pipes of all streams in one beat, and does what is due in it, so that a thread with sixteen cameras wakes for all of them at once and not for each frame. */
import type { DurationMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { OutputPipe } from '../ffmpeg/output-pipe.ts';

/**
 * A dying process takes with it what is still in the pipes, a beat at most (I4). Uneven, so that no frame rate keeps step
 * with the beat: the wall clock needs frames that were read as they came.
 */
const BEATS_MS: readonly number[] = [64, 53, 71, 57, 61];
/** A pipe holds 64 kB. A stream that fills most of it in a beat is read as it comes, so that ffmpeg does not wait for us. */
const BUSY_BYTES = 56 * 1024;
const CALM_BYTES = 40 * 1024;

export interface PulseMember {
  readonly pipes: readonly OutputPipe[];
  /** While true the pipes are read as bytes come: somebody watches. */
  readonly urgent: () => boolean;
  /** Bytes read so far. */
  readonly readBytes: () => number;
}

interface Standing {
  flowing: boolean;
  readBytes: number;
}

interface Duty {
  readonly periodMs: DurationMs;
  readonly act: () => void;
  dueMs: DurationMs;
}

export class Pulse {
  readonly #clock: Clock;
  readonly #members = new Map<PulseMember, Standing>();
  readonly #duties = new Set<Duty>();
  #cancel: (() => void) | null = null;
  #beats = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Reads the member's pipes until the returned function is called. */
  join(member: PulseMember): () => void {
    this.#members.set(member, { flowing: false, readBytes: 0 });
    this.#wake();
    return () => {
      this.#members.delete(member);
      this.#rest();
    };
  }

  /** Calls `act` in the first beat after each period, until the returned function is called. */
  every(periodMs: DurationMs, act: () => void): () => void {
    const duty: Duty = { periodMs, act, dueMs: this.#clock.monotonicMs() + periodMs };
    this.#duties.add(duty);
    this.#wake();
    return () => {
      this.#duties.delete(duty);
      this.#rest();
    };
  }

  #wake(): void {
    if (this.#cancel === null) this.#schedule();
  }

  #rest(): void {
    if (this.#members.size + this.#duties.size > 0) return;
    this.#cancel?.();
    this.#cancel = null;
  }

  #schedule(): void {
    this.#beats += 1;
    this.#cancel = this.#clock.after(BEATS_MS[this.#beats % BEATS_MS.length] ?? 60, () => {
      // Set anew first: what is done in a beat may end the last member.
      this.#schedule();
      this.#beat();
    });
  }

  #beat(): void {
    for (const [member, standing] of this.#members) {
      if (!standing.flowing) for (const pipe of member.pipes) pipe.drain();
      const bytes = member.readBytes() - standing.readBytes;
      standing.readBytes += bytes;
      const flowing = member.urgent() || bytes > (standing.flowing ? CALM_BYTES : BUSY_BYTES);
      if (flowing !== standing.flowing) for (const pipe of member.pipes) pipe.flow(flowing);
      standing.flowing = flowing;
    }
    const nowMs = this.#clock.monotonicMs();
    for (const duty of this.#duties) {
      if (nowMs < duty.dueMs) continue;
      duty.dueMs = nowMs + duty.periodMs;
      duty.act();
    }
  }
}
