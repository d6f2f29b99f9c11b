/**
 * The maintenance thread: walks folders, recovers files, checks and unlinks, beside recording. It reads the index on a
 * connection of its own and leaves every change of it to the writer; long work is asked for step by step.
 */
import { workerData } from 'node:worker_threads';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { exposeWorker } from '../core/worker-rpc.ts';
import type { StreamTail } from '../ports/archive.ts';
import { checkArchive, type CheckOptions, type CheckStep } from './check.ts';
import { gapFindings } from './check-gaps.ts';
import { journalFindings } from './check-journal.ts';
import { openForReading, type ReadableDb, requireSound } from './database.ts';
import type { GarbageFile } from './index-writer.ts';
import { camerasIn, type Happening, journaledLocks, pruneJournal } from './journal.ts';
import { type AbsentRuns, bytesBefore, type MovableSegment, oldestOn, rootsWithFootage, runsOnRoots } from './moves.read.ts';
import { PreviewSizes } from './preview-usage.ts';
import { countHours, type Finding, garbageCheck, reconcileRoot, type ReconcileOptions, type ReconcileStep } from './reconcile.ts';
import { type BlockQuery, footageBlocks, type FootageBlocks, holdOf } from './holds.read.ts';
import { hoursWithoutFootage, type OldestQuery, type OldestSegments, oldestSegments } from './retention.read.ts';
import type { RootPlace } from './root-list.ts';
import { segmentReader } from './segments.read.ts';
import { fromSqliteError, mappingAll, mappingSqlite } from './sqlite-errors.ts';
import { idLookup } from './stream-ids.ts';
import { rereadFile } from './segment-reread.ts';
import { joinReports, type LastRow, recoverRootTails, type SessionFloor, type TailReport } from './tail-recovery.ts';
import { clearEmptyFolders, prunePreviews, removePreviewHours, unlinkFiles } from './unlink.ts';

const { file } = workerData as { readonly file: string };
let db: ReadableDb | null = null;
let walks = 0;
const previews = new PreviewSizes();
const open = new Map<number, AsyncGenerator<ReconcileStep | CheckStep>>();

function reading(): ReadableDb {
  db ??= openForReading(file);
  return db;
}

function begin(steps: AsyncGenerator<ReconcileStep | CheckStep>): number {
  walks += 1;
  open.set(walks, steps);
  return walks;
}

const api = {
  release: (): void => {
    db?.close();
    db = null;
  },
  /** Closes the index and says whether the thread may end: not within a walk. */
  rest: (): boolean => {
    if (open.size > 0) return false;
    api.release();
    return true;
  },
  /** Reads the whole database. Throws `database-corrupt`. */
  requireSound: (): void => requireSound(reading(), null),
  recoverTails: (roots: readonly RootPlace[], floors: readonly SessionFloor[] | null): Promise<TailReport> => {
    const lastRows = mappingSqlite(() => lastRowsOf(reading()));
    return Promise.all(roots.map((root) => recoverRootTails(root, lastRows, floors, garbageCheck(reading(), root)))).then(joinReports);
  },
  /** The last segment of each stream: asked once, at the start, of the thread that is there then. */
  streamTails: (nowMs?: EpochMs): readonly StreamTail[] => mappingSqlite(() => segmentReader(reading(), idLookup(reading())).tails(nowMs)),
  /** Roots that were wholly read into this database. */
  indexedRoots: (): readonly RootId[] => mappingSqlite(() => reading().prepare('SELECT root_id FROM roots WHERE indexed_ms IS NOT NULL').pluck().all() as RootId[]),
  beginReconcile: (root: RootPlace, options: ReconcileOptions): number => begin(reconcileRoot(reading(), root, options)),
  beginCheck: (roots: readonly RootPlace[], options: CheckOptions): number => begin(checkArchive(reading(), roots, options)),
  /** The next step of a walk, or null at its end. A walk that threw is over. */
  next: async (walk: number): Promise<ReconcileStep | CheckStep | null> => {
    try {
      const step = await open.get(walk)?.next();
      if (step !== undefined && step.done !== true) return step.value;
      open.delete(walk);
      return null;
    } catch (error) {
      open.delete(walk);
      throw fromSqliteError(error);
    }
  },
  /** How many hour folders a walk of this root goes through. */
  countHours: (root: RootPlace): ReturnType<typeof countHours> => countHours(root.path),
  segmentCount: (): number => Number(reading().prepare('SELECT coalesce(sum(segments), 0) FROM usage').pluck().get()),
  journalFindings: (roots: readonly RootPlace[], waiting: string, allHere: boolean): readonly Finding[] => journalFindings(reading(), roots, waiting, allHere),
  gapsOverFootage: (): readonly Finding[] => mappingSqlite(() => [...gapFindings(reading())].flat()),
  reread: (root: RootPlace, path: string): Promise<Pick<ReconcileStep, 'remove'> & { readonly segments: ReconcileStep['insert'] } | null> => rereadFile(root, path),
  end: (walk: number): void => void open.delete(walk),
  oldestOn: (rootId: RootId, limit: number): readonly MovableSegment[] => mappingSqlite(() => oldestOn(reading(), rootId, limit)),
  bytesBefore: (rootId: RootId, beforeMs: EpochMs): number => mappingSqlite(() => bytesBefore(reading(), rootId, beforeMs)),
  rootsWithFootage: (): readonly { readonly rootId: RootId; readonly bytes: number }[] => mappingSqlite(() => rootsWithFootage(reading())),
  runsOnRoots: (rootIds: readonly RootId[]): readonly AbsentRuns[] => mappingSqlite(() => runsOnRoots(reading(), rootIds)),
  garbage: (): readonly GarbageFile[] => mappingSqlite(() => reading().prepare('SELECT roots.root_id AS rootId, path FROM garbage JOIN roots ON roots.id = garbage.root_id').all() as GarbageFile[]),
  unlink: (root: RootPlace, paths: readonly string[]): readonly string[] => unlinkFiles(root.path, paths),
  clearEmptyFolders: (root: RootPlace, folders: readonly string[]): void => clearEmptyFolders(root.path, folders),
  journaledLocks: (bases: readonly string[]): readonly Happening[] => bases.flatMap(journaledLocks),
  camerasOn: (root: RootPlace): readonly CameraId[] => camerasIn(root.path),
  previewBytes: (root: RootPlace, cameraId: CameraId): number => previews.of(root.path, cameraId),
  prunePreviews: (root: RootPlace, cameraId: CameraId, beforeMs: EpochMs): number => prunePreviews(root.path, cameraId, beforeMs),
  removePreviewHours: (root: RootPlace, cameraId: CameraId, hours: readonly EpochMs[]): number => removePreviewHours(root.path, cameraId, hours),
  /** Here and not with the questions of viewers: where much is held, many rows are passed over. */
  oldestSegments: (query: OldestQuery): OldestSegments => mappingSqlite(() => oldestSegments(reading(), query)),
  footageBlocks: (query: BlockQuery, after: number): FootageBlocks => mappingSqlite(() => footageBlocks(reading(), query, holdFor(query, after), after)),
  hoursWithoutFootage: (cameraId: CameraId, hours: readonly EpochMs[]): readonly EpochMs[] => mappingSqlite(() => hoursWithoutFootage(reading(), cameraId, hours)),
  pruneJournal: (root: RootPlace, cameraId: CameraId, beforeMs: EpochMs): EpochMs => pruneJournal(root.path, cameraId, beforeMs),
  /** Oldest footage of each camera, whatever disk it is on. */
  oldestByCamera: (): readonly { readonly cameraId: CameraId; readonly startMs: EpochMs }[] =>
    mappingSqlite(() => reading().prepare(`SELECT camera_id AS cameraId, min((SELECT start_ms FROM segments WHERE stream_id = streams.id ORDER BY start_ms LIMIT 1)) AS startMs
      FROM streams GROUP BY camera_id HAVING startMs IS NOT NULL`).all() as { cameraId: CameraId; startMs: number }[]),
};

/** What holds footage, read once for all parts of a question. */
let holding: { readonly key: string; readonly held: ReturnType<typeof holdOf> } | null = null;

function holdFor(query: BlockQuery, after: number): ReturnType<typeof holdOf> {
  const key = JSON.stringify(query);
  if (after === 0 || holding?.key !== key) holding = { key, held: holdOf(reading(), query) };
  return holding.held;
}

function lastRowsOf(from: ReadableDb): readonly LastRow[] {
  const streams = from.prepare('SELECT id, camera_id, stream FROM streams').all() as { id: number; camera_id: LastRow['cameraId']; stream: LastRow['stream'] }[];
  const last = from.prepare('SELECT session, sequence, name_ms FROM segments WHERE stream_id = ? ORDER BY session DESC, sequence DESC LIMIT 1');
  return streams.flatMap((stream) => {
    const row = last.get(stream.id) as { session: number; sequence: number; name_ms: number } | undefined;
    return row === undefined ? [] : [{ cameraId: stream.camera_id, stream: stream.stream, session: row.session, sequence: row.sequence, nameMs: row.name_ms }];
  });
}

export type MaintenanceApi = typeof api;
exposeWorker(mappingAll(api));
