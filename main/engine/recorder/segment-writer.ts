/** One open segment: takes fragments without waiting, writes them in few large pieces, and closes as a file any player opens (R2, R3, I4). */
import { PorchlightError } from '../../../shared/errors.ts';
import { writeDecodeTime } from '../../../shared/media/fragment-head.ts';
import { ticksToMs } from '../../../shared/media/keyframe-index.ts';
import { makePrft, PRFT_BYTES } from '../../../shared/media/prft.ts';
import { makeSegmentTail } from '../../../shared/media/segment-tail.ts';
import type { RootId } from '../../../shared/model/ids.ts';
import type { Keyframe, Segment } from '../../../shared/model/segment.ts';
import type { DurationMs, EpochMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { OpenSegment } from '../ports/ingest.ts';
import { SegmentFile, type SegmentPlace } from '../storage/segment-file.ts';
import type { SegmentName } from '../storage/segment-name.ts';
import { VIDEO_TRACK_ID } from './combine.ts';
import type { SessionFragment, SessionInit } from './media.ts';

/** One write per stream in this time and a beat: what a dying process takes with it stays about half a second. */
const FLUSH_MS: DurationMs = 420;
/** Every second write is followed by fdatasync: at least once a second while footage comes. */
const SYNC_MS: DurationMs = 780;
/** Half a second of 4 Mbit/s. A larger fragment gets a piece of its own. */
const SLAB_BYTES = 256 * 1024;
/** Within one file, media time and wall time run at the same speed. */
const STRAYED_MS: DurationMs = 150;
/** A thread that is not called for this long did not run: it is called five times a second. */
const STOOD_MS: DurationMs = 2_000;
/** Pieces that were written and wait to be filled again, for all streams of the thread: fresh ones cost a garbage collection each few seconds. */
const spareSlabs: Uint8Array[] = [];
const MAX_SPARE_SLABS = 32;
/** What is given up at most of a full disk's file, so that its tail finds room. */
const LARGEST_SPARE_BYTES = 1024 * 1024;

interface Slab {
  readonly bytes: Uint8Array;
  usedBytes: number;
}

export interface WriterParts {
  readonly place: SegmentPlace;
  readonly name: SegmentName;
  readonly init: SessionInit;
  /** Decode time of the first video sample: media time 0 of the file, in the video track's ticks of the session. */
  readonly baseTicks: number;
  /** Wall time of a media time of the session by the best estimate of now. */
  readonly wallOf: (sessionMediaMs: DurationMs) => EpochMs;
  readonly clock: Clock;
  /** Called once when the disk refuses. Nothing is accepted afterwards. */
  readonly onFailed: (error: unknown) => void;
}

interface Mark {
  readonly endBytes: number;
  readonly videoFrames: number;
  readonly endTicks: number;
  readonly keyframes: number;
}

export class SegmentWriter {
  readonly #parts: WriterParts;
  /** Decode time of media time 0 of the file in the sound's ticks; null without sound. */
  readonly #audioBaseTicks: number | null;
  readonly #keyframes: Keyframe[] = [];
  /** State after each of the last fragments, so that a full disk's file can be cut back to a whole one. */
  #marks: Mark[] = [];
  #slabs: Slab[] = [];
  #acceptedBytes: number;
  #writtenBytes = 0;
  /** Media end of what the disk has promised to keep. */
  #syncedTicks = 0;
  #abandoned = false;
  #videoFrames = 0;
  #endTicks = 0;
  #flushedAtMs: DurationMs;
  /** The first write is synced at once: a session begins with a burst of what ffmpeg held back meanwhile, a second of footage and more. */
  #syncedAtMs: DurationMs = Number.NEGATIVE_INFINITY;
  #pendingSinceMs: DurationMs | null = null;
  #tickedAtMs: DurationMs;
  #running: Promise<void> | null = null;
  #file: SegmentFile | null = null;
  #failure: unknown = null;
  #frozenStartMs: EpochMs | null = null;
  /** `startMs` as it was when the session's clock had settled. */
  #settledStartMs: EpochMs | null = null;

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#acceptedBytes = parts.init.bytes.length;
    const audio = parts.init.audio;
    this.#audioBaseTicks = audio === null ? null : Math.round((parts.baseTicks * audio.timescale) / parts.init.video.timescale);
    this.#flushedAtMs = parts.clock.monotonicMs();
    this.#tickedAtMs = this.#flushedAtMs;
    this.#pump();
  }

  get init(): SessionInit {
    return this.#parts.init;
  }

  /** The disk it is on. */
  get rootId(): RootId {
    return this.#parts.place.rootId;
  }

  get sequence(): number {
    return this.#parts.name.sequence;
  }

  /** Wall time of the file's first moment; fixed by `freeze`. */
  get startMs(): EpochMs {
    return this.#frozenStartMs ?? this.#estimatedStartMs;
  }

  get endMs(): EpochMs {
    return this.startMs + ticksToMs(this.#endTicks, this.#parts.init.video.timescale);
  }

  /** Somebody else took the file away or cut it short, on a disk that is well. */
  get harmed(): boolean {
    return (this.#file?.harm ?? null) !== null;
  }

  /** Up to where the disk has promised to keep it. */
  get syncedEndMs(): EpochMs {
    return this.harmed ? this.startMs : this.startMs + ticksToMs(this.#syncedTicks, this.#parts.init.video.timescale);
  }

  /** Its name where the disk failed and `close` could not make it whole: then `recoverFile` can, once the disk is well. */
  get abandoned(): SegmentName | null {
    return this.#abandoned ? this.#parts.name : null;
  }

  get place(): SegmentPlace {
    return this.#parts.place;
  }

  /** The file is there, durable under its name. */
  get opened(): boolean {
    return this.#file !== null;
  }

  get sizeBytes(): number {
    return this.#acceptedBytes;
  }

  get pendingBytes(): number {
    return this.#acceptedBytes - this.#writtenBytes;
  }

  /** How long the oldest accepted bytes have been waiting for the disk; 0 when none do. */
  get pendingMs(): DurationMs {
    return this.#pendingSinceMs === null ? 0 : this.#parts.clock.monotonicMs() - this.#pendingSinceMs;
  }

  /** Keeps the wall time of now for the whole file: the mapping is about to change (clock step, timestamp jump). */
  freeze(): void {
    this.#frozenStartMs ??= this.strayed ? (this.#settledStartMs ?? this.startMs) : this.startMs;
  }

  /** The estimate of now is as good as it gets soon. */
  settle(): void {
    this.#settledStartMs ??= this.startMs;
  }

  /** The camera's clock is fast or slow: what comes now lies elsewhere in time than the file's own time says. */
  get strayed(): boolean {
    const settledMs = this.#frozenStartMs ?? this.#settledStartMs;
    return settledMs !== null && Math.abs(this.#estimatedStartMs - settledMs) > STRAYED_MS;
  }

  get #estimatedStartMs(): EpochMs {
    return this.#parts.wallOf(ticksToMs(this.#parts.baseTicks, this.#parts.init.video.timescale));
  }

  /** Takes a fragment; false when it does not belong here (sound from before the file began) or the file failed. */
  append(fragment: SessionFragment): boolean {
    if (this.#failure !== null) return false;
    const { head } = fragment;
    const base = fragment.video ? this.#parts.baseTicks : this.#audioBaseTicks;
    if (base === null || head.baseTicks < base) return false;
    const timescale = this.#parts.init.video.timescale;
    if (fragment.keyframe) {
      const mediaTicks = Math.round((fragment.startMediaMs * timescale) / 1_000) - this.#parts.baseTicks;
      this.#put(makePrft({ trackId: VIDEO_TRACK_ID, wallMs: this.startMs + ticksToMs(mediaTicks, timescale), mediaTicks }));
      this.#keyframes.push({ offsetBytes: this.#acceptedBytes + PRFT_BYTES, sizeBytes: fragment.bytes.length, mediaMs: ticksToMs(mediaTicks, timescale) });
      this.#acceptedBytes += PRFT_BYTES;
    }
    writeDecodeTime(this.#put(fragment.bytes), head, head.baseTicks - base);
    this.#acceptedBytes += fragment.bytes.length;
    if (fragment.video) {
      this.#videoFrames += head.frames;
      this.#endTicks = Math.max(this.#endTicks, head.endTicks - this.#parts.baseTicks);
    }
    this.#marks.push({ endBytes: this.#acceptedBytes, videoFrames: this.#videoFrames, endTicks: this.#endTicks, keyframes: this.#keyframes.length });
    this.#pendingSinceMs ??= this.#parts.clock.monotonicMs();
    return true;
  }

  /** Writes what has waited long enough; call it a few times a second. */
  tick(nowMs: DurationMs): void {
    const stoodMs = nowMs - this.#tickedAtMs;
    // This thread stood still (a process that was stopped, a virtual machine that was paused): the disk was not asked meanwhile.
    if (stoodMs > STOOD_MS && this.#pendingSinceMs !== null) this.#pendingSinceMs += stoodMs;
    this.#tickedAtMs = nowMs;
    if (this.#running === null && this.#slabs.length > 0 && nowMs - this.#flushedAtMs >= FLUSH_MS) this.#pump();
  }

  /** The file with everything accepted so far written out; null when it failed. */
  async snapshot(): Promise<OpenSegment | null> {
    const keyframes = [...this.#keyframes];
    const endMs = this.endMs;
    await this.#drain();
    if (this.#failure !== null || this.#file === null) return null;
    const { name, init } = this.#parts;
    return { path: this.#file.path, session: name.session, sequence: name.sequence, startMs: this.startMs, endMs, initBytes: init.bytes.length, flushedBytes: this.#writtenBytes, keyframes };
  }

  /** Writes the rest and the tail, syncs, closes. Null when nothing of it could be kept, or no frame came. */
  async close(): Promise<Segment | null> {
    this.freeze();
    await this.#drain();
    await this.#running;
    if (this.#file === null) return null;
    if (this.#failure !== null) return await this.#salvage(this.#file);
    try {
      return await this.#finish(this.#file, { endBytes: this.#acceptedBytes, videoFrames: this.#videoFrames, endTicks: this.#endTicks, keyframes: this.#keyframes.length });
    } catch (error) {
      this.#fail(error);
      return await this.#salvage(this.#file);
    }
  }

  async #finish(file: SegmentFile, mark: Mark): Promise<Segment> {
    const { name, init, place } = this.#parts;
    const keyframes = this.#keyframes.slice(0, mark.keyframes);
    const times = { startMs: this.startMs, endMs: this.startMs + ticksToMs(mark.endTicks, init.video.timescale) };
    const facts = { cameraId: name.cameraId, stream: name.stream, session: name.session, sequence: name.sequence, ...times, initBytes: init.bytes.length, videoFrames: mark.videoFrames, keyframes };
    // The tail says that all before it is there. On a disk that was cut off it must not be found without it.
    await file.sync();
    await file.append([makeSegmentTail(facts, { id: VIDEO_TRACK_ID, timescale: init.video.timescale })]);
    const sizeBytes = file.sizeBytes;
    await file.close();
    return { ...facts, rootId: place.rootId, nameMs: name.startMs, sizeBytes };
  }

  /** A disk that is full leaves half a fragment: cut back to a whole one with room for the tail. Other faults leave the file as it is, `abandoned`. */
  async #salvage(file: SegmentFile): Promise<Segment | null> {
    const full = this.#failure instanceof PorchlightError && this.#failure.kind === 'disk-full';
    const writtenBytes = file.sizeBytes;
    for (const spareBytes of full ? [0, 64 * 1024, LARGEST_SPARE_BYTES] : []) {
      const mark = this.#marks.findLast((at) => at.endBytes + spareBytes <= writtenBytes);
      if (mark === undefined || mark.keyframes === 0) {
        await file.discard();
        return null;
      }
      try {
        await file.truncate(mark.endBytes);
        return await this.#finish(file, mark);
      } catch (error) {
        if (!(error instanceof PorchlightError) || error.kind !== 'disk-full') break;
      }
    }
    await file.abandon();
    this.#abandoned = file.harm !== 'taken';
    return null;
  }

  /** Copies bytes into the piece being filled; returns the copy. */
  #put(bytes: Uint8Array): Uint8Array {
    let slab = this.#slabs.at(-1);
    if (slab === undefined || slab.usedBytes + bytes.length > slab.bytes.length) {
      slab = { bytes: bytes.length > SLAB_BYTES ? new Uint8Array(bytes.length) : (spareSlabs.pop() ?? new Uint8Array(SLAB_BYTES)), usedBytes: 0 };
      this.#slabs.push(slab);
    }
    const copy = slab.bytes.subarray(slab.usedBytes, slab.usedBytes + bytes.length);
    copy.set(bytes);
    slab.usedBytes += bytes.length;
    return copy;
  }

  /** Until what has been accepted by now is written; what comes meanwhile does not prolong it. */
  async #drain(): Promise<void> {
    const upToBytes = this.#acceptedBytes;
    while (this.#failure === null && (this.#file === null || this.#writtenBytes < upToBytes)) {
      if (this.#running === null) this.#pump();
      await this.#running;
    }
  }

  #pump(): void {
    if (this.#failure !== null) return;
    this.#running = this.#write().catch((error: unknown) => this.#fail(error)).finally(() => {
      this.#running = null;
    });
  }

  async #write(): Promise<void> {
    const { clock, init, name, place } = this.#parts;
    this.#file ??= await SegmentFile.create(place, name, init.bytes);
    const slabs = this.#slabs;
    this.#slabs = [];
    const upTo = this.#acceptedBytes;
    const upToTicks = this.#endTicks;
    this.#flushedAtMs = clock.monotonicMs();
    if (slabs.length > 0) await this.#file.append(slabs.map(({ bytes, usedBytes }) => bytes.subarray(0, usedBytes)));
    for (const { bytes } of slabs) if (bytes.length === SLAB_BYTES && spareSlabs.length < MAX_SPARE_SLABS) spareSlabs.push(bytes);
    this.#writtenBytes = upTo;
    this.#forgetMarks();
    this.#pendingSinceMs = this.#slabs.length > 0 ? this.#flushedAtMs : null;
    if (upTo === init.bytes.length || clock.monotonicMs() - this.#syncedAtMs < SYNC_MS) return;
    await this.#file.sync();
    this.#syncedAtMs = clock.monotonicMs();
    this.#syncedTicks = upToTicks;
  }

  /** A full disk is noticed within a write or two; further back than room for the tail nobody cuts. */
  #forgetMarks(): void {
    const keep = this.#marks.findLastIndex((mark) => mark.endBytes + LARGEST_SPARE_BYTES <= this.#writtenBytes);
    if (keep > 0) this.#marks = this.#marks.slice(keep);
  }

  #fail(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#slabs = [];
    this.#parts.onFailed(error);
  }
}
