/** For tests: everything that is derived from segments, as comparable values. */
import type { ReadableDb } from '../database.ts';

export function snapshotDerived(db: ReadableDb): Readonly<Record<'spans' | 'coverage' | 'usage', unknown[]>> {
  return {
    spans: db.prepare('SELECT * FROM spans ORDER BY stream_id, first_session, first_sequence').all(),
    coverage: db.prepare('SELECT stream_id, bucket_ms, day, hex(bits) FROM coverage ORDER BY 1, 2, 3').all(),
    usage: db.prepare('SELECT * FROM usage ORDER BY stream_id, root_id').all(),
  };
}

export function garbagePaths(db: ReadableDb): unknown[] {
  return db.prepare('SELECT path FROM garbage').pluck().all();
}
