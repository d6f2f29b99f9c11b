/** Whether spans, coverage and sums, which are kept step by step, are what the segment rows make them. */
import Database from 'better-sqlite3';
import type { ReadableDb, WritableDb } from './database.ts';
import { migrate } from './migrations/index.ts';
import type { Finding } from './reconcile.ts';
import { rederiveAll } from './rederive.write.ts';

/** What is compared, in an order of its own. */
const DERIVED = {
  spans: 'SELECT * FROM spans ORDER BY stream_id, first_session, first_sequence',
  coverage: 'SELECT * FROM coverage ORDER BY stream_id, bucket_ms, day',
  usage: 'SELECT * FROM usage ORDER BY stream_id, root_id',
} as const;

/** Derives everything anew beside the database and compares. One read transaction sees one state of a running archive. */
export function derivedFindings(db: ReadableDb): readonly Finding[] {
  const memory = new Database(':memory:');
  const scratch = memory as unknown as WritableDb;
  try {
    migrate(scratch);
    memory.pragma('foreign_keys = OFF');
    db.prepare('BEGIN').run();
    try {
      for (const table of ['roots', 'streams', 'segments']) copyTable(db, scratch, table);
      scratch.transaction(() => rederiveAll(scratch))();
      return Object.entries(DERIVED).flatMap(([table, sql]): Finding[] =>
        sameRows(db.prepare(sql).raw().iterate(), scratch.prepare(sql).raw().iterate())
          ? []
          : [{ kind: 'derived-differs', invariant: 'I5', path: table, sentence: `The index's ${table} are not what its segments make them; a rebuild would change the timeline.` }],
      );
    } finally {
      db.prepare('COMMIT').run();
    }
  } finally {
    memory.close();
  }
}

function copyTable(from: ReadableDb, to: WritableDb, table: string): void {
  const rows = from.prepare(`SELECT * FROM ${table}`).raw();
  const columns = rows.columns().length;
  const insert = to.prepare(`INSERT INTO ${table} VALUES (${Array.from({ length: columns }, () => '?').join(', ')})`);
  to.transaction(() => {
    for (const row of rows.iterate() as IterableIterator<unknown[]>) insert.run(...row);
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
