/**
 * Before recording: brings each stream's newest files into order (I2). Looks at the newest folders only, so it takes as
 * long for a month of footage as for a day; the whole archive is compared beside recording (reconcile.ts).
 */
import { HOUR_MS } from '../../../shared/time.ts';
import { utcDay, utcHour } from '../../../shared/time.ts';
import type { StreamKey } from '../ports/ingest.ts';
import type { RootPlace } from './root-list.ts';
import { readClosedFile, type RecoveredFile, recoverFile, tailBuffer } from './segment-recovery.ts';
import { compareSegmentOrder, streamFolder } from './segment-name.ts';
import type { PackedSegment } from './segments.write.ts';
import { type FoundFile, hoursOf, listHour, streamsIn } from './walk.ts';

/** The last row of a stream, where it has one. */
export interface LastRow extends StreamKey {
  readonly session: number;
  readonly sequence: number;
  readonly nameMs: number;
}

export interface TailReport {
  readonly segments: readonly PackedSegment[];
  /** Paths relative to their root. */
  readonly trimmed: readonly { readonly path: string; readonly lostBytes: number }[];
  readonly removed: readonly string[];
  /** Files that could not be read or belong elsewhere; they stay where they are. */
  readonly refused: readonly { readonly path: string; readonly why: string }[];
}

/** Hours before the last row that are looked at too: a clock set back by daylight saving or by hand names new files earlier. */
const LOOK_BACK_MS = 2 * HOUR_MS;
/** Hour folders looked at where the index is empty: a day of footage holds the files of the last life, wherever its clock was set to. */
const FOLDERS_WITHOUT_ROWS = 24;

/** The last session of a stream before this life: whatever has a later one may be being recorded, and is not to be touched. */
export interface SessionFloor extends StreamKey {
  readonly session: number;
}

/** Whether a file may be changed. Before recording (`floors` null) every file may; later, those of earlier lives. */
export function mayRepair(floors: readonly SessionFloor[] | null): (file: FoundFile) => boolean {
  if (floors === null) return () => true;
  const sessions = new Map(floors.map((floor) => [streamFolder(floor.cameraId, floor.stream), floor.session]));
  return ({ name }) => name.session <= (sessions.get(streamFolder(name.cameraId, name.stream)) ?? -1);
}

/** Recovers the tail of every stream of a root. `isGarbage` says which paths are about to be unlinked. */
export async function recoverRootTails(root: RootPlace, lastRows: readonly LastRow[], floors: readonly SessionFloor[] | null, isGarbage: (path: string) => boolean): Promise<TailReport> {
  const reports = await Promise.all(streamsIn(root.path).map(async (key) => {
    const last = lastRows.find((row) => row.cameraId === key.cameraId && row.stream === key.stream) ?? null;
    return await recoverFiles(root, newestFiles(root.path, key, last, isGarbage), mayRepair(floors));
  }));
  return joinReports(reports);
}

/** Files of a stream that are newer than its last row; with an empty index, the newest ones down to the first that is certainly whole. */
function newestFiles(rootPath: string, key: StreamKey, last: LastRow | null, isGarbage: (path: string) => boolean): readonly FoundFile[] {
  const files: FoundFile[] = [];
  const oldest = last === null ? null : folderOf(key, last.nameMs - LOOK_BACK_MS);
  let looked = 0;
  for (const folder of hoursOf(rootPath, key)) {
    if (oldest === null ? looked >= FOLDERS_WITHOUT_ROWS : folder < oldest) break;
    files.push(...listHour(rootPath, folder).files.filter((file) => !isGarbage(file.path) && (last === null || compareSegmentOrder(file.name, last) > 0)));
    looked += 1;
  }
  files.sort((a, b) => compareSegmentOrder(b.name, a.name));
  // Without rows every file is new: one life leaves one file open, so the newest of each of the last few is enough here.
  return last === null ? files.slice(0, FILES_WITHOUT_ROWS) : files;
}

const FILES_WITHOUT_ROWS = 3;

function folderOf(key: StreamKey, atMs: number): string {
  const from = Math.max(0, atMs);
  return `${streamFolder(key.cameraId, key.stream)}/${utcDay(from)}/${utcHour(from)}`;
}

/**
 * Recovers files one after the other; a file that cannot be read is reported and does not keep the others from it. What
 * `repairable` refuses is taken when it is whole, and otherwise left to whoever is writing it.
 */
export async function recoverFiles(root: RootPlace, files: readonly FoundFile[], repairable: (file: FoundFile) => boolean): Promise<TailReport> {
  const found: FileResult[] = [];
  for (const file of files) {
    const repair = repairable(file);
    const result = await attempt(root, file, repair);
    if (repair || result.kind === 'whole') found.push({ file, result });
  }
  return reportOf(found);
}

/** What `recoverFiles` would do, without doing it. */
export async function inspectFiles(root: RootPlace, files: readonly FoundFile[]): Promise<TailReport> {
  const found: FileResult[] = [];
  for (const file of files) found.push({ file, result: await attempt(root, file, false) });
  return reportOf(found);
}

/** The segments among `files` that were closed in order, and what is left for `recoverFiles`. */
export async function readClosedFiles(root: RootPlace, files: readonly FoundFile[]): Promise<{ readonly closed: TailReport; readonly rest: readonly FoundFile[] }> {
  const results: (RecoveredFile | null)[] = files.map(() => null);
  const waiting = files.entries();
  const readSome = async (): Promise<void> => {
    const buffer = tailBuffer();
    for (const [at, file] of waiting) results[at] = await readClosedFile(root.path, root.rootId, file, buffer);
  };
  await Promise.all(Array.from({ length: Math.min(READS_AT_ONCE, files.length) }, readSome));
  const found = files.flatMap((file, at): FileResult[] => {
    const result = results[at] ?? null;
    return result === null ? [] : [{ file, result }];
  });
  return { closed: reportOf(found), rest: files.filter((_, at) => results[at] === null) };
}

/** A disk answers several questions at once faster than one by one; half of the thread pool is left to recording (UV_THREADPOOL_SIZE, host/engine-starter.ts). */
const READS_AT_ONCE = 8;

interface FileResult {
  readonly file: FoundFile;
  readonly result: RecoveredFile;
}

function reportOf(found: readonly FileResult[]): TailReport {
  const report = { segments: [] as PackedSegment[], trimmed: [] as { path: string; lostBytes: number }[], removed: [] as string[], refused: [] as { path: string; why: string }[] };
  for (const { file, result } of found) {
    if (result.kind === 'whole' || result.kind === 'cut') report.segments.push(result.segment);
    if (result.kind === 'cut') report.trimmed.push({ path: file.path, lostBytes: result.lostBytes });
    if (result.kind === 'empty') report.removed.push(file.path);
    if (result.kind === 'foreign') report.refused.push({ path: file.path, why: result.why });
  }
  return report;
}

async function attempt(root: RootPlace, file: FoundFile, repair: boolean): Promise<RecoveredFile> {
  try {
    return await recoverFile(root.path, root.rootId, file.name, repair);
  } catch (error) {
    return { kind: 'foreign', why: error instanceof Error ? error.message : String(error) };
  }
}

export function joinReports(reports: readonly TailReport[]): TailReport {
  return {
    segments: reports.flatMap((report) => report.segments),
    trimmed: reports.flatMap((report) => report.trimmed),
    removed: reports.flatMap((report) => report.removed),
    refused: reports.flatMap((report) => report.refused),
  };
}
