/** What holds footage, as the index knows it: locks in force, and events that are not too old; and all footage summed up by it. */
import type { StreamKind } from '../../../shared/model/camera.ts';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { type DurationMs, type EpochMs, HOUR_MS, type TimeRange } from '../../../shared/time.ts';
import type { ReadableDb } from './database.ts';
import { type Held, heldCheck, type HeldRange, KEPT_EVENT_KINDS } from './held-ranges.ts';
import { locksInForce } from './locks.read.ts';
import { reachMs, SIZE_CLASSES } from './size-class.ts';

export interface HoldQuery {
  /** Events that ended later hold the footage around them; null where none does. */
  readonly events?: { readonly sinceMs: EpochMs; readonly marginMs: DurationMs } | null;
}

const HOLDS_SQL = {
  cameras: 'SELECT DISTINCT camera_id FROM streams',
  events: `SELECT start_ms, end_ms FROM events WHERE camera_id = ? AND size_class = ? AND start_ms > ? AND end_ms > ? AND kind IN (${KEPT_EVENT_KINDS.map((kind) => `'${kind}'`).join(', ')})`,
  rows: 'SELECT id, stream_id, root_id, start_ms, end_ms, size_bytes FROM segments WHERE id > ? ORDER BY id LIMIT ?',
} as const;

/** What holds a segment, at this moment. */
export function holdOf(db: ReadableDb, { events }: HoldQuery): (segment: HeldRange) => Held {
  return heldCheck(locksInForce(db), events === null || events === undefined ? [] : eventRanges(db, events.sinceMs, events.marginMs));
}

function eventRanges(db: ReadableDb, sinceMs: EpochMs, marginMs: DurationMs): readonly HeldRange[] {
  const find = db.prepare(HOLDS_SQL.events).raw();
  const cameras = db.prepare(HOLDS_SQL.cameras).pluck().all() as CameraId[];
  return cameras.flatMap((cameraId) =>
    SIZE_CLASSES.flatMap((sizeClass) => {
      const reach = reachMs(sizeClass);
      const found = find.all(cameraId, sizeClass, reach === null ? Number.MIN_SAFE_INTEGER : sinceMs - reach, sinceMs) as [number, number][];
      return found.map(([startMs, endMs]) => ({ cameraId, startMs: startMs - marginMs, endMs: endMs + marginMs }));
    }),
  );
}

/** Footage of a stream on a disk that began in one stretch of time (an hour, or its segment's own) and is held alike. */
export interface FootageBlock extends TimeRange {
  readonly rootId: RootId;
  readonly cameraId: CameraId;
  readonly stream: StreamKind;
  readonly held: Held;
  readonly sizeBytes: number;
}

export interface BlockQuery extends HoldQuery {
  /** Of a large archive: blocks of an hour. Else each segment is one. */
  readonly byHour: boolean;
}

export interface FootageBlocks {
  readonly blocks: readonly FootageBlock[];
  /** Where the next part begins; null when this was the last. */
  readonly after: number | null;
}

/** Rows of one part: some tens of milliseconds, between which the thread does other things. */
const PART_ROWS = 20_000;

/** All footage in blocks, part by part: an hour may be in several of them. `held`: as `holdOf` said when the first part was asked for. */
export function footageBlocks(db: ReadableDb, { byHour }: Pick<BlockQuery, 'byHour'>, held: (segment: HeldRange) => Held, after: number): FootageBlocks {
  const streams = new Map((db.prepare('SELECT id, camera_id, stream FROM streams').raw().all() as [number, CameraId, StreamKind][]).map(([id, cameraId, stream]) => [id, { cameraId, stream }]));
  const roots = new Map(db.prepare('SELECT id, root_id FROM roots').raw().all() as [number, RootId][]);
  const blocks = new Map<string | number, { -readonly [Name in keyof FootageBlock]: FootageBlock[Name] }>();
  let last = after;
  let rows = 0;
  for (const [id, streamId, rootKey, startMs, endMs, sizeBytes] of db.prepare(HOLDS_SQL.rows).raw().iterate(after, PART_ROWS) as IterableIterator<[number, number, number, number, number, number]>) {
    last = id;
    rows += 1;
    const key = streams.get(streamId);
    const rootId = roots.get(rootKey);
    if (key === undefined || rootId === undefined) continue;
    const holds = held({ cameraId: key.cameraId, startMs, endMs });
    const name = byHour ? `${streamId} ${rootKey} ${Math.floor(startMs / HOUR_MS)} ${holds}` : id;
    const block = blocks.get(name);
    if (block === undefined) {
      blocks.set(name, { ...key, rootId, held: holds, startMs, endMs, sizeBytes });
    } else {
      block.startMs = Math.min(block.startMs, startMs);
      block.endMs = Math.max(block.endMs, endMs);
      block.sizeBytes += sizeBytes;
    }
  }
  return { blocks: [...blocks.values()], after: rows < PART_ROWS ? null : last };
}
