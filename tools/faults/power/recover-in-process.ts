/**
 * Owns a start of the archive without its threads: the same steps by the same functions as storage/archive.ts, some twenty
 * times as many in the same time. Every few worlds go through the archive itself, and some through a whole engine.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../../main/engine/core/clock.ts';
import { DATABASE_FILE, openForReading, type ReadableDb, requireSound } from '../../../main/engine/storage/database.ts';
import { IndexWriter } from '../../../main/engine/storage/index-writer.ts';
import { WAITING_FOLDER } from '../../../main/engine/storage/journal.ts';
import { garbageCheck, reconcileRoot } from '../../../main/engine/storage/reconcile.ts';
import { RootList, type RootPlace } from '../../../main/engine/storage/root-list.ts';
import { type LastRow, recoverRootTails } from '../../../main/engine/storage/tail-recovery.ts';
import { unlinkFiles } from '../../../main/engine/storage/unlink.ts';
import { makeFolder } from '../../../main/engine/storage/root.ts';
import type { Recovered, WorldFolder } from './recover-world.ts';

/** As `recoverWorld`. */
export async function recoverInProcess({ dataDir, mediaDir }: WorldFolder): Promise<Recovered> {
  await makeFolder(dataDir);
  const roots = await RootList.load(dataDir, systemClock);
  const rootReady = roots.forRecording() !== null;
  const writer = new IndexWriter(path.join(dataDir, DATABASE_FILE), path.join(dataDir, WAITING_FOLDER), systemClock.nowMs());
  const db = openForReading(path.join(dataDir, DATABASE_FILE));
  try {
    if (roots.list().length === 0) await roots.add(mediaDir);
    for (const root of roots.writable()) await recoverRoot(writer, db, root);
    return { rebuilt: readdirSync(dataDir).some((name) => name.includes('.corrupt-')), rootReady };
  } finally {
    db.close();
    writer.close();
  }
}

async function recoverRoot(writer: IndexWriter, db: ReadableDb, root: RootPlace): Promise<void> {
  writer.moveWaiting(root.path);
  const tails = await recoverRootTails(root, lastRowsOf(db), null, garbageCheck(db, root));
  writer.apply([{ segments: tails.segments }]);
  const floors = lastRowsOf(db);
  const garbage = db.prepare('SELECT path FROM garbage JOIN roots ON roots.id = garbage.root_id WHERE roots.root_id = ?').pluck().all(root.rootId) as string[];
  writer.dropGarbage(unlinkFiles(root.path, garbage).map((file) => ({ rootId: root.rootId, path: file })));
  requireSound(db, null);
  const allJournals = db.prepare('SELECT 1 FROM roots WHERE root_id = ? AND indexed_ms IS NOT NULL').get(root.rootId) === undefined;
  for await (const step of reconcileRoot(db, root, { allJournals, repair: true, floors })) {
    writer.apply([{ remove: step.remove, segments: step.insert, happenings: step.happenings }]);
  }
  writer.markIndexed(root.rootId, systemClock.nowMs());
}

function lastRowsOf(db: ReadableDb): readonly LastRow[] {
  return db
    .prepare(`SELECT camera_id AS cameraId, stream, session, sequence, name_ms AS nameMs FROM segments JOIN streams ON streams.id = stream_id
      WHERE (stream_id, session, sequence) IN (SELECT stream_id, session, max(sequence) FROM segments AS newest WHERE session = (SELECT max(session) FROM segments WHERE stream_id = newest.stream_id) GROUP BY stream_id)`)
    .all() as LastRow[];
}
