/** Maps what SQLite reports, once, at the edge, to Porchlight's closed set of errors. */
import { PorchlightError } from '../../../shared/errors.ts';
import { errorCode } from '../core/atomic-file.ts';

/** The error a caller sees for one thrown by SQLite; anything else passes unchanged. */
export function fromSqliteError(error: unknown): unknown {
  if (error instanceof PorchlightError) return error;
  const code = errorCode(error);
  if (!code.startsWith('SQLITE_')) return error;
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new PorchlightError('database-corrupt', 'The index of footage is damaged. Porchlight sets it aside and builds a new one from the footage, which is untouched.', error);
  }
  if (code === 'SQLITE_FULL') {
    return new PorchlightError('disk-full', "The disk that holds Porchlight's data is full. Make room on it; recording goes on as long as the disk for footage has room.", error);
  }
  if (code.startsWith('SQLITE_READONLY') || code === 'SQLITE_PERM' || code === 'SQLITE_CANTOPEN' || code === 'SQLITE_AUTH') {
    return new PorchlightError('disk-read-only', "Porchlight may not write to its data folder. Check the folder's permissions.", error);
  }
  // SQLITE_IOERR_SHORT_READ and the like: the medium, not the content.
  if (code.startsWith('SQLITE_IOERR')) {
    return new PorchlightError('disk-failing', "The disk that holds Porchlight's data reports errors. Back up what matters and replace it.", error);
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new PorchlightError('data-in-use', 'Another program is using the index of footage. Close it and try again.', error);
  }
  return new PorchlightError('internal', 'The index of footage could not answer. The log has the details.', error);
}

/** Runs `work` and throws the mapped error. */
export function mappingSqlite<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fromSqliteError(error);
  }
}

/** The same functions, each throwing the mapped error, also where it answers later: no statement of a thread escapes the mapping. */
export function mappingAll<Api extends object>(api: Api): Api {
  const mapped = Object.entries(api as Record<string, (...args: readonly unknown[]) => unknown>).map(([name, work]) => [
    name,
    (...args: readonly unknown[]): unknown => {
      const answer = mappingSqlite(() => work(...args));
      return answer instanceof Promise ? answer.catch((error: unknown) => Promise.reject(fromSqliteError(error))) : answer;
    },
  ]);
  return Object.fromEntries(mapped) as Api;
}

export function isCorrupt(error: unknown): boolean {
  return error instanceof PorchlightError && error.kind === 'database-corrupt';
}
