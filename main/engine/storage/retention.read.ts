/** What retention must know: what each disk and the last hour hold, how old cameras' footage is, and the oldest segments by what holds them. */
import type { StreamKind } from '../../../shared/model/camera.ts';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { DAY_MS, type EpochMs, HOUR_MS } from '../../../shared/time.ts';
import type { ReadableDb } from './database.ts';
import type { Held } from './held-ranges.ts';
import { type HoldQuery, holdOf } from './holds.read.ts';
import type { SegmentRef } from './segment-ref.ts';

export interface OldSegment extends SegmentRef {
  readonly rootId: RootId;
  readonly startMs: EpochMs;
  readonly endMs: EpochMs;
  readonly sizeBytes: number;
}

export interface HeldSegment extends OldSegment {
  readonly held: Held;
}

export interface RetentionFacts {
  /** How many segments there are. */
  readonly segments: number;
  readonly usedBytes: readonly { readonly rootId: RootId; readonly bytes: number }[];
  /** Footage of the last hour, for the rate at which a disk fills. */
  readonly lastHour: readonly { readonly rootId: RootId; readonly bytes: number }[];
  /** Where each camera's footage begins on a disk. */
  readonly oldest: readonly { readonly rootId: RootId; readonly cameraId: CameraId; readonly startMs: EpochMs }[];
}

export interface OldestQuery extends HoldQuery {
  /** Segments of each kind (not held, held for an event, too young) at most, per disk. */
  readonly limitPerRoot: number;
  /** Footage that ended later is too young to go while there is other. */
  readonly youngMs?: Readonly<Record<CameraId, EpochMs>>;
  /** Nothing that begins later is looked at: only an age limit is to be kept. */
  readonly startedByMs?: EpochMs | null;
}

export interface OldestSegments {
  /** What may go: oldest first per disk and kind. Nothing that is locked is among them. */
  readonly segments: readonly HeldSegment[];
  /** Disks of which everything that may go is here. */
  readonly complete: readonly RootId[];
}

/** A day of footage, however long it took to record. */
const NEWEST_MS = DAY_MS;

const RETENTION_SQL = {
  oldest: `SELECT camera_id, stream, session, sequence, start_ms, end_ms, size_bytes FROM segments JOIN streams ON streams.id = stream_id
    WHERE root_id = ? AND start_ms <= ? ORDER BY start_ms`,
  used: 'SELECT roots.root_id, sum(size_bytes) FROM usage JOIN roots ON roots.id = usage.root_id GROUP BY roots.root_id',
  count: 'SELECT coalesce(sum(segments), 0) FROM usage',
  begins: `SELECT roots.root_id AS rootId, camera_id AS cameraId, min((SELECT start_ms FROM segments WHERE segments.stream_id = usage.stream_id AND segments.root_id = usage.root_id ORDER BY start_ms LIMIT 1)) AS startMs
    FROM usage JOIN streams ON streams.id = usage.stream_id JOIN roots ON roots.id = usage.root_id GROUP BY usage.root_id, camera_id HAVING startMs IS NOT NULL`,
  newest: 'SELECT start_ms, end_ms FROM segments WHERE stream_id = ? ORDER BY start_ms DESC',
  recent: 'SELECT coalesce(sum(size_bytes), 0) FROM segments WHERE root_id = ? AND start_ms >= (SELECT max(start_ms) FROM segments WHERE root_id = ?) - 3600000',
  streamsOf: 'SELECT id, longest_ms FROM streams WHERE camera_id = ?',
  anyBetween: 'SELECT 1 FROM segments WHERE stream_id = ? AND start_ms >= ? AND start_ms < ? AND end_ms > ? LIMIT 1',
} as const;

export function retentionFacts(db: ReadableDb): RetentionFacts {
  const roots = db.prepare('SELECT id, root_id FROM roots').raw().all() as [number, RootId][];
  const recent = db.prepare(RETENTION_SQL.recent).pluck();
  return {
    segments: Number(db.prepare(RETENTION_SQL.count).pluck().get()),
    usedBytes: (db.prepare(RETENTION_SQL.used).raw().all() as [RootId, number][]).map(([rootId, bytes]) => ({ rootId, bytes })),
    lastHour: roots.map(([id, rootId]) => ({ rootId, bytes: Number(recent.get(id, id)) })),
    oldest: db.prepare(RETENTION_SQL.begins).all() as { rootId: RootId; cameraId: CameraId; startMs: EpochMs }[],
  };
}

/**
 * The oldest footage of each disk that may go. Rows are read in order of age until there are enough that nothing holds: where all is held,
 * a microsecond or two per row of the disk.
 */
export function oldestSegments(db: ReadableDb, query: OldestQuery): OldestSegments {
  const held = holdOf(db, query);
  const oldest = db.prepare(RETENTION_SQL.oldest).raw();
  const cameras = db.prepare('SELECT DISTINCT camera_id FROM streams').pluck().all() as CameraId[];
  // From here on everything is too young, of all cameras.
  const allYoungMs = Math.max(Number.NEGATIVE_INFINITY, ...cameras.map((cameraId) => query.youngMs?.[cameraId] ?? Number.POSITIVE_INFINITY));
  const segments: HeldSegment[] = [];
  const complete: RootId[] = [];
  for (const [id, rootId] of db.prepare('SELECT id, root_id FROM roots').raw().all() as [number, RootId][]) {
    const kinds = { free: 0, event: 0, young: 0 };
    let enough = false;
    for (const [cameraId, stream, session, sequence, startMs, endMs, sizeBytes] of oldest.iterate(id, query.startedByMs ?? Number.MAX_SAFE_INTEGER) as IterableIterator<[CameraId, StreamKind, number, number, number, number, number]>) {
      if (startMs >= allYoungMs && kinds.young >= query.limitPerRoot) break;
      const holds = held({ cameraId, startMs, endMs });
      if (holds === 'locked') continue;
      const kind = endMs > (query.youngMs?.[cameraId] ?? Number.POSITIVE_INFINITY) ? 'young' : (holds ?? 'free');
      if (kinds[kind] >= query.limitPerRoot) continue;
      kinds[kind] += 1;
      segments.push({ cameraId, stream, session, sequence, startMs, endMs, sizeBytes, rootId, held: holds });
      enough = kinds.free >= query.limitPerRoot;
      if (enough) break;
    }
    if (!enough && Math.max(kinds.event, kinds.young) < query.limitPerRoot) complete.push(rootId);
  }
  return { segments, complete };
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
