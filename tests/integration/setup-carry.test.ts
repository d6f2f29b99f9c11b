/** A home's set-up taken along: saved by one engine, taken over by another, over the door a browser and a terminal use. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Camera } from '../../shared/model/camera.ts';
import { forceUnwrap } from '../../shared/result.ts';
import type { SimCamera } from '../../tools/sim/camera.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';

const PASSWORD = 'a dog called Möbius';
let simulator: Simulator;
let home: TestEngine;
let camera: Camera;
let file: Uint8Array;

const simulated = (): SimCamera => forceUnwrap('the simulator has one', simulator.cameras[0]);
const configOf = async (engine: TestEngine): Promise<Record<string, string>> => {
  const folder = path.join(engine.init.dataDir, 'config');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name), 'utf8')] as const)));
};

beforeAll(async () => {
  const size = { width: 480, height: 270, fps: 10, kbps: 250, gopFrames: 10, seconds: 10 };
  simulator = await startSimulator({ cameras: 1, hosts: ['127.0.65.2'], source: 'test', main: size, sub: null, audio: 'none', discovery: false });
  home = await TestEngine.started();
  camera = await home.add(simulated());
  await home.ask('cameras.update', { cameraId: camera.id, name: 'Garden gate' });
  await home.ask('settings.set', { homeName: 'Cabin', theme: 'dark', ffmpegPath: null });
  await home.ask('storage.setRules', { maxAgeDays: 45 });
  file = (await home.ask('config.export', { password: PASSWORD })).bytes;
});
afterAll(async () => {
  await home?.end();
  await simulator?.stop();
});

test('the file tells nothing without its password, and the log nothing of either', async () => {
  const { password, username } = simulated();
  const url = new URL(forceUnwrap('it has a stream', camera.streams[0]).url);
  for (const form of [Buffer.from(file), Buffer.from(Buffer.from(file).toString('latin1'), 'base64')]) {
    for (const secret of [password, username, url.hostname, url.pathname, 'Garden gate', 'Cabin', camera.id, PASSWORD, 'rtsp']) {
      expect(form.includes(Buffer.from(secret, 'utf8')), secret).toBe(false);
      expect(form.includes(Buffer.from(secret, 'utf16le')), secret).toBe(false);
    }
  }
  await expect(home.ask('config.import', { password: 'a dog called Moebius', apply: false, bytes: file })).rejects.toMatchObject({ kind: 'wrong-password', message: expect.stringMatching(/^The password does not open this file\./) });
  await expect(home.ask('config.export', { password: 'short' })).rejects.toMatchObject({ kind: 'invalid-input' });
  const log = await home.log();
  for (const secret of [PASSWORD, 'Moebius', 'short', password]) expect(log).not.toContain(secret);
});

test('another computer says first what would be added and changed, then does it, and records with the password of the file', async () => {
  const other = await TestEngine.started();
  try {
    const before = await configOf(other);
    const plan = await other.ask('config.import', { password: PASSWORD, apply: false, bytes: file });
    expect(plan).toMatchObject({ homeName: 'Cabin', savedBy: '0.0.0-test', applied: false });
    expect(plan.changes).toEqual([
      { kind: 'add', sentence: 'Garden gate is added.' },
      { kind: 'change', sentence: 'The name of this home: “Home” becomes “Cabin”.' },
      { kind: 'change', sentence: 'The look: “system” becomes “dark”.' },
      { kind: 'change', sentence: 'The rules of how long footage is kept are taken from the file.' },
      { kind: 'keep', sentence: `The disk that was at ${home.init.mediaDir} is not in use here. If you have it, add it under Storage, and choose its place there.` },
    ]);
    expect(await configOf(other)).toEqual(before);
    expect(await other.ask('config.import', { password: PASSWORD, apply: true, bytes: file })).toMatchObject({ applied: true, changes: plan.changes });
    expect((await other.ask('cameras.list', {})).map((one) => one.camera)).toEqual((await home.ask('cameras.list', {})).map((one) => one.camera));
    expect(await other.ask('storage.rules', {})).toMatchObject({ maxAgeDays: 45 });
    await other.footage(camera.id, 2);
    // The set-up before it lies beside it, and nothing says that an import is under way.
    const config = path.join(other.init.dataDir, 'config');
    expect(JSON.parse(await readFile(path.join(config, 'before-import', 'settings.json'), 'utf8').catch(() => '{}'))).not.toMatchObject({ homeName: 'Cabin' });
    expect(await readdir(config)).not.toContain('import-under-way');
    const again = await other.ask('config.import', { password: PASSWORD, apply: false, bytes: file });
    expect(again.changes.map(({ sentence }) => sentence.replace(/at \S+ is/, 'at … is'))).toEqual(['1 camera is the same here.', 'The disk that was at … is not in use here. If you have it, add it under Storage, and choose its place there.']);
  } finally {
    await other.end();
  }
});

test('what is only here stays, and a camera of the file takes the place of the one with its id', async () => {
  let other = await TestEngine.started();
  try {
    await other.ask('config.import', { password: PASSWORD, apply: true, bytes: file });
    await other.ask('cameras.update', { cameraId: camera.id, name: 'Renamed here' });
    const plan = await other.ask('config.import', { password: PASSWORD, apply: true, bytes: file });
    expect(plan.changes[0]).toEqual({ kind: 'change', sentence: 'Renamed here: the name of the file.' });
    expect(plan.changes.slice(1).map(({ kind }) => kind)).toEqual(['keep']);
    expect((await other.ask('cameras.list', {})).map((one) => one.camera.name)).toEqual(['Garden gate']);
    // Cut short after the first file was written: the next start is as before.
    const config = path.join(other.init.dataDir, 'config');
    other = await other.nextLife(async () => {
      await writeFile(path.join(config, 'cameras.json'), JSON.stringify({ format: 1, cameras: [], removed: [] }));
      await writeFile(path.join(config, 'import-under-way'), '');
    });
    await other.start();
    expect((await other.ask('cameras.list', {})).map((one) => one.camera.name)).toEqual(['Renamed here']);
    await other.footage(camera.id, 1);
  } finally {
    await other.end();
  }
});

test('the order of the disks and where footage goes come along to a home that has those disks', async () => {
  const engine = await TestEngine.started();
  try {
    const small = path.join(engine.folder, 'small');
    const { roots } = await engine.ask('storage.addRoot', { path: small });
    const order = roots.map(({ rootId }) => rootId).toReversed();
    await engine.ask('storage.setPlacement', { mode: 'tiers', moveAfterDays: 14, order });
    const { bytes } = await engine.ask('config.export', { password: PASSWORD });
    await engine.ask('storage.setPlacement', { mode: 'spread', moveAfterDays: null, order: order.toReversed() });
    const plan = await engine.ask('config.import', { password: PASSWORD, apply: false, bytes });
    expect(plan.changes).toEqual([
      { kind: 'change', sentence: 'Footage on several disks: “cameras side by side” becomes “one after the other”.' },
      { kind: 'change', sentence: 'Footage moves on to the next disk after 14 days.' },
      { kind: 'change', sentence: `The disks are used in the order of the file: ${small}, then ${engine.init.mediaDir}.` },
    ]);
    expect(await engine.ask('storage.placement', {})).toMatchObject({ mode: 'spread', moveAfterDays: null });
    await engine.ask('config.import', { password: PASSWORD, apply: true, bytes });
    expect(await engine.ask('storage.placement', {})).toMatchObject({ mode: 'tiers', moveAfterDays: 14, order });
    const { id } = await engine.add(simulated());
    await engine.footage(id, 1);
    expect((await engine.files(small)).length).toBeGreaterThan(0);
  } finally {
    await engine.end();
  }
});

test('a damaged or foreign file is refused in one sentence, and nothing changes', async () => {
  const before = await configOf(home);
  const damaged = Uint8Array.from(file, (byte, at) => (at === file.length - 40 ? byte ^ 1 : byte));
  await expect(home.ask('config.import', { password: PASSWORD, apply: true, bytes: damaged })).rejects.toMatchObject({ kind: 'wrong-password', message: expect.stringContaining('damaged') });
  await expect(home.ask('config.import', { password: PASSWORD, apply: true, bytes: new Uint8Array(200) })).rejects.toMatchObject({ kind: 'invalid-input', message: expect.stringContaining('no Porchlight set-up') });
  await expect(home.ask('config.import', { password: PASSWORD, apply: true, bytes: new Uint8Array(4 * 1024 * 1024 + 1) })).rejects.toMatchObject({ kind: 'invalid-input' });
  expect(await configOf(home)).toEqual(before);
});
