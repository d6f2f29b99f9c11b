/** What retention must know: the oldest segments of each disk, what all of them use, and the files still to be unlinked. */
import type { StreamKind } from '../../../shared/model/camera.ts';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { DAY_MS, type EpochMs, HOUR_MS } from '../../../shared/time.ts';
import type { ReadableDb } from './database.ts';
import type { SegmentRef } from './segment-ref.ts';

export interface OldSegment extends SegmentRef {
  readonly rootId: RootId;
  readonly startMs: EpochMs;
  readonly endMs: EpochMs;
  readonly sizeBytes: number;
}

export interface RetentionFacts {
  /** Oldest first per root, at most as many as asked for. */
  readonly oldest: readonly OldSegment[];
  readonly usedBytes: readonly { readonly rootId: RootId; readonly bytes: number }[];
  /** Footage of the last hour, for the rate at which a disk fills. */
  readonly lastHour: readonly { readonly rootId: RootId; readonly bytes: number }[];
}

/** A day of footage, however long it took to record. */
const NEWEST_MS = DAY_MS;

const RETENTION_SQL = {
  oldest: `SELECT camera_id, stream, session, sequence, start_ms, end_ms, size_bytes FROM segments JOIN streams ON streams.id = stream_id
    WHERE root_id = ? ORDER BY start_ms LIMIT ?`,
  used: 'SELECT roots.root_id, sum(size_bytes) FROM usage JOIN roots ON roots.id = usage.root_id GROUP BY roots.root_id',
  newest: 'SELECT start_ms, end_ms FROM segments WHERE stream_id = ? ORDER BY start_ms DESC',
  recent: 'SELECT coalesce(sum(size_bytes), 0) FROM segments WHERE root_id = ? AND start_ms >= (SELECT max(start_ms) FROM segments WHERE root_id = ?) - 3600000',
  streamsOf: 'SELECT id, longest_ms FROM streams WHERE camera_id = ?',
  anyBetween: 'SELECT 1 FROM segments WHERE stream_id = ? AND start_ms >= ? AND start_ms < ? AND end_ms > ? LIMIT 1',
} as const;

export function retentionFacts(db: ReadableDb, limitPerRoot: number): RetentionFacts {
  const roots = db.prepare('SELECT id, root_id FROM roots').raw().all() as [number, RootId][];
  const oldest = db.prepare(RETENTION_SQL.oldest).raw();
  const recent = db.prepare(RETENTION_SQL.recent).pluck();
  return {
    oldest: roots.flatMap(([id, rootId]) =>
      (oldest.all(id, limitPerRoot) as [CameraId, StreamKind, number, number, number, number, number][]).map(([cameraId, stream, session, sequence, startMs, endMs, sizeBytes]) => ({
        cameraId, stream, session, sequence, startMs, endMs, sizeBytes, rootId,
      })),
    ),
    usedBytes: (db.prepare(RETENTION_SQL.used).raw().all() as [RootId, number][]).map(([rootId, bytes]) => ({ rootId, bytes })),
    lastHour: roots.map(([id, rootId]) => ({ rootId, bytes: Number(recent.get(id, id)) })),
  };
}

/** Of these hours, each by its first moment, those in which a camera has no footage of any stream. */
export function hoursWithoutFootage(db: ReadableDb, cameraId: CameraId, hours: readonly EpochMs[]): readonly EpochMs[] {
  const any = db.prepare(RETENTION_SQL.anyBetween).pluck();
  const streams = db.prepare(RETENTION_SQL.streamsOf).raw().all(cameraId) as [number, number][];
  return hours.filter((hourMs) => streams.every(([id, longestMs]) => any.get(id, hourMs - longestMs, hourMs + HOUR_MS, hourMs) === undefined));
}

/**
 * When the newest 24 hours of footage began, by the stream that is farthest; null with no footage. Some 1,440 rows per stream are
 * read: asked once in a life.
 */
export function newestDayStartMs(db: ReadableDb): EpochMs | null {
  const newest = db.prepare(RETENTION_SQL.newest).raw();
  const starts = (db.prepare('SELECT id FROM streams').pluck().all() as number[]).flatMap((streamId) => {
    let beganMs: EpochMs | null = null;
    let durationMs = 0;
    for (const [startMs, endMs] of newest.iterate(streamId) as IterableIterator<[EpochMs, EpochMs]>) {
      beganMs = startMs;
      durationMs += endMs - startMs;
      if (durationMs >= NEWEST_MS) break;
    }
    return beganMs ?? [];
  });
  return starts.length === 0 ? null : Math.max(...starts);
}
