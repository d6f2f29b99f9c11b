/** Row ids of streams and roots: looked up once, then remembered by the connection that asked. */
import type { StreamKind } from '../../../shared/model/camera.ts';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { ReadableDb, WritableDb } from './database.ts';

export interface IdLookup {
  /** Row id of a stream, or null where the index knows none. */
  stream(cameraId: CameraId, stream: StreamKind): number | null;
  root(rootId: RootId): number | null;
  rootIdOf(id: number): RootId;
}

export interface IdRegistry {
  /** Row id of a stream; rowed where it is new. */
  stream(cameraId: CameraId, stream: StreamKind): number;
  root(rootId: RootId): number;
}

/** Lookups for a reader. Ids are never reused, so an answer stays right; an absent one is asked again. */
export function idLookup(db: ReadableDb): IdLookup {
  const streams = new Map<string, number>();
  const roots = new Map<string, number>();
  const rootIds = new Map<number, RootId>();
  const findStream = db.prepare('SELECT id FROM streams WHERE camera_id = ? AND stream = ?').pluck();
  const findRoot = db.prepare('SELECT id FROM roots WHERE root_id = ?').pluck();
  const findRootId = db.prepare('SELECT root_id FROM roots WHERE id = ?').pluck();
  const remember = (map: Map<string, number>, key: string, found: unknown): number | null => {
    if (typeof found !== 'number') return null;
    map.set(key, found);
    return found;
  };
  return {
    stream: (cameraId, stream) => streams.get(`${cameraId}/${stream}`) ?? remember(streams, `${cameraId}/${stream}`, findStream.get(cameraId, stream)),
    root: (rootId) => roots.get(rootId) ?? remember(roots, rootId, findRoot.get(rootId)),
    rootIdOf: (id) => {
      const rootId = rootIds.get(id) ?? (String(findRootId.get(id)) as RootId);
      rootIds.set(id, rootId);
      return rootId;
    },
  };
}

/** Lookups for the writer, which adds what is new within its open transaction. Nothing is remembered: a rolled-back id must not be. */
export function idRegistry(db: WritableDb): IdRegistry {
  const addStream = db.prepare('INSERT INTO streams (camera_id, stream) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const findStream = db.prepare('SELECT id FROM streams WHERE camera_id = ? AND stream = ?').pluck();
  const addRoot = db.prepare('INSERT INTO roots (root_id) VALUES (?) ON CONFLICT DO NOTHING');
  const findRoot = db.prepare('SELECT id FROM roots WHERE root_id = ?').pluck();
  return {
    stream: (cameraId, stream) => {
      const found = findStream.get(cameraId, stream);
      if (typeof found === 'number') return found;
      return Number(addStream.run(cameraId, stream).lastInsertRowid);
    },
    root: (rootId) => {
      const found = findRoot.get(rootId);
      if (typeof found === 'number') return found;
      return Number(addRoot.run(rootId).lastInsertRowid);
    },
  };
}
