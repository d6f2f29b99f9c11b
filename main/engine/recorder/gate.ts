/**
 * What of a stream is written down: everything, nothing, or what lies around events. The connection, live pictures and
 * the session go on whatever it says (docs/design/recording.md, "When it is recorded").
 */
import type { DurationMs, EpochMs } from '../../../shared/time.ts';
import { SECOND_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { StreamKeep } from '../ports/ingest.ts';
import type { Footage } from './footage.ts';
import type { SessionFragment } from './media.ts';
import type { Outage } from './outage.ts';
import { PreRoll, type PreRollMemory } from './pre-roll.ts';

/** What is handed to the disk at once: some seconds of footage, far from what a slow disk is given up for. */
const PORTION_BYTES = 8 * 1024 * 1024;
/** Who sees an event tells of it a moment later; its pre-roll is still there then. */
const LATE_EVENT_MS: DurationMs = 3 * SECOND_MS;

export interface GateParts {
  readonly clock: Clock;
  readonly footage: Pick<Footage, 'take' | 'rest' | 'end' | 'snapshot' | 'mappingChanges' | 'pendingBytes'>;
  readonly outage: Pick<Outage, 'rests' | 'wakes'>;
  readonly memory: PreRollMemory;
  /** Null: everything. */
  readonly keep: StreamKeep | null;
  /** Memory was too small for the pre-roll that is wanted; said once. */
  readonly onCutShort: () => void;
}

export class Gate {
  readonly #parts: GateParts;
  readonly #preRoll: PreRoll;
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
    this.#keep = keep;
    // A window that is over ends with its group of pictures.
    if (this.#open && keep !== null && keep.window === null) this.#shut();
    else if (!this.#open && this.#wants()) this.#openFrom(keep?.window === null || keep === null ? this.#parts.clock.nowMs() : keep.window.fromMs - keep.preRollMs);
  }

  take(fragment: SessionFragment): void {
    if (fragment.video) this.#newest = { wallMs: fragment.wallMs, mediaMs: fragment.startMediaMs };
    if (this.#open && this.#preRoll.isEmpty) {
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
    if (!this.#open) return;
    this.#write(PORTION_BYTES);
    if (!live && !this.#wants()) this.#shut();
  }

  /** See Footage. What is in memory has its media time, and fits no file after that jumped. */
  mappingChanges(now: boolean): void {
    this.#parts.footage.mappingChanges(now);
    if (now) this.#forget();
  }

  /** The session is over: everything that is to be kept is in closed files when it resolves. */
  async end(): Promise<void> {
    while (this.#open && !this.#preRoll.isEmpty) {
      this.#write(PORTION_BYTES);
      await this.#parts.footage.snapshot();
    }
    this.#forget();
    await this.#parts.footage.end();
  }

  /** No session will follow. */
  close(): void {
    this.#preRoll.close();
  }

  #wants(): boolean {
    return this.#keep === null || (this.#keep.window !== null && this.#parts.clock.nowMs() < this.#keep.window.untilMs);
  }

  #wantedMs(): DurationMs {
    return this.#keep === null || this.#keep.preRollMs === 0 ? 0 : this.#keep.preRollMs + LATE_EVENT_MS;
  }

  /** What follows an event ends with a whole group of pictures, so that the next event's pre-roll can begin where this footage ends. */
  #endsAt(fragment: SessionFragment): boolean {
    return this.#keep !== null && this.#keep.window !== null && fragment.keyframe && fragment.wallMs >= this.#keep.window.untilMs;
  }

  #openFrom(fromMs: EpochMs): void {
    this.#open = true;
    this.#parts.outage.wakes(this.#parts.clock.nowMs());
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
    this.#parts.footage.rest();
    this.#parts.outage.rests(this.#keep?.detail ?? '', this.#parts.clock.nowMs());
  }

  /** Hands what waits in memory to the disk, in order, until so much is on its way. */
  #write(upToBytes: number): void {
    const { footage } = this.#parts;
    while (footage.pendingBytes < upToBytes) {
      const fragment = this.#preRoll.peek();
      if (fragment === null) return;
      if (this.#endsAt(fragment)) {
        this.#rest();
        return;
      }
      footage.take(fragment);
      this.#preRoll.shift();
    }
  }

  #forget(): void {
    this.#preRoll.clear();
    this.#newest = null;
  }
}
