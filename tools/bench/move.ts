/** Footage that moves from one disk to another while cameras are recorded: how fast, and what recording loses by it. Both folders lie on one disk, the hardest case. */
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { openArchive } from '../../main/engine/storage/archive.ts';
import { encodeSegmentName } from '../../main/engine/storage/segment-name.ts';
import type { CameraId, RootId } from '../../shared/model/ids.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/time.ts';
import { startSimulatorProcess } from '../../tests/support/simulator-process.ts';
import { waitFor } from '../../tests/support/wait.ts';
import { benchCameraId } from './archive-generator.ts';
import { type BenchReport, figure } from './figures.ts';
import type { BenchOptions } from './options.ts';
import { listCamera, type Product, sleep, startProduct, waitForRecording, Workplace } from './workplace.ts';

const SEGMENT_BYTES = 15_000_000;
const SEGMENTS = 60;
const CAMERAS = 2;
const LIMIT_MS = 600_000;
/** Recorded without moving before and after, so that a hole at either end is seen. */
const BESIDE_MS = 5_000;

export async function run(options: BenchOptions): Promise<BenchReport> {
  const count = options.segments ?? SEGMENTS;
  return await Workplace.with(async (place) => {
    const [dataDir, fast, big] = [place.path('data'), place.path('fast'), place.path('big')];
    const files = await fill(dataDir, fast, count);
    const floor = await copyRate(files.slice(0, 10), place.path('copied'));
    const simulator = place.keep(await startSimulatorProcess(['--source', 'bench', '--cameras', String(options.cameras ?? CAMERAS), '--audio', 'none', '--discovery-port', '0'], 300_000));
    const product = place.keep(await startProduct({ dataDir, mediaDir: fast, cameras: simulator.cameras.map((camera) => listCamera(camera, true)) }));
    const cameras = (await waitForRecording(product, simulator.cameras.length)).map(({ camera }) => camera.id);
    await sleep(BESIDE_MS);
    const sinceMs = Date.now() - BESIDE_MS / 2;
    const { roots } = await product.client.ask('storage.addRoot', { path: big });
    const fastId = forceUnwrap('the first disk', roots[0]).rootId;
    const bigId = forceUnwrap('the second disk', roots[1]).rootId;
    await product.client.ask('storage.setRules', { quotaBytes: { [fastId]: 1_000 } });
    const beganMs = performance.now();
    await product.client.ask('storage.setPlacement', { mode: 'tiers', moveAfterDays: null });
    await waitFor('all of it to move', async () => (await bytesOn(product, bigId)) >= count * SEGMENT_BYTES, LIMIT_MS, 500);
    const seconds = (performance.now() - beganMs) / 1_000;
    await sleep(BESIDE_MS);
    const missing = await missingMs(product, cameras, sinceMs);
    return {
      bench: 'move',
      figures: [
        figure('moved beside recording', (count * SEGMENT_BYTES) / 1e6 / seconds, 'MB/s', { floor }),
        figure('milliseconds of recording missing meanwhile, all cameras', missing, 'ms', { budget: 0 }),
      ],
      notes: [`${count} files of ${SEGMENT_BYTES / 1e6} MB; ${cameras.length} cameras of 1080p30 recorded to the first folder meanwhile. The floor copies ten of the files one after the other, each synced. Moving rests at least as long as it works.`],
    };
  });
}

/** An archive of closed segments of a camera that is not recorded; returns their files. */
async function fill(dataDir: string, folder: string, count: number): Promise<readonly string[]> {
  const archive = await openArchive({ dataDir, clock: systemClock, logger: silentLogger });
  const root = await archive.roots.add(folder);
  const cameraId: CameraId = benchCameraId(99);
  const startMs = Date.now() - 24 * HOUR_MS;
  const bytes = randomBytes(SEGMENT_BYTES);
  const files: string[] = [];
  for (let sequence = 0; sequence < count; sequence += 1) {
    const nameMs = Math.floor(startMs + sequence * MINUTE_MS);
    const file = path.join(root.path, encodeSegmentName({ cameraId, stream: 'main', session: 1_000, sequence, startMs: nameMs }));
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
    await archive.write.insertSegment({ cameraId, stream: 'main', rootId: root.rootId, session: 1_000, sequence, nameMs, startMs: nameMs, endMs: nameMs + MINUTE_MS, sizeBytes: SEGMENT_BYTES, initBytes: 1_000, videoFrames: 1, keyframes: [{ offsetBytes: 1_000, sizeBytes: 1, mediaMs: 0 }] });
    files.push(file);
  }
  await archive.close();
  return files;
}

/** MB/s of plain copies, each synced. */
async function copyRate(files: readonly string[], folder: string): Promise<number> {
  await mkdir(folder);
  const beganMs = performance.now();
  for (const [at, file] of files.entries()) {
    const copy = path.join(folder, `${at}.mp4`);
    await copyFile(file, copy);
    const handle = await open(copy, 'r+');
    await handle.sync();
    await handle.close();
  }
  return (files.length * SEGMENT_BYTES) / 1e6 / ((performance.now() - beganMs) / 1_000);
}

async function bytesOn(product: Product, rootId: RootId): Promise<number> {
  return forceUnwrap('the disk is in use', (await product.client.ask('storage.summary', {})).roots.find((root) => root.rootId === rootId)).usedBytes;
}

async function missingMs(product: Product, cameraIds: readonly CameraId[], sinceMs: number): Promise<number> {
  const endMs = Date.now() - 1_500;
  const { cameras } = await product.client.ask('timeline.get', { cameraIds: [...cameraIds], startMs: sinceMs, endMs, maxItems: 8_192 });
  return cameras.reduce((sum, { spans }) => sum + Math.max(0, endMs - sinceMs - spans.reduce((covered, span) => covered + span.endMs - span.startMs, 0)), 0);
}
