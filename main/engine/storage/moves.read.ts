/** What moving must know: the oldest footage of a disk, how much is older than a moment, and where footage on disks that are not here lies in time. */
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { StreamKind } from '../../../shared/model/camera.ts';
import type { EpochMs, TimeRange } from '../../../shared/time.ts';
import type { ReadableDb } from './database.ts';
import type { SegmentRef } from './segment-ref.ts';

export interface MovableSegment extends SegmentRef {
  readonly nameMs: EpochMs;
  readonly endMs: EpochMs;
  readonly sizeBytes: number;
}

/** Unbroken runs of one stream's footage on one disk. */
export interface AbsentRuns {
  readonly cameraId: CameraId;
  readonly stream: StreamKind;
  readonly runs: readonly TimeRange[];
}

export const MOVES_SQL = {
  oldest: `SELECT camera_id AS cameraId, stream, session, sequence, name_ms AS nameMs, end_ms AS endMs, size_bytes AS sizeBytes FROM segments
    JOIN streams ON streams.id = stream_id WHERE root_id = (SELECT id FROM roots WHERE root_id = ?) ORDER BY start_ms LIMIT ?`,
  olderBytes: 'SELECT coalesce(sum(size_bytes), 0) FROM segments WHERE root_id = (SELECT id FROM roots WHERE root_id = ?) AND start_ms < ?',
  onRoots: 'SELECT roots.root_id AS rootId, sum(size_bytes) AS bytes FROM usage JOIN roots ON roots.id = usage.root_id GROUP BY roots.root_id HAVING bytes > 0',
  rows: 'SELECT stream_id, start_ms, end_ms FROM segments WHERE root_id = (SELECT id FROM roots WHERE root_id = ?) ORDER BY start_ms',
} as const;

/** Locked footage too: moving keeps it. */
export function oldestOn(db: ReadableDb, rootId: RootId, limit: number): readonly MovableSegment[] {
  return db.prepare(MOVES_SQL.oldest).all(rootId, limit) as MovableSegment[];
}

/** Bytes of footage on a disk that began before a moment. */
export function bytesBefore(db: ReadableDb, rootId: RootId, beforeMs: EpochMs): number {
  return Number(db.prepare(MOVES_SQL.olderBytes).pluck().get(rootId, beforeMs));
}

/** Disks that have footage in the index, whether in use or not. */
export function rootsWithFootage(db: ReadableDb): readonly { readonly rootId: RootId; readonly bytes: number }[] {
  return db.prepare(MOVES_SQL.onRoots).all() as { rootId: RootId; bytes: number }[];
}

/** Segments that touch within this are one run, as in the spans (spans.write.ts). */
const TOUCHING_MS = 500;

/** Where the footage of these disks lies. A row takes about a microsecond; asked once when a disk goes or a new index was built, since nothing changes on a disk that is not here. */
export function runsOnRoots(db: ReadableDb, rootIds: readonly RootId[]): readonly AbsentRuns[] {
  const streams = db.prepare('SELECT id, camera_id AS cameraId, stream FROM streams').all() as { id: number; cameraId: CameraId; stream: StreamKind }[];
  const runs = new Map<number, { startMs: EpochMs; endMs: EpochMs }[]>();
  const rows = db.prepare(MOVES_SQL.rows).raw();
  for (const rootId of rootIds) {
    for (const [streamId, startMs, endMs] of rows.iterate(rootId) as IterableIterator<[number, EpochMs, EpochMs]>) {
      const mine = runs.get(streamId) ?? [];
      const last = mine.at(-1);
      if (last !== undefined && startMs >= last.startMs && startMs - last.endMs <= TOUCHING_MS) last.endMs = Math.max(last.endMs, endMs);
      else mine.push({ startMs, endMs });
      runs.set(streamId, mine);
    }
  }
  return streams.flatMap(({ id, cameraId, stream }) => {
    const mine = runs.get(id);
    return mine === undefined ? [] : [{ cameraId, stream, runs: mine.sort((a, b) => a.startMs - b.startMs) }];
  });
}
