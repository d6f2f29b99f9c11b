/** Finds segments by moment and by order, and sums them up. */
import { unpackKeyframes } from '../../../shared/media/keyframe-index.ts';
import type { StreamKind } from '../../../shared/model/camera.ts';
import type { Gap, GapCause } from '../../../shared/model/gap.ts';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { Segment } from '../../../shared/model/segment.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { StreamTail, StreamUsage } from '../ports/archive.ts';
import type { StreamKey } from '../ports/ingest.ts';
import type { ReadableDb } from './database.ts';
import { reachMs, SIZE_CLASSES } from './size-class.ts';
import type { IdLookup } from './stream-ids.ts';

export interface SegmentReader {
  at(key: StreamKey, atMs: EpochMs): Segment | null;
  after(key: StreamKey, previous: { readonly session: number; readonly sequence: number; readonly endMs: EpochMs }): Segment | null;
  firstFrom(key: StreamKey, atMs: EpochMs): Segment | null;
  /** The first from a moment on that lies on one of these disks: rows of others are passed over in order of time. */
  firstOn(key: StreamKey, atMs: EpochMs, rootIds: readonly RootId[]): Segment | null;
  gapAt(key: StreamKey, atMs: EpochMs): Gap | null;
  /** The last segment of each stream, in the stream's order; with `nowMs`, and where that ended before it, its end is that of the latest footage before `nowMs`. */
  tails(nowMs?: EpochMs): readonly StreamTail[];
  usage(): readonly StreamUsage[];
}

const COLUMNS = 'segments.id, segments.root_id, session, sequence, name_ms, start_ms, end_ms, size_bytes, init_bytes, video_frames, packed';
const FROM = 'FROM segments JOIN keyframes ON keyframes.segment_id = segments.id';

export const SEGMENT_SQL = {
  at: `SELECT ${COLUMNS} ${FROM} WHERE stream_id = ? AND start_ms <= ? AND start_ms >= ? - (SELECT longest_ms FROM streams WHERE id = ?)
    AND end_ms > ? ORDER BY session DESC, sequence DESC LIMIT 1`,
  nextInSession: `SELECT ${COLUMNS} ${FROM} WHERE stream_id = ? AND session = ? AND sequence > ? ORDER BY sequence LIMIT 1`,
  from: `SELECT ${COLUMNS} ${FROM} WHERE stream_id = ? AND start_ms >= ? ORDER BY start_ms, session, sequence LIMIT 1`,
  fromOn: `SELECT ${COLUMNS} ${FROM} WHERE stream_id = ? AND start_ms >= ? AND +segments.root_id IN (SELECT id FROM roots WHERE root_id IN (SELECT value FROM json_each(?)))
    ORDER BY start_ms, session, sequence LIMIT 1`,
  gapAt: `SELECT start_ms, end_ms, cause, detail FROM gaps WHERE stream_id = ? AND size_class = ? AND start_ms > ? AND start_ms <= ? AND end_ms > ?
    ORDER BY start_ms DESC LIMIT 1`,
  tail: 'SELECT session, sequence, end_ms FROM segments WHERE stream_id = ? ORDER BY session DESC, sequence DESC LIMIT 1',
  /** Of the last few by their beginning: sessions whose times overlap end in another order than they begin. */
  endBefore: `SELECT max(end_ms) AS end_ms FROM (SELECT end_ms FROM segments WHERE stream_id = :stream AND start_ms < :now ORDER BY start_ms DESC LIMIT 8) WHERE end_ms <= :now`,
  usage: `SELECT camera_id, stream, roots.root_id, size_bytes, duration_ms,
      (SELECT min(start_ms) FROM segments WHERE segments.stream_id = usage.stream_id AND segments.root_id = usage.root_id) AS oldest_ms
    FROM usage JOIN streams ON streams.id = usage.stream_id JOIN roots ON roots.id = usage.root_id ORDER BY camera_id, stream`,
} as const;

interface Row {
  readonly root_id: number;
  readonly session: number;
  readonly sequence: number;
  readonly name_ms: number;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly size_bytes: number;
  readonly init_bytes: number;
  readonly video_frames: number;
  readonly packed: Uint8Array;
}

export function segmentReader(db: ReadableDb, ids: IdLookup): SegmentReader {
  const sql = {
    at: db.prepare(SEGMENT_SQL.at),
    nextInSession: db.prepare(SEGMENT_SQL.nextInSession),
    from: db.prepare(SEGMENT_SQL.from),
    fromOn: db.prepare(SEGMENT_SQL.fromOn),
    gapAt: db.prepare(SEGMENT_SQL.gapAt),
    tail: db.prepare(SEGMENT_SQL.tail),
    endBefore: db.prepare(SEGMENT_SQL.endBefore),
    usage: db.prepare(SEGMENT_SQL.usage),
    streams: db.prepare('SELECT id, camera_id, stream FROM streams'),
  };
  const toSegment = (key: StreamKey, row: unknown): Segment | null => {
    if (row === undefined) return null;
    const found = row as Row;
    return {
      cameraId: key.cameraId,
      stream: key.stream,
      rootId: ids.rootIdOf(found.root_id),
      session: found.session,
      sequence: found.sequence,
      nameMs: found.name_ms,
      startMs: found.start_ms,
      endMs: found.end_ms,
      sizeBytes: found.size_bytes,
      initBytes: found.init_bytes,
      videoFrames: found.video_frames,
      keyframes: unpackKeyframes(found.packed),
    };
  };
  const firstFrom = (key: StreamKey, atMs: EpochMs): Segment | null => {
    const streamId = ids.stream(key.cameraId, key.stream);
    return streamId === null ? null : toSegment(key, sql.from.get(streamId, atMs));
  };
  return {
    at: (key, atMs) => {
      const streamId = ids.stream(key.cameraId, key.stream);
      return streamId === null ? null : toSegment(key, sql.at.get(streamId, atMs, atMs, streamId, atMs));
    },
    after: (key, previous) => {
      const streamId = ids.stream(key.cameraId, key.stream);
      if (streamId === null) return null;
      return toSegment(key, sql.nextInSession.get(streamId, previous.session, previous.sequence)) ?? firstFrom(key, previous.endMs);
    },
    firstFrom,
    firstOn: (key, atMs, rootIds) => {
      const streamId = ids.stream(key.cameraId, key.stream);
      return streamId === null ? null : toSegment(key, sql.fromOn.get(streamId, atMs, JSON.stringify(rootIds)));
    },
    gapAt: (key, atMs) => {
      const streamId = ids.stream(key.cameraId, key.stream);
      if (streamId === null) return null;
      for (const sizeClass of SIZE_CLASSES) {
        const row = sql.gapAt.get(streamId, sizeClass, atMs - (reachMs(sizeClass) ?? 9e15), atMs, atMs) as { start_ms: number; end_ms: number; cause: GapCause; detail: string } | undefined;
        if (row !== undefined) return { cameraId: key.cameraId, stream: key.stream, startMs: row.start_ms, endMs: row.end_ms, cause: row.cause, detail: row.detail };
      }
      return null;
    },
    tails: (nowMs) =>
      (sql.streams.all() as { id: number; camera_id: CameraId; stream: StreamKind }[]).flatMap((stream) => {
        const tail = sql.tail.get(stream.id) as { session: number; sequence: number; end_ms: number } | undefined;
        if (tail === undefined) return [];
        const before = nowMs === undefined || tail.end_ms >= nowMs ? null : (sql.endBefore.get({ stream: stream.id, now: nowMs }) as { end_ms: number | null }).end_ms;
        return [{ cameraId: stream.camera_id, stream: stream.stream, session: tail.session, sequence: tail.sequence, endMs: Math.max(tail.end_ms, before ?? tail.end_ms) }];
      }),
    usage: () =>
      (sql.usage.all() as { camera_id: CameraId; stream: StreamKind; root_id: RootId; size_bytes: number; duration_ms: number; oldest_ms: number }[]).map((row) => ({
        cameraId: row.camera_id,
        stream: row.stream,
        rootId: row.root_id,
        sizeBytes: row.size_bytes,
        durationMs: row.duration_ms,
        oldestMs: row.oldest_ms,
      })),
  };
}
