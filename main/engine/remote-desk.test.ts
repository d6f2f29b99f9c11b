/** A home's paired devices taken to another computer: who may look in there afterwards, and what is said before. */
import { execFileSync } from 'node:child_process';
import { link, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { CameraId } from '../../shared/model/ids.ts';
import type { Grants, RemoteState, Right } from '../../shared/model/remote.ts';
import { toHex } from '../../shared/relay/bytes.ts';
import { systemClock } from './core/clock.ts';
import { silentLogger } from './core/logger.ts';
import { RemoteDesk } from './remote-desk.ts';
import type { RemoteHomeService } from './relay/home-parts.ts';
import { nodeSuite } from './relay/node-suite.ts';
import { type DeviceStore, openDeviceStore } from './relay/stores/device-store.ts';
import { type HomeIdentityStore, openHomeIdentity } from './relay/stores/home-identity.ts';
import { openRelaySettings, type RelaySettingsStore } from './relay/stores/relay-settings.ts';
import { openRemoteFile, type Secrets } from './relay/stores/remote-file.ts';
import { type RemotePart, remotePart } from './relay/stores/remote-part.ts';
import { openViewLog } from './relay/stores/view-log.ts';
import { HandClock } from './relay/testing/hand-clock.ts';

/** A live part that does nothing: what the desk does with it is looked at. */
function quietService(): RemoteHomeService {
  const never = (): never => {
    throw new Error('not asked for here');
  };
  return {
    run: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
    relays: () => [], watching: () => [], offer: () => null, lastPairing: () => null, onChange: () => () => undefined,
    setRelays: () => undefined, devicesChanged: async () => undefined,
    beginPairing: never, cancelPairing: never, allowPairing: never, refusePairing: never, capture: never, captureFile: never, prove: never,
  };
}

/** Sealed secrets of a keyring that may be locked. */
function secretsIn(held: Map<string, string>, isLocked: () => boolean = () => false): Secrets {
  return {
    get: async (name) => {
      if (isLocked()) throw new Error('locked');
      return held.get(name) ?? null;
    },
    set: async (name, text) => void held.set(name, text),
    delete: async (name) => void held.delete(name),
  };
}

interface Home {
  readonly held: Map<string, string>;
  readonly folder: string;
  readonly devices: DeviceStore;
  readonly identity: HomeIdentityStore;
  readonly relays: RelaySettingsStore;
  readonly desk: RemoteDesk;
  readonly part: RemotePart;
}

const homes: Home[] = [];
let old: Home;

async function makeHome(): Promise<Home> {
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-part-'));
  const held = new Map<string, string>();
  const secrets = secretsIn(held);
  const file = await openRemoteFile(folder, silentLogger);
  const devices = openDeviceStore({ file, secrets, suite: nodeSuite, clock: systemClock });
  const identity = openHomeIdentity({ file, secrets, suite: nodeSuite });
  const relays = openRelaySettings(file, systemClock);
  // Nothing here is switched on, so no live part is made.
  const create = (): never => {
    throw new Error('nothing is to be dialled');
  };
  const desk = new RemoteDesk({ configDir: folder, file, devices, settings: relays, identity, create, onChange: () => undefined, clock: systemClock, log: silentLogger });
  const home: Home = { held, folder, devices, identity, relays, desk, part: remotePart({ collect: () => desk.collect(), put: (setup) => desk.put(setup) }) };
  homes.push(home);
  return home;
}

function grants(...rights: readonly Right[]): Grants {
  return { cameras: [{ cameraId: 'cam-aaaaaaaaaaaa' as CameraId, rights }], untilMs: null };
}

const device = (name: string, rights: readonly Right[] = ['live']) => ({ name, grants: grants(...rights), publicKey: nodeSuite.random(32), psk: nodeSuite.random(32), ringSeed: nodeSuite.random(32) });

/** As the file holds it. */
const carried = async (home: Home): Promise<unknown> => JSON.parse(JSON.stringify(await home.part.collect())) as unknown;

beforeEach(async () => {
  old = await makeHome();
  await old.identity.get();
  await old.relays.set({ enabled: false, relays: ['relay.example.org'] });
});
afterEach(async () => {
  for (const { desk, folder } of homes.splice(0)) {
    await desk.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

it('a new computer takes over key, devices, grants, stamps and the end of the log, and undoes all of it', async () => {
  const phone = await old.devices.add(device('Phone', ['live', 'playback']));
  await old.devices.acceptStamp(phone.id, 5_000);
  const view = { deviceId: phone.id, deviceName: 'Phone', kind: 'live', cameraIds: [], fromMs: null, toMs: null, bytes: 0, path: 'relay', note: null } as const;
  const oldLog = await openViewLog({ folder: old.folder, file: await openRemoteFile(old.folder, silentLogger), homeKeyHex: 'cd'.repeat(32), clock: systemClock, log: silentLogger });
  for (let count = 0; count < 3; count += 1) await oldLog.append(view);
  const file = { ...(await carried(old) as object), logHead: { seq: 3, hashHex: Buffer.from(oldLog.head().head).toString('hex') } };
  const next = await makeHome();
  const before = await carried(next);
  const plan = await next.part.plan(file);
  expect(plan.changes).toEqual([
    { kind: 'add', sentence: 'Phone may look in from away again, as the file says.' },
    { kind: 'change', sentence: 'The relays for watching from away are taken from the file; it stays off.' },
  ]);
  expect(await carried(next)).toEqual(before);
  await plan.apply();
  expect(await carried(next)).toEqual(file);
  expect([await next.devices.openKeys(), next.devices.paired()]).toEqual([await old.devices.openKeys(), old.devices.paired()]);
  expect(await next.devices.acceptStamp(phone.id, 5_000)).toBe(false);
  // The chain goes on behind the line that stayed with the other computer.
  await next.desk.setGrants(phone.id, grants('live'), null);
  const [line = ''] = (await readFile(path.join(next.folder, `views-${new Date().toISOString().slice(0, 7)}.jsonl`), 'utf8')).split('\n');
  expect(JSON.parse(line)).toMatchObject({ seq: 4, previous: file.logHead.hashHex, kind: 'grants', note: 'live of 1 camera' });
  expect((await next.desk.log({ limit: 5 })).chain).toEqual({ intact: true, brokenAtSeq: null, length: 4 });
  expect((await next.part.plan(file)).changes).toEqual([{ kind: 'change', sentence: 'Phone: what it may see from away is taken from the file.' }]);

  const third = await makeHome();
  const blank = await carried(third);
  const undone = await third.part.plan(file);
  await undone.apply();
  await undone.undo();
  expect(await carried(third)).toEqual(blank);
});

it('a device that was revoked after the file was saved is named before it may look in again', async () => {
  const phone = await old.devices.add(device('Phone'));
  await old.devices.add(device('Tablet'));
  const file = await carried(old);
  await old.desk.revoke(phone.id);
  expect((await old.desk.log({ limit: 1 })).entries[0]).toMatchObject({ kind: 'revoked', deviceName: 'Phone', path: 'home' });
  const plan = await old.part.plan(file);
  expect(plan.changes).toEqual([{ kind: 'add', sentence: 'Phone may look in from away again, as the file says.' }]);
  expect(old.devices.list().map(({ name }) => name)).toEqual(['Tablet']);
  await plan.apply();
  expect(old.devices.list().map(({ name }) => name)).toEqual(['Tablet', 'Phone']);
  expect((await old.part.plan(await carried(old))).changes).toEqual([]);
});

it('devices that are paired under another key of this computer stay', async () => {
  await old.devices.add(device('Phone'));
  const next = await makeHome();
  await next.identity.get();
  await next.devices.add(device('Watch'));
  const before = await carried(next);
  const plan = await next.part.plan(await carried(old));
  expect(plan.changes).toEqual([{ kind: 'keep', sentence: expect.stringContaining('have to be paired again') }]);
  await plan.apply();
  expect(await carried(next)).toEqual(before);
});

it('a home that never used it changes nothing, and what is no such part is refused', async () => {
  const next = await makeHome();
  expect((await old.part.plan(await carried(next))).changes).toEqual([]);
  const good = (await carried(old)) as Record<string, unknown>;
  for (const bad of [null, 7, {}, { ...good, format: 2 }, { ...good, devices: {} }, { ...good, devices: [{}] }, { ...good, identity: { privateKey: 'x', routeSeed: 'y' } }, { ...good, relays: ['http://relay.example.org'] }]) {
    await expect(next.part.plan(bad)).rejects.toMatchObject({ kind: 'invalid-input' });
  }
});

it('says why nothing is dialled while the keyring is locked, draws no other key, and begins by itself when it is unlocked', async () => {
  const phone = await old.devices.add(device('Phone'));
  await old.relays.set({ enabled: true, relays: ['relay.example.org'] });
  const clock = new HandClock();
  const begun: { readonly own: string; readonly relays: unknown; readonly devices: readonly string[] }[] = [];
  let isLocked = true;
  const file = await openRemoteFile(old.folder, silentLogger);
  const secrets = secretsIn(old.held, () => isLocked);
  const devices = openDeviceStore({ file, secrets, suite: nodeSuite, clock });
  const told: RemoteState[] = [];
  const desk = new RemoteDesk({
    configDir: old.folder, file, devices, settings: openRelaySettings(file, clock), identity: openHomeIdentity({ file, secrets, suite: nodeSuite }), clock, log: silentLogger,
    create: ({ own, relays, devices: book }) => {
      begun.push({ own: toHex(own.publicKey), relays, devices: book.list().map(({ name }) => name) });
      return quietService();
    },
    onChange: (state) => told.push(state),
  });
  await desk.start();
  expect(begun).toEqual([]);
  expect(desk.state().relays).toEqual([{ url: 'wss://relay.example.org', phase: 'waiting', sinceMs: clock.nowMs(), sentence: expect.stringContaining('keyring') }]);
  await expect(desk.beginPairing('code')).rejects.toMatchObject({ kind: 'conflict', message: expect.stringContaining('keyring') });
  isLocked = false;
  clock.go(60_000);
  await vi.waitFor(() => expect(begun).toHaveLength(1));
  expect(begun).toEqual([{ own: toHex((await old.identity.get()).key.publicKey), relays: { enabled: true, urls: ['wss://relay.example.org'], earlier: [] }, devices: ['Phone'] }]);
  clock.go(1_000);
  expect(told.at(-1)?.devices.map(({ id }) => id)).toEqual([phone.id]);
  await desk.revoke(phone.id);
  clock.go(1_000);
  expect(told.at(-1)?.devices).toEqual([]);
  await desk.stop();
});

it('cuts off a device that is revoked, or whose grants change, while the disk does not take a byte', async () => {
  const phone = await old.devices.add(device('Phone'));
  const tablet = await old.devices.add(device('Tablet'));
  await old.relays.set({ enabled: true, relays: ['relay.example.org'] });
  const file = await openRemoteFile(old.folder, silentLogger);
  const secrets = secretsIn(old.held);
  const devices = openDeviceStore({ file, secrets, suite: nodeSuite, clock: systemClock });
  const inForce: (readonly string[])[] = [];
  const happened: string[] = [];
  const desk = new RemoteDesk({
    configDir: old.folder, file, devices, settings: openRelaySettings(file, systemClock), identity: openHomeIdentity({ file, secrets, suite: nodeSuite }), onChange: () => undefined, clock: systemClock, log: silentLogger,
    create: () => ({ ...quietService(), devicesChanged: async () => void inForce.push(devices.paired().map(({ name, grants: { cameras } }) => `${name}: ${cameras[0]?.rights.join()}`)) }),
  });
  await desk.start();
  expect((await desk.log({ limit: 1 })).chain.length).toBe(0);
  // Whoever opens a pipe for writing waits until somebody reads.
  const [pipe, stuck] = [path.join(old.folder, 'pipe'), path.join(old.folder, 'remote.json.new')];
  execFileSync('mkfifo', [pipe]);
  await link(pipe, stuck);
  const granting = desk.setGrants(tablet.id, grants('previews'), null).then(() => happened.push('granted'), () => happened.push('granting failed'));
  const revoking = desk.revoke(phone.id).then(() => happened.push('revoked'), () => happened.push('revoking failed'));
  // In the same turn, with nothing written yet.
  expect(inForce).toEqual([['Phone: live', 'Tablet: previews'], ['Tablet: previews']]);
  expect(happened).toEqual([]);
  const before = await readFile(path.join(old.folder, 'remote.json'), 'utf8');
  expect([before.includes(phone.id), (await desk.log({ limit: 5 })).entries]).toEqual([true, []]);
  // A pipe cannot be synced: the disk fails, which is said, and what was taken away stays taken away.
  await rm(stuck);
  const reader = await open(pipe, 'r');
  await Promise.all([granting, revoking]);
  await reader.close();
  expect(happened.toSorted()).toEqual(['granting failed', 'revoking failed']);
  expect(devices.list().map(({ name }) => name)).toEqual(['Tablet']);
  await desk.revoke(tablet.id);
  expect(await readFile(path.join(old.folder, 'remote.json'), 'utf8')).not.toMatch(new RegExp(`${phone.id}|${tablet.id}`));
  expect((await desk.log({ limit: 5 })).entries[0]).toMatchObject({ kind: 'revoked', deviceName: 'Tablet' });
  await desk.stop();
});
