/** Reads the pipes of all streams in one beat, a dozen times a second, so that a thread with sixteen cameras wakes for all of them at once and not for each frame. */
import type { Readable } from 'node:stream';
import type { Clock } from '../core/clock.ts';

/** At 16 Mbit/s a beat finds 180 kB, which the pipe's buffer of 208 kB (a Unix socket) just holds. Uneven, so that no frame rate keeps step with it. */
const BEATS_MS: readonly number[] = [83, 71, 89, 79, 67];

export interface PulseMember {
  readonly pipes: readonly Readable[];
  /** While true the pipes are read as bytes come: somebody watches. */
  readonly urgent: () => boolean;
}

export class Pulse {
  readonly #clock: Clock;
  readonly #members = new Set<PulseMember>();
  readonly #flowing = new Set<PulseMember>();
  #cancel: (() => void) | null = null;
  #beats = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Reads the member's pipes until the returned function is called, which leaves them flowing. */
  join(member: PulseMember): () => void {
    this.#members.add(member);
    this.#flowing.add(member);
    if (this.#cancel === null) this.#schedule();
    return () => {
      this.#members.delete(member);
      this.#flowing.delete(member);
      for (const pipe of member.pipes) pipe.resume();
      if (this.#members.size > 0) return;
      this.#cancel?.();
      this.#cancel = null;
    };
  }

  #schedule(): void {
    this.#beats += 1;
    this.#cancel = this.#clock.after(BEATS_MS[this.#beats % BEATS_MS.length] ?? 80, () => {
      this.#beat();
      this.#schedule();
    });
  }

  /** Opens all pipes for one turn of the event loop: what is in them is read in its poll phase, and they are shut in its check phase. */
  #beat(): void {
    for (const member of this.#members) {
      if (this.#flowing.has(member)) continue;
      for (const pipe of member.pipes) pipe.resume();
    }
    setImmediate(() => {
      for (const member of this.#members) {
        const urgent = member.urgent();
        if (urgent) this.#flowing.add(member);
        else this.#flowing.delete(member);
        for (const pipe of member.pipes) {
          if (urgent) pipe.resume();
          else pipe.pause();
        }
      }
    });
  }
}
