/** The engine from end to end in serve mode: cameras are added, recorded, shown, played, and are back after the engine was killed. */
import { spawn } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServingInfo } from '../../shared/contract/engine-process.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { connectViewer, type Home, makeHome, type TestViewer, until } from './engine-rig.ts';

const PASSWORD = 'hunter2-swordfish';

let simulator: Simulator;
let home: Home;
let serving: ServingInfo;
let viewer: TestViewer;
let cameraId: CameraId;

const camera = () => forceUnwrap('the simulator has a camera', simulator.cameras[0]);

async function recordingCamera(): Promise<CameraId | null> {
  const cameras = await viewer.ask('cameras.list', {});
  return cameras.find(({ status }) => status.recording)?.camera.id ?? null;
}

beforeAll(async () => {
  simulator = await startSimulator({ cameras: 1, source: 'test', discovery: false, password: PASSWORD });
  home = await makeHome({ cameras: [{ name: 'Porch', address: camera().onvifUrl, username: camera().username, password: camera().password }] });
  serving = await home.start();
  viewer = await connectViewer(serving);
  cameraId = await until('the camera to be recorded', recordingCamera);
});

afterAll(async () => {
  await home?.end();
  await simulator?.stop();
});

const timelineNow = async () => {
  const nowMs = Date.now();
  const timeline = await viewer.ask('timeline.get', { cameraIds: [cameraId], startMs: nowMs - 600_000, endMs: nowMs });
  return forceUnwrap('one camera was asked for', timeline.cameras[0]);
};

describe('an engine in serve mode', () => {
  test('names the camera, its streams and its ffmpeg, and no password anywhere', async () => {
    const [listed] = await viewer.ask('cameras.list', {});
    const info = await viewer.ask('app.info', {});
    expect(listed).toMatchObject({ camera: { name: 'Porch', recorded: ['main'] }, status: { state: 'live', problem: null } });
    expect(info).toMatchObject({ mode: 'serve', secrets: 'owner-only-file', warnings: [] });
    expect(info.ffmpeg?.version).toBeTruthy();
    const log = await readFile(path.join(home.init.dataDir, 'logs', 'porchlight.log'), 'utf8');
    const told = JSON.stringify([listed, info, viewer.events, log]);
    expect(told).not.toContain(PASSWORD);
    for (const file of ['cameras.json', 'secrets.json']) expect(await readFile(path.join(home.init.dataDir, 'config', file), 'utf8')).not.toContain(PASSWORD);
    expect((await stat(path.join(home.init.dataDir, 'config', 'secrets.json'))).mode & 0o077).toBe(0);
  });

  test('shows live at once: the group of pictures in memory, begun with a keyframe', async () => {
    viewer.send({ type: 'open', stream: 1, name: 'live', input: { cameraId, stream: 'best' }, credits: 50 });
    const first = await until('live chunks', () => {
      const mine = viewer.chunks.filter((chunk) => chunk.stream === 1);
      return mine.length >= 2 ? mine : null;
    });
    expect(first[0]?.head.kind).toBe('init');
    expect(first[1]?.head).toMatchObject({ kind: 'media', keyframe: true });
    viewer.send({ type: 'close', stream: 1 });
  });

  test('plays what was recorded seconds ago, in order and no more than the credits', async () => {
    await until('five seconds of footage', async () => {
      const [span] = (await timelineNow()).spans;
      return span !== undefined && span.endMs - span.startMs > 5_000;
    });
    const [span] = (await timelineNow()).spans;
    const fromMs = forceUnwrap('there is footage', span).startMs + 1_000;
    viewer.send({ type: 'open', stream: 2, name: 'playback', input: { cameraId, stream: 'main', fromMs, seekId: 9 }, credits: 2 });
    const mine = () => viewer.chunks.filter((chunk) => chunk.stream === 2);
    await until('the first group of pictures', () => mine().length === 2);
    expect(mine()[0]?.head.kind).toBe('init');
    expect(mine()[1]?.head).toMatchObject({ kind: 'media', keyframe: true, seekId: 9 });
    await viewer.ask('settings.get', {});
    expect(mine()).toHaveLength(2);
    viewer.send({ type: 'credit', stream: 2, credits: 1 });
    await until('one more chunk', () => mine().length === 3);
    viewer.send({ type: 'close', stream: 2 });
  });

  test('finds the frame in the index, and makes previews', async () => {
    const preview = await until('a preview', async () => {
      const latest = await viewer.ask('previews.latest', { cameraId });
      return latest.item === null ? null : latest;
    });
    expect([...preview.bytes.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
    const [span] = (await timelineNow()).spans;
    const located = await viewer.ask('footage.locate', { cameraId, stream: 'main', atMs: forceUnwrap('there is footage', span).startMs + 500 });
    expect((await stat(forceUnwrap('it is in the index', located).path)).size).toBeGreaterThan(0);
  });

  test('answers a terminal, with the token from the data folder only', async () => {
    const cli = path.resolve(import.meta.dirname, '../../tools/cli.ts');
    const run = (...args: string[]): Promise<{ code: number | null; out: string; err: string }> =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
        let out = '';
        let err = '';
        child.stdout.on('data', (bytes) => (out += String(bytes)));
        child.stderr.on('data', (bytes) => (err += String(bytes)));
        child.once('close', (code) => resolve({ code, out, err }));
      });
    const answer = await run('cameras.list', '--data', home.init.dataDir);
    expect(JSON.parse(answer.out)).toMatchObject([{ camera: { id: cameraId } }]);
    expect(await run('cameras.rename', '{}', '--data', home.init.dataDir)).toMatchObject({ code: 1, err: expect.stringContaining('cameras.rename') });
    expect(await run('app.info', '--data', path.join(home.folder, 'nothing'))).toMatchObject({ code: 1, err: expect.stringContaining('not running') });
    expect((await stat(path.join(home.init.dataDir, 'control.json'))).mode & 0o077).toBe(0);
  });

  test('lets no second copy at its data folder', async () => {
    const second = await makeHome({ dataDir: home.init.dataDir });
    await expect(second.start()).rejects.toMatchObject({ kind: 'data-in-use' });
    await second.end();
  });

  test('pauses and goes on, and the time between is yours', async () => {
    await viewer.ask('cameras.pause', { cameraId, untilMs: null });
    const paused = await until('the pause to be seen', async () => (await timelineNow()).gaps.find((gap) => gap.cause === 'paused-by-you') ?? null);
    expect((await viewer.ask('cameras.list', {}))[0]?.status).toMatchObject({ state: 'paused', recording: false });
    await viewer.ask('cameras.resume', { cameraId });
    await until('recording to go on', recordingCamera);
    const after = await until('footage after the pause', async () => {
      const now = await timelineNow();
      return (now.spans.at(-1)?.startMs ?? 0) > paused.startMs && now.gaps.length > 0 ? now : null;
    });
    expect(after.gaps.map((gap) => gap.cause)).toEqual(['paused-by-you']);
  });

  test('records again after it was killed, under the same address, and says why footage is missing', async () => {
    const before = (await timelineNow()).spans.length;
    const killedMs = Date.now();
    process.kill(forceUnwrap('it runs', home.host.pid), 'SIGKILL');
    viewer = await until('the engine to be back', () => connectViewer(serving).catch(() => null));
    await until('recording to be back', recordingCamera);
    const timeline = await until('the gap to be told', async () => {
      const now = await timelineNow();
      return now.gaps.some((gap) => gap.cause === 'porchlight-failed') && now.spans.length > before ? now : null;
    });
    const gap = forceUnwrap('it was told', timeline.gaps.find((one) => one.cause === 'porchlight-failed'));
    // I4: what had arrived is lost for a second at most (the fault suite measures it; a busy machine gets more). How fast it is back is a benchmark's business; here, that it is.
    expect(killedMs - gap.startMs).toBeLessThan(3_000);
    expect(forceUnwrap('it ended', timeline.spans.at(-1)).endMs).toBeGreaterThan(gap.endMs);
  });

  test('stops in order: no child left, the lock given back, the next start knows it was closed', async () => {
    const pid = forceUnwrap('it runs', home.host.pid);
    await home.host.stop();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await expect(stat(path.join(home.init.dataDir, 'porchlight.lock'))).rejects.toThrow('ENOENT');
    expect(JSON.parse(await readFile(path.join(home.init.dataDir, 'life.json'), 'utf8'))).toMatchObject({ stopped: { reason: 'owner' } });
  });
});
