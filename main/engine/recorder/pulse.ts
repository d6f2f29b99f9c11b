/** Reads the pipes of all streams in one beat, a few times a second, so that a thread with sixteen cameras wakes for all of them at once and not for each frame. */
import type { Readable } from 'node:stream';
import type { Clock } from '../core/clock.ts';

/**
 * A dying process takes with it what is still in the pipes, a beat at most (I4). Uneven, so that no frame rate keeps step
 * with the beat: the wall clock needs frames that were read as they came.
 */
const BEATS_MS: readonly number[] = [163, 149, 171, 157, 167];
/** A pipe (a Unix socket) holds 208 kB. A stream that fills half of it in a beat is read as it comes, so that ffmpeg never waits for us. */
const BUSY_BYTES = 100 * 1024;
const CALM_BYTES = 60 * 1024;

export interface PulseMember {
  readonly pipes: readonly Readable[];
  /** While true the pipes are read as bytes come: somebody watches. */
  readonly urgent: () => boolean;
  /** Bytes read so far. */
  readonly readBytes: () => number;
}

interface Standing {
  flowing: boolean;
  readBytes: number;
}

export class Pulse {
  readonly #clock: Clock;
  readonly #members = new Map<PulseMember, Standing>();
  #cancel: (() => void) | null = null;
  #beats = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Reads the member's pipes until the returned function is called, which leaves them flowing. */
  join(member: PulseMember): () => void {
    this.#members.set(member, { flowing: true, readBytes: 0 });
    if (this.#cancel === null) this.#schedule();
    return () => {
      this.#members.delete(member);
      for (const pipe of member.pipes) pipe.resume();
      if (this.#members.size > 0) return;
      this.#cancel?.();
      this.#cancel = null;
    };
  }

  #schedule(): void {
    this.#beats += 1;
    this.#cancel = this.#clock.after(BEATS_MS[this.#beats % BEATS_MS.length] ?? 160, () => {
      this.#beat();
      this.#schedule();
    });
  }

  /** Opens all pipes for one turn of the event loop: what is in them is read in its poll phase, and they are shut in its check phase. */
  #beat(): void {
    for (const [member, standing] of this.#members) if (!standing.flowing) for (const pipe of member.pipes) pipe.resume();
    setImmediate(() => {
      for (const [member, standing] of this.#members) this.#settle(member, standing);
    });
  }

  #settle(member: PulseMember, standing: Standing): void {
    const bytes = member.readBytes() - standing.readBytes;
    standing.readBytes += bytes;
    const flowing = member.urgent() || bytes > (standing.flowing ? CALM_BYTES : BUSY_BYTES);
    if (!flowing) for (const pipe of member.pipes) pipe.pause();
    else if (!standing.flowing) for (const pipe of member.pipes) pipe.resume();
    standing.flowing = flowing;
  }
}
