/**
 * Opens porchlight.db: the only place that does. One connection writes; all others cannot, by type, by mode and by
 * pragma (docs/design/storage.md, "Database").
 */
import Database from 'better-sqlite3';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { PorchlightError } from '../../../shared/errors.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { migrate } from './migrations/index.ts';
import { fromSqliteError, isCorrupt, mappingSqlite } from './sqlite-errors.ts';

export const DATABASE_FILE = 'porchlight.db';
/** Databases set aside are for whoever looks for the cause; two are enough, and a disk is not filled with them. */
const KEPT_ASIDE = 2;
/** Tables whose check at start is cheap; the large ones are checked beside recording. */
const CHECKED_AT_START = ['roots', 'streams', 'spans', 'usage', 'garbage'] as const;

export type Statement = Database.Statement;

/** A connection for questions. */
export type ReadableDb = Pick<Database.Database, 'prepare' | 'close'> & { readonly __reads: true };
/** The one connection that may change the index. */
export type WritableDb = Pick<Database.Database, 'prepare' | 'close' | 'exec' | 'transaction' | 'pragma'> & { readonly __reads: true; readonly __writes: true };

/**
 * Opens the database for writing, creates it where there is none, and migrates it. `synchronous=FULL` makes each commit
 * durable (I2: a row to garbage is committed before the file goes). Throws PorchlightError: `database-corrupt`,
 * `database-from-future`, `disk-full`, `disk-read-only`, `disk-failing`.
 */
export function openForWriting(file: string): WritableDb {
  return mappingSqlite(() => {
    const connection = new Database(file, { timeout: 5_000 });
    const db = connection as unknown as WritableDb;
    try {
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      db.pragma('foreign_keys = ON');
      db.pragma('cache_size = -16000');
      // A long rebuild must not leave a large log behind for ever.
      db.pragma('journal_size_limit = 67108864');
      migrate(db);
      for (const table of CHECKED_AT_START) requireSound(db, table);
    } catch (error) {
      connection.close();
      throw error;
    }
    return db;
  });
}

/** Opens the database for questions only; it must exist. Errors as `openForWriting`. */
export function openForReading(file: string): ReadableDb {
  return mappingSqlite(() => {
    const connection = new Database(file, { readonly: true, fileMustExist: true, timeout: 5_000 });
    connection.pragma('query_only = ON');
    connection.pragma('cache_size = -32000');
    return connection as unknown as ReadableDb;
  });
}

/** Checks one table and its indexes, or with null the whole file (it is read from end to end: seconds for a large archive). Throws `database-corrupt`. */
export function requireSound(db: ReadableDb, table: string | null): void {
  const problem = mappingSqlite(() => db.prepare(table === null ? 'PRAGMA quick_check(1)' : `PRAGMA quick_check(${table})`).pluck().get());
  if (problem !== 'ok') {
    throw new PorchlightError('database-corrupt', 'The index of footage is damaged. Porchlight sets it aside and builds a new one from the footage, which is untouched.', String(problem));
  }
}

/** What was opened, and whether a damaged database was set aside for it. */
export interface OpenedDatabase {
  readonly db: WritableDb;
  /** The damaged database, under its new name. */
  readonly setAside: string | null;
}

/** Opens for writing; a damaged database is renamed to `porchlight.db.corrupt-<time>` and a new one is begun. Other errors as `openForWriting`. */
export function openOrReplace(file: string, nowMs: EpochMs): OpenedDatabase {
  try {
    return { db: openForWriting(file), setAside: null };
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    const aside = setAside(file, nowMs);
    return { db: openForWriting(file), setAside: aside };
  }
}

/** Renames a database and its log out of the way; every connection to it must be closed or closing. Returns the new name. */
export function setAside(file: string, nowMs: EpochMs): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(':', '').replaceAll('-', '');
  const aside = `${file}.corrupt-${stamp}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  const folder = path.dirname(file);
  const earlier = readdirSync(folder).filter((name) => name.startsWith(`${path.basename(file)}.corrupt-`) && !/-(?:wal|shm)$/.test(name)).sort();
  for (const name of earlier.slice(0, -KEPT_ASIDE)) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path.join(folder, name + suffix), { force: true });
  }
  return aside;
}

/** Runs questions of one answer on one state of the database, and with one locking instead of one per statement. */
export function snapshotOf(db: ReadableDb): <T>(work: () => T) => T {
  const begin = db.prepare('BEGIN');
  const end = db.prepare('COMMIT');
  return (work) => {
    begin.run();
    try {
      return work();
    } finally {
      end.run();
    }
  };
}

/** Runs `work` in one transaction and maps what SQLite throws. */
export function inTransaction<T>(db: WritableDb, work: () => T): T {
  try {
    return db.transaction(work).immediate();
  } catch (error) {
    throw fromSqliteError(error);
  }
}
