/** The two transactions of moving a segment to another disk (docs/design/storage.md, "Several disks"); one segment's file is rowed on one disk and garbage on the other at any time. */
import type { RootId } from '../../../shared/model/ids.ts';
import type { WritableDb } from './database.ts';
import type { SegmentRef } from './segment-ref.ts';
import { idRegistry } from './stream-ids.ts';

/** A closed segment and the two disks. */
export interface SegmentMove {
  readonly ref: SegmentRef;
  readonly sizeBytes: number;
  readonly fromRootId: RootId;
  readonly toRootId: RootId;
  /** Relative to either root, with `/`. */
  readonly path: string;
}

export interface MoveWriter {
  /** Names the copy garbage before there is one, so that a copy without a row is garbage whenever it breaks off. False where the segment is not there any more. */
  reserve(move: SegmentMove): boolean;
  /** The copy is whole and durable: the row names the other disk, the copy is garbage no more, and the old file is. False where one of it does not hold any more. */
  commit(move: SegmentMove): boolean;
}

interface FoundRow {
  readonly id: number;
  readonly duration_ms: number;
}

export function moveWriter(db: WritableDb): MoveWriter {
  const ids = idRegistry(db);
  const sql = {
    find: db.prepare('SELECT id, round(end_ms - start_ms) AS duration_ms FROM segments WHERE stream_id = ? AND session = ? AND sequence = ? AND root_id = ? AND size_bytes = ?'),
    isGarbage: db.prepare('SELECT 1 FROM garbage WHERE root_id = ? AND path = ?'),
    addGarbage: db.prepare('INSERT INTO garbage (root_id, path) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    dropGarbage: db.prepare('DELETE FROM garbage WHERE root_id = ? AND path = ?'),
    setRoot: db.prepare('UPDATE segments SET root_id = ? WHERE id = ?'),
    use: db.prepare(`INSERT INTO usage (stream_id, root_id, segments, size_bytes, duration_ms) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET segments = segments + excluded.segments, size_bytes = size_bytes + excluded.size_bytes, duration_ms = duration_ms + excluded.duration_ms`),
    unused: db.prepare('DELETE FROM usage WHERE stream_id = ? AND root_id = ? AND segments = 0'),
  };
  const find = ({ ref, sizeBytes, fromRootId }: SegmentMove): FoundRow | undefined =>
    sql.find.get(ids.stream(ref.cameraId, ref.stream), ref.session, ref.sequence, ids.root(fromRootId), sizeBytes) as FoundRow | undefined;
  return {
    reserve: (move) => {
      if (find(move) === undefined) return false;
      sql.addGarbage.run(ids.root(move.toRootId), move.path);
      return true;
    },
    commit: (move) => {
      const { ref, sizeBytes, fromRootId, toRootId, path } = move;
      const row = find(move);
      const [streamId, from, to] = [ids.stream(ref.cameraId, ref.stream), ids.root(fromRootId), ids.root(toRootId)];
      if (row === undefined || sql.isGarbage.get(to, path) === undefined) return false;
      sql.setRoot.run(to, row.id);
      sql.dropGarbage.run(to, path);
      sql.addGarbage.run(from, path);
      // Spans and coverage are those of the stream, whichever disk: only the sums of the two disks change.
      sql.use.run(streamId, from, -1, -sizeBytes, -row.duration_ms);
      sql.use.run(streamId, to, 1, sizeBytes, row.duration_ms);
      sql.unused.run(streamId, from);
      return true;
    },
  };
}
