/** The writer thread: the only connection that changes the index. What arrives together is committed together. */
import { workerData } from 'node:worker_threads';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { exposeWorker } from '../core/worker-rpc.ts';
import type { Happening } from './journal.ts';
import { type Change, type GarbageFile, IndexWriter, type OpenReport, type RemovedSegment } from './index-writer.ts';
import type { SegmentMove } from './moves.write.ts';
import type { SegmentRef } from './segment-ref.ts';
import { rederiveAll } from './rederive.write.ts';
import { mappingAll } from './sqlite-errors.ts';

export interface WriterOptions {
  readonly file: string;
  readonly waiting: string;
  readonly nowMs: EpochMs;
}

interface Waiting {
  readonly change: Change;
  readonly journalBase: string | null;
  readonly journaled: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

let writer: IndexWriter | null = null;
let queue: Waiting[] = [];

function opened(): IndexWriter {
  if (writer === null) throw new Error('the index is not open');
  return writer;
}

/** One sync and one commit for everything that waits; where one change fails, each gets a commit of its own. */
function flush(): void {
  const batch = queue;
  queue = [];
  try {
    for (const [base, items] of Map.groupBy(batch.filter((item) => item.journaled), (item) => item.journalBase)) {
      opened().journal(items.flatMap((item) => item.change.happenings ?? []), base);
    }
    opened().apply(batch.map((item) => item.change));
    for (const item of batch) item.resolve();
  } catch (error) {
    if (batch.length === 1) batch[0]?.reject(error);
    else for (const item of batch) applyAlone(item);
  }
}

function applyAlone(item: Waiting): void {
  try {
    if (item.journaled) opened().journal(item.change.happenings ?? [], item.journalBase);
    opened().apply([item.change]);
    item.resolve();
  } catch (error) {
    item.reject(error);
  }
}

const api = {
  /** Opens, creates or replaces the database. Throws as `openForWriting`, but for a damaged one. */
  open: (): OpenReport => {
    const { file, waiting, nowMs } = workerData as WriterOptions;
    writer = new IndexWriter(file, waiting, nowMs);
    return writer.opened;
  },
  /** Durable when it resolves. With `journaled`, its happenings are journaled first. */
  apply: (change: Change, journaled: boolean, journalBase: string | null): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      // One turn of the loop later: what came in the same burst of messages shares its commit.
      if (queue.length === 0) setImmediate(flush);
      queue.push({ change, journaled, journalBase, resolve, reject });
    }),
  /** As `apply` for rows that say what is not on the disk: what is missing is a gap then. */
  correct: (change: Change, journalBase: string | null): void => opened().correct(change, journalBase),
  /** A lock, set or taken off: durable on every disk of `journalBases` that takes it, and in the index, when it resolves. */
  hold: (happening: Happening, journalBases: readonly string[]): void => opened().hold(happening, journalBases),
  moveWaiting: (rootPath: string): void => opened().moveWaiting(rootPath),
  discard: (refs: readonly SegmentRef[]): readonly RemovedSegment[] => opened().discard(refs),
  dropGarbage: (files: readonly GarbageFile[]): void => opened().dropGarbage(files),
  addGarbage: (files: readonly GarbageFile[]): void => opened().addGarbage(files),
  reserveMove: (move: SegmentMove): boolean => opened().reserveMove(move),
  commitMove: (move: SegmentMove): boolean => opened().commitMove(move),
  copyHappenings: (happenings: readonly Happening[], rootPath: string): void => opened().copyHappenings(happenings, rootPath),
  markIndexed: (rootId: RootId, nowMs: EpochMs): void => opened().markIndexed(rootId, nowMs),
  prune: (cameraId: CameraId, beforeMs: EpochMs): void => opened().prune(cameraId, beforeMs),
  rederive: (): void => opened().rederive(rederiveAll),
  replace: (nowMs: EpochMs): string => opened().replace(nowMs),
  close: (): void => {
    if (queue.length > 0) flush();
    writer?.close();
    writer = null;
  },
};

export type WriterApi = typeof api;
exposeWorker(mappingAll(api));
