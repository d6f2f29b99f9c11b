/**
 * The archive as the engine sees it: questions, changes, disks, and the work that keeps files and index one
 * (docs/design/storage.md). It owns the threads; everything here only directs them.
 */
import path from 'node:path';
import { PorchlightError } from '../../../shared/errors.ts';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { type EpochMs, type TimeRange } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ArchiveReader, ArchiveWriter } from '../ports/archive.ts';
import { archiveReader, archiveWriter } from './archive-doors.ts';
import { ArchiveWalks, type WalkProgress, type WalkReport } from './archive-walks.ts';
import type { CheckOptions } from './check.ts';
import type { BlockQuery, FootageBlock, FootageBlocks } from './holds.read.ts';
import { WAITING_FOLDER } from './journal.ts';
import { GarbageKeeper } from './garbage-keeper.ts';
import { LockKeeper } from './lock-keeper.ts';
import { PreviewTally } from './preview-usage.ts';
import type { Finding } from './reconcile.ts';
import type { OldestQuery, OldestSegments, RetentionFacts } from './retention.read.ts';
import { RootList, type RootPlace } from './root-list.ts';
import { makeFolder } from './root.ts';
import type { SegmentRef } from './segment-ref.ts';
import { SegmentMoves } from './segment-moves.ts';
import { type Gone, tidyUp } from './tidy-up.ts';
import type { SessionFloor, TailReport } from './tail-recovery.ts';
import { ArchiveThreads } from './threads.ts';

export interface ArchiveOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a deletion did. */
export interface DeletionReport {
  readonly cameraIds: readonly CameraId[];
  readonly range: TimeRange | null;
  readonly segments: number;
}

export interface Archive {
  readonly read: ArchiveReader;
  readonly write: ArchiveWriter;
  readonly roots: RootList;
  readonly locks: Pick<LockKeeper, 'list' | 'add' | 'remove'>;
  readonly moves: SegmentMoves;
  /** A damaged index was replaced at `open` and has not been rebuilt from the disks yet. */
  readonly rebuilding: boolean;
  /** Listens to `rebuilding` and to the whole timeline changing with it. */
  onRebuilding(listener: (rebuilding: boolean) => void): () => void;
  /**
   * Before the first recording: brings the newest files of every stream on every writable disk into order (I2). Nothing may record
   * before it resolves, and new sessions must be above those of `read.streamTails()`: later files are taken to be being recorded.
   */
  recoverTails(): Promise<TailReport>;
  /** Beside recording: every file against every row, and whatever a fault left half done. Rebuilds what is not in the index. One runs at a time. */
  reconcile(signal?: AbortSignal, onProgress?: (progress: WalkProgress) => void): Promise<WalkReport>;
  /** Sets the index aside and builds a new one from the disks; resolves when all of it is back. */
  rebuild(signal?: AbortSignal): Promise<WalkReport>;
  /** Verifies I1 to I5 and changes nothing. */
  check(options: Pick<CheckOptions, 'engine' | 'thorough'>, signal?: AbortSignal, onProgress?: (progress: WalkProgress) => void): Promise<WalkReport>;
  /** Mends what a check found and `reconcile` does not look at: rows and tails that differ, gaps, events and locks that index or journal lacks. */
  mend(findings: readonly Finding[], signal?: AbortSignal): Promise<void>;
  /** Computes spans, coverage and sums anew. */
  rederive(): Promise<void>;
  retentionFacts(): Promise<RetentionFacts>;
  /** The oldest footage that may go. */
  oldestSegments(query: OldestQuery): Promise<OldestSegments>;
  /** All footage in blocks, by what holds it. */
  footageBlocks(query: BlockQuery): Promise<readonly FootageBlock[]>;
  /** Bytes of a camera's files that a range touches, all streams. */
  bytesTouched(cameraId: CameraId, range: TimeRange): Promise<number>;
  /** When the newest 24 hours of footage began; null with none. */
  newestDayStartMs(): Promise<EpochMs | null>;
  /** Deletes segments in the order of I2: row to garbage, unlink, sync folder, drop the row; then what their time leaves behind. */
  deleteSegments(refs: readonly SegmentRef[]): Promise<DeletionReport>;
  /** Everything asked for is durable, the threads are ended. */
  close(): Promise<void>;
}

/** Segments per transaction of a deletion: the recorder's commits wait no longer than some milliseconds. */
const DELETE_BATCH = 100;

/**
 * Opens the archive whose data folder is `dataDir` (made where missing). A damaged index is set aside and begun anew:
 * `rebuilding` is then true until `reconcile` has read the disks. Throws PorchlightError: `database-from-future`,
 * `disk-full`, `disk-read-only`, `disk-failing`, `data-in-use`.
 */
export async function openArchive(options: ArchiveOptions): Promise<Archive> {
  await makeFolder(path.resolve(options.dataDir));
  const archive = new DiskArchive(options, await RootList.load(options.dataDir, options.clock));
  await archive.start();
  return archive;
}

class DiskArchive implements Archive {
  readonly roots: RootList;
  readonly locks: LockKeeper;
  readonly moves: SegmentMoves;
  readonly read: ArchiveReader;
  readonly write: ArchiveWriter;
  readonly #options: ArchiveOptions;
  readonly #previews: PreviewTally;
  readonly #listeners = new Set<(rebuilding: boolean) => void>();
  readonly #closing = new AbortController();
  #started: ArchiveThreads | null = null;
  /** The last session of each stream before this life; null until tails are recovered, which nothing may record before. */
  #floors: readonly SessionFloor[] | null = null;
  #rebuilding = false;
  readonly #walks: ArchiveWalks;
  readonly #garbage: GarbageKeeper;

  constructor(options: ArchiveOptions, roots: RootList) {
    this.#options = options;
    this.roots = roots;
    this.#previews = new PreviewTally({
      clock: options.clock,
      roots: () => roots.readable(),
      camerasOn: (root) => this.#threads.maintenance.camerasOn(placeOf(root)),
      bytesOf: (root, cameraId) => this.#threads.maintenance.previewBytes(placeOf(root), cameraId),
    });
    this.#walks = new ArchiveWalks({
      // Also while it closes: a walk is ended in order.
      threads: () => this.#started ?? this.#threads,
      roots,
      clock: options.clock,
      waiting: path.join(options.dataDir, WAITING_FOLDER),
      floors: () => this.#floors ?? [],
      closing: this.#closing.signal,
      finishHalfDone: async () => {
        await this.#moveWaiting();
        await this.#garbage.finish();
      },
      recoverTails: () => this.recoverTails(),
      onNewDisk: () => {
        if (this.#rebuilding) return;
        this.locks.restore();
        this.#setRebuilding(true);
      },
      onCompared: () => {
        if (this.#rebuilding) this.#setRebuilding(false);
      },
    });
    this.locks = new LockKeeper({
      threads: () => this.#threads,
      readable: () => roots.readable(),
      writable: () => roots.writable(),
      waiting: path.join(options.dataDir, WAITING_FOLDER),
      logger: options.logger,
    });
    this.#garbage = new GarbageKeeper({ threads: () => this.#threads, roots, clock: options.clock });
    this.moves = new SegmentMoves({ threads: () => this.#threads, roots, garbage: this.#garbage });
    this.read = archiveReader(() => this.#threads, roots, this.#previews);
    this.write = archiveWriter(() => this.#threads, roots, options.clock);
  }

  async start(): Promise<void> {
    const { threads, setAside } = await ArchiveThreads.start({ ...this.#options, onReplaced: () => (this.locks.restore(), this.#setRebuilding(true)) });
    this.#started = threads;
    if (setAside !== null) this.#options.logger.error(`The index of footage was damaged and is now ${path.basename(setAside)}; a new one is built from the disks`);
    const indexed = await threads.maintenance.indexedRoots();
    this.#rebuilding = this.roots.list().some((root) => !indexed.includes(root.rootId));
    if (this.#rebuilding) this.locks.restore();
    await this.#moveWaiting();
  }

  /** Journal lines that waited for a disk go to the one that is recorded to. */
  async #moveWaiting(): Promise<void> {
    const root = this.roots.forRecording();
    if (root === null) return;
    await this.#threads.write((writer) => writer.moveWaiting(root.path)).catch((error: unknown) => this.#options.logger.warn('Journal lines still wait for their disk', error));
  }

  get #threads(): ArchiveThreads {
    if (this.#started === null || this.#closing.signal.aborted) throw new PorchlightError('cancelled', 'Porchlight is closing.');
    return this.#started;
  }

  get rebuilding(): boolean {
    return this.#rebuilding;
  }

  onRebuilding(listener: (rebuilding: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #setRebuilding(value: boolean): void {
    this.#rebuilding = value;
    for (const listener of this.#listeners) listener(value);
  }

  async recoverTails(): Promise<TailReport> {
    const report = await this.#threads.maintenance.recoverTails(this.roots.writable(), this.#floors);
    if (report.segments.length > 0) await this.#threads.write((writer) => writer.apply({ segments: report.segments }, false, null));
    this.#floors ??= (await this.read.streamTails()).map(({ cameraId, stream, session }) => ({ cameraId, stream, session }));
    for (const cut of report.trimmed) this.#options.logger.info(`Kept ${cut.path}, which was cut short (${cut.lostBytes} bytes after its last whole picture given up)`);
    for (const gone of report.removed) this.#options.logger.info(`Removed ${gone}, which held no whole picture`);
    for (const file of report.refused) this.#options.logger.warn(`Left ${file.path} out of the index: ${file.why}`);
    return report;
  }

  reconcile(signal?: AbortSignal, onProgress?: (progress: WalkProgress) => void): Promise<WalkReport> {
    return this.#walks.reconcile(signal, onProgress);
  }

  check(options: Pick<CheckOptions, 'engine' | 'thorough'>, signal?: AbortSignal, onProgress?: (progress: WalkProgress) => void): Promise<WalkReport> {
    return this.#walks.check(options, signal, onProgress);
  }

  mend(findings: readonly Finding[], signal?: AbortSignal): Promise<void> {
    return this.#walks.mend(findings, signal);
  }

  async rebuild(signal?: AbortSignal): Promise<WalkReport> {
    await this.#threads.replace(this.#threads.replacements, 'a rebuild was asked for');
    await this.recoverTails();
    return await this.reconcile(signal);
  }

  async rederive(): Promise<void> {
    await this.#threads.write((writer) => writer.rederive());
  }

  async retentionFacts(): Promise<RetentionFacts> {
    const [facts, previews] = await Promise.all([this.#threads.read((reader) => reader.retentionFacts()), this.#previews.usage()]);
    const bytesOn = (rootId: RootId): number => previews.reduce((sum, one) => sum + (one.rootId === rootId ? one.sizeBytes : 0), 0);
    return { ...facts, usedBytes: facts.usedBytes.map(({ rootId, bytes }) => ({ rootId, bytes: bytes + bytesOn(rootId) })) };
  }

  async oldestSegments(query: OldestQuery): Promise<OldestSegments> {
    await this.locks.restored();
    return await this.#threads.readAtStart((maintenance) => maintenance.oldestSegments(query));
  }

  async footageBlocks(query: BlockQuery): Promise<readonly FootageBlock[]> {
    await this.locks.restored();
    const blocks: FootageBlock[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const from: number = after;
      const part: FootageBlocks = await this.#threads.readAtStart((maintenance) => maintenance.footageBlocks(query, from));
      blocks.push(...part.blocks);
      after = part.after;
    }
    return blocks;
  }

  async bytesTouched(cameraId: CameraId, { startMs, endMs }: TimeRange): Promise<number> {
    return await this.#threads.read((reader) => reader.bytesTouched(cameraId, { startMs, endMs }));
  }

  async newestDayStartMs(): Promise<EpochMs | null> {
    return await this.#threads.read((reader) => reader.newestDayStartMs());
  }

  deleteSegments(refs: readonly SegmentRef[]): Promise<DeletionReport> {
    return this.#garbage.inTurn(() => this.#deleteNow(refs));
  }

  async #deleteNow(refs: readonly SegmentRef[]): Promise<DeletionReport> {
    await this.locks.restored();
    const gone: Gone[] = [];
    for (let at = 0; at < refs.length && !this.#closing.signal.aborted; at += DELETE_BATCH) {
      const removed = await this.#threads.write((writer) => writer.discard(refs.slice(at, at + DELETE_BATCH)));
      gone.push(...removed);
      for (const [rootId, files] of Map.groupBy(removed, (segment) => segment.rootId)) await this.#garbage.unlink(rootId, files.map((file) => file.path));
    }
    await this.#tidyUp(gone);
    const range = gone.length === 0 ? null : { startMs: Math.min(...gone.map((one) => one.startMs)), endMs: Math.max(...gone.map((one) => one.endMs)) };
    return { cameraIds: [...new Set(gone.map((one) => one.cameraId))], range, segments: gone.length };
  }

  async #tidyUp(gone: readonly Gone[]): Promise<void> {
    // While the index is rebuilt it does not know the oldest footage.
    if (this.#rebuilding || gone.length === 0) return;
    const writable = this.roots.writable().map(placeOf);
    const parts = { maintenance: this.#threads.maintenance, writable, allHere: writable.length === this.roots.list().length, nowMs: this.#options.clock.nowMs() };
    const packs = await tidyUp({ ...parts, prune: (cameraId, beforeMs) => this.#threads.write((writer) => writer.prune(cameraId, beforeMs)) }, gone);
    if (packs > 0) this.#previews.recount();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled([this.#walks.idle(), this.#garbage.idle()]);
    const threads = this.#started;
    this.#started = null;
    await threads?.close();
  }
}

/** What crosses to a thread: no state of the disk. */
function placeOf({ rootId, path: folder }: RootPlace): RootPlace {
  return { rootId, path: folder };
}
