/** Whether spans, coverage and sums, which are kept step by step, are what the segment rows make them. */
import Database from 'better-sqlite3';
import type { ReadableDb, WritableDb } from './database.ts';
import { migrate } from './migrations/index.ts';
import type { Finding } from './reconcile.ts';
import { rederiveAll } from './rederive.write.ts';

/** What is compared for each stream, in an order of its own. */
const DERIVED = {
  spans: 'SELECT * FROM spans WHERE stream_id = ? ORDER BY first_session, first_sequence',
  coverage: 'SELECT * FROM coverage WHERE stream_id = ? ORDER BY bucket_ms, day',
  usage: 'SELECT * FROM usage WHERE stream_id = ? ORDER BY root_id',
} as const;

/**
 * Derives everything anew beside the database and compares, one stream after the other: the rows of one are in memory at a time, and
 * whoever shares the thread gets a turn between them. A read transaction for each sees one state of a running archive.
 */
export function* derivedFindings(db: ReadableDb): Generator<readonly Finding[]> {
  const streams = db.prepare('SELECT id, camera_id AS cameraId, stream FROM streams').all() as { readonly id: number; readonly cameraId: string; readonly stream: string }[];
  for (const { id, cameraId, stream } of streams) {
    yield differingTables(db, id).map((table): Finding => ({
      kind: 'derived-differs', invariant: 'I5', path: table, sentence: `The index's ${table} of ${cameraId} ${stream} are not what its segments make them; a rebuild would change the timeline.`,
    }));
  }
}

function differingTables(db: ReadableDb, streamId: number): readonly string[] {
  const memory = new Database(':memory:');
  const scratch = memory as unknown as WritableDb;
  try {
    migrate(scratch);
    memory.pragma('foreign_keys = OFF');
    db.prepare('BEGIN').run();
    try {
      copyRows(db, scratch, 'roots', 'SELECT * FROM roots WHERE ? IS NOT NULL', streamId);
      copyRows(db, scratch, 'streams', 'SELECT * FROM streams WHERE id = ?', streamId);
      copyRows(db, scratch, 'segments', 'SELECT * FROM segments WHERE stream_id = ?', streamId);
      scratch.transaction(() => rederiveAll(scratch))();
      return Object.entries(DERIVED).flatMap(([table, sql]) => (sameRows(db.prepare(sql).raw().iterate(streamId), scratch.prepare(sql).raw().iterate(streamId)) ? [] : [table]));
    } finally {
      db.prepare('COMMIT').run();
    }
  } finally {
    memory.close();
  }
}

function copyRows(from: ReadableDb, to: WritableDb, table: string, select: string, streamId: number): void {
  const rows = from.prepare(select).raw();
  const columns = rows.columns().length;
  const insert = to.prepare(`INSERT INTO ${table} VALUES (${Array.from({ length: columns }, () => '?').join(', ')})`);
  to.transaction(() => {
    for (const row of rows.iterate(streamId) as IterableIterator<unknown[]>) insert.run(...row);
  })();
}

function sameRows(left: IterableIterator<unknown>, right: IterableIterator<unknown>): boolean {
  for (;;) {
    const a = left.next();
    const b = right.next();
    const equal = a.done === b.done && JSON.stringify(a.value) === JSON.stringify(b.value);
    if (equal && a.done !== true) continue;
    left.return?.();
    right.return?.();
    return equal;
  }
}
