/** From the search to a configured camera and back again after it moved, against the simulator over real sockets. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { createFinder } from '../../main/engine/cameras/finder.ts';
import { createCameraNetwork, type CameraNetwork } from '../../main/engine/cameras/network.ts';
import { createProber, type FrameSource, type Prober } from '../../main/engine/cameras/prober.ts';
import { openRegistry, type CameraRegistry } from '../../main/engine/cameras/registry.ts';
import { openOwnerOnlySecrets } from '../../main/engine/cameras/secret-store.ts';
import { createSearcher, type Searcher } from '../../main/engine/discovery/searcher.ts';
import { forceUnwrap } from '../../shared/result.ts';
import type { FoundCamera } from '../../shared/model/discovery.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';

let simulator: Simulator;
const folders: string[] = [];
const searchers: Searcher[] = [];

beforeAll(async () => {
  simulator = await startSimulator({ cameras: 3, source: 'test', main: { seconds: 2, gopFrames: 10, width: 1280, height: 720 } });
}, 120_000);
afterAll(async () => {
  await simulator.stop();
});
afterEach(async () => {
  for (const searcher of searchers.splice(0)) await searcher.stop();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const network = (): CameraNetwork => createCameraNetwork(systemClock, silentLogger);

function prober(shared = network(), grabbed: FrameSource[] = []): Prober {
  return createProber({
    network: shared,
    grabFrame: (source) => {
      grabbed.push(source);
      return Promise.resolve(new Uint8Array([0xff, 0xd8, 0xff, 0xd9]));
    },
  });
}

function searcher(registry: CameraRegistry | null = null): Searcher {
  const made = createSearcher({
    clock: systemClock,
    log: silentLogger,
    options: () => ({ interfaces: ['127.0.0.1'], port: simulator.discoveryPort, timeoutMs: 500 }),
    configuredAs: (found) => registry?.configuredAs(found) ?? null,
  });
  searchers.push(made);
  return made;
}

const simulated = (index: number): Simulator['cameras'][number] => forceUnwrap('the simulator has three cameras', simulator.cameras[index]);
const loginOf = (index: number): { username: string; password: string } => ({ username: simulated(index).username, password: simulated(index).password });

async function foundCamera(index: number): Promise<FoundCamera> {
  const { host } = simulated(index);
  const found = await searchUntil(searcher(), (list) => list.some((one) => one.host === host));
  return forceUnwrap('the search found the camera', found.find((one) => one.host === host));
}

/** Searches again where a busy machine answered too late. */
async function searchUntil(search: Searcher, enough: (found: readonly FoundCamera[]) => boolean): Promise<readonly FoundCamera[]> {
  for (let time = 0; time < 5; time += 1) {
    const { found } = await search.search();
    if (enough(found)) return found;
  }
  return search.state().found;
}

async function registry(): Promise<CameraRegistry> {
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-cameras-'));
  folders.push(folder);
  return await openRegistry({ clock: systemClock, log: silentLogger, folder, secrets: await openOwnerOnlySecrets(folder) });
}

describe('from nothing to a configured camera', () => {
  it('all cameras are found with model and address, and none is configured', async () => {
    const search = searcher();
    const found = await searchUntil(search, (list) => list.length >= 3);
    expect(search.state().searching).toBe(false);
    expect(found.map((one) => one.host)).toEqual(simulator.cameras.map((one) => one.host));
    expect(found.every((one) => one.model !== '' && one.cameraId === null)).toBe(true);
  });

  it('a found camera tells its streams once the password is known', async () => {
    const { probed } = await prober().probe({ kind: 'found', found: await foundCamera(0) }, loginOf(0));
    expect(probed).toMatchObject({ origin: 'onvif', streams: [{ kind: 'main', videoCodec: 'h264', width: 1280, height: 720, audioCodec: 'aac' }, { kind: 'sub', videoCodec: 'h264' }] });
    expect(probed.suggestedName).toBe(simulated(0).name);
    expect(Math.abs(probed.clockOffsetMs ?? 1e9)).toBeLessThan(1500);
    expect(probed.streams.every((stream) => !stream.url.includes('@') && new URL(stream.url).hostname === simulated(0).host)).toBe(true);
  });

  it('without a password it says that it wants one; a wrong one is not sent thrice', async () => {
    const found = await foundCamera(1);
    const asker = prober();
    await expect(asker.probe({ kind: 'found', found }, null)).rejects.toMatchObject({ kind: 'wrong-password' });
    await simulated(1).setQuirk('lockout', 3);
    for (let attempt = 0; attempt < 4; attempt += 1) await expect(asker.probe({ kind: 'found', found }, { username: 'viewer', password: 'guess' })).rejects.toMatchObject({ kind: 'wrong-password' });
    // Four tries of the owner, and the camera has not locked us out.
    expect((await asker.probe({ kind: 'found', found }, loginOf(1))).probed.streams).toHaveLength(2);
    await simulated(1).setQuirk('lockout', 0);
  });

  it('a snapshot uses what the probe learnt', async () => {
    const grabbed: FrameSource[] = [];
    const asker = prober(network(), grabbed);
    const target = { kind: 'found', found: await foundCamera(0) } as const;
    await asker.probe(target, loginOf(0));
    const picture = await asker.snapshot(target, loginOf(0));
    expect([...picture.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
    expect(grabbed.every((source) => !source.url.includes('@'))).toBe(true);
  });

  it('a pasted stream address with credentials works, and the credentials do not stay in it', async () => {
    const { username, password } = loginOf(2);
    const address = simulated(2).rtspUrl('main').replace('rtsp://', `rtsp://${username}:${password}@`);
    const { probed, login } = await prober().probe({ kind: 'address', address }, null);
    expect(login).toEqual({ username, password });
    expect(probed.streams[0]?.url).toBe(simulated(2).rtspUrl('main'));
  });

  it('a host and port are enough', async () => {
    const { probed } = await prober().probe({ kind: 'address', address: new URL(simulated(2).onvifUrl).host }, loginOf(2));
    expect(probed).toMatchObject({ origin: 'onvif', deviceUrl: simulated(2).onvifUrl });
    const rtsp = await prober().probe({ kind: 'address', address: new URL(simulated(2).rtspUrl('main')).host }, loginOf(2)).catch((error: unknown) => error);
    // The simulator's paths are none of the makers'.
    expect(rtsp).toMatchObject({ kind: 'not-a-camera' });
  });

  it('the device service\'s address works', async () => {
    const { probed } = await prober().probe({ kind: 'address', address: simulated(2).onvifUrl }, loginOf(2));
    expect(probed.streams.map((stream) => stream.kind)).toEqual(['main', 'sub']);
  });

  for (const [kind, value] of [['wsse'], ['digest'], ['sha256'], ['both'], ['any']].map(([one]) => ['onvif-auth', one ?? ''] as const)) {
    it(`logs in with ${value} over ONVIF`, async () => {
      await simulated(2).setQuirk(kind, value);
      await prober().probe({ kind: 'found', found: await foundCamera(2) }, loginOf(2));
      await simulated(2).setQuirk(kind, '');
    });
  }

  it('MJPEG is refused with its own sentence', async () => {
    await simulated(2).setQuirk('mjpeg-only', true);
    await expect(prober().probe({ kind: 'address', address: simulated(2).rtspUrl('main') }, loginOf(2))).rejects.toMatchObject({ kind: 'codec-not-supported' });
    await simulated(2).setQuirk('mjpeg-only', false);
  });

  it('a camera three days behind is let in, and its clock is told', async () => {
    await simulated(2).setQuirk('clock-skew', -3 * 86_400);
    const { probed } = await prober().probe({ kind: 'found', found: await foundCamera(2) }, loginOf(2));
    expect(Math.abs((probed.clockOffsetMs ?? 0) + 3 * 86_400_000)).toBeLessThan(2000);
    await simulated(2).setQuirk('clock-skew', 0);
  });
});

describe('cameras that changed places', () => {
  it('are told apart by who they say they are, although both take the password, and each gets its own address', async () => {
    const cameras = await registry();
    const shared = network();
    for (const index of [1, 2]) {
      const { probed, login } = await prober(shared).probe({ kind: 'found', found: await foundCamera(index) }, loginOf(index));
      await cameras.add(probed, login, null);
    }
    const [first, second] = cameras.list();
    const [one, two] = [forceUnwrap('added', first), forceUnwrap('added', second)];
    await cameras.relocate(one.id, { deviceUrl: two.deviceUrl, streams: two.streams });
    await cameras.relocate(two.id, { deviceUrl: one.deviceUrl, streams: one.streams });
    const search = searcher(cameras);
    const diagnoses: unknown[] = [];
    const finder = createFinder({
      network: shared,
      search: async () => (await search.search()).found,
      cameras: () => cameras.list(),
      isOffline: () => false,
      login: (id) => cameras.login(id),
      relocate: (id, to) => cameras.relocate(id, to),
      onDiagnosis: (id, diagnosis) => diagnoses.push([id, diagnosis]),
    });
    for (const { id } of [one, two]) finder.heard(id, 'live');
    const stopping = new AbortController();
    const running = finder.run(stopping.signal);
    await expect.poll(() => cameras.list().map((camera) => camera.deviceUrl), { timeout: 25_000 }).toEqual([one.deviceUrl, two.deviceUrl]);
    stopping.abort();
    await running;
    expect(cameras.list().map((camera) => camera.streams.map((stream) => stream.url))).toEqual([one, two].map((camera) => camera.streams.map((stream) => stream.url)));
    expect(diagnoses.slice(0, 2)).toEqual([[one.id, 'other-camera'], [two.id, 'other-camera']]);
    expect(diagnoses.slice(-1)).toEqual([[two.id, null]]);
    await cameras.close();
  }, 40_000);
});

describe('bare RTSP cameras on a link whose neighbours are known', () => {
  const RTSP = { username: 'viewer', password: 'porchlight' };
  const macOf = (index: number): string => `02:00:00:00:00:0${index}`;

  /** A registry with these streams, each under the link-layer address given; loopback has none of its own. */
  async function home(streams: readonly { readonly url: string; readonly mac: string }[]): Promise<CameraRegistry> {
    const cameras = await registry();
    for (const { url, mac } of streams) {
      const { probed } = await prober().probe({ kind: 'address', address: url }, RTSP);
      await cameras.add({ ...probed, mac }, RTSP, null);
    }
    return cameras;
  }

  async function look(cameras: CameraRegistry, neighbours: readonly { readonly host: string; readonly mac: string }[]): Promise<number> {
    const finder = createFinder({
      network: network(),
      neighbours: { list: () => Promise.resolve(neighbours), stir: () => Promise.resolve() },
      search: () => Promise.resolve([]),
      cameras: () => cameras.list(),
      isOffline: () => true,
      login: (id) => cameras.login(id),
      relocate: (id, to) => cameras.relocate(id, to),
    });
    return await finder.runOnce();
  }

  const hosts = (cameras: CameraRegistry): string[] => cameras.list().map((camera) => new URL(camera.streams[0]?.url ?? '').hostname);

  it('move together where they are channels of one recorder', async () => {
    await simulated(0).setQuirk('video-sources', 2);
    const [main, second] = [simulated(0).rtspUrl('main'), simulated(0).rtspUrl('main').replace(/main$/, '2/main')];
    const cameras = await home([{ url: main, mac: macOf(0) }, { url: second, mac: macOf(0) }]);
    const oldHost = simulated(0).host;
    await simulated(0).moveTo('127.0.9.21');
    expect(await look(cameras, [{ host: oldHost, mac: macOf(0) }, { host: '127.0.9.21', mac: macOf(0) }])).toBe(2);
    expect(hosts(cameras)).toEqual(['127.0.9.21', '127.0.9.21']);
    await simulated(0).moveTo(oldHost);
    await simulated(0).setQuirk('video-sources', 0);
    await cameras.close();
  });

  it('are not looked for by an address that cameras at several places share', async () => {
    const cameras = await home([{ url: simulated(1).rtspUrl('main'), mac: macOf(9) }, { url: simulated(2).rtspUrl('main'), mac: macOf(9) }]);
    const before = hosts(cameras);
    expect(await look(cameras, simulator.cameras.map((one) => ({ host: one.host, mac: macOf(9) })))).toBe(0);
    expect(hosts(cameras)).toEqual(before);
    await cameras.close();
  });
});

describe('a camera with a new address', () => {
  it('is found again by its identity, and a stranger is not believed', async () => {
    const cameras = await registry();
    const shared = network();
    const found = await foundCamera(0);
    const { probed, login } = await prober(shared).probe({ kind: 'found', found }, loginOf(0));
    const camera = await cameras.add(probed, login, null);
    const search = searcher(cameras);
    const finder = createFinder({
      network: shared,
      search: async () => (await search.search()).found,
      cameras: () => cameras.list(),
      isOffline: () => true,
      login: (id) => cameras.login(id),
      relocate: (id, to) => cameras.relocate(id, to),
    });
    expect(await finder.runOnce()).toBe(0);
    const oldHost = simulated(0).host;
    await simulated(0).moveTo('127.0.9.9');
    await expect.poll(() => finder.runOnce(), { timeout: 10_000 }).toBe(1);
    const moved = cameras.get(camera.id);
    expect(new URL(moved.deviceUrl ?? '').hostname).toBe('127.0.9.9');
    expect(moved.streams.map((stream) => new URL(stream.url).hostname)).toEqual(['127.0.9.9', '127.0.9.9']);
    await simulated(0).moveTo(oldHost);

    // Somebody else answers with its endpoint reference.
    const stranger = { ...(await foundCamera(1)), identity: found.identity };
    const fooled = createFinder({ network: shared, search: () => Promise.resolve([stranger]), cameras: () => cameras.list(), isOffline: () => true, login: (id) => cameras.login(id), relocate: (id, to) => cameras.relocate(id, to) });
    expect(await fooled.runOnce()).toBe(0);
    expect(new URL(cameras.get(camera.id).deviceUrl ?? '').hostname).toBe('127.0.9.9');
    await cameras.close();
  });
});
