/** Locks that are in force, and what they hold. */
import type { CameraId } from '../../../shared/model/ids.ts';
import type { FootageLock } from '../../../shared/model/locks.ts';
import type { TimeRange } from '../../../shared/time.ts';
import type { ReadableDb } from './database.ts';

const LOCKS_SQL = {
  inForce: `SELECT id, camera_id AS cameraId, start_ms AS startMs, end_ms AS endMs, note, created_ms AS createdMs FROM locks
    WHERE id NOT IN (SELECT id FROM unlocks) ORDER BY start_ms DESC, id`,
  streams: 'SELECT id, longest_ms FROM streams WHERE camera_id = ?',
  // What overlaps begins at most the stream's longest segment before the range.
  bytes: 'SELECT coalesce(sum(size_bytes), 0) FROM segments WHERE stream_id = ? AND start_ms >= ? AND start_ms < ? AND end_ms > ?',
} as const;

/** Newest footage first. */
export function locksInForce(db: ReadableDb): readonly FootageLock[] {
  return db.prepare(LOCKS_SQL.inForce).all() as FootageLock[];
}

/** Bytes of all files of a camera that a range touches. */
export function bytesTouched(db: ReadableDb, cameraId: CameraId, { startMs, endMs }: TimeRange): number {
  const bytes = db.prepare(LOCKS_SQL.bytes).pluck();
  const streams = db.prepare(LOCKS_SQL.streams).raw().all(cameraId) as [number, number][];
  return streams.reduce((sum, [id, longestMs]) => sum + Number(bytes.get(id, startMs - longestMs, endMs, startMs)), 0);
}
