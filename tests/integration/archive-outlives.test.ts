/** The archive outlives the index (I5) and the computer: what comes back from the disks alone. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CameraId } from '../../shared/model/ids.ts';
import type { LockWithFootage } from '../../shared/model/locks.ts';
import type { CameraEvent, CameraTimeline } from '../../shared/model/timeline.ts';
import { forceUnwrap } from '../../shared/result.ts';
import type { SimCamera } from '../../tools/sim/camera.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';

let simulator: Simulator;
let engine: TestEngine;
let cameraId: CameraId;

const camera = (): SimCamera => forceUnwrap('the simulator has one', simulator.cameras[0]);

interface Known {
  readonly spans: CameraTimeline['spans'];
  readonly gaps: CameraTimeline['gaps'];
  readonly events: readonly CameraEvent[];
  readonly locks: readonly LockWithFootage[];
  readonly names: readonly string[];
}

/** Everything up to the end of the footage: what goes on after it is still growing. */
async function known(of: TestEngine, id: CameraId): Promise<Known> {
  const { spans, gaps } = await of.timeline(id);
  const endMs = spans.at(-1)?.endMs ?? 0;
  const events = await of.ask('events.list', { cameraIds: [id], startMs: endMs - 1_800_000, endMs: endMs + 1 });
  return {
    spans,
    gaps: gaps.filter((gap) => gap.endMs < endMs),
    events: events.filter((event) => event.endMs < endMs),
    locks: await of.ask('locks.list', {}),
    names: (await of.ask('cameras.list', {})).map((one) => one.camera.name),
  };
}

/** The set-up's files, and what is in them. */
async function configOf(of: TestEngine): Promise<Record<string, string>> {
  const folder = path.join(of.init.dataDir, 'config');
  const files = await readdir(folder, { recursive: true });
  const whole = await Promise.all(files.map(async (name) => ((await stat(path.join(folder, name))).isFile() ? [[name, await readFile(path.join(folder, name), 'hex')] as const] : [])));
  return Object.fromEntries(whole.flat());
}

const indexFiles = async (of: TestEngine): Promise<string[]> => (await readdir(of.init.dataDir)).filter((name) => name.startsWith('porchlight.db'));

// A home with two spans, gaps of two causes, an event and a lock; then a life without new footage, in which all of it is known for good.
beforeAll(async () => {
  const size = { width: 480, height: 270, fps: 10, kbps: 250, gopFrames: 10, seconds: 10 };
  simulator = await startSimulator({ cameras: 1, hosts: ['127.0.66.2'], source: 'test', main: size, sub: null, audio: 'none', discovery: false });
  engine = await TestEngine.started();
  cameraId = (await engine.add(camera())).id;
  await engine.ask('cameras.update', { cameraId, name: 'Garden gate' });
  const { startMs, endMs } = await engine.footage(cameraId, 4);
  await camera().reboot(12_000);
  await engine.closedGap(cameraId, 'camera-unreachable', 0, 60_000);
  engine = await engine.nextLife();
  await engine.start();
  await engine.closedGap(cameraId, 'stopped-by-you', 0, 60_000);
  await engine.ask('locks.add', { cameraId, startMs, endMs, note: 'The fox' });
  engine = await engine.nextLife(() => camera().unplug());
  await engine.start();
}, 240_000);
afterAll(async () => {
  await engine?.end();
  await simulator?.stop();
});

test('without its index, a start gives the same timeline, events, gaps, causes, locks and names, and leaves the set-up alone', async () => {
  const before = await known(engine, cameraId);
  expect(before.spans.length).toBeGreaterThan(2);
  expect(new Set(before.gaps.map((gap) => gap.cause))).toEqual(new Set(['camera-unreachable', 'stopped-by-you']));
  expect(before.events.map((event) => event.kind)).toContain('camera-offline');
  expect(before.locks).toMatchObject([{ note: 'The fox', sentence: null }]);
  let config: Record<string, string> = {};
  engine = await engine.nextLife(async () => {
    config = await configOf(engine);
    for (const name of await indexFiles(engine)) await rm(path.join(engine.init.dataDir, name));
  });
  await engine.start();
  const state = await waitFor('the index to be whole again', async () => {
    const now = await engine.ask('check.state', {});
    return now.running === null && now.rebuilt !== null && (await engine.info()).warnings.length === 0 ? now : null;
  }, 60_000);
  expect(state.rebuilt?.files).toBeGreaterThan(2);
  expect(await known(engine, cameraId)).toEqual(before);
  expect(await configOf(engine)).toEqual(config);
  await engine.ask('check.run', {});
  await waitFor('the check', async () => ((await engine.ask('check.state', {})).running === null ? true : null), 60_000);
  expect((await engine.ask('check.state', {})).last?.groups.filter(({ notice }) => !notice)).toEqual([]);
}, 120_000);

test('a disk in another computer shows its footage under its name, as a camera that is not set up there, and plays it', async () => {
  const before = await known(engine, cameraId);
  await engine.stop();
  const other = await TestEngine.started({ init: { mediaDir: engine.init.mediaDir } });
  try {
    const [found] = await waitFor('its footage', async () => {
      const list = await other.ask('cameras.elsewhere', {});
      const state = await other.ask('check.state', {});
      return list.length > 0 && state.running === null && (state.atStart !== null || state.rebuilt !== null) ? list : null;
    }, 60_000);
    expect(found).toMatchObject({ cameraId, name: 'Garden gate', removed: false, oldestMs: before.spans[0]?.startMs, newestMs: before.spans.at(-1)?.endMs });
    expect(await other.ask('cameras.list', {})).toEqual([]);
    const there = await known(other, cameraId);
    expect({ ...there, names: [] }).toEqual({ ...before, names: [] });
    const firstMs = forceUnwrap('there is footage', before.spans[0]).startMs;
    const played = await new Promise<number>((resolve, reject) => {
      const handle = other.client.openMedia('playback', { cameraId, stream: 'best', fromMs: firstMs, seekId: 1 }, 8, {
        onChunk: (chunk) => {
          if (chunk.kind !== 'media') return;
          handle.close();
          resolve(chunk.baseWallMs);
        },
        onClosed: (error) => reject(error ?? new Error('nothing was played')),
      });
    });
    expect(Math.abs(played - firstMs)).toBeLessThan(1_000);
  } finally {
    await other.end();
  }
}, 120_000);
