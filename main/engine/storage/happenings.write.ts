/** Adds and removes gaps, events and locks, within the caller's transaction. */
import type { Gap } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { FootageLock } from '../../../shared/model/locks.ts';
import type { CameraEvent } from '../../../shared/model/timeline.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { WritableDb } from './database.ts';
import type { Happening, Unlock } from './journal.ts';
import { sizeClassOf } from './size-class.ts';
import type { SegmentRef } from './segment-ref.ts';
import { idRegistry } from './stream-ids.ts';

export interface HappeningWriter {
  /** False where the very same gap is there already (a journal line read twice). */
  insertGap(gap: Gap): boolean;
  /** Takes a gap back, now and whenever its line is read. */
  insertUngap(gap: Gap): boolean;
  insertEvent(event: CameraEvent): boolean;
  insertLock(lock: FootageLock): boolean;
  /** Kept beside the lock, and for one that is not known yet: a rebuild reads the lines of several disks in any order. */
  insertUnlock(unlock: Unlock): boolean;
  insert(happening: Happening): boolean;
  /** Whether a lock touches a segment. */
  isLocked(ref: SegmentRef): boolean;
  /** Forgets what began before a moment, by the day of its line: footage and journal of that time are gone. */
  prune(cameraId: CameraId, beforeMs: EpochMs): void;
}

export function happeningWriter(db: WritableDb): HappeningWriter {
  const ids = idRegistry(db);
  const insertGap = db.prepare(`INSERT INTO gaps (stream_id, start_ms, end_ms, size_class, cause, detail)
    SELECT :stream, :start, :end, :size, :cause, :detail WHERE NOT EXISTS (SELECT 1 FROM ungaps WHERE stream_id = :stream AND start_ms = :start AND end_ms = :end AND cause = :cause) ON CONFLICT DO NOTHING`);
  const insertUngap = db.prepare('INSERT INTO ungaps (stream_id, start_ms, end_ms, cause, detail) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
  const removeGap = db.prepare('DELETE FROM gaps WHERE stream_id = ? AND start_ms = ? AND end_ms = ? AND cause = ?');
  const pruneUngaps = db.prepare('DELETE FROM ungaps WHERE start_ms < ? AND stream_id IN (SELECT id FROM streams WHERE camera_id = ?)');
  const insertEvent = db.prepare('INSERT INTO events (id, camera_id, start_ms, end_ms, size_class, kind, label) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
  const pruneGaps = db.prepare('DELETE FROM gaps WHERE start_ms < ? AND stream_id IN (SELECT id FROM streams WHERE camera_id = ?)');
  const pruneEvents = db.prepare('DELETE FROM events WHERE start_ms < ? AND camera_id = ?');
  const insertLock = db.prepare('INSERT INTO locks (id, camera_id, start_ms, end_ms, note, created_ms) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
  const insertUnlock = db.prepare('INSERT INTO unlocks (id, camera_id, at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const pruneLocks = db.prepare('DELETE FROM locks WHERE max(start_ms, created_ms) < ? AND camera_id = ?');
  const pruneUnlocks = db.prepare('DELETE FROM unlocks WHERE at_ms < ? AND camera_id = ?');
  const locked = db.prepare(`SELECT 1 FROM segments JOIN streams ON streams.id = stream_id
    JOIN locks ON locks.camera_id = streams.camera_id AND locks.start_ms < segments.end_ms AND locks.end_ms > segments.start_ms
    WHERE streams.camera_id = ? AND stream = ? AND session = ? AND sequence = ? AND locks.id NOT IN (SELECT id FROM unlocks)`);
  const writer: Omit<HappeningWriter, 'insert'> = {
    insertGap: (gap) => insertGap.run({ stream: ids.stream(gap.cameraId, gap.stream), start: gap.startMs, end: gap.endMs, size: sizeClassOf(gap), cause: gap.cause, detail: gap.detail }).changes > 0,
    insertUngap: (gap) => {
      const streamId = ids.stream(gap.cameraId, gap.stream);
      removeGap.run(streamId, gap.startMs, gap.endMs, gap.cause);
      return insertUngap.run(streamId, gap.startMs, gap.endMs, gap.cause, gap.detail).changes > 0;
    },
    insertEvent: (event) => insertEvent.run(event.id, event.cameraId, event.startMs, event.endMs, sizeClassOf(event), event.kind, event.label).changes > 0,
    insertLock: (lock) => insertLock.run(lock.id, lock.cameraId, lock.startMs, lock.endMs, lock.note, lock.createdMs).changes > 0,
    insertUnlock: (unlock) => insertUnlock.run(unlock.id, unlock.cameraId, unlock.startMs).changes > 0,
    isLocked: ({ cameraId, stream, session, sequence }) => locked.get(cameraId, stream, session, sequence) !== undefined,
    prune: (cameraId, beforeMs) => {
      for (const sql of [pruneGaps, pruneUngaps, pruneEvents, pruneLocks, pruneUnlocks]) sql.run(beforeMs, cameraId);
    },
  };
  return { ...writer, insert: (happening) => insertHappening(writer, happening) };
}

function insertHappening(writer: Omit<HappeningWriter, 'insert'>, happening: Happening): boolean {
  switch (happening.type) {
    case 'gap':
      return writer.insertGap(happening.gap);
    case 'ungap':
      return writer.insertUngap(happening.gap);
    case 'event':
      return writer.insertEvent(happening.event);
    case 'lock':
      return writer.insertLock(happening.lock);
    case 'unlock':
      return writer.insertUnlock(happening.unlock);
  }
}
