/** Computes spans, coverage, sums and longest lengths anew from segment rows: the definition that the running upkeep must equal. */
import { coverageWriter } from './coverage.write.ts';
import type { WritableDb } from './database.ts';
import { type Place, spanWriter } from './spans.write.ts';

/** Within the caller's transaction. */
export function rederiveAll(db: WritableDb): void {
  db.exec('DELETE FROM spans; DELETE FROM coverage; DELETE FROM usage; UPDATE streams SET longest_ms = 0');
  const spans = spanWriter(db);
  const coverage = coverageWriter(db);
  const streams = db.prepare('SELECT id FROM streams').pluck().all() as number[];
  for (const streamId of streams) {
    const rows = db.prepare('SELECT session, sequence, start_ms, end_ms FROM segments WHERE stream_id = ? ORDER BY session, sequence').raw().all(streamId) as [number, number, number, number][];
    let previous: Place | null = null;
    for (const [session, sequence, startMs, endMs] of rows) {
      const place: Place = { session, sequence, startMs, endMs };
      spans.add(streamId, place, previous, null);
      coverage.add(streamId, place);
      previous = place;
    }
  }
  db.exec(`INSERT INTO usage (stream_id, root_id, segments, size_bytes, duration_ms)
      SELECT stream_id, root_id, count(*), sum(size_bytes), CAST(sum(round(end_ms - start_ms)) AS INTEGER) FROM segments GROUP BY stream_id, root_id;
    UPDATE streams SET longest_ms = coalesce((SELECT max(end_ms - start_ms) FROM segments WHERE stream_id = streams.id), 0)`);
}
