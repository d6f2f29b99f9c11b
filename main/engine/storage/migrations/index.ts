/** The ordered list of migrations, by tens; each runs in one transaction, and a database of a later version is refused. */
import { PorchlightError } from '../../../../shared/errors.ts';
import type { WritableDb } from '../database.ts';
import { initial } from './0010-initial.ts';
import { timelineChanges } from './0020-timeline-changes.ts';
import { locks } from './0030-locks.ts';
import { ungaps } from './0040-ungaps.ts';

export interface Migration {
  /** Rises by tens, so that a step can be put between two released ones. */
  readonly version: number;
  up(db: Pick<WritableDb, 'exec' | 'prepare'>): void;
}

export const MIGRATIONS: readonly Migration[] = [initial, timelineChanges, locks, ungaps];

/**
 * Brings a database to the last version of `migrations`, stopping in the past for tests. Throws PorchlightError
 * `database-from-future` where the database is newer than the last migration.
 */
export function migrate(db: WritableDb, migrations: readonly Migration[] = MIGRATIONS): void {
  const latest = migrations.at(-1)?.version ?? 0;
  const found = Number(db.pragma('user_version', { simple: true }));
  if (found > latest) {
    throw new PorchlightError('database-from-future', `The index of footage was written by a newer Porchlight (version ${found}, this one knows ${latest}). Start the newer one; the footage itself is untouched.`);
  }
  for (const migration of migrations) {
    if (migration.version <= found) continue;
    db.transaction(() => {
      migration.up(db);
      db.pragma(`user_version = ${migration.version}`);
    })();
  }
}
