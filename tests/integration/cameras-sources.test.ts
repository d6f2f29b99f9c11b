/** Recorders and cameras with several lenses: one camera per video source, one password, one identity, found again together. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { addProbed } from '../../main/engine/cameras/add.ts';
import { createFinder, type Finder } from '../../main/engine/cameras/finder.ts';
import { createCameraNetwork } from '../../main/engine/cameras/network.ts';
import { createProber, type Prober, type ProbeOutcome } from '../../main/engine/cameras/prober.ts';
import { openRegistry, type CameraRegistry } from '../../main/engine/cameras/registry.ts';
import { openOwnerOnlySecrets } from '../../main/engine/cameras/secret-store.ts';
import { createSearcher } from '../../main/engine/discovery/searcher.ts';
import { forceUnwrap } from '../../shared/result.ts';
import type { FoundCamera } from '../../shared/model/discovery.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { decodeCodes } from './sim-support.ts';

let simulator: Simulator;
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  simulator = await startSimulator({ cameras: 1, source: 'test', main: { seconds: 2, gopFrames: 10, width: 640, height: 360 }, sub: { seconds: 2, gopFrames: 10, width: 352, height: 198 }, quirks: { 'video-sources': 3 } });
}, 120_000);
afterAll(async () => {
  await simulator.stop();
});
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
});

const recorder = (): Simulator['cameras'][number] => forceUnwrap('one was started', simulator.cameras[0]);
const login = (): { username: string; password: string } => ({ username: recorder().username, password: recorder().password });
const prober = (): Prober => createProber({ network: createCameraNetwork(systemClock, silentLogger), grabFrame: () => Promise.reject(new Error('no frame is asked for here')) });
const probe = (): Promise<ProbeOutcome> => prober().probe({ kind: 'address', address: recorder().onvifUrl }, login());

async function quirk(...[name, value]: Parameters<ReturnType<typeof recorder>['setQuirk']>): Promise<void> {
  await recorder().setQuirk(name, value);
  undo.push(() => recorder().setQuirk(name, typeof value === 'boolean' ? false : typeof value === 'number' ? 0 : ''));
}

async function registry(): Promise<CameraRegistry> {
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-sources-'));
  const made = await openRegistry({ clock: systemClock, log: silentLogger, folder, secrets: await openOwnerOnlySecrets(folder) });
  undo.push(() => rm(folder, { recursive: true, force: true }), () => made.close());
  return made;
}

function finder(cameras: CameraRegistry, search: () => Promise<readonly FoundCamera[]>, offline: (position: number) => boolean = () => true): Finder {
  return createFinder({
    network: createCameraNetwork(systemClock, silentLogger),
    search,
    cameras: () => cameras.list(),
    isOffline: (id) => offline(cameras.list().findIndex((camera) => camera.id === id)),
    login: (id) => cameras.login(id),
    relocate: (id, to) => cameras.relocate(id, to),
  });
}

describe('a recorder with three channels', () => {
  it('becomes three cameras with streams of their own, one identity and one password', async () => {
    const cameras = await registry();
    const first = await addProbed(cameras, await probe(), null);
    const list = cameras.list();
    expect(list[0]?.id).toBe(first.id);
    expect(list.map((camera) => [camera.name, camera.sourceToken])).toEqual([1, 2, 3].map((number) => [`Front porch ${number}`, `source_${number}`]));
    expect(new Set(list.map((camera) => camera.identity)).size).toBe(1);
    expect(new Set(list.map((camera) => camera.deviceUrl)).size).toBe(1);
    const paths = list.map((camera) => camera.streams.map((stream) => new URL(stream.url).pathname));
    expect(paths).toEqual([['/main', '/sub'], ['/2/main', '/2/sub'], ['/3/main', '/3/sub']]);
    for (const camera of list) expect(await cameras.login(camera.id)).toEqual(login());
    await cameras.setCredentials(forceUnwrap('the second', list[1]).id, { username: 'viewer', password: 'another' });
    for (const camera of list) expect(await cameras.login(camera.id)).toEqual({ username: 'viewer', password: 'another' });
  });

  it('sends the pictures of the channel that was asked for', async () => {
    const { probed } = await probe();
    const second = forceUnwrap('there are three', probed.sources?.[1]);
    const url = forceUnwrap('it has a main stream', second.streams[0]).url.replace('rtsp://', `rtsp://${recorder().username}:${recorder().password}@`);
    await decodeCodes(url, { transport: 'tcp', frames: 2 });
    expect(recorder().sendLogOf(2).length).toBeGreaterThan(0);
    expect(recorder().sendLogOf(3)).toEqual([]);
  });

  it('names them as its owner did, and puts a name that is given now before that', async () => {
    await quirk('video-source-names', 'Front door, Yard, Barn');
    expect((await probe()).probed.sources?.map((source) => source.suggestedName)).toEqual(['Front door', 'Yard', 'Barn']);
    const cameras = await registry();
    await addProbed(cameras, await probe(), 'Cottage', ['source_2', 'source_3']);
    expect(cameras.list().map((camera) => camera.name)).toEqual(['Cottage Yard', 'Cottage Barn']);
  });

  it('is taken in once: what is there already stays, what is new comes along, and what was removed comes back', async () => {
    const cameras = await registry();
    await addProbed(cameras, await probe(), null, ['source_2']);
    const [second] = cameras.list();
    await addProbed(cameras, await probe(), null);
    expect(cameras.list().map((camera) => camera.sourceToken)).toEqual(['source_2', 'source_1', 'source_3']);
    await expect(probe().then((outcome) => addProbed(cameras, outcome, null))).rejects.toMatchObject({ kind: 'conflict' });
    await cameras.remove(forceUnwrap('it was added', second).id);
    expect((await addProbed(cameras, await probe(), null)).id).toBe(second?.id);
  });

  it('that was one camera to an earlier version keeps that one', async () => {
    const cameras = await registry();
    const { probed } = await probe();
    const { sources: _sources, sourceToken: _token, ...asOne } = probed;
    const before = await cameras.add(asOne, login(), 'Recorder');
    await addProbed(cameras, await probe(), null);
    expect(cameras.list().map((camera) => [camera.name, new URL(camera.streams[0]?.url ?? '').pathname])).toEqual([['Recorder', '/main'], ['Front porch 2', '/2/main'], ['Front porch 3', '/3/main']]);
    expect(cameras.list()[0]?.id).toBe(before.id);
  });

  it('is found again at a new address as a whole, although one channel alone was missed', async () => {
    const cameras = await registry();
    await addProbed(cameras, await probe(), null);
    const oldHost = recorder().host;
    undo.push(() => recorder().moveTo(oldHost));
    const searcher = createSearcher({ clock: systemClock, log: silentLogger, options: () => ({ interfaces: ['127.0.0.1'], port: simulator.discoveryPort, timeoutMs: 500 }), configuredAs: (found) => cameras.configuredAs(found) });
    undo.push(() => searcher.stop());
    await recorder().moveTo('127.0.9.12');
    const search = async (): Promise<readonly FoundCamera[]> => (await searcher.search()).found;
    await expect.poll(() => finder(cameras, search, (position) => position === 1).runOnce(), { timeout: 10_000 }).toBe(3);
    const urls = cameras.list().flatMap((camera) => [camera.deviceUrl ?? '', ...camera.streams.map((stream) => stream.url)]);
    expect(new Set(urls.map((url) => new URL(url).hostname))).toEqual(new Set(['127.0.9.12']));
    expect(cameras.list().map((camera) => new URL(camera.streams[0]?.url ?? '').pathname)).toEqual(['/main', '/2/main', '/3/main']);
  });
});

describe('a device that asks nobody for a password over ONVIF', () => {
  it('is found again when its stream takes the password, and not when that asks for none either', async () => {
    await quirk('onvif-auth', 'none');
    const cameras = await registry();
    await addProbed(cameras, await probe(), null);
    const oldHost = recorder().host;
    undo.push(() => recorder().moveTo(oldHost));
    const searcher = createSearcher({ clock: systemClock, log: silentLogger, options: () => ({ interfaces: ['127.0.0.1'], port: simulator.discoveryPort, timeoutMs: 500 }), configuredAs: (found) => cameras.configuredAs(found) });
    undo.push(() => searcher.stop());
    const search = async (): Promise<readonly FoundCamera[]> => (await searcher.search()).found;
    await recorder().moveTo('127.0.9.13');
    await quirk('rtsp-auth', 'none');
    await expect.poll(async () => (await search()).some((one) => one.host === '127.0.9.13'), { timeout: 10_000 }).toBe(true);
    expect(await finder(cameras, search).runOnce()).toBe(0);
    await recorder().setQuirk('rtsp-auth', '');
    await expect.poll(() => finder(cameras, search).runOnce(), { timeout: 10_000 }).toBe(3);
  });
});

describe('a camera whose streams have new addresses', () => {
  it('is asked for them where it is, without a search', async () => {
    const cameras = await registry();
    await addProbed(cameras, await probe(), null);
    let searches = 0;
    const look = finder(cameras, () => Promise.resolve((searches += 1, [])));
    expect(await look.runOnce()).toBe(0);
    await quirk('stream-path', 'v2/live');
    expect(await look.runOnce()).toBe(3);
    expect(cameras.list().map((camera) => new URL(camera.streams[0]?.url ?? '').pathname)).toEqual(['/v2/live/main', '/v2/live/2/main', '/v2/live/3/main']);
    expect(await look.runOnce()).toBe(0);
    expect(searches).toBe(0);
  });

  it('is followed to other profiles, of its own video source', async () => {
    const cameras = await registry();
    await addProbed(cameras, await probe(), null);
    // Another serial number: whoever lives there now is not followed.
    await quirk('numeric-tokens', true);
    expect(await finder(cameras, () => Promise.resolve([])).runOnce()).toBe(0);
    await quirk('numeric-tokens', false);
    await quirk('ampersand-token', true);
    expect(await finder(cameras, () => Promise.resolve([])).runOnce()).toBe(3);
    expect(cameras.list().map((camera) => [camera.sourceToken, camera.streams[0]?.profileToken, new URL(camera.streams[0]?.url ?? '').pathname])).toEqual([
      ['source_1', 'profile&main', '/main'],
      ['source_2', 'profile&main_2', '/2/main'],
      ['source_3', 'profile&main_3', '/3/main'],
    ]);
  });
});
