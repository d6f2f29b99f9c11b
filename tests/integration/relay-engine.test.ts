/** Watching from away through everything there is: two engines in processes of their own, a real relay between them, a simulated camera, and the page's own code as the viewer. */
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningRelay, startRelay } from '../../relay/server.ts';
import { EngineClient } from '../../renderer/api/engine-client.ts';
import { connectToHome } from '../../renderer/relay/connect-to-home.ts';
import { HomeLine } from '../../renderer/relay/home-line.ts';
import { pairOver } from '../../renderer/relay/pair.ts';
import { readCode } from '../../renderer/relay/read-offer.ts';
import type { Camera } from '../../shared/model/camera.ts';
import type { Grants, RemoteHome, Right } from '../../shared/model/remote.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';

const LONG_MS = 120_000;
let simulator: Simulator;
let relay: RunningRelay;
let home: TestEngine;
let away: TestEngine;
let porch: Camera;
let bedroom: Camera;
let paired: RemoteHome;
let guest: EngineClient;
const line = new HomeLine();

const grants = (...rights: Right[]) => ({ cameras: [{ cameraId: porch.id, rights }], untilMs: null }) satisfies Grants;
const device = async () => forceUnwrap('one device is paired', (await home.ask('remote.state', {})).devices[0]);
const refused = { kind: 'not-allowed' };

beforeAll(async () => {
  const size = { width: 480, height: 270, fps: 10, kbps: 250, gopFrames: 10, seconds: 10 };
  simulator = await startSimulator({ cameras: 2, hosts: ['127.0.71.2', '127.0.71.3'], source: 'test', main: size, sub: null, audio: 'none', discovery: false });
  relay = await startRelay();
  [home, away] = await Promise.all([TestEngine.started(), TestEngine.started()]);
  porch = await home.add(forceUnwrap('two cameras', simulator.cameras[0]));
  bedroom = await home.add(forceUnwrap('two cameras', simulator.cameras[1]));
  await home.ask('cameras.update', { cameraId: porch.id, name: 'Porch' });
  await home.ask('cameras.update', { cameraId: bedroom.id, name: 'Bedroom' });
  await home.footage(porch.id, 2);
}, LONG_MS);
afterAll(async () => {
  guest?.close();
  await Promise.all([home?.end(), away?.end()]);
  await relay?.stop(0);
  await simulator?.stop();
}, LONG_MS);

test('off until wanted: no relay is known, none is dialled, and nobody can pair', async () => {
  expect(await home.ask('remote.state', {})).toEqual({ enabled: false, relays: [], leaving: null, devices: [], watching: [], offer: null, lastPairing: null });
  await expect(home.ask('remote.beginPairing', { kind: 'code' })).rejects.toMatchObject({ kind: 'conflict' });
  await expect(home.ask('remote.setRelays', { enabled: true, relays: ['https://relay.example.org'] })).rejects.toMatchObject({ kind: 'invalid-input' });
  expect(await home.ask('remote.log', {})).toEqual({ entries: [], chain: { intact: true, brokenAtSeq: null, length: 0 } });
  // No key is drawn before it is needed.
  await expect(readFile(path.join(home.init.dataDir, 'config', 'remote.json'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a computer pairs by the code, and both keep what they need', async () => {
  await home.ask('remote.setRelays', { enabled: true, relays: [relay.url] });
  await waitFor('the home to be at the relay', async () => (await home.ask('remote.state', {})).relays[0]?.phase === 'connected');
  const { text } = await home.ask('remote.beginPairing', { kind: 'code' });
  const code = readCode(text);
  if ('problem' in code) throw new Error(code.problem);
  const shown: { digits: string } = { digits: '' };
  const pairing = pairOver({ offer: code.offer, deviceName: 'Laptop', signal: AbortSignal.timeout(LONG_MS), onDigits: (digits) => (shown.digits = digits), keep: (kept) => away.ask('homes.add', kept) });
  const candidate = await waitFor('the laptop to come, and to show its digits', async () => shown.digits !== '' && (await home.ask('remote.state', {})).offer?.candidate);
  expect(candidate).toMatchObject({ name: 'Laptop', digits: shown.digits });
  const state = await home.ask('remote.allowPairing', { digits: shown.digits, name: 'Laptop', grants: grants('live', 'playback', 'previews') });
  paired = await pairing;
  expect(state.devices).toMatchObject([{ name: 'Laptop', grants: grants('live', 'playback', 'previews') }]);
  expect((await away.ask('homes.list', {})).map(({ id }) => id)).toEqual([paired.id]);
  // No key lies in the clear on either side, and none is in a log.
  const keys = JSON.parse(new TextDecoder().decode((await away.ask('homes.keys', { homeId: paired.id })).bytes)) as Record<string, string>;
  for (const engine of [home, away]) {
    const texts = await Promise.all(['remote.json', 'homes.json', 'secrets.json'].map((name) => readFile(path.join(engine.init.dataDir, 'config', name), 'utf8').catch(() => '')));
    for (const key of [keys['psk'], keys['ringSeed'], keys['devicePrivateKey'], keys['routeSeed']]) expect([...texts, await engine.log()].join('\n')).not.toContain(key);
  }
}, LONG_MS);

test('it sees its own camera, live and recorded, and nothing else of the home', async () => {
  guest = new EngineClient({ connect: () => connectToHome(paired.id, away.client, line), retryMs: () => 300 });
  const cameras = await waitFor('the cameras', () => guest.ask('cameras.list', {}));
  expect(cameras.map(({ camera, rights }) => [camera.name, rights, camera.deviceUrl, camera.username, camera.streams[0]?.url])).toEqual([['Porch', ['live', 'playback', 'previews'], null, null, '']]);
  expect(await guest.ask('app.info', {})).toMatchObject({ dataDir: '', ffmpeg: null, warnings: [] });
  const cameraIds = [porch.id];
  const range = { startMs: Date.now() - 600_000, endMs: Date.now() };
  expect((await guest.ask('timeline.get', { cameraIds, ...range })).cameras[0]?.spans.length).toBeGreaterThan(0);
  expect(await guest.ask('timeline.drawn', { cameraIds, ...range })).toMatchObject({ cameraIds });
  await expect(guest.ask('timeline.get', { cameraIds: [porch.id, bedroom.id], ...range })).rejects.toMatchObject(refused);
  await expect(guest.ask('previews.latest', { cameraId: bedroom.id })).rejects.toMatchObject(refused);
  for (const name of ['storage.summary', 'remote.state', 'remote.log', 'homes.list', 'doors.state', 'locks.list', 'discovery.search', 'check.run'] as const) await expect(guest.ask(name, {}), name).rejects.toMatchObject(refused);
  await expect(guest.ask('cameras.remove', { cameraId: porch.id })).rejects.toMatchObject(refused);
  await expect(guest.ask('config.export', { password: 'a long enough one' })).rejects.toMatchObject(refused);
  await expect(guest.ask('footage.locate', { cameraId: porch.id, stream: 'main', atMs: Date.now() })).rejects.toMatchObject(refused);

  const chunks = { live: 0, playback: 0 };
  const closed: string[] = [];
  const count = (name: 'live' | 'playback') => ({ onChunk: () => void (chunks[name] += 1), onClosed: (error: Error | null) => void closed.push(`${name}: ${String(error)}`) });
  const live = guest.openMedia('live', { cameraId: porch.id, stream: 'best' }, 500, count('live'));
  const playback = guest.openMedia('playback', { cameraId: porch.id, stream: 'best', fromMs: Date.now() - 3_000, seekId: 1 }, 20, count('playback'));
  const foreign = new Promise<Error | null>((resolve) => void guest.openMedia('live', { cameraId: bedroom.id, stream: 'best' }, 10, { onChunk: () => undefined, onClosed: resolve }));
  expect(await foreign).toMatchObject(refused);
  await waitFor('pictures of both', () => (chunks.live > 3 && chunks.playback > 2 ? true : null));
  expect(closed).toEqual([]);
  const { watching, devices } = await home.ask('remote.state', {});
  expect(watching).toMatchObject([{ deviceName: 'Laptop', cameraIds: [porch.id] }]);
  expect(devices[0]?.lastSeenMs).toBeGreaterThan(Date.now() - 60_000);
  playback.close();
  // A right that is taken ends the picture; the session goes on.
  await home.ask('remote.setGrants', { deviceId: (await device()).id, grants: grants('playback') });
  await waitFor('the live picture to end', () => (closed.length > 0 ? true : null));
  expect(await guest.ask('cameras.list', {})).toMatchObject([{ rights: ['playback'] }]);
  live.close();
  const { entries, chain } = await home.ask('remote.log', { limit: 50 });
  expect(chain).toMatchObject({ intact: true, length: entries.length });
  for (const kind of ['paired', 'session', 'timeline', 'live', 'playback', 'refused', 'grants'] as const) expect(entries.map((entry) => entry.kind)).toContain(kind);
}, LONG_MS);

test('grants outlive the index and a restart, and the viewer comes back by itself', async () => {
  const { id } = await device();
  home = await home.nextLife(async () => {
    await rm(path.join(home.init.dataDir, 'porchlight.db'), { force: true });
    for (const suffix of ['-wal', '-shm']) await rm(path.join(home.init.dataDir, `porchlight.db${suffix}`), { force: true });
  });
  await home.start();
  expect(await device()).toMatchObject({ id, grants: grants('playback') });
  expect(await waitFor('the viewer to be back', () => guest.ask('cameras.list', {}).catch(() => null), LONG_MS)).toMatchObject([{ camera: { id: porch.id }, rights: ['playback'] }]);
  expect((await home.ask('remote.log', { limit: 1 })).chain.intact).toBe(true);
  expect(line.warning).toBeNull();
}, LONG_MS);

test('a home that moves to another computer with its set-up is found there without pairing again', async () => {
  const { bytes } = await home.ask('config.export', { password: 'a dog called Mia' });
  await home.stop();
  const next = await TestEngine.started();
  const plan = await next.ask('config.import', { password: 'a dog called Mia', apply: true, bytes });
  expect(plan.changes.map(({ sentence }) => sentence)).toEqual(expect.arrayContaining(['Laptop may look in from away again, as the file says.', `Watching from away is switched on, over ${relay.url}.`]));
  await home.end();
  home = next;
  expect(await waitFor('the viewer to be there', () => guest.ask('cameras.list', {}).catch(() => null), LONG_MS)).toMatchObject([{ camera: { id: porch.id, name: 'Porch' }, rights: ['playback'] }]);
  // The log began anew here, behind the line the viewer saw last.
  expect(line.warning).toBeNull();
  expect((await home.ask('remote.log', {})).chain.intact).toBe(true);
}, LONG_MS);

test('revoked: out within a second, and nowhere any more', async () => {
  const { id } = await device();
  expect(line.sight.kind).not.toBe('blank');
  const startMs = performance.now();
  expect((await home.ask('remote.revoke', { deviceId: id })).devices).toEqual([]);
  await waitFor('the viewer to be cut off', () => (line.sight.kind === 'blank' ? true : null));
  expect(performance.now() - startMs).toBeLessThan(1_000);
  const state = await waitFor('nobody to watch', async () => {
    const now = await home.ask('remote.state', {});
    return now.watching.length === 0 ? now : null;
  });
  expect(state.devices).toEqual([]);
  await expect(connectToHome(paired.id, away.client, new HomeLine())).rejects.toThrow();
  expect(await readFile(path.join(home.init.dataDir, 'config', 'remote.json'), 'utf8')).not.toContain(id);
  expect((await home.ask('remote.log', { limit: 20 })).entries.some(({ kind, deviceName }) => kind === 'revoked' && deviceName === 'Laptop')).toBe(true);
}, LONG_MS);
