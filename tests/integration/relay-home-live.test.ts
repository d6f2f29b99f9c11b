/** The home's live part at a real relay over real sockets: pictures, the log before them, slow lines, grants that end, relays that go and come back. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { createRemoteHome } from '../../main/engine/relay/home.ts';
import type { MediaSink, MediaService, MediaStream, NewView, PairedDevice, RemoteHomeService } from '../../main/engine/relay/home-parts.ts';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { OWNER } from '../../main/engine/rpc/access.ts';
import { accessOf } from '../../main/engine/rpc/remote-access.ts';
import { serveSession } from '../../main/engine/rpc/server.ts';
import { type RelayOptions, type RunningRelay, startRelay } from '../../relay/server.ts';
import { EngineClient } from '../../renderer/api/engine-client.ts';
import { dialRelay } from '../../renderer/relay/relay-dial.ts';
import { utf8 } from '../../renderer/api/utf8.ts';
import { pairOver } from '../../renderer/relay/pair.ts';
import { readWords } from '../../renderer/relay/read-offer.ts';
import { webSuite } from '../../renderer/relay/web-suite.ts';
import type { EngineHandlers } from '../../shared/contract/engine-api.ts';
import type { ChunkHead, InitChunk, MediaName, MediaOpenParsed } from '../../shared/contract/media.ts';
import { cameraIdFrom } from '../../shared/model/ids.ts';
import type { Grants, Right } from '../../shared/model/remote.ts';
import { deviceIdOf, ringToken, routeOf, utcDayOf } from '../../shared/relay/derive.ts';
import { openSession } from '../../shared/relay/session-viewer.ts';
import type { ViewerSession } from '../../shared/relay/session-types.ts';
import type { KeyPair } from '../../shared/relay/suite.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { waitFor } from '../support/wait.ts';

const PORCH = cameraIdFrom(new Uint8Array(12).fill(1));
const BEDROOM = cameraIdFrom(new Uint8Array(12).fill(2));
const PICTURE_BYTES = { main: 20_000, sub: 1_500 } as const;
const clock = { nowMs: () => performance.now(), after: systemClock.after };

const stops: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** 25 pictures a second, a keyframe each second; main needs 500 kB/s. */
const media: MediaService = {
  open<Name extends MediaName>(_name: Name, input: MediaOpenParsed<Name>, first: number, sink: MediaSink): MediaStream {
    let credits = first;
    let number = 0;
    const size = PICTURE_BYTES[input.stream === 'sub' ? 'sub' : 'main'];
    const send = (head: ChunkHead, bytes: number): void => {
      credits -= 1;
      sink.chunk(head, new Uint8Array(bytes).fill(7));
    };
    send({ kind: 'init', initId: 1 }, 700);
    const stop = systemClock.every(40, () => {
      number += 1;
      if (credits > 0) send({ kind: 'media', initId: 1, seekId: 0, baseWallMs: 0, baseMediaMs: 0, keyframe: number % 25 === 1, endMs: Date.now() }, size);
    });
    return { addCredits: (more) => (credits += more), control: () => undefined, close: stop };
  },
};

interface TestHome {
  readonly service: RemoteHomeService;
  readonly own: KeyPair;
  readonly routeSeed: Uint8Array;
  readonly devices: PairedDevice[];
  readonly views: NewView[];
  /** What a line of the log of views waits for. */
  disk: () => Promise<void>;
  stop(): Promise<void>;
}

async function homeAt(urls: readonly string[], forgotten = false): Promise<TestHome> {
  const log = silentLogger;
  const [own, routeSeed] = [await nodeSuite.generateKeyPair(), nodeSuite.random(32)];
  const devices: PairedDevice[] = [];
  const stamps = new Map<string, number>();
  const views: NewView[] = [];
  const get = (id: string): PairedDevice | null => devices.find((device) => device.id === id) ?? null;
  const handlers = {
    'previews.latest': () => ({ item: { atMs: 1, offsetBytes: 0, sizeBytes: 4 }, bytes: Uint8Array.of(0xff, 0xd8, 0xff, 0xd9) }),
    'cameras.list': () => [],
    'events.list': () => [{ id: 'a', cameraId: BEDROOM, kind: 'motion', label: '', startMs: 1, endMs: 2 }],
  } as unknown as EngineHandlers;
  const service = createRemoteHome({
    clock: systemClock, log, own, routeSeed, media,
    devices: {
      list: () => devices, get, seen: () => undefined, add: async (device) => void devices.push(device),
      acceptStamp: async (id, stampMs) => stampMs > (stamps.get(id) ?? 0) && stamps.set(id, stampMs) !== undefined,
    },
    views: {
      append: async (view) => {
        await home.disk();
        views.push(view);
      },
      head: () => ({ length: views.length, head: new Uint8Array(32) }),
    },
    hasSubStream: () => true,
    serve: (channel, { id }, pictures) => void serveSession(channel, { handlers, media: pictures, events: () => () => undefined, access: forgotten ? OWNER : accessOf(() => get(id)?.grants ?? null, Date.now), log }),
    homeName: () => 'Lake house', names: () => ['Lake house'], samplePicture: async () => null,
    relays: { enabled: true, urls },
  });
  const over = new AbortController();
  const running = service.run(over.signal);
  const stop = async (): Promise<void> => {
    over.abort();
    await running;
  };
  stops.push(stop);
  const home: TestHome = { service, own, routeSeed, devices, views, disk: async () => undefined, stop };
  return home;
}

async function relayWith(options: RelayOptions = {}): Promise<RunningRelay> {
  const relay = await startRelay(options);
  stops.push(() => relay.stop(0));
  return relay;
}

const connected = (home: TestHome) => waitFor('the home to be at its relay', () => home.service.relays().every(({ phase }) => phase === 'connected'), 20_000, 10);

/** A device that was paired before, as both sides keep it. */
async function deviceOf(home: TestHome, rights: readonly Right[], untilMs: number | null = null): Promise<PairedDevice & { readonly key: KeyPair }> {
  const key = await webSuite.importKeyPair(nodeSuite.random(32));
  const grants: Grants = { cameras: [{ cameraId: PORCH, rights }], untilMs };
  const device: PairedDevice = { id: await deviceIdOf(nodeSuite, key.publicKey), name: 'Phone', publicKey: key.publicKey, psk: nodeSuite.random(32), ringSeed: nodeSuite.random(32), grants };
  home.devices.push(device);
  await home.service.devicesChanged();
  return { ...device, key };
}

let stampMs = Date.now();
async function lookIn(home: TestHome, relayUrl: string, device: PairedDevice & { readonly key: KeyPair }): Promise<ViewerSession> {
  const day = utcDayOf(Date.now());
  const token = await ringToken(webSuite, device.ringSeed, day);
  const { wire, sessionKey } = await dialRelay({ relay: relayUrl, route: await routeOf(webSuite, home.routeSeed, day), token });
  return await openSession({ suite: webSuite, text: utf8, wire, sessionKey, token, clock, own: device.key, homePublicKey: home.own.publicKey, psk: device.psk, stampMs: (stampMs += 1) });
}

function clientOf(connect: () => Promise<ViewerSession>): EngineClient {
  const client = new EngineClient({ connect, retryMs: () => 100 });
  stops.push(() => client.close());
  return client;
}

interface Seen {
  readonly inits: InitChunk[];
  pictures: number;
  closed: Error | null | undefined;
}

function watch(client: EngineClient, stream: 'main' | 'sub' = 'main', cameraId = PORCH): Seen {
  const seen: Seen = { inits: [], pictures: 0, closed: undefined };
  const handle = client.openMedia('live', { cameraId, stream }, 64, {
    onChunk: (chunk) => {
      if (chunk.kind === 'init') seen.inits.push(chunk);
      else seen.pictures += 1;
      handle.grant(1);
    },
    onClosed: (error) => (seen.closed = error),
  });
  return seen;
}

test('a device pairs by twelve words over the relay, and sees its camera at once', async () => {
  const relay = await relayWith();
  const home = await homeAt([relay.url]);
  await connected(home);
  const { text } = await home.service.beginPairing('words');
  const words = await readWords(text, relay.url);
  if ('problem' in words) throw new Error(words.problem);
  const kept: Uint8Array[] = [];
  let digits = '';
  const pairing = pairOver({
    offer: words.offer, deviceName: 'Phone', signal: AbortSignal.timeout(20_000), onDigits: (shown) => (digits = shown),
    keep: async ({ bytes, name, relays }) => (kept.push(new Uint8Array(bytes)), { id: '0'.repeat(16), name, relays, pairedMs: 0, logHead: null }),
  });
  const candidate = await waitFor('the device to come', () => home.service.offer()?.candidate);
  expect(candidate.digits).toBe(digits);
  await home.service.allowPairing({ digits, name: 'Phone', grants: { cameras: [{ cameraId: PORCH, rights: ['live', 'sound'] }], untilMs: null } });
  expect(await pairing).toMatchObject({ name: 'Lake house', relays: [relay.url] });
  const keys = JSON.parse(Buffer.from(forceUnwrap('it was kept', kept[0])).toString()) as Record<string, string>;
  const key = await webSuite.importKeyPair(Buffer.from(keys['devicePrivateKey'] ?? '', 'base64url'));
  const device = { ...forceUnwrap('it was stored', home.devices[0]), key };
  const client = clientOf(() => lookIn(home, relay.url, device));
  await client.ask('cameras.list', {});
  const seen = watch(client);
  await waitFor('pictures', () => seen.pictures > 10);
  expect(home.service.watching()).toMatchObject([{ deviceName: 'Phone', cameraIds: [PORCH] }]);
  expect(home.views.map(({ kind }) => kind)).toEqual(['paired', 'session', 'live']);
});

describe('the log of views', () => {
  test('holds a picture back until it is written, and for good where it cannot be', async () => {
    const relay = await relayWith();
    const home = await homeAt([relay.url]);
    const device = await deviceOf(home, ['live', 'sound', 'previews']);
    await connected(home);
    const client = clientOf(() => lookIn(home, relay.url, device));
    await client.ask('cameras.list', {});
    const written = Promise.withResolvers<void>();
    home.disk = () => written.promise;
    const [early, later] = [watch(client), watch(client)];
    let answered = false;
    const preview = client.ask('previews.latest', { cameraId: PORCH }).then(() => (answered = true));
    await systemClock.sleep(300);
    expect([early.inits.length, later.inits.length, answered]).toEqual([0, 0, false]);
    written.resolve();
    await preview;
    await waitFor('pictures', () => early.pictures > 0 && later.pictures > 0);
    home.disk = () => Promise.reject(new Error('the disk is full'));
    const never = watch(client);
    await waitFor('a refusal', () => never.closed !== undefined);
    expect(never).toMatchObject({ pictures: 0, inits: [], closed: { kind: 'disk-failing', message: expect.stringContaining('write down who watches') } });
    await expect(client.ask('timeline.get', { cameraIds: [PORCH], startMs: 0, endMs: 1 })).rejects.toMatchObject({ kind: 'disk-failing' });
    home.disk = async () => undefined;
  });

  test('has one line for a minute of previews, and one with all of them at the end', async () => {
    const relay = await relayWith();
    const home = await homeAt([relay.url]);
    const device = await deviceOf(home, ['previews']);
    await connected(home);
    const client = clientOf(() => lookIn(home, relay.url, device));
    for (let round = 0; round < 30; round += 1) await client.ask('previews.latest', { cameraId: PORCH });
    await expect(client.ask('previews.latest', { cameraId: BEDROOM })).rejects.toMatchObject({ kind: 'not-allowed' });
    client.close();
    await waitFor('the end of the session', () => home.views.filter(({ kind }) => kind === 'session').length === 2);
    const previews = home.views.filter(({ kind, cameraIds }) => kind === 'previews' && cameraIds[0] === PORCH);
    // Two minutes where the test ran over a full one.
    expect(previews.length).toBeLessThanOrEqual(4);
    expect(previews.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(30 * 4);
    expect(home.views.some(({ kind }) => kind === 'refused')).toBe(true);
    expect(home.views.every(({ deviceId, path: over }) => deviceId === device.id && over === 'relay')).toBe(true);
  });
});

test('a slow line gets the smaller picture and is told so', async () => {
  // 150 kB/s from home to viewer, as a router's queue would do it.
  let freeAtMs = 0;
  const relay = await relayWith({
    handOver: ({ to, message, deliver }) => {
      if (to.role !== 'viewer') return deliver(to, message);
      freeAtMs = Math.max(freeAtMs, performance.now()) + message.length / 150;
      systemClock.after(freeAtMs - performance.now(), () => deliver(to, message));
    },
  });
  const home = await homeAt([relay.url]);
  const device = await deviceOf(home, ['live', 'sound', 'playback', 'previews']);
  await connected(home);
  const session = await lookIn(home, relay.url, device);
  const client = clientOf(async () => session);
  await client.ask('cameras.list', {});
  const seen = watch(client);
  await waitFor('the smaller picture', () => seen.inits.length > 1, 30_000, 20);
  expect(seen.inits).toEqual([{ kind: 'init', initId: 1, stream: 'main' }, { kind: 'init', initId: 2, stream: 'sub', because: 'slow-line' }]);
  // Whatever it took, the line itself never fell behind.
  expect(session.freshness.ageMs()).toBeLessThan(3_000);
  const before = seen.pictures;
  await waitFor('it to run', () => seen.pictures > before + 25);
  expect(home.service.watching()).toMatchObject([{ cameraIds: [PORCH] }]);
}, 60_000);

test('an engine that forgot every rule of its own still shows nothing that was not granted', async () => {
  const relay = await relayWith();
  const home = await homeAt([relay.url], true);
  const device = await deviceOf(home, ['playback', 'sound']);
  await connected(home);
  const client = clientOf(() => lookIn(home, relay.url, device));
  const refused = { kind: 'not-allowed' };
  expect(await client.ask('cameras.list', {})).toEqual([]);
  await expect(client.ask('events.list', { cameraIds: [PORCH], startMs: 0, endMs: 1 })).rejects.toMatchObject(refused);
  await expect(client.ask('previews.latest', { cameraId: BEDROOM })).rejects.toMatchObject(refused);
  for (const seen of [watch(client), watch(client, 'main', BEDROOM)]) {
    await waitFor('a refusal', () => seen.closed !== undefined);
    expect(seen).toMatchObject({ pictures: 0, inits: [], closed: expect.any(Error) });
  }
  expect(home.views.filter(({ kind }) => kind === 'refused').length).toBeGreaterThan(2);
});

describe('who may look in no more', () => {
  test('is out within a second of being revoked, at the end of its time, and when its rights change', async () => {
    const relay = await relayWith();
    const home = await homeAt([relay.url]);
    await connected(home);
    const revoked = await deviceOf(home, ['live', 'sound']);
    const ending = await deviceOf(home, ['live', 'sound'], Date.now() + 3_000);
    const changed = await deviceOf(home, ['live', 'sound']);
    const out = new Map<string, number>();
    const why = (id: string) => waitFor('the end to be written down', () => home.views.find((view) => view.deviceId === id && view.kind === 'session' && view.toMs !== null)?.note);
    for (const device of [revoked, ending, changed]) {
      const session = await lookIn(home, relay.url, device);
      session.onClose(() => out.set(device.id, performance.now()));
      const client = clientOf(async () => (out.has(device.id) ? Promise.reject(new Error('it is out')) : session));
      await client.ask('cameras.list', {});
      const seen = watch(client);
      await waitFor('pictures', () => seen.pictures > 0);
    }
    const startMs = performance.now();
    home.devices.splice(0, 1);
    home.devices.splice(1, 1, { ...changed, grants: { cameras: [], untilMs: null } });
    await home.service.devicesChanged();
    await waitFor('both to be out', () => out.has(revoked.id) && out.has(changed.id), 5_000, 5);
    expect(Math.max(...out.values()) - startMs).toBeLessThan(1_000);
    expect(await why(revoked.id)).toContain('off the list');
    expect(await why(changed.id)).toContain('changed');
    await waitFor('the time to be over', () => out.has(ending.id), 10_000, 5);
    expect(await why(ending.id)).toContain('time');
    await home.service.devicesChanged();
    for (const device of [revoked, ending]) await expect(lookIn(home, relay.url, device)).rejects.toThrow('does not answer');
    expect(relay.counters.tokens).toBe(3);
    await waitFor('nobody to watch', () => home.service.watching().length === 0);
  });

  test('never got in without the device’s key, and a token that rings without end costs five handshakes a second', async () => {
    const relay = await relayWith();
    const home = await homeAt([relay.url]);
    const device = await deviceOf(home, ['live', 'sound']);
    await connected(home);
    const strangersKey = await webSuite.importKeyPair(nodeSuite.random(32));
    await expect(lookIn(home, relay.url, { ...device, key: strangersKey })).rejects.toThrow();
    await expect(lookIn(home, relay.url, { ...device, psk: nodeSuite.random(32) })).rejects.toThrow();
    await systemClock.sleep(1_000);
    const before = relay.counters.sessionsTotal;
    const day = utcDayOf(Date.now());
    const [token, route] = [await ringToken(webSuite, device.ringSeed, day), await routeOf(webSuite, home.routeSeed, day)];
    const over = new AbortController();
    const rings = Array.from({ length: 8 }, () => dialRelay({ relay: relay.url, route, token, signal: over.signal }).catch(() => null));
    await waitFor('the home to have met some', () => relay.counters.sessionsTotal - before === 5, 5_000, 10);
    await systemClock.sleep(200);
    expect(relay.counters.sessionsTotal - before).toBe(5);
    over.abort();
    for (const ring of await Promise.all(rings)) ring?.wire.close('over');
  });
});

describe('a relay', () => {
  test('that goes is told, and that comes back is used again, by viewers too', async () => {
    const first = await startRelay();
    const home = await homeAt([first.url]);
    const device = await deviceOf(home, ['live', 'sound']);
    await connected(home);
    const client = clientOf(() => lookIn(home, first.url, device));
    await client.ask('cameras.list', {});
    await first.stop(0);
    await waitFor('the trouble to be told', () => home.service.relays()[0]?.phase === 'waiting');
    expect(home.service.relays()[0]?.sentence).toMatch(/relay/);
    await waitFor('the session to be over', () => home.service.watching().length === 0);
    const { port } = first;
    await relayWith({ port });
    await waitFor('the home to be back', () => home.service.relays()[0]?.phase === 'connected', 40_000);
    expect(home.service.relays()[0]?.sentence).toBeNull();
    await waitFor('the viewer to be back', () => client.ask('cameras.list', {}).catch(() => null));
  }, 60_000);

  test('that asks for a new dial gets one, and nobody rings in vain meanwhile', async () => {
    const relay = await relayWith({ behindProxy: true, limits: { redialLeastMs: 100, redialSpreadMs: 50, connectsPerAddressPerS: 1_000 } });
    const home = await homeAt([relay.url]);
    const device = await deviceOf(home, ['live', 'sound']);
    await connected(home);
    const untilMs = performance.now() + 3_000;
    while (performance.now() < untilMs) {
      const session = await lookIn(home, relay.url, device);
      session.close('seen');
      await waitFor('it to be gone', () => home.service.watching().length === 0, 5_000, 5);
      // The home takes five rings of a token a second.
      await systemClock.sleep(200);
    }
    // Two a session, and the home's own.
    expect(relay.counters.connectionsTotal - 2 * relay.counters.sessionsTotal).toBeGreaterThan(10);
    await home.stop();
    await waitFor('every socket to be closed', () => relay.counters.connections === 0);
  }, 30_000);

  test('is one of two: the others of the list are in reserve, and what is no relay is not dialled', async () => {
    const relays = await Promise.all([relayWith(), relayWith(), relayWith()]);
    const home = await homeAt(relays.map(({ url }) => url));
    await deviceOf(home, ['live', 'sound']);
    await waitFor('two to be connected', () => home.service.relays().filter(({ phase }) => phase === 'connected').length === 2);
    expect(home.service.relays().filter(({ sentence }) => sentence?.startsWith('In reserve'))).toHaveLength(1);
    await waitFor('the tokens to be there', () => relays.map(({ counters }) => counters.tokens).toSorted().join() === '0,3,3');
    home.service.setRelays({ enabled: true, urls: ['ws://relay.example.org', 'https://relay.example.org'] });
    expect(home.service.relays().map(({ phase, sentence }) => [phase, sentence])).toEqual([['waiting', expect.stringContaining('wss://')], ['waiting', expect.stringContaining('wss://')]]);
    await waitFor('them to be left', () => relays.every(({ counters }) => counters.controlSockets === 0));
    home.service.setRelays({ enabled: false, urls: ['wss://relay.example.org'] });
    expect(home.service.relays()).toMatchObject([{ phase: 'off', sentence: null }]);
    await expect(home.service.beginPairing('code')).rejects.toMatchObject({ kind: 'conflict' });
  });

  test('that cannot prove who it is is told nothing', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'porchlight-relay-home-'));
    stops.push(() => rmSync(folder, { recursive: true, force: true }));
    const [keyFile, certFile] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile, '-out', certFile, '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'], { stdio: 'ignore' });
    const relay = await relayWith({ tls: { cert: readFileSync(certFile), key: readFileSync(keyFile) } });
    const home = await homeAt([relay.url]);
    await deviceOf(home, ['live', 'sound']);
    const state = await waitFor('the refusal', () => home.service.relays().find(({ phase }) => phase === 'waiting'));
    expect(state.sentence).toContain('certificate');
    expect(relay.counters).toMatchObject({ controlSockets: 0, tokens: 0 });
  });
});
