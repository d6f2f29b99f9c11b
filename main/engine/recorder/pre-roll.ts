/** What came last and is not written yet, in memory from a keyframe on, so that footage can begin before its reason (R3). */
import type { DurationMs } from '../../../shared/time.ts';
import type { SessionFragment } from './media.ts';
import { PictureGroup } from './picture-group.ts';

/** A minute of 8.9 Mbit/s. */
export const MAX_STREAM_BYTES = 64 * 1024 * 1024;
/** Of all streams of the thread together. */
const MAX_ALL_BYTES = 512 * 1024 * 1024;

/** What the streams of one thread may hold together. The largest gives first. */
export class PreRollMemory {
  readonly #maxBytes: number;
  readonly #members = new Set<PreRoll>();

  constructor(maxBytes = MAX_ALL_BYTES) {
    this.#maxBytes = maxBytes;
  }

  join(member: PreRoll): void {
    this.#members.add(member);
  }

  leave(member: PreRoll): void {
    this.#members.delete(member);
  }

  /** Lets the largest members forget their oldest groups until all of it fits. */
  fit(): void {
    for (;;) {
      let allBytes = 0;
      for (const member of this.#members) allBytes += member.sizeBytes;
      if (allBytes <= this.#maxBytes) return;
      // What is being written forgets nothing; it will be gone in a moment.
      if (![...this.#members].toSorted((a, b) => b.sizeBytes - a.sizeBytes).some((member) => member.forgetOldest())) return;
    }
  }
}

export class PreRoll {
  readonly #memory: PreRollMemory;
  readonly #maxBytes: number;
  #groups: PictureGroup[] = [];
  /** Fragments of the oldest group that were taken out already. */
  #taken = 0;
  #sizeBytes = 0;
  #cutShort = false;
  /** While it is read, nothing is forgotten: what is in it is to be written. */
  #reading = false;

  constructor(memory: PreRollMemory, maxBytes = MAX_STREAM_BYTES) {
    this.#memory = memory;
    this.#maxBytes = maxBytes;
    memory.join(this);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get isEmpty(): boolean {
    return this.#groups.length === 0;
  }

  /** Whether it had to forget what it was asked to keep. */
  get cutShort(): boolean {
    return this.#cutShort;
  }

  /** Whether it holds more than it may, which only what is being read does. */
  get isOverfull(): boolean {
    return this.#sizeBytes > this.#maxBytes;
  }

  /** Takes a copy. What comes before the first keyframe is of no use. */
  add(fragment: SessionFragment): void {
    let group = this.#groups.at(-1);
    if (fragment.keyframe) {
      group = new PictureGroup();
      this.#groups.push(group);
    }
    if (group === undefined) return;
    group.add(fragment);
    this.#sizeBytes += fragment.bytes.length;
    while (this.#sizeBytes > this.#maxBytes && this.forgetOldest());
    this.#memory.fit();
  }

  /** Forgets whole groups that end before a media time of the session; the newest stays. */
  trim(beforeMediaMs: DurationMs): void {
    while (this.#groups.length > 1 && (this.#groups[1]?.fragments[0]?.startMediaMs ?? Infinity) <= beforeMediaMs) this.#drop();
  }

  /** Reading begins with the last keyframe at or before this media time; with the oldest where none is so old. */
  read(fromMediaMs: DurationMs): void {
    this.trim(fromMediaMs);
    this.#reading = true;
  }

  /** The oldest fragment, still in here; null when there is none. */
  peek(): SessionFragment | null {
    return this.#groups[0]?.fragments[this.#taken] ?? null;
  }

  /** Takes out what `peek` gave. Its bytes are good until the next call of anything. */
  shift(): void {
    const group = this.#groups[0];
    if (group === undefined) return;
    this.#taken += 1;
    if (this.#taken < group.fragments.length) return;
    this.#drop();
    if (this.#groups.length === 0) this.#reading = false;
  }

  /** Reading ends before everything is read: what is left is kept as before. */
  stopReading(): void {
    this.#reading = false;
  }

  clear(): void {
    while (this.#groups.length > 0) this.#drop();
    this.#reading = false;
    this.#cutShort = false;
  }

  /** It is over. */
  close(): void {
    this.clear();
    this.#memory.leave(this);
  }

  /** Makes room; false where nothing may be forgotten. A single group that is too large is forgotten too: it comes back with the next keyframe. */
  forgetOldest(): boolean {
    if (this.#reading || this.#groups.length === 0) return false;
    this.#cutShort = true;
    this.#drop();
    return true;
  }

  #drop(): void {
    const group = this.#groups.shift();
    this.#taken = 0;
    if (group === undefined) return;
    this.#sizeBytes -= group.sizeBytes;
    group.clear();
  }
}
