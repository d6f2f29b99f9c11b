/** What sessions that ended held in memory: an event soon after may want it, as footage of its own. */
import type { DurationMs, EpochMs } from '../../../shared/time.ts';
import type { SessionTime } from './footage.ts';
import type { PreRoll } from './pre-roll.ts';

/** One session's memory, its times as they were when it ended. */
export interface EarlierSession {
  readonly preRoll: PreRoll;
  readonly time: SessionTime;
  readonly endMs: EpochMs;
  /** Wall time of media time 0. */
  readonly originMs: EpochMs;
}

/** Oldest first. */
export class EarlierSessions {
  #sessions: readonly EarlierSession[] = [];

  get first(): EarlierSession | null {
    return this.#sessions[0] ?? null;
  }

  /** `newest`: its last picture. */
  add(preRoll: PreRoll, { session }: SessionTime, newest: { readonly wallMs: EpochMs; readonly mediaMs: DurationMs }): void {
    const originMs = newest.wallMs - newest.mediaMs;
    const time = { session, wallOf: (mediaMs: DurationMs) => originMs + mediaMs, settled: () => true };
    this.#sessions = [...this.#sessions, { preRoll, time, endMs: newest.wallMs, originMs }];
  }

  /** Forgets what was filmed before a moment, in whole groups of pictures. */
  forgetBefore(fromMs: EpochMs): void {
    for (const session of this.#sessions) {
      if (session.endMs < fromMs) this.remove(session);
      else session.preRoll.trim(fromMs - session.originMs);
    }
  }

  /** From `fromMs` on, all of it is to be written and none forgotten. */
  read(fromMs: EpochMs): void {
    this.forgetBefore(fromMs);
    for (const { preRoll, originMs } of this.#sessions) preRoll.read(fromMs - originMs);
  }

  stopReading(): void {
    for (const { preRoll } of this.#sessions) preRoll.stopReading();
  }

  remove(session: EarlierSession): void {
    this.#sessions = this.#sessions.filter((one) => one !== session);
    session.preRoll.close();
  }

  clear(): void {
    for (const session of this.#sessions) this.remove(session);
  }
}
