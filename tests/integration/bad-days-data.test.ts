/** Bad days of the data folder and the door: an index that is damaged or of a newer version, two copies on one folder, a port that is taken. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CameraId } from '../../shared/model/ids.ts';
import { forceUnwrap } from '../../shared/result.ts';
import type { SimCamera } from '../../tools/sim/camera.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';

let simulator: Simulator;
let engine: TestEngine;
let cameraId: CameraId;

const camera = (): SimCamera => forceUnwrap('the simulator has one', simulator.cameras[0]);
const databaseOf = (one: TestEngine): string => path.join(one.init.dataDir, 'porchlight.db');

// One engine for all of them, one bad day after the other: each begins with a home that records.
beforeAll(async () => {
  const size = { width: 480, height: 270, fps: 10, kbps: 250, gopFrames: 10, seconds: 10 };
  simulator = await startSimulator({ cameras: 1, hosts: ['127.0.63.2'], source: 'test', main: size, sub: null, audio: 'none', discovery: false });
  engine = await TestEngine.started();
  cameraId = (await engine.add(camera())).id;
  await engine.footage(cameraId, 3);
});
afterAll(async () => {
  await engine?.end();
  await simulator?.stop();
});

describe('two copies', () => {
  test('on one data folder: the second says so and goes, the first goes on', async () => {
    const second = await TestEngine.make({ folder: engine.folder });
    await expect(second.start()).rejects.toMatchObject({ kind: 'data-in-use', message: expect.stringMatching(new RegExp(`already running with this data folder .*process ${engine.pid}`)) });
    await second.end();
    const { endMs } = await engine.footage(cameraId, 1);
    await waitFor('the first to go on recording', async () => ((await engine.timeline(cameraId)).spans.at(-1)?.endMs ?? 0) > endMs + 1_000);
  });

  test('one of which was killed: its lock holds nobody up', async () => {
    const lock = path.join(engine.init.dataDir, 'porchlight.lock');
    const held = await readFile(lock, 'utf8');
    engine = await engine.nextLife(() => writeFile(lock, held));
    await engine.start();
    await engine.footage(cameraId, 1);
  });
});

describe('a port that is taken', () => {
  test('is said in a sentence that names it, and everything is given back', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const pageDir = path.join(engine.folder, 'page');
    try {
      const second = await TestEngine.make({ init: { mode: 'serve', serve: { address: '127.0.0.1', port, pageDir, password: null } } });
      await expect(second.start()).rejects.toMatchObject({ kind: 'port-in-use', message: expect.stringContaining(String(port)) });
      await expect(stat(path.join(second.init.dataDir, 'porchlight.lock'))).rejects.toThrow('ENOENT');
      await second.end();
    } finally {
      other.close();
    }
  });
});

describe('an index of a newer Porchlight', () => {
  test('is refused with a sentence, and nothing is touched, so that the newer one finds everything', async () => {
    let before: Buffer = Buffer.alloc(0);
    let version: unknown = null;
    engine = await engine.nextLife(async () => {
      const database = new Database(databaseOf(engine));
      version = database.pragma('user_version', { simple: true });
      database.pragma('user_version = 99990');
      database.pragma('wal_checkpoint(TRUNCATE)');
      database.close();
      before = await readFile(databaseOf(engine));
    });
    const files = await engine.files();
    await expect(engine.start()).rejects.toMatchObject({ kind: 'database-from-future', message: expect.stringMatching(/newer Porchlight .*Start the newer one; the footage itself is untouched\./) });
    expect((await readFile(databaseOf(engine))).equals(before)).toBe(true);
    expect(await engine.files()).toEqual(files);
    expect((await readdir(engine.init.dataDir)).filter((name) => name.includes('corrupt') || name === 'porchlight.lock')).toEqual([]);
    engine = await engine.nextLife(() => {
      const database = new Database(databaseOf(engine));
      database.pragma(`user_version = ${String(version)}`);
      database.close();
    });
    await engine.start();
    await engine.footage(cameraId, 1);
  });
});

describe('an index that is damaged', () => {
  test('is set aside at the start, and the same timeline is built from the disk while recording goes on', async () => {
    // A second span, so that a gap with its cause has to come back too.
    await camera().reboot(1_500);
    await engine.closedGap(cameraId, 'camera-unreachable', 0);
    // What is known for good is known in a life without new footage.
    engine = await engine.nextLife(() => camera().unplug());
    await engine.start();
    const before = await engine.timeline(cameraId);
    expect(before.spans.length).toBeGreaterThan(1);
    engine = await engine.nextLife(async () => {
      const file = await open(databaseOf(engine), 'r+');
      const { size } = await file.stat();
      await file.write(randomBytes(size - 100), 0, size - 100, 100);
      await file.close();
    });
    await engine.start();
    await waitFor('the index to be whole again', async () => (await engine.info()).warnings.length === 0);
    const after = await engine.timeline(cameraId);
    expect(after.spans).toEqual(before.spans);
    // The last gap is still growing; all others are as they were.
    const closed = (timeline: typeof before) => timeline.gaps.filter((gap) => gap.endMs < forceUnwrap('there is footage', timeline.spans.at(-1)).endMs);
    expect(closed(after)).toEqual(closed(before));
    expect(closed(after).map((gap) => gap.cause)).toContain('camera-unreachable');
    expect((await readdir(engine.init.dataDir)).filter((name) => /^porchlight\.db\.corrupt-[\dTZ.]+$/.test(name))).toHaveLength(1);
    await camera().replug();
    await engine.ask('cameras.retry', { cameraId });
    await engine.footage(cameraId, 2);
  });
});
