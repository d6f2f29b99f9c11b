/** The home's live part at a real relay over real sockets: pictures, the log before them, slow lines, grants that end, relays that go and come back. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { startRelay } from '../../relay/server.ts';
import { pairOver } from '../../renderer/relay/pair.ts';
import { readWords } from '../../renderer/relay/read-offer.ts';
import { dialRelay } from '../../renderer/relay/relay-dial.ts';
import { webSuite } from '../../renderer/relay/web-suite.ts';
import { ringToken, routeOf, utcDayOf } from '../../shared/relay/derive.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { waitFor } from '../support/wait.ts';
import { BEDROOM, clientOf, connected, deviceOf, endAll, homeAt, lookIn, PORCH, relayWith, stops, watch } from './relay-home-rig.ts';

afterEach(endAll);

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
  expect(await waitFor('the digits at the device', () => (digits === '' ? null : digits))).toBe(candidate.digits);
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
    // What was refused is no view.
    expect(home.views.filter(({ kind, cameraIds }) => kind !== 'refused' && cameraIds.includes(BEDROOM))).toEqual([]);
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
  // The one question it may ask, though what answered it stayed at home; no picture.
  expect(home.views.map(({ kind }) => kind).filter((kind) => kind !== 'refused')).toEqual(['session', 'timeline']);
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
    const said = new Map<string, string>();
    const why = (id: string) => waitFor('the end to be written down', () => home.views.find((view) => view.deviceId === id && view.kind === 'session' && view.toMs !== null)?.note);
    for (const device of [revoked, ending, changed]) {
      const session = await lookIn(home, relay.url, device);
      session.onClose((reason) => said.set(device.id, reason) && out.set(device.id, performance.now()));
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
    // The device is told the same.
    for (const { id } of [revoked, changed, ending]) expect(said.get(id)).toBe(await why(id));
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
    await waitFor('the tokens to be there', () => relays.map(({ counters }) => counters.tokens).toSorted((a, b) => a - b).join() === '0,3,3');
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
