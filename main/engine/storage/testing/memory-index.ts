/** For tests: an index in memory, and segments that need no file. */
import Database from 'better-sqlite3';
import { packKeyframes } from '../../../../shared/media/keyframe-index.ts';
import type { CameraId, RootId } from '../../../../shared/model/ids.ts';
import type { ReadableDb, WritableDb } from '../database.ts';
import { migrate } from '../migrations/index.ts';
import type { PackedSegment } from '../segments.write.ts';

export const CAMERA = 'cam-aaaaaaaaaaaa' as CameraId;
export const ROOT = 'disk-aaaaaaaaaaaa' as RootId;
export const DAY_START_MS = Date.UTC(2026, 10, 21);

/** A migrated database in memory; close it. */
export function memoryIndex(): WritableDb {
  const db = new Database(':memory:') as unknown as WritableDb;
  db.pragma('foreign_keys = ON');
  migrate(db);
  return db;
}

/** A segment of a minute with a keyframe each second, unless told otherwise. */
export function fakeSegment(over: Partial<PackedSegment> = {}): PackedSegment {
  const startMs = over.startMs ?? DAY_START_MS;
  const keyframes = Array.from({ length: 60 }, (_, at) => ({ offsetBytes: 1_000 + at * 500_000, sizeBytes: 60_000, mediaMs: at * 1_000 }));
  return {
    cameraId: CAMERA,
    stream: 'main',
    rootId: ROOT,
    session: 1,
    sequence: 0,
    nameMs: Math.floor(startMs),
    startMs,
    endMs: startMs + 60_000,
    sizeBytes: 30_000_000,
    initBytes: 900,
    videoFrames: 1_800,
    packed: packKeyframes(keyframes),
    ...over,
  };
}

/** The lines of a query's plan. */
export function planOf(db: ReadableDb, sql: string, ...values: readonly (string | number)[]): string {
  return (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[]).map((row) => row.detail).join('\n');
}
