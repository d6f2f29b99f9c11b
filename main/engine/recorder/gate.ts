/**
 * What of a stream is written down: everything, nothing, or what lies around events. The connection, live pictures and
 * the session go on whatever it says (docs/design/recording.md, "When it is recorded").
 */
import type { DurationMs, EpochMs } from '../../../shared/time.ts';
import { SECOND_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { StreamKeep } from '../ports/ingest.ts';
import { type EarlierSession, EarlierSessions } from './earlier-sessions.ts';
import type { Footage, SessionTime } from './footage.ts';
import type { SessionFragment } from './media.ts';
import type { Outage } from './outage.ts';
import { PreRoll, type PreRollMemory } from './pre-roll.ts';

/** What is handed to the disk at once: some seconds of footage, far from what a slow disk is given up for. */
const PORTION_BYTES = 8 * 1024 * 1024;
/** Who sees an event, or that hours begin, tells of it a moment later; what came meanwhile is still there then. */
const TOLD_LATE_MS: DurationMs = 3 * SECOND_MS;

export interface GateParts {
  readonly clock: Clock;
  readonly footage: Pick<Footage, 'begin' | 'take' | 'rest' | 'end' | 'snapshot' | 'mappingChanges' | 'pendingBytes'>;
  readonly outage: Pick<Outage, 'rests' | 'wakes' | 'sessionEnded'>;
  readonly memory: PreRollMemory;
  /** Null: everything. */
  readonly keep: StreamKeep | null;
  /** Memory was too small for the pre-roll that is wanted; said once. */
  readonly onCutShort: () => void;
}

export class Gate {
  readonly #parts: GateParts;
  #preRoll: PreRoll;
  /** The session of now; null between two. */
  #time: SessionTime | null = null;
  readonly #earlier = new EarlierSessions();
  /** What of `#earlier` the footage of now belongs to. */
  #begun: EarlierSession | null = null;
  /** An earlier session's footage is being closed: nothing goes to the disk until its end is told. */
  #closing: Promise<void> | null = null;
  #keep: StreamKeep | null;
  #open: boolean;
  /** Wall and media time of the newest picture of the session. */
  #newest: { readonly wallMs: EpochMs; readonly mediaMs: DurationMs } | null = null;
  #saidCutShort = false;

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.#preRoll = new PreRoll(parts.memory);
    this.#keep = parts.keep;
    this.#open = this.#wants();
    if (!this.#open) parts.outage.rests(parts.keep?.detail ?? '', parts.clock.nowMs());
  }

  /** From now on. What was written goes on being written without a break where both want it. */
  set(keep: StreamKeep | null): void {
    const nowMs = this.#parts.clock.nowMs();
    const restedUntilMs = this.#keep?.restsUntilMs ?? nowMs;
    this.#keep = keep;
    // A window that is over ends with its group of pictures.
    if (this.#open && keep !== null && keep.window === null) this.#shut();
    else if (!this.#open && this.#wants()) this.#openFrom(keep?.window === null || keep === null ? Math.min(nowMs, restedUntilMs) : keep.window.fromMs - keep.preRollMs);
  }

  /** A session begins; `take` gives its fragments. */
  begin(time: SessionTime): void {
    this.#time = time;
    if (this.#begun === null) this.#parts.footage.begin(time);
  }

  take(fragment: SessionFragment): void {
    if (fragment.video) this.#newest = { wallMs: fragment.wallMs, mediaMs: fragment.startMediaMs };
    if (this.#open && this.#isWritten()) {
      if (!this.#endsAt(fragment)) {
        this.#parts.footage.take(fragment);
        return;
      }
      this.#rest();
    }
    this.#preRoll.add(fragment);
    if (this.#open) this.#write(this.#preRoll.isOverfull ? Infinity : PORTION_BYTES);
    else this.#preRoll.trim(fragment.startMediaMs - this.#wantedMs());
    if (this.#preRoll.cutShort && !this.#saidCutShort) {
      this.#saidCutShort = true;
      this.#parts.onCutShort();
    }
  }

  /** `live`: pictures are coming. Without them it is the clock that ends what was wanted. */
  tick(live: boolean): void {
    if (!this.#open) {
      this.#earlier.forgetBefore(this.#parts.clock.nowMs() - this.#wantedMs());
      return;
    }
    this.#write(PORTION_BYTES);
    if (!live && !this.#wants()) this.#shut();
  }

  /** See Footage. What is in memory has its media time, and fits no file after that jumped: it is as though a session had ended. */
  mappingChanges(now: boolean): void {
    this.#parts.footage.mappingChanges(now);
    if (now) this.#setAside();
  }

  /** The session is over: everything that is to be kept is in closed files when it resolves. What an event soon after may want stays in memory. */
  async end(): Promise<void> {
    while (this.#open && !this.#isWritten()) {
      this.#write(PORTION_BYTES);
      await this.#parts.footage.snapshot();
      await this.#closing;
    }
    this.#setAside();
    this.#time = null;
    await this.#parts.footage.end();
  }

  /** No session will follow. */
  close(): void {
    this.#earlier.clear();
    this.#preRoll.close();
  }

  /** Nothing waits to be written. */
  #isWritten(): boolean {
    return this.#preRoll.isEmpty && this.#earlier.first === null;
  }

  #wants(): boolean {
    return this.#keep === null || (this.#keep.window !== null && this.#parts.clock.nowMs() < this.#keep.window.untilMs);
  }

  #wantedMs(): DurationMs {
    return this.#keep === null ? 0 : this.#keep.preRollMs + TOLD_LATE_MS;
  }

  /** What follows an event ends with a whole group of pictures, so that the next event's pre-roll can begin where this footage ends. */
  #endsAt(fragment: SessionFragment): boolean {
    return this.#keep !== null && this.#keep.window !== null && fragment.keyframe && fragment.wallMs >= this.#keep.window.untilMs;
  }

  #openFrom(fromMs: EpochMs): void {
    this.#open = true;
    this.#parts.outage.wakes(this.#parts.clock.nowMs());
    this.#earlier.read(fromMs);
    if (this.#begun !== null && this.#begun !== this.#earlier.first) this.#leave();
    if (this.#newest !== null) this.#preRoll.read(this.#newest.mediaMs - (this.#newest.wallMs - fromMs));
    this.#write(PORTION_BYTES);
  }

  /** At once: what came by now is written, nothing after it. */
  #shut(): void {
    this.#write(Infinity);
    this.#rest();
  }

  #rest(): void {
    this.#open = false;
    this.#preRoll.stopReading();
    this.#earlier.stopReading();
    this.#parts.footage.rest();
    this.#parts.outage.rests(this.#keep?.detail ?? '', this.#parts.clock.nowMs());
  }

  /** Hands what waits in memory to the disk, in order, until so much is on its way. */
  #write(upToBytes: number): void {
    const { footage } = this.#parts;
    while (this.#closing === null && footage.pendingBytes < upToBytes) {
      const earlier = this.#earlier.first;
      const preRoll = earlier?.preRoll ?? this.#preRoll;
      const fragment = preRoll.peek();
      if (fragment === null) {
        if (earlier !== null) this.#finish(earlier);
        return;
      }
      if (this.#endsAt(fragment)) {
        this.#rest();
        return;
      }
      if (earlier !== null && this.#begun !== earlier) {
        this.#begun = earlier;
        footage.begin(earlier.time);
      }
      footage.take(fragment);
      preRoll.shift();
    }
  }

  /** An earlier session is written: behind it footage is missing, for the reason that ended it. */
  #finish(earlier: EarlierSession): void {
    this.#earlier.remove(earlier);
    if (this.#begun !== earlier) {
      this.#write(PORTION_BYTES);
      return;
    }
    this.#closing = this.#parts.footage.end().then(() => {
      this.#closing = null;
      this.#leave();
      if (!this.#open) return;
      this.#parts.outage.sessionEnded();
      this.#write(PORTION_BYTES);
    });
  }

  /** What comes now is of the session of now. */
  #leave(): void {
    this.#begun = null;
    if (this.#time !== null) this.#parts.footage.begin(this.#time);
  }

  /** What is in memory fits no file from now on. Where it is on its way to the disk already, the rest of it is given up; else an event may still want it. */
  #setAside(): void {
    if (!this.#open && this.#wantedMs() > 0 && this.#newest !== null && this.#time !== null && !this.#preRoll.isEmpty) {
      this.#earlier.add(this.#preRoll, this.#time, this.#newest);
      this.#preRoll = new PreRoll(this.#parts.memory);
    } else this.#preRoll.clear();
    this.#newest = null;
  }
}
