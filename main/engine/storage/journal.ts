/**
 * The journal of a camera: a line of JSON per gap, event and lock, appended and synced before its row, so that a rebuild
 * finds them again (I5). A line torn by a fault is passed over; a line that is there twice is one happening.
 */
import { appendFileSync, closeSync, existsSync, fdatasyncSync, fstatSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, rmSync, rmdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { GAP_CAUSES, type Gap } from '../../../shared/model/gap.ts';
import { type CameraId, isCameraId } from '../../../shared/model/ids.ts';
import type { FootageLock } from '../../../shared/model/locks.ts';
import { type CameraEvent, EVENT_KINDS } from '../../../shared/model/timeline.ts';
import { type EpochMs, type TimeRange, utcDay } from '../../../shared/time.ts';
import { isDayFolder, isStreamKind } from './segment-name.ts';

/** A lock was taken off, for good: its id never comes back. Both times are the moment that decides the line's day. */
export interface Unlock extends TimeRange {
  readonly id: string;
  readonly cameraId: CameraId;
}

export type Happening =
  | { readonly type: 'gap'; readonly gap: Gap }
  /** A gap that covered footage is none, for good; what of it is missing after all is gaps of its own. */
  | { readonly type: 'ungap'; readonly gap: Gap }
  | { readonly type: 'event'; readonly event: CameraEvent }
  | { readonly type: 'lock'; readonly lock: FootageLock }
  | { readonly type: 'unlock'; readonly unlock: Unlock };

/** Folder of a camera's journal relative to its root, with `/`. */
function journalFolder(cameraId: CameraId): string {
  return `${cameraId}/journal`;
}

/** Where lines wait in the data folder while no disk for footage is there. */
export const WAITING_FOLDER = 'journal-waiting';

type Fields = TimeRange & { readonly cameraId: CameraId };

function fieldsOf(happening: Happening): Fields {
  switch (happening.type) {
    case 'gap':
    case 'ungap':
      return happening.gap;
    case 'event':
      return happening.event;
    case 'lock':
      return happening.lock;
    case 'unlock':
      return happening.unlock;
  }
}

/**
 * The file a happening belongs to, relative to a root: that of the UTC day on which it began, or on which a lock was set where its range began
 * before: while footage that it holds is there, so is the day's journal.
 */
function journalFile(happening: Happening): string {
  const { cameraId, startMs } = fieldsOf(happening);
  const filedMs = happening.type === 'lock' ? Math.max(startMs, happening.lock.createdMs) : startMs;
  return `${journalFolder(cameraId)}/${utcDay(filedMs)}.jsonl`;
}

export function formatLine(happening: Happening): string {
  return `${JSON.stringify({ v: 1, type: happening.type, ...fieldsOf(happening) })}\n`;
}

/** A line's happening, or null where it is torn, of a later version, or anything else. */
function parseLine(line: string, cameraId: CameraId): Happening | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const fields = value as Record<string, unknown>;
  const { startMs, endMs } = fields;
  if (fields['v'] !== 1 || fields['cameraId'] !== cameraId || typeof startMs !== 'number' || typeof endMs !== 'number' || !(startMs <= endMs)) return null;
  if (fields['type'] === 'gap' || fields['type'] === 'ungap') {
    const { type, stream, detail } = fields;
    const cause = GAP_CAUSES.find((known) => known === fields['cause']);
    if (typeof stream !== 'string' || !isStreamKind(stream) || cause === undefined || typeof detail !== 'string') return null;
    return { type, gap: { cameraId, stream, startMs, endMs, cause, detail } };
  }
  const { id, label, note, createdMs } = fields;
  if (fields['type'] === 'unlock') return typeof id === 'string' ? { type: 'unlock', unlock: { id, cameraId, startMs, endMs } } : null;
  if (fields['type'] === 'lock') {
    if (typeof id !== 'string' || typeof note !== 'string' || typeof createdMs !== 'number') return null;
    return { type: 'lock', lock: { id, cameraId, startMs, endMs, note, createdMs } };
  }
  const kind = EVENT_KINDS.find((known) => known === fields['kind']);
  if (fields['type'] !== 'event' || typeof id !== 'string' || kind === undefined || typeof label !== 'string') return null;
  return { type: 'event', event: { id, cameraId, startMs, endMs, kind, label } };
}

/** Appends happenings below `base` (a root, or the waiting folder) and syncs each file once; durable when it returns. Throws the system's error. */
export function appendToJournal(base: string, happenings: readonly Happening[]): void {
  const byFile = Map.groupBy(happenings, journalFile);
  for (const [file, lines] of byFile) appendLines(path.join(base, file), lines.map(formatLine).join(''));
}

/** Appends those happenings that the journals below `base` do not have yet; durable when it returns. Throws the system's error. */
export function appendMissing(base: string, happenings: readonly Happening[]): void {
  for (const [file, some] of Map.groupBy(happenings, journalFile)) {
    const target = path.join(base, file);
    const text = existsSync(target) ? readFileSync(target, 'utf8') : '';
    const lines = some.map(formatLine).filter((line) => !text.includes(line));
    if (lines.length > 0) appendLines(target, lines.join(''));
  }
}

function appendLines(file: string, text: string): void {
  const isNew = !existsSync(file);
  if (isNew) makeFolderSync(path.dirname(file));
  const handle = openSync(file, 'a+', 0o644);
  try {
    const { size } = fstatSync(handle);
    const last = Buffer.alloc(1);
    // A torn line must not swallow the next one.
    const torn = size > 0 && readSync(handle, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a;
    appendFileSync(handle, torn ? `\n${text}` : text);
    if (isNew) fsyncSync(handle);
    else fdatasyncSync(handle);
  } finally {
    closeSync(handle);
  }
  if (isNew) syncFolderSync(path.dirname(file));
}

/** As core/atomic-file.ts `syncFolder`, for the threads that work synchronously. */
export function syncFolderSync(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Creates a folder and what is missing above it, each durable. The top of `folder`'s path must be there. */
export function makeFolderSync(folder: string): void {
  if (existsSync(folder)) return;
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolderSync(parent);
  mkdirSync(folder, { recursive: false });
  syncFolderSync(parent);
}

/** Days a camera's journal has, oldest first. */
export function journalDays(base: string, cameraId: CameraId): readonly string[] {
  return namesIn(path.join(base, journalFolder(cameraId)))
    .filter((name) => name.endsWith('.jsonl') && isDayFolder(name.slice(0, -6)))
    .map((name) => name.slice(0, -6))
    .sort();
}

/** The file of a day's journal, relative to a root. */
export function journalDayFile(cameraId: CameraId, day: string): string {
  return `${journalFolder(cameraId)}/${day}.jsonl`;
}

/** What a day's journal holds, and how many of its lines are unreadable. */
export function readJournalDay(base: string, cameraId: CameraId, day: string): { readonly happenings: readonly Happening[]; readonly unreadable: number } {
  const file = path.join(base, journalFolder(cameraId), `${day}.jsonl`);
  // Reading a pipe would wait without end.
  if (!statSync(file).isFile()) return { happenings: [], unreadable: 1 };
  const lines = readFileSync(file, 'utf8').split('\n').filter((line) => line !== '');
  const happenings = lines.flatMap((line) => parseLine(line, cameraId) ?? []);
  return { happenings, unreadable: lines.length - happenings.length };
}

/** Every line about locks below `base`; empty where it is not there. A line that cannot be read is passed over. */
export function journaledLocks(base: string): readonly Happening[] {
  return camerasIn(base).flatMap((cameraId) =>
    journalDays(base, cameraId).flatMap((day) => readJournalDay(base, cameraId, day).happenings.filter(({ type }) => type === 'lock' || type === 'unlock')),
  );
}

/** Cameras that have a folder below `base`. */
export function camerasIn(base: string): readonly CameraId[] {
  return namesIn(base).filter(isCameraId).sort();
}

/** Moves the lines that wait in `waiting` to the journals below `rootPath`. A fault between the two leaves a line twice, which is one happening. */
export function moveWaiting(waiting: string, rootPath: string): void {
  for (const cameraId of camerasIn(waiting)) {
    for (const day of journalDays(waiting, cameraId)) {
      appendToJournal(rootPath, readJournalDay(waiting, cameraId, day).happenings);
      rmSync(path.join(waiting, journalFolder(cameraId), `${day}.jsonl`));
    }
    removeIfEmpty(path.join(waiting, journalFolder(cameraId)));
    removeIfEmpty(path.join(waiting, cameraId));
  }
}

/** Removes the journal of days wholly before the day of `beforeMs`. Returns the first moment that is still journaled. */
export function pruneJournal(base: string, cameraId: CameraId, beforeMs: EpochMs): EpochMs {
  const firstKept = utcDay(beforeMs);
  const old = journalDays(base, cameraId).filter((day) => day < firstKept);
  for (const day of old) rmSync(path.join(base, journalFolder(cameraId), `${day}.jsonl`));
  if (old.length > 0) syncFolderSync(path.join(base, journalFolder(cameraId)));
  return Date.parse(`${firstKept}T00:00:00Z`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Removes a folder that holds nothing; false where it holds something or is not there. */
export function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
