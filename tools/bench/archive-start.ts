/** A start of the product beside a large archive: a camera that records, and when it does so again. */
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../main/engine/core/clock.ts';
import { DATABASE_FILE, openForReading } from '../../main/engine/storage/database.ts';
import { RootList } from '../../main/engine/storage/root-list.ts';
import { forceUnwrap } from '../../shared/result.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import { utcDay, utcHour } from '../../shared/time.ts';
import { startSimulatorProcess } from '../../tests/support/simulator-process.ts';
import { waitFor } from '../../tests/support/wait.ts';
import { buildIfStale } from '../start/build.ts';
import { benchCameraId, GeneratedArchive, listPausedCameras, planArchive } from './archive-generator.ts';
import { keptPath, makeKept } from './minute-of-footage.ts';
import { listCamera, type Product, ROOT, sleep, startProduct, waitForRecording, Workplace } from './workplace.ts';

export const ARCHIVE_SEGMENTS = 700_000;
const CAMERAS = 16;
/** On disk, of a file whose footage is a hole. */
const SPARSE_BYTES = 10_000;
const KEEP_FREE_BYTES = 5_000_000_000;
const ENDS_AGO_MS = 5 * 60_000;
/** Raised when the content changes. */
const VERSION = 1;

export interface BigHome {
  readonly dataDir: string;
  readonly mediaDir: string;
  readonly cameraId: CameraId;
  readonly segments: number;
  readonly index: string;
  /** Seconds it took to make. */
  readonly madeSeconds: number;
  /** From the start to the first recorded byte, and to the end of the check, with an empty archive. */
  readonly empty: { readonly recordingMs: number; readonly checkedMs: number };
}

/**
 * A home with one simulated camera that records beside `segments` files of sixteen others; nothing but that camera runs when it
 * resolves. The files are made when there are none (minutes) and kept for the next run only with `keep`.
 */
export async function makeBigHome(place: Workplace, segments: number, keep: boolean): Promise<BigHome> {
  const kept = keptPath(`archive-${segments}-v${VERSION}`);
  const beganMs = performance.now();
  if (!existsSync(kept)) {
    await requireRoom(segments);
    await makeKept(kept, (making) => makeFiles(making, segments));
  }
  if (!keep) place.keep({ stop: () => rm(kept, { recursive: true, force: true }) });
  const madeSeconds = (performance.now() - beganMs) / 1000;
  const simulator = place.keep(await startSimulatorProcess(['--source', 'bench', '--cameras', '1', '--audio', 'aac', '--discovery-port', '0'], 300_000));
  const emptyHome = { dataDir: place.path('empty', 'data'), mediaDir: place.path('empty', 'media'), index: place.path('empty', 'data', DATABASE_FILE) };
  await mkdir(place.path('empty'), { recursive: true });
  const first = await startProduct({ ...emptyHome, place, cameras: simulator.cameras.map((camera) => listCamera(camera)) });
  const [entry] = await waitForRecording(first, 1);
  const cameraId = forceUnwrap('one camera was added', entry).camera.id;
  await sleep(2_000);
  await first.stop();
  const again = await startUntilRecording(place, emptyHome, cameraId);
  const empty = { recordingMs: again.recordingMs, checkedMs: await again.checkedMs };
  await again.product.stop();
  // The same home, but with the other disk and its index.
  const dataDir = place.path('home', 'data');
  await cp(emptyHome.dataDir, dataDir, { recursive: true });
  for (const its of ['config/disks.json', DATABASE_FILE, `${DATABASE_FILE}-wal`, `${DATABASE_FILE}-shm`]) await rm(path.join(dataDir, its), { force: true });
  const mediaDir = path.join(kept, 'media');
  await (await RootList.load(dataDir, systemClock)).add(mediaDir);
  const index = path.join(dataDir, DATABASE_FILE);
  await cp(path.join(kept, 'data', DATABASE_FILE), index);
  await listPausedCameras(dataDir, Array.from({ length: CAMERAS }, (_, at) => benchCameraId(at)));
  place.keep({ stop: () => rm(path.join(mediaDir, cameraId), { recursive: true, force: true }) });
  return { dataDir, mediaDir, cameraId, segments, index, madeSeconds, empty };
}

async function requireRoom(segments: number): Promise<void> {
  const folder = tmpdir();
  const { bavail, bsize, ffree } = await statfs(folder);
  if (bavail * bsize < segments * SPARSE_BYTES + KEEP_FREE_BYTES || ffree < segments * 1.2) throw new Error(`There is no room for ${segments} files in ${folder}; choose fewer with --segments, or another disk with TMPDIR.`);
}

async function makeFiles(folder: string, segments: number): Promise<void> {
  const plan = planArchive(CAMERAS, segments, Math.floor((Date.now() - ENDS_AGO_MS) / 1000) * 1000);
  const archive = await GeneratedArchive.open({ dataDir: path.join(folder, 'data'), mediaDir: path.join(folder, 'media') });
  await archive.writeSparseFiles(plan.segments);
  for (const one of plan.segments) archive.addRow(one, archive.rootId);
  archive.addHappenings(plan.happenings);
  archive.close([archive.rootId]);
}

export interface StartedHome {
  readonly product: Product;
  /** From the start of `npm start` to the first byte of a new segment file. */
  readonly recordingMs: number;
  /** From the start of `npm start` until every file had been compared with the index. */
  readonly checkedMs: Promise<number>;
}

/** Starts the product, which ends with `place`, and watches the camera's folder for footage of this life, and the index for the end of the check. */
export async function startUntilRecording(place: Workplace, home: Pick<BigHome, 'dataDir' | 'mediaDir' | 'index'>, cameraId: CameraId, limitMs = 120_000): Promise<StartedHome> {
  await buildIfStale(ROOT, () => undefined);
  const before = new Set(newestFiles(home.mediaDir, cameraId));
  const startedEpochMs = Date.now();
  const startedMs = performance.now();
  const starting = startProduct({ ...home, place });
  const recording = waitFor('a new file of the camera', () => newestFiles(home.mediaDir, cameraId).some((file) => !before.has(file)), 120_000, 10).then(() => performance.now() - startedMs);
  const checkedMs = waitFor('the check of all files', () => {
    const sinceStartMs = lastIndexedMs(home.index) - startedEpochMs;
    return sinceStartMs > 0 ? sinceStartMs : null;
  }, limitMs, 100);
  // Whoever wants it waits for it; nobody has to.
  checkedMs.catch(() => undefined);
  const [product, recordingMs] = await Promise.all([starting, recording]);
  return { product, recordingMs, checkedMs };
}

/** Files of this hour and the last; a file is created with its first fragments. */
function newestFiles(mediaDir: string, cameraId: CameraId): string[] {
  return [0, 3_600_000].flatMap((agoMs) => {
    const atMs = Date.now() - agoMs;
    const folder = path.join(mediaDir, cameraId, 'main', utcDay(atMs), utcHour(atMs));
    try {
      return readdirSync(folder).map((file) => path.join(folder, file));
    } catch {
      return [];
    }
  });
}

/** When the engine last said that it has compared every file; 0 for never. */
function lastIndexedMs(index: string): number {
  const db = openForReading(index);
  try {
    return Number(db.prepare('SELECT coalesce(max(indexed_ms), 0) FROM roots').pluck().get());
  } finally {
    db.close();
  }
}

/** What a measured time would be for ARCHIVE_SEGMENTS files; what does not depend on files is in the empty archive's time. */
export function scaled({ segments, empty }: BigHome, ms: number): number {
  return (empty.checkedMs + ((ms - empty.checkedMs) * ARCHIVE_SEGMENTS) / segments) / 1000;
}

export function countRows(index: string): number {
  const db = openForReading(index);
  try {
    return Number(db.prepare('SELECT count(*) FROM segments').pluck().get());
  } finally {
    db.close();
  }
}
