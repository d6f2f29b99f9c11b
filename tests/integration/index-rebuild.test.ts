/** A damaged index met by the one thread that writes, and the order in which footage comes back. */
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { type Archive, openArchive } from '../../main/engine/storage/archive.ts';
import { reconcileRoot, type ReconcileStep } from '../../main/engine/storage/reconcile.ts';
import { createRoot } from '../../main/engine/storage/root.ts';
import { CLIP_MS, writeClosed } from '../../main/engine/storage/testing/footage.ts';
import { memoryIndex } from '../../main/engine/storage/testing/memory-index.ts';
import type { Gap } from '../../shared/model/gap.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import { DAY_MS } from '../../shared/time.ts';

const A = 'cam-aaaaaaaaaaaa' as CameraId;
const B = 'cam-bbbbbbbbbbbb' as CameraId;
const START_MS = Date.UTC(2026, 10, 20, 8);
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'porchlight-rebuild-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const gap = (at: number): Gap => ({ cameraId: A, stream: 'main', startMs: START_MS + at * 10_000 + 4_000, endMs: START_MS + at * 10_000 + 9_000, cause: 'camera-unreachable', detail: `gap ${at}` });
const gapsOf = async (archive: Archive): Promise<string[]> => ((await archive.read.timeline({ cameraIds: [A], startMs: START_MS - 1, endMs: START_MS + 4_100_000, maxItems: 8_192 }))[0]?.gaps ?? []).map((one) => one.detail).sort();

test('the writer that meets damage sets the index aside, writes what it was given into the new one, and everything is rebuilt', async () => {
  const dataDir = path.join(folder, 'data');
  let archive = await openArchive({ dataDir, clock: systemClock, logger: silentLogger });
  const root = await archive.roots.add(path.join(folder, 'media'));
  for (let sequence = 0; sequence < 3; sequence += 1) await archive.write.insertSegment(await writeClosed(root, { cameraId: A, stream: 'main', session: 1, sequence, startMs: START_MS + sequence * 10_000 }));
  // Enough for pages of their own.
  for (let at = 0; at < 400; at += 1) await archive.write.insertGap(gap(at));
  await archive.reconcile();
  await archive.close();
  const file = path.join(dataDir, 'porchlight.db');
  const database = new Database(file);
  const pages = database.prepare("SELECT pageno FROM dbstat WHERE name = 'gaps' OR name IN (SELECT name FROM sqlite_schema WHERE tbl_name = 'gaps' AND type = 'index')").pluck().all() as number[];
  const pageBytes = Number(database.pragma('page_size', { simple: true }));
  database.close();
  expect(pages.length).toBeGreaterThan(4);
  const handle = await open(file, 'r+');
  for (const page of pages) await handle.write(randomBytes(pageBytes), 0, pageBytes, (page - 1) * pageBytes);
  await handle.close();

  archive = await openArchive({ dataDir, clock: systemClock, logger: silentLogger });
  try {
    const asides = async (): Promise<number> => (await readdir(dataDir)).filter((name) => /^porchlight\.db\.corrupt-[\dTZ.]+$/.test(name)).length;
    // What is looked at before recording is whole.
    expect([archive.rebuilding, await asides()]).toEqual([false, 0]);
    await archive.recoverTails();
    // Six that arrive together share a commit.
    await Promise.all([400, 401, 402, 403, 404, 405].map((at) => archive.write.insertGap(gap(at))));
    expect([archive.rebuilding, await asides()]).toEqual([true, 1]);
    expect(await gapsOf(archive)).toEqual(expect.arrayContaining(['gap 400', 'gap 405']));
    expect((await archive.reconcile()).finished).toBe(true);
    expect(archive.rebuilding).toBe(false);
    expect(await gapsOf(archive)).toEqual(Array.from({ length: 406 }, (_, at) => `gap ${at}`).sort());
    expect((await archive.check({ engine: 'stopped', thorough: false })).findings).toEqual([]);
  } finally {
    await archive.close();
  }
}, 60_000);

test('footage comes back from the newest day on, of all cameras together', async () => {
  const root = await createRoot(path.join(folder, 'media'), START_MS);
  for (const cameraId of [A, B]) {
    for (let sequence = 0; sequence < 600; sequence += 1) {
      // Three hundred files on each of two days.
      const startMs = START_MS + Math.floor(sequence / 300) * DAY_MS + (sequence % 300) * CLIP_MS * 30;
      await writeClosed(root, { cameraId, stream: 'main', session: 1, sequence, startMs });
    }
  }
  const db = memoryIndex();
  const steps: ReconcileStep[] = [];
  for await (const step of reconcileRoot(db, root, { allJournals: true, repair: true, floors: [] })) steps.push(step);
  db.close();
  const walked = steps.flatMap((step) => (step.insert.length === 0 ? [] : [{ cameraId: step.insert[0]?.cameraId, oldestMs: Math.min(...step.insert.map((one) => one.startMs)), reachedMs: step.reachedMs ?? Number.NaN }]));
  expect(steps.reduce((sum, step) => sum + step.insert.length, 0)).toBe(1_200);
  // Nobody's older day before everybody's newest.
  const lastOfNewest = walked.findLastIndex(({ oldestMs }) => oldestMs >= START_MS + DAY_MS);
  const firstWholeOld = walked.findIndex(({ reachedMs }) => reachedMs < START_MS + DAY_MS);
  expect(new Set(walked.slice(0, lastOfNewest + 1).map(({ cameraId }) => cameraId))).toEqual(new Set([A, B]));
  expect(lastOfNewest).toBeLessThan(firstWholeOld);
  // How far back all of it is only goes back.
  expect(walked.map(({ reachedMs }) => reachedMs)).toEqual(walked.map(({ reachedMs }) => reachedMs).toSorted((a, b) => b - a));
}, 60_000);
