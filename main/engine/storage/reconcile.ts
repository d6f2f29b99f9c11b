/**
 * Compares every file with every row beside recording (I1, I2), stream by stream, newest days first. It is also the rebuild:
 * against an empty index every file is new. Yields what must change in bounded steps; the writer does it.
 */
import { statSync } from 'node:fs';
import path from 'node:path';
import type { ReadableDb } from './database.ts';
import { encodeSegmentName } from './segment-name.ts';
import { compareSegmentOrder } from './segment-name.ts';
import type { StreamKey } from '../ports/ingest.ts';
import { camerasIn, type Happening, journalDays, readJournalDay } from './journal.ts';
import { readIdentity } from './root.ts';
import type { RootPlace } from './root-list.ts';
import type { SegmentRef } from './segment-ref.ts';
import type { PackedSegment } from './segments.write.ts';
import { inspectFiles, mayRepair, recoverFiles, type SessionFloor } from './tail-recovery.ts';
import { type FoundFile, hoursOf, listHour, streamsIn } from './walk.ts';

export interface Finding {
  readonly invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5';
  /** Relative to its root, or the name of what is wrong. */
  readonly path: string;
  readonly sentence: string;
  /** Worth knowing, but no invariant is broken by it: somebody else's file, a tail that the next start will recover. */
  readonly notice?: true;
}

/** One bounded step: what the writer is to add and remove, and what was found. */
export interface ReconcileStep {
  readonly insert: readonly PackedSegment[];
  readonly remove: readonly SegmentRef[];
  readonly happenings: readonly Happening[];
  readonly findings: readonly Finding[];
  readonly files: number;
}

interface RowFact extends SegmentRef {
  readonly id: number;
  readonly sizeBytes: number;
}

/** Files per step: the writer's transaction stays short beside the recorder's. */
const STEP_FILES = 256;
/** Journal days read when the index was whole before: a line is at most a commit ahead of its row. */
const RECENT_JOURNAL_DAYS = 2;

export interface ReconcileOptions {
  /** Every journal line is read, not only the newest days': the index was empty. */
  readonly allJournals: boolean;
  /** Trims, removes and rows; without, findings alone. */
  readonly repair: boolean;
  /** What may be being recorded: everything of a later session. Null where nothing is. */
  readonly floors: readonly SessionFloor[] | null;
}

/** Walks one root that is ready. Throws where the disk fails or is taken away meanwhile; nothing is concluded from that. */
export async function* reconcileRoot(db: ReadableDb, root: RootPlace, options: ReconcileOptions): AsyncGenerator<ReconcileStep> {
  for (const cameraId of camerasIn(root.path)) {
    const days = journalDays(root.path, cameraId);
    for (const day of options.allJournals ? days : days.slice(-RECENT_JOURNAL_DAYS)) {
      const { happenings, unreadable } = readJournalDay(root.path, cameraId, day);
      const findings: Finding[] = unreadable === 0 ? [] : [{ invariant: 'I5', path: `${cameraId}/journal/${day}.jsonl`, sentence: `${unreadable} torn lines are passed over.`, notice: true }];
      yield { insert: [], remove: [], happenings, findings, files: 1 };
    }
  }
  const rowed = streamsWithRows(db, root);
  const onDisk = streamsIn(root.path);
  for (const key of [...onDisk, ...rowed.filter((row) => !onDisk.some((found) => found.cameraId === row.cameraId && found.stream === row.stream))]) {
    yield* reconcileStream(db, root, key, options);
  }
}

async function* reconcileStream(db: ReadableDb, root: RootPlace, key: StreamKey, options: ReconcileOptions): AsyncGenerator<ReconcileStep> {
  const rows = rowsOf(db, root, key);
  const newest = newestRow(db, key);
  const isGarbage = garbageCheck(db, root);
  // A stream has one open file, and it is its newest: what is older than a row, or had one, is closed, whatever session it is of.
  const isEarlier = mayRepair(options.floors);
  const isNotNewer = (file: FoundFile): boolean => newest !== null && compareSegmentOrder(file.name, newest) <= 0;
  const rowedOnce = new Set<string>();
  const repairable = options.repair ? (file: FoundFile) => rowedOnce.has(file.path) || isNotNewer(file) || isEarlier(file) : null;
  let strangers: FoundFile[] = [];
  let findings: Finding[] = [];
  let remove: SegmentRef[] = [];
  let files = 0;
  for (const folder of hoursOf(root.path, key)) {
    const listing = listHour(root.path, folder);
    findings.push(...listing.unknown.map((path): Finding => ({ invariant: 'I2', path, sentence: 'No file of Porchlight has such a name; it is left alone.', notice: true })));
    files += listing.files.length;
    for (const file of listing.files) {
      const row = rows.get(file.path);
      rows.delete(file.path);
      if (row === undefined) {
        // Newer than the last row when this began: being recorded, or closed and about to be rowed. A rebuild rows what is closed.
        if ((isNotNewer(file) || options.repair) && !isGarbage(file.path)) strangers.push(file);
        continue;
      }
      const size = statSync(path.join(root.path, file.path), { throwIfNoEntry: false })?.size;
      if (size === undefined || size === row.sizeBytes || !stillRowed(db, row)) continue;
      findings.push({ invariant: 'I1', path: file.path, sentence: `The file has ${size} bytes where the index says ${row.sizeBytes}.` });
      remove.push(row);
      rowedOnce.add(file.path);
      strangers.push(file);
    }
    if (files < STEP_FILES && strangers.length < STEP_FILES) continue;
    yield await step(root, db, { strangers, remove, findings, files }, repairable);
    strangers = [];
    findings = [];
    remove = [];
    files = 0;
  }
  yield await step(root, db, { strangers, remove, findings, files }, repairable);
  yield* missingFiles(db, root, rows);
}

interface Collected {
  readonly strangers: readonly FoundFile[];
  readonly remove: readonly SegmentRef[];
  readonly findings: readonly Finding[];
  readonly files: number;
}

/** With `repairable` null nothing is touched, and what a repair would do is reported. */
async function step(root: RootPlace, db: ReadableDb, { strangers, remove, findings, files }: Collected, repairable: ((file: FoundFile) => boolean) | null): Promise<ReconcileStep> {
  // Rowed since the rows were read: a recorder's file, not a stranger.
  const unrowed = strangers.filter((file) => remove.some((ref) => compareSegmentOrder(ref, file.name) === 0) || !hasRow(db, file));
  const report = await (repairable === null ? inspectFiles(root, unrowed) : recoverFiles(root, unrowed, repairable));
  return {
    insert: report.segments,
    remove,
    happenings: [],
    files,
    findings: [
      ...findings,
      ...report.segments.map((segment): Finding => ({ invariant: 'I2', path: encodeSegmentName({ ...segment, startMs: segment.nameMs }), sentence: 'The file was not in the index.' })),
      ...report.trimmed.map((cut): Finding => ({ invariant: 'I4', path: cut.path, sentence: `The file was cut short; ${cut.lostBytes} bytes after its last whole picture are given up.` })),
      ...report.removed.map((gone): Finding => ({ invariant: 'I2', path: gone, sentence: 'The file holds no whole picture.' })),
      ...report.refused.map((file): Finding => ({ invariant: 'I2', path: file.path, sentence: `The file is no segment of this stream: ${file.why}.` })),
    ],
  };
}

/** Rows whose file was in no folder. Asked again, file and row, and only while the disk is certainly the right one. */
async function* missingFiles(db: ReadableDb, root: RootPlace, rows: ReadonlyMap<string, RowFact>): AsyncGenerator<ReconcileStep> {
  const all = [...rows];
  for (let at = 0; at < all.length; at += STEP_FILES) {
    const gone = all.slice(at, at + STEP_FILES).filter(([file, row]) => statSync(path.join(root.path, file), { throwIfNoEntry: false }) === undefined && stillRowed(db, row));
    if ((await readIdentity(root.path)) !== root.rootId) throw new Error('another disk was connected during the check');
    yield {
      insert: [],
      remove: gone.map(([, row]) => row),
      happenings: [],
      files: 0,
      findings: gone.map(([file]) => ({ invariant: 'I1', path: file, sentence: 'The file is gone; its row is taken out of the index.' })),
    };
  }
}

function rowsOf(db: ReadableDb, root: RootPlace, key: StreamKey): Map<string, RowFact> {
  const found = db
    .prepare(`SELECT segments.id, session, sequence, name_ms, size_bytes FROM segments JOIN streams ON streams.id = stream_id JOIN roots ON roots.id = segments.root_id
      WHERE camera_id = ? AND stream = ? AND roots.root_id = ?`)
    .raw()
    .all(key.cameraId, key.stream, root.rootId) as [number, number, number, number, number][];
  return new Map(found.map(([id, session, sequence, nameMs, sizeBytes]) => [encodeSegmentName({ ...key, session, sequence, startMs: nameMs }), { ...key, id, session, sequence, sizeBytes }]));
}

function newestRow(db: ReadableDb, key: StreamKey): { readonly session: number; readonly sequence: number } | null {
  const row = db
    .prepare('SELECT session, sequence FROM segments JOIN streams ON streams.id = stream_id WHERE camera_id = ? AND stream = ? ORDER BY session DESC, sequence DESC LIMIT 1')
    .get(key.cameraId, key.stream) as { session: number; sequence: number } | undefined;
  return row ?? null;
}

function stillRowed(db: ReadableDb, row: RowFact): boolean {
  return db.prepare('SELECT 1 FROM segments WHERE id = ? AND size_bytes = ?').get(row.id, row.sizeBytes) !== undefined;
}

function hasRow(db: ReadableDb, file: FoundFile): boolean {
  const { cameraId, stream, session, sequence } = file.name;
  return db.prepare('SELECT 1 FROM segments JOIN streams ON streams.id = stream_id WHERE camera_id = ? AND stream = ? AND session = ? AND sequence = ?').get(cameraId, stream, session, sequence) !== undefined;
}

export function garbageCheck(db: ReadableDb, root: RootPlace): (path: string) => boolean {
  const find = db.prepare('SELECT 1 FROM garbage JOIN roots ON roots.id = garbage.root_id WHERE roots.root_id = ? AND path = ?');
  return (file) => find.get(root.rootId, file) !== undefined;
}

function streamsWithRows(db: ReadableDb, root: RootPlace): readonly StreamKey[] {
  return (db.prepare('SELECT camera_id, stream FROM usage JOIN streams ON streams.id = stream_id JOIN roots ON roots.id = usage.root_id WHERE roots.root_id = ?').all(root.rootId) as { camera_id: string; stream: string }[]).map(
    (row) => ({ cameraId: row.camera_id, stream: row.stream }) as StreamKey,
  );
}
