import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { Gap } from '../../../shared/model/gap.ts';
import type { WritableDb } from './database.ts';
import { happeningWriter } from './happenings.write.ts';
import type { Happening } from './journal.ts';
import { migrate } from './migrations/index.ts';

const gap = (startMs: number, endMs: number): Gap => ({ cameraId: 'cam-aaaaaaaaaaaa' as CameraId, stream: 'main', startMs, endMs, cause: 'disk-failing', detail: '' });
const lines: readonly Happening[] = [{ type: 'gap', gap: gap(1_000, 9_000) }, { type: 'gap', gap: gap(20_000, 30_000) }, { type: 'ungap', gap: gap(1_000, 9_000) }, { type: 'gap', gap: gap(1_000, 3_000) }];

it('a gap that was taken back is none, in whatever order a rebuild reads the lines, and however often', () => {
  for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [0, 2, 0, 3, 2, 1, 0]]) {
    const db = new Database(':memory:') as unknown as WritableDb;
    migrate(db);
    const write = happeningWriter(db);
    for (const at of order) {
      const line = lines[at];
      if (line !== undefined) write.insert(line);
    }
    expect(db.prepare('SELECT start_ms, end_ms FROM gaps ORDER BY start_ms').raw().all(), order.join()).toEqual([[1_000, 3_000], [20_000, 30_000]]);
    write.prune('cam-aaaaaaaaaaaa' as CameraId, 10_000);
    expect(db.prepare('SELECT count(*) FROM ungaps').pluck().get()).toBe(0);
    db.close();
  }
});
