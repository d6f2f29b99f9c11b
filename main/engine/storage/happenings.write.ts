/** Adds and removes gaps and events, within the caller's transaction. */
import type { Gap } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { CameraEvent } from '../../../shared/model/timeline.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { WritableDb } from './database.ts';
import { sizeClassOf } from './size-class.ts';
import { idRegistry } from './stream-ids.ts';

export interface HappeningWriter {
  /** False where the very same gap is there already (a journal line read twice). */
  insertGap(gap: Gap): boolean;
  insertEvent(event: CameraEvent): boolean;
  /** Forgets what began before a moment: footage and journal of that time are gone. */
  prune(cameraId: CameraId, beforeMs: EpochMs): void;
}

export function happeningWriter(db: WritableDb): HappeningWriter {
  const ids = idRegistry(db);
  const insertGap = db.prepare('INSERT INTO gaps (stream_id, start_ms, end_ms, size_class, cause, detail) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
  const insertEvent = db.prepare('INSERT INTO events (id, camera_id, start_ms, end_ms, size_class, kind, label) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
  const pruneGaps = db.prepare('DELETE FROM gaps WHERE start_ms < ? AND stream_id IN (SELECT id FROM streams WHERE camera_id = ?)');
  const pruneEvents = db.prepare('DELETE FROM events WHERE start_ms < ? AND camera_id = ?');
  return {
    insertGap: (gap) => insertGap.run(ids.stream(gap.cameraId, gap.stream), gap.startMs, gap.endMs, sizeClassOf(gap), gap.cause, gap.detail).changes > 0,
    insertEvent: (event) => insertEvent.run(event.id, event.cameraId, event.startMs, event.endMs, sizeClassOf(event), event.kind, event.label).changes > 0,
    prune: (cameraId, beforeMs) => {
      pruneGaps.run(beforeMs, cameraId);
      pruneEvents.run(beforeMs, cameraId);
    },
  };
}
