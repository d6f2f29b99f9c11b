/** One whole check without an engine: opens the index for reading where there is one, and verifies files alone where there is none. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { checkArchive, type CheckOptions, type CheckStep } from './check.ts';
import { strangerFindings } from './check-names.ts';
import { DATABASE_FILE, openForReading, requireSound } from './database.ts';
import { WAITING_FOLDER } from './journal.ts';
import type { Finding } from './reconcile.ts';
import type { RootPlace } from './root-list.ts';
import { compareSegmentOrder, type SegmentName } from './segment-name.ts';
import { recoverFile } from './segment-recovery.ts';
import { fromSqliteError } from './sqlite-errors.ts';
import { hoursOf, listHour, streamsIn } from './walk.ts';

export interface CheckRun {
  /** Null checks the files by themselves. */
  readonly dataDir: string | null;
  readonly roots: readonly RootPlace[];
  readonly engine: CheckOptions['engine'];
  readonly thorough: boolean;
}

/** Changes nothing. Throws PorchlightError where index or disk cannot be read at all. */
export async function* runCheck(run: CheckRun): AsyncGenerator<CheckStep> {
  const file = run.dataDir === null ? null : path.join(run.dataDir, DATABASE_FILE);
  if (file === null || run.dataDir === null || !existsSync(file)) {
    if (file !== null) yield { files: 0, findings: [{ kind: 'no-index', invariant: 'I5', path: file, sentence: 'There is no index; the next start builds it from the files.', notice: true }] };
    for (const root of run.roots) yield* filesAlone(root);
    return;
  }
  const db = openForReading(file);
  try {
    requireSound(db, null);
    yield* checkArchive(db, run.roots, { engine: run.engine, waiting: path.join(run.dataDir, WAITING_FOLDER), thorough: run.thorough });
  } catch (error) {
    throw fromSqliteError(error);
  } finally {
    db.close();
  }
}

/** Every file by what it says of itself: whole, or what a start would make of it. */
async function* filesAlone(root: RootPlace): AsyncGenerator<CheckStep> {
  yield { files: 0, findings: strangerFindings(root.path) };
  for (const key of streamsIn(root.path)) {
    const unfinished: Unfinished[] = [];
    let newest: SegmentName | null = null;
    for (const folder of hoursOf(root.path, key)) {
      const { files, unknown } = listHour(root.path, folder);
      const findings: Finding[] = unknown.map((name) => ({ kind: 'unknown-name', invariant: 'I2', path: name, sentence: 'No file of Porchlight has such a name; it is left alone.', notice: true }));
      for (const file of files) {
        if (newest === null || compareSegmentOrder(file.name, newest) > 0) newest = file.name;
        const found = await recoverFile(root.path, root.rootId, file.name, false);
        if (found.kind === 'cut') unfinished.push({ name: file.name, finding: { kind: 'cut-short', invariant: 'I4', path: file.path, sentence: `The file was cut short; ${found.lostBytes} bytes after its last whole picture would be given up.` } });
        if (found.kind === 'empty') unfinished.push({ name: file.name, finding: { kind: 'no-whole-picture', invariant: 'I2', path: file.path, sentence: 'The file holds no whole picture.' } });
        if (found.kind === 'foreign') findings.push({ kind: 'not-this-stream', invariant: 'I2', path: file.path, sentence: `The file is no segment of this stream: ${found.why}.` });
      }
      yield { files: files.length, findings };
    }
    yield { files: 0, findings: unfinished.map(({ name, finding }) => (isBeingRecorded(name, newest) ? { ...finding, sentence: 'The file has no end yet: it is being recorded, or the next start takes it in.', notice: true } : finding)) };
  }
}

interface Unfinished {
  readonly name: SegmentName;
  readonly finding: Finding;
}

/** The newest file of a stream, and the one before it, whose end is written while the newest has begun. */
function isBeingRecorded(name: SegmentName, newest: SegmentName | null): boolean {
  return newest !== null && name.session === newest.session && name.sequence >= newest.sequence - 1;
}
