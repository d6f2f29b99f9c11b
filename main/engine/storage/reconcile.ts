/**
 * Compares every file with every row beside recording (I1, I2), stream by stream, newest days first. It is also the rebuild:
 * against an empty index every file is new, and all streams come back together, from the newest day on. Yields what must change in bounded steps; the writer does it.
 */
import { statSync } from 'node:fs';
import type { FindingKind, Invariant } from '../../../shared/model/check.ts';
import type { RootId } from '../../../shared/model/ids.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { type ReadableDb, snapshotOf } from './database.ts';
import { HourNames } from './hour-names.ts';
import type { StreamKey } from '../ports/ingest.ts';
import { camerasIn, type Happening, journalDays, readJournalDay } from './journal.ts';
import { readIdentity } from './root.ts';
import type { RootPlace } from './root-list.ts';
import { compareSegmentOrder, encodeSegmentName } from './segment-name.ts';
import type { SegmentRef } from './segment-ref.ts';
import type { PackedSegment } from './segments.write.ts';
import { type RowFact, StreamRows } from './stream-rows.ts';
import { inspectFiles, joinReports, mayRepair, readClosedFiles, recoverFiles, type SessionFloor } from './tail-recovery.ts';
import { type FoundFile, hoursOf, namesIn, streamsIn } from './walk.ts';

export interface Finding {
  readonly kind: FindingKind;
  readonly invariant: Invariant;
  /** Relative to its root, or the name of what is wrong. */
  readonly path: string;
  readonly sentence: string;
  /** Worth knowing, but no invariant is broken by it: somebody else's file, a tail that the next start will recover. */
  readonly notice?: true;
  /** The disk `path` is on, where a repair needs to know. */
  readonly rootId?: RootId;
  /** What index or journal lacks. */
  readonly happening?: Happening;
  /** What says it rightly, in order; journal and index have neither yet. */
  readonly instead?: readonly Happening[];
}

/** One bounded step: what the writer is to add and remove, and what was found. */
export interface ReconcileStep {
  readonly insert: readonly PackedSegment[];
  readonly remove: readonly SegmentRef[];
  readonly happenings: readonly Happening[];
  readonly findings: readonly Finding[];
  /** Files whose segment lies on another disk, whole: what a move left behind when the index was lost. Relative to the root. */
  readonly garbage?: readonly string[];
  readonly files: number;
  /** Hour folders that are done with this step. */
  readonly hours: number;
  /** The stream of this step is compared from its newest folder back to this moment; 0 when it is done. Null where the step is about no stream. */
  readonly reachedMs: EpochMs | null;
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
  /** All disks that can be read: a file may be there twice. */
  readonly here?: readonly RootPlace[];
}

/** Walks one root that is ready. Throws where the disk fails or is taken away meanwhile; nothing is concluded from that. */
export async function* reconcileRoot(db: ReadableDb, root: RootPlace, options: ReconcileOptions): AsyncGenerator<ReconcileStep> {
  for (const cameraId of camerasIn(root.path)) {
    const days = journalDays(root.path, cameraId);
    for (const day of options.allJournals ? days : days.slice(-RECENT_JOURNAL_DAYS)) {
      const { happenings, unreadable } = readJournalDay(root.path, cameraId, day);
      const findings: Finding[] = unreadable === 0 ? [] : [{ kind: 'torn-journal-line', invariant: 'I5', path: `${cameraId}/journal/${day}.jsonl`, sentence: `${unreadable} torn lines are passed over.`, notice: true }];
      yield { insert: [], remove: [], happenings, findings, files: 1, hours: 0, reachedMs: null };
    }
  }
  const rowed = streamsWithRows(db, root);
  const onDisk = streamsIn(root.path);
  const keys = [...onDisk, ...rowed.filter((row) => !onDisk.some((found) => found.cameraId === row.cameraId && found.stream === row.stream))];
  const walks = keys.map((key) => reconcileStream(db, root, key, options));
  // Footage that is not in the index yet comes back from the newest day on, of all cameras; else each stream's rows are held no longer than its walk.
  if (options.allJournals) yield* newestFirst(walks);
  else for (const walk of walks) yield* walk;
}

/** Goes on with the walk that has come back least far, so that all of them are as far back at any time. */
async function* newestFirst(walks: readonly AsyncGenerator<ReconcileStep>[]): AsyncGenerator<ReconcileStep> {
  const open = walks.map((walk) => ({ walk, reachedMs: Number.POSITIVE_INFINITY }));
  while (open.length > 0) {
    const next = open.reduce((newest, one) => (one.reachedMs > newest.reachedMs ? one : newest));
    const { done, value } = await next.walk.next();
    if (done === true) {
      open.splice(open.indexOf(next), 1);
      continue;
    }
    next.reachedMs = value.reachedMs ?? next.reachedMs;
    // What is back is what every walk has passed.
    yield { ...value, reachedMs: Math.max(...open.map((one) => one.reachedMs)) };
  }
}

async function* reconcileStream(db: ReadableDb, root: RootPlace, key: StreamKey, options: ReconcileOptions): AsyncGenerator<ReconcileStep> {
  const rows = StreamRows.read(db, root, key);
  const newest = newestRow(db, key);
  const ask = questions(db, root, key);
  // A stream has one open file, and it is its newest: what is older than a row, or had one, is closed, whatever session it is of.
  const isEarlier = mayRepair(options.floors);
  const isNotNewer = (file: FoundFile): boolean => newest !== null && compareSegmentOrder(file.name, newest) <= 0;
  const rowedOnce = new Set<string>();
  const repairable = options.repair ? (file: FoundFile) => rowedOnce.has(file.path) || isNotNewer(file) || isEarlier(file) : null;
  const missing: RowFact[] = [];
  let collected = nothingYet();
  for (const folder of hoursOf(root.path, key)) {
    const hour = new HourNames(folder);
    const expected = rows.take(hour);
    for (const fileName of namesIn(`${root.path}/${folder}`)) {
      const row = expected.get(fileName);
      if (row === undefined) {
        const path = `${folder}/${fileName}`;
        const facts = hour.read(fileName);
        const name = facts === null ? null : { ...key, ...facts };
        if (name !== null) collected.files += 1;
        if (name === null) collected.findings.push({ kind: 'unknown-name', invariant: 'I2', path, sentence: 'No file of Porchlight has such a name; it is left alone.', notice: true });
        // Newer than the last row when this began: being recorded, or closed and about to be rowed. A rebuild rows what is closed.
        else if (options.repair || isNotNewer({ name, path })) collected.strangers.push({ name, path });
        continue;
      }
      collected.files += 1;
      expected.delete(fileName);
      const size = statSync(`${root.path}/${folder}/${fileName}`, { throwIfNoEntry: false })?.size;
      if (size === undefined || size === row.sizeBytes || !ask.isStillRowed(row)) continue;
      const path = `${folder}/${fileName}`;
      collected.findings.push({ kind: 'size-differs', invariant: 'I1', path, sentence: `The file has ${size} bytes where the index says ${row.sizeBytes}.` });
      collected.remove.push({ ...key, session: row.session, sequence: row.sequence });
      rowedOnce.add(path);
      collected.strangers.push({ name: { ...key, session: row.session, sequence: row.sequence, startMs: row.nameMs }, path });
    }
    missing.push(...expected.values());
    collected.hours += 1;
    collected.reachedMs = hour.startMs;
    if (collected.files < STEP_FILES) continue;
    yield await step(root, ask, collected, repairable, options);
    collected = nothingYet();
  }
  collected.reachedMs = 0;
  yield await step(root, ask, collected, repairable, options);
  yield* missingFiles(root, key, ask, [...missing, ...rows.left()].map((row) => ({ row, path: rows.pathOf(row) })));
}

interface Collected {
  readonly strangers: FoundFile[];
  readonly remove: SegmentRef[];
  readonly findings: Finding[];
  files: number;
  hours: number;
  reachedMs: EpochMs;
}

function nothingYet(): Collected {
  return { strangers: [], remove: [], findings: [], files: 0, hours: 0, reachedMs: 0 };
}

/** With `repairable` null nothing is touched, and what a repair would do is reported. */
async function step(root: RootPlace, ask: Questions, { strangers, remove, findings, files, hours, reachedMs }: Collected, repairable: ((file: FoundFile) => boolean) | null, { allJournals, here = [] }: ReconcileOptions): Promise<ReconcileStep> {
  const removed = new Set(remove.map(placeText));
  // Rowed since the rows were read: a recorder's file, not a stranger.
  const unknown = ask.unknownOf(strangers, ({ name }) => removed.has(placeText(name)));
  const twice = ask.elsewhere(strangers).filter(({ path, rootId, sizeBytes }) => here.some((other) => other.rootId === rootId && statSync(`${other.path}/${path}`, { throwIfNoEntry: false })?.size === sizeBytes)).map(({ path }) => path);
  const { closed, rest } = await readClosedFiles(root, unknown);
  const report = joinReports([closed, await (repairable === null ? inspectFiles(root, rest) : recoverFiles(root, rest, repairable))]);
  // Of a disk that is new to this index every file is; to say so of each would be no finding.
  const resized = new Set(strangers.filter(({ name }) => removed.has(placeText(name))).map(({ path }) => path));
  const cut = new Set(report.trimmed.map(({ path }) => path));
  const pathOf = (segment: PackedSegment): string => encodeSegmentName({ ...segment, startMs: segment.nameMs });
  // One finding for each file: a cut one and one of another size are said to be that.
  const unindexed = allJournals ? [] : report.segments.filter((segment) => !removed.has(placeText(segment)) && !cut.has(pathOf(segment)));
  return {
    insert: report.segments,
    remove,
    happenings: [],
    files,
    hours,
    reachedMs,
    garbage: twice,
    findings: [
      ...findings,
      ...twice.map((path): Finding => ({ kind: 'not-indexed', invariant: 'I2', path, sentence: 'The file was moved to another disk before and lies there whole; this copy is removed.' })),
      ...unindexed.map((segment): Finding => ({ kind: 'not-indexed', invariant: 'I2', path: pathOf(segment), sentence: 'The file was not in the index.' })),
      // One of another size has been said to be that.
      ...report.trimmed.filter(({ path }) => !resized.has(path)).map(({ path, lostBytes }): Finding => ({ kind: 'cut-short', invariant: 'I4', path, sentence: `The file was cut short; ${lostBytes} bytes after its last whole picture are given up.` })),
      ...report.removed.map((gone): Finding => ({ kind: 'no-whole-picture', invariant: 'I2', path: gone, sentence: 'The file holds no whole picture.' })),
      ...report.refused.map((file): Finding => ({ kind: 'not-this-stream', invariant: 'I2', path: file.path, sentence: `The file is no segment of this stream: ${file.why}.` })),
    ],
  };
}

/** Rows whose file was in no folder. Asked again, file and row, and only while the disk is certainly the right one. */
async function* missingFiles(root: RootPlace, key: StreamKey, ask: Questions, all: readonly { readonly row: RowFact; readonly path: string }[]): AsyncGenerator<ReconcileStep> {
  for (let at = 0; at < all.length; at += STEP_FILES) {
    const gone = all.slice(at, at + STEP_FILES).filter(({ row, path }) => statSync(`${root.path}/${path}`, { throwIfNoEntry: false }) === undefined && ask.isStillRowed(row));
    if ((await readIdentity(root.path)) !== root.rootId) throw new Error('another disk was connected during the check');
    yield {
      insert: [],
      remove: gone.map(({ row: { session, sequence } }) => ({ ...key, session, sequence })),
      happenings: [],
      files: 0,
      hours: 0,
      reachedMs: 0,
      findings: gone.map(({ path }) => ({ kind: 'file-gone', invariant: 'I1', path, sentence: 'The file is gone; its row is taken out of the index.' })),
    };
  }
}

/** What the index says now, while rows read earlier may have gone and others come. */
interface Questions {
  isStillRowed(row: RowFact): boolean;
  /** The files that are neither rowed nor garbage, asked of one state of the index; `isRemoved` are rowed and about not to be. */
  unknownOf(files: readonly FoundFile[], isRemoved: (file: FoundFile) => boolean): readonly FoundFile[];
  /** The files that are not garbage and whose segment is rowed on another disk, with its size there. */
  elsewhere(files: readonly FoundFile[]): readonly { readonly path: string; readonly rootId: RootId; readonly sizeBytes: number }[];
}

function questions(db: ReadableDb, root: RootPlace, { cameraId, stream }: StreamKey): Questions {
  const snapshot = snapshotOf(db);
  const isGarbage = garbageCheck(db, root);
  const anyGarbage = db.prepare('SELECT 1 FROM garbage LIMIT 1');
  const row = db.prepare('SELECT 1 FROM segments WHERE id = ? AND size_bytes = ? AND root_id = (SELECT id FROM roots WHERE root_id = ?)');
  const places = db.prepare(`SELECT session, sequence FROM segments WHERE stream_id = (SELECT id FROM streams WHERE camera_id = ? AND stream = ?)
    AND (session, sequence) >= (?, ?) AND (session, sequence) <= (?, ?)`).raw();
  const other = db.prepare(`SELECT roots.root_id AS rootId, size_bytes AS sizeBytes FROM segments JOIN roots ON roots.id = segments.root_id
    WHERE stream_id = (SELECT id FROM streams WHERE camera_id = ? AND stream = ?) AND session = ? AND sequence = ? AND roots.root_id <> ?`);
  /** One question for all of them: what a step finds lies close together. */
  const rowedAmong = (files: readonly FoundFile[]): ReadonlySet<string> => {
    const ordered = files.map((file) => file.name).toSorted(compareSegmentOrder);
    const [first] = ordered;
    const last = ordered.at(-1);
    if (first === undefined || last === undefined) return new Set();
    const rowed = places.all(cameraId, stream, first.session, first.sequence, last.session, last.sequence) as [number, number][];
    return new Set(rowed.map(([session, sequence]) => placeText({ session, sequence })));
  };
  return {
    isStillRowed: ({ id, sizeBytes }) => row.get(id, sizeBytes, root.rootId) !== undefined,
    elsewhere: (files) =>
      snapshot(() =>
        files.flatMap(({ name, path }) => {
          const row = other.get(cameraId, stream, name.session, name.sequence, root.rootId) as { rootId: RootId; sizeBytes: number } | undefined;
          return row === undefined || isGarbage(path) ? [] : [{ path, ...row }];
        }),
      ),
    unknownOf: (files, isRemoved) =>
      files.length === 0
        ? []
        : snapshot(() => {
            const someGarbage = anyGarbage.get() !== undefined;
            const rowed = rowedAmong(files);
            return files.filter((file) => isRemoved(file) || (!(someGarbage && isGarbage(file.path)) && !rowed.has(placeText(file.name))));
          }),
  };
}

function placeText({ session, sequence }: { readonly session: number; readonly sequence: number }): string {
  return `${session}-${sequence}`;
}

function newestRow(db: ReadableDb, key: StreamKey): { readonly session: number; readonly sequence: number } | null {
  const row = db
    .prepare('SELECT session, sequence FROM segments JOIN streams ON streams.id = stream_id WHERE camera_id = ? AND stream = ? ORDER BY session DESC, sequence DESC LIMIT 1')
    .get(key.cameraId, key.stream) as { session: number; sequence: number } | undefined;
  return row ?? null;
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

/** Streams of a root and their hour folders: how long a walk is, by names of folders alone. */
export function countHours(rootPath: string): { readonly streams: number; readonly hours: number } {
  const streams = streamsIn(rootPath);
  return { streams: streams.length, hours: streams.reduce((sum, key) => sum + [...hoursOf(rootPath, key)].length, 0) };
}
