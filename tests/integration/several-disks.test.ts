/** Several real disks under a running engine: footage moves on, one is pulled and comes back, recording goes elsewhere. Real file systems in files; where they cannot be mounted, each test says that it was skipped and why. */
import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ChunkHead } from '../../shared/contract/media.ts';
import type { CameraId, RootId } from '../../shared/model/ids.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { Mount, whyNoImages } from '../support/mounts.ts';
import { waitFor } from '../support/wait.ts';
import { decodeErrors } from './recorder-rig.ts';

const run = promisify(execFile);
const noImages = await whyNoImages();
let simulator: Simulator;
let folder: string;
let fast: Mount;
let big: Mount;
let engine: TestEngine;

beforeAll(async () => {
  const size = { width: 640, height: 360, fps: 10, kbps: 2_000, gopFrames: 10, seconds: 10, constantRate: true };
  simulator = await startSimulator({ cameras: 2, hosts: ['127.0.66.2', '127.0.66.3'], source: 'test', main: size, sub: null, audio: 'none', discovery: false });
});
afterAll(async () => {
  await simulator?.stop();
});
beforeEach(async (context) => {
  if (noImages !== null) context.skip(noImages);
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-disks-'));
  [fast, big] = [new Mount(path.join(folder, 'fast')), new Mount(path.join(folder, 'big'))];
  await fast.image(path.join(folder, 'fast.img'), 500);
  await big.image(path.join(folder, 'big.img'), 600);
});
afterEach(async () => {
  await engine?.end();
  for (const mount of [fast, big]) await mount?.end();
  await rm(folder, { recursive: true, force: true });
});

const media = (mount: Mount): string => path.join(mount.point, 'media');

/** Records the first camera to both disks, the fast one first. */
async function start(cameras = 1): Promise<{ readonly ids: readonly CameraId[]; readonly roots: readonly [RootId, RootId] }> {
  engine = await TestEngine.started({ init: { mediaDir: media(fast) } });
  const ids: CameraId[] = [];
  for (const camera of simulator.cameras.slice(0, cameras)) ids.push((await engine.add(camera)).id);
  const { roots } = await engine.ask('storage.addRoot', { path: media(big) });
  for (const id of ids) await engine.footage(id, 3);
  return { ids, roots: [forceUnwrap('the first disk', roots[0]).rootId, forceUnwrap('the second disk', roots[1]).rootId] };
}

/** Closes the open segment, and begins the next. */
async function closeSegment(cameraId: CameraId): Promise<void> {
  await engine.ask('cameras.pause', { cameraId, untilMs: null });
  await engine.ask('cameras.resume', { cameraId });
  await engine.footage(cameraId, 1);
}

/** The kinds of chunks that playback sends from a moment on, the first `count` of them. */
async function play(cameraId: CameraId, fromMs: number, count: number): Promise<readonly ChunkHead[]> {
  const heads: ChunkHead[] = [];
  const stream = engine.client.openMedia('playback', { cameraId, stream: 'main', fromMs, seekId: 1 }, 1_000, { onChunk: (head) => void heads.push(head), onClosed: () => undefined });
  try {
    await waitFor('playback', () => heads.filter(({ kind }) => kind !== 'init').length >= count, 15_000);
  } finally {
    stream.close();
  }
  return heads.filter(({ kind }) => kind !== 'init').slice(0, count);
}

const located = async (cameraId: CameraId, atMs: number): Promise<string | null> => (await engine.ask('footage.locate', { cameraId, stream: 'main', atMs }))?.path ?? null;

describe('two disks', () => {
  test('the oldest footage moves on; a pulled disk is marked, jumped and back again, over a restart too; a rebuild of both has it all', async () => {
    const { ids: [id = '' as CameraId], roots: [, bigRoot] } = await start();
    const first = forceUnwrap('footage began', (await engine.timeline(id)).spans[0]);
    const atMs = first.startMs + 500;
    await closeSegment(id);
    expect(await located(id, atMs)).toContain(media(fast));
    // As little as can be said: all that is closed moves on, and nothing is deleted for it.
    const whatIf = await engine.ask('storage.whatIf', { rules: { quotaBytes: { [forceUnwrap('a disk', (await engine.ask('storage.summary', {})).roots[0]).rootId]: 1_000 } } });
    expect(whatIf).toMatchObject({ deletedBytes: 0, asks: false });
    await engine.ask('storage.setRules', { quotaBytes: { [forceUnwrap('a disk', (await engine.ask('storage.summary', {})).roots[0]).rootId]: 1_000 } });
    await engine.ask('storage.setPlacement', { mode: 'tiers', moveAfterDays: null });
    await waitFor('the first segment to move', async () => (await located(id, atMs))?.startsWith(media(big)), 40_000);
    expect((await play(id, atMs, 2)).map(({ kind }) => kind)).toEqual(['media', 'media']);
    expect((await engine.timeline(id)).spans[0]).toMatchObject({ startMs: first.startMs });

    await big.pull();
    const away = await waitFor('the timeline to say so', async () => (await engine.timeline(id)).absent?.[0], 30_000);
    expect(away.startMs).toBe(first.startMs);
    expect(await engine.ask('storage.placement', {})).toMatchObject({ absent: [{ rootId: bigRoot, path: media(big), removed: false }] });
    const [gap, next] = await play(id, atMs, 2);
    expect(gap).toMatchObject({ kind: 'gap', cause: 'disk-missing', away: true });
    expect(next).toMatchObject({ kind: 'media' });
    expect(await readdir(big.point)).toEqual([]);

    // Without the disk, and with it again: at no time does an answer lose sight of it.
    engine = await engine.nextLife(() => undefined, { init: { mediaDir: media(fast) } });
    await engine.start();
    await waitFor('the disk to be missed', async () => (await engine.timeline(id)).absent?.length === 1, 30_000);
    await run('mount', ['-o', 'loop', path.join(folder, 'big.img'), big.point]);
    try {
      await waitFor('the disk to be back', async () => (await engine.timeline(id)).absent === undefined, 30_000);
      expect((await play(id, atMs, 1))[0]).toMatchObject({ kind: 'media' });
      const before = (await engine.timeline(id)).spans[0];
      engine = await engine.nextLife(async () => {
        for (const name of await readdir(engine.init.dataDir)) if (name.startsWith('porchlight.db')) await rm(path.join(engine.init.dataDir, name));
      }, { init: { mediaDir: media(fast) } });
      await engine.start();
      await waitFor('all of it to be back', async () => (await engine.timeline(id)).spans[0]?.startMs === before?.startMs && (await located(id, atMs)) !== null, 30_000);
      await engine.stop();
      for (const file of [...(await engine.files(media(fast))), ...(await engine.files(media(big)))]) expect(decodeErrors(file), file).toBe('');
    } finally {
      await engine.stop();
      await run('umount', ['-l', big.point]);
    }
  }, 240_000);

  test('the one that is recorded to is pulled: recording goes on at the other without a new connection, and the hole is a second or two', async () => {
    const { ids: [id = '' as CameraId] } = await start();
    const sessionsOn = async (mount: Mount): Promise<readonly (string | undefined)[]> => [...new Set((await engine.files(media(mount))).map((file) => /-s(\d+)-/.exec(file)?.[1]))];
    const before = await sessionsOn(fast);
    expect(before).toHaveLength(1);
    await fast.pull();
    await waitFor('recording on the other disk', async () => (await engine.files(media(big))).length > 0, 40_000);
    await engine.footage(id, 2);
    expect(await sessionsOn(big)).toEqual(before);
    expect(await readdir(fast.point)).toEqual([]);
    const { gaps } = await engine.timeline(id);
    expect(gaps.filter(({ startMs, endMs }) => endMs - startMs > 3_000)).toEqual([]);
  }, 120_000);

  test('the one that is recorded to fills up: recording goes on at the other, and the hole is a second or two', async () => {
    const { ids: [id = '' as CameraId] } = await start();
    const { bavail, bsize } = await statfs(fast.point);
    // Somebody else's file takes all there is.
    await appendFile(path.join(fast.point, 'ballast'), Buffer.alloc(bavail * bsize)).catch(() => undefined);
    await waitFor('recording on the other disk', async () => (await engine.files(media(big))).length > 0, 40_000);
    await engine.footage(id, 2);
    expect(await engine.status(id)).toMatchObject({ recording: true, problem: null });
    expect((await engine.timeline(id)).gaps.filter(({ startMs, endMs }) => endMs - startMs > 3_000)).toEqual([]);
  }, 120_000);

  test('the one that is recorded to hangs: recording goes on at the other while it does, and no more is missing than what did not fit into memory', async () => {
    const { ids: [id = '' as CameraId] } = await start();
    const frozenMs = Date.now();
    await fast.freeze();
    try {
      await waitFor('recording on the other disk', async () => (await engine.files(media(big))).length > 0, 60_000);
      await waitFor('the camera to be recorded', async () => (await engine.status(id)).recording);
      await engine.footage(id, 2);
    } finally {
      await fast.thaw();
    }
    // What waited is written once the disk answers again; of more than memory holds, six seconds, the rest is missing, up to a keyframe.
    const spans = await waitFor('what waited to be on its disk', async () => {
      const found = (await engine.timeline(id)).spans;
      return (found[0]?.endMs ?? 0) >= frozenMs ? found : null;
    });
    expect(spans.slice(1).reduce((sum, span, at) => sum + span.startMs - (spans[at]?.endMs ?? 0), 0)).toBeLessThan(10_000);
    expect(spans.at(-1)?.endMs).toBeGreaterThan(Date.now() - 5_000);
  }, 150_000);

  test('cameras side by side: each keeps its disk, and the camera of one that is pulled goes to the other', async () => {
    const { ids, roots } = await start(2);
    await engine.ask('storage.setPlacement', { mode: 'spread', moveAfterDays: null });
    const on = async (mount: Mount): Promise<readonly string[]> => (await engine.files(media(mount))).map((file) => path.relative(media(mount), file).split(path.sep)[0] ?? '');
    await waitFor('both disks to be recorded to', async () => new Set(await on(big)).size === 1, 30_000);
    const [moved = ''] = new Set(await on(big));
    expect(ids).toContain(moved);
    for (const id of ids) await engine.footage(id, 2);
    expect((await engine.timeline(moved as CameraId)).gaps.filter(({ startMs, endMs }) => endMs - startMs > 2_000)).toEqual([]);
    await big.pull();
    await engine.footage(moved as CameraId, 2);
    await waitFor('the camera to be on the other disk', async () => (await on(fast)).filter((camera) => camera === moved).length > 1, 40_000);
    expect((await engine.ask('storage.placement', {})).order).toEqual(roots);
  }, 120_000);
});
