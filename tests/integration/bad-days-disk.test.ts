/** Bad days of the disk for footage: missing, read-only, pulled while recording, full, too slow. Real mounts; where they cannot be made, each test says that it was skipped and why. */
import { appendFile, mkdir, mkdtemp, readdir, rename, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CameraId } from '../../shared/model/ids.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { Mount, whyNoImages, whyNoMounts } from '../support/mounts.ts';
import { waitFor } from '../support/wait.ts';
import { decodeErrors } from './recorder-rig.ts';

const MB = 1024 * 1024;

let simulator: Simulator;
let folder: string;
let mount: Mount;
let engine: TestEngine;
const noMounts = await whyNoMounts();
const noImages = await whyNoImages();

beforeAll(async () => {
  const size = { width: 640, height: 360, fps: 10, kbps: 2_000, gopFrames: 10, seconds: 10, constantRate: true };
  simulator = await startSimulator({ cameras: 1, hosts: ['127.0.65.2'], source: 'test', main: size, sub: null, audio: 'none', discovery: false });
});
afterAll(async () => {
  await simulator?.stop();
});
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-disk-'));
  mount = new Mount(path.join(folder, 'disk'));
});
afterEach(async () => {
  await mount.thaw();
  await engine?.end();
  await mount.end();
  await rm(folder, { recursive: true, force: true });
});

async function startRecording(mediaDir: string): Promise<CameraId> {
  engine = await TestEngine.started({ init: { mediaDir } });
  const { id } = await engine.add(forceUnwrap('the simulator has one', simulator.cameras[0]));
  await engine.footage(id, 3);
  return id;
}

/** The sentence about a disk in this state, once there is one. */
async function diskSentence(state: string): Promise<string> {
  return await waitFor(`a sentence about a disk that is ${state}`, async () => (await engine.info()).warnings.find((warning) => warning.kind === state)?.sentence, 30_000);
}

const isWell = async (): Promise<boolean> => (await engine.info()).warnings.length === 0;

describe('the disk for footage', () => {
  test('that is missing at the start: the picture is live, nothing is written to its empty place, and it goes on when the disk is back', async () => {
    const media = path.join(folder, 'media');
    const id = await startRecording(media);
    engine = await engine.nextLife(async () => {
      await rename(media, `${media}.away`);
      // The empty folder where a disk would be mounted.
      await mkdir(media);
    });
    const startedMs = Date.now();
    await engine.start();
    expect(await diskSentence('missing')).toMatch(/^The disk for footage at \S+media is not there\. Connect it, or choose another folder under Storage\.$/);
    await waitFor('the picture to be live', async () => (await engine.status(id)).state === 'live');
    const status = await engine.status(id);
    expect(status).toMatchObject({ recording: false, problem: { cause: 'disk-missing', sentence: expect.stringContaining('the disk for footage is not there') } });
    expect(await readdir(media)).toEqual([]);
    await rm(media, { recursive: true });
    await rename(`${media}.away`, media);
    const gap = await engine.closedGap(id, 'disk-missing', startedMs);
    await waitFor('all to be well', isWell);
    const { gaps, spans } = await engine.timeline(id);
    expect(gaps.map(({ cause, endMs }) => [cause, endMs])).toEqual([['stopped-by-you', gap.startMs], ['disk-missing', gap.endMs]]);
    expect(gap.startMs - startedMs).toBeLessThan(15_000);
    expect(spans.length).toBe(2);
  }, 90_000);

  test('that is read-only at the start: old footage plays, and it goes on when it can be written to', async (context) => {
    if (noMounts !== null) context.skip(noMounts);
    const id = await startRecording(path.join(folder, 'real'));
    const { spans } = await engine.timeline(id);
    engine = await engine.nextLife(async () => {
      mount = new Mount(path.join(folder, 'real'));
      await mount.bind(path.join(folder, 'real'));
      await mount.readOnly(true);
    });
    await engine.start();
    expect(await diskSentence('read-only')).toMatch(/^Porchlight may not write to \S+\. Check the disk's write protection and the folder's permissions\.$/);
    const atMs = forceUnwrap('there was footage', spans[0]).startMs + 500;
    expect(await engine.ask('footage.locate', { cameraId: id, stream: 'main', atMs })).not.toBeNull();
    await waitFor('the picture to be live', async () => (await engine.status(id)).state === 'live');
    expect(await engine.status(id)).toMatchObject({ recording: false, problem: { cause: 'disk-failing', sentence: expect.stringMatching(/^Not recording: /) } });
    await mount.readOnly(false);
    await engine.footage(id, 2);
    await waitFor('all to be well', isWell);
    await engine.closedGap(id, 'stopped-by-you', 0);
  }, 90_000);

  test('that is pulled while it records: said within seconds, its empty place stays empty, and it goes on when it is back', async (context) => {
    if (noMounts !== null) context.skip(noMounts);
    const real = await mkdtemp(path.join(folder, 'real-'));
    await mount.bind(real);
    const id = await startRecording(mount.point);
    const pulledMs = Date.now();
    await mount.pull();
    expect(await diskSentence('missing')).toContain(mount.point);
    await waitFor('the camera to say so', async () => (await engine.status(id)).problem?.cause === 'disk-missing');
    expect(await engine.status(id)).toMatchObject({ state: 'live', recording: false });
    expect(await readdir(mount.point)).toEqual([]);
    await mount.bind(real);
    await engine.closedGap(id, 'disk-missing', pulledMs);
    await waitFor('all to be well', isWell);
    expect((await engine.files(real)).length).toBeGreaterThan(1);
  }, 120_000);

  test('that is full: the oldest footage makes room; with none left it is said, and it goes on when there is room again', async (context) => {
    if (noMounts !== null) context.skip(noMounts);
    await mount.tmpfs(40);
    // Somebody else's file on the same disk.
    const ballast = path.join(mount.point, 'ballast');
    const fill = async (leaveBytes: number): Promise<void> => {
      const { bavail, bsize } = await statfs(mount.point);
      await appendFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)));
    };
    const id = await startRecording(path.join(mount.point, 'media'));
    await engine.ask('cameras.pause', { cameraId: id, untilMs: null });
    await engine.ask('cameras.resume', { cameraId: id });
    const first = forceUnwrap('the first segment is closed', (await waitFor('the first segment to be closed', async () => {
      const { spans } = await engine.timeline(id);
      return spans.length === 2 ? spans : null;
    }))[0]);
    await engine.footage(id, 2);
    await fill(0.4 * MB);
    await waitFor('the oldest footage to make room', async () => (await engine.timeline(id)).spans.every((span) => span.startMs > first.startMs));
    expect(await diskSentence('full')).toMatch(/is full\. Porchlight makes room by deleting the oldest footage\.$/);
    await engine.footage(id, 1);
    // Nothing is left to recycle but what is being written.
    const filledMs = Date.now();
    await waitFor('the camera to say so', async () => {
      await fill(0);
      return (await engine.status(id)).problem?.cause === 'disk-full';
    }, 30_000, 1_000);
    expect(await engine.status(id)).toMatchObject({ state: 'live', recording: false, problem: { sentence: expect.stringMatching(/^Not recording: the disk is full\./) } });
    await rm(ballast);
    await engine.closedGap(id, 'disk-full', filledMs);
    expect(await engine.status(id)).toMatchObject({ state: 'live', recording: true, problem: null });
    await engine.stop();
    for (const file of await engine.files()) expect(decodeErrors(file), file).toBe('');
  }, 150_000);

  test('that does not take what comes: footage is missing with that cause, the picture stays live, and all goes on by itself', async (context) => {
    if (noImages !== null) context.skip(noImages);
    await mount.image(path.join(folder, 'image'), 600);
    const id = await startRecording(path.join(mount.point, 'media'));
    const frozenMs = Date.now();
    await mount.freeze();
    try {
      await waitFor('the camera to say so', async () => (await engine.status(id)).problem?.cause === 'disk-too-slow', 30_000);
      expect(await engine.status(id)).toMatchObject({ state: 'live', recording: false, problem: { sentence: expect.stringContaining('too slow') } });
      // Thawed at once, the next keyframe may be so near that nothing worth a gap is missing.
      await waitFor('seconds of footage to be missing', async () => {
        const gap = (await engine.timeline(id)).gaps.at(-1);
        return gap !== undefined && gap.endMs - gap.startMs > 3_000;
      });
    } finally {
      await mount.thaw();
    }
    const gap = await engine.closedGap(id, 'disk-too-slow', frozenMs);
    // What was in memory when the disk stopped was kept for it.
    expect(gap.startMs).toBeGreaterThan(frozenMs);
    await engine.stop();
    for (const file of await engine.files()) expect(decodeErrors(file), file).toBe('');
  }, 120_000);
});
