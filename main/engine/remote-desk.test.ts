/** A home's paired devices taken to another computer: who may look in there afterwards, and what is said before. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CameraId } from '../../shared/model/ids.ts';
import type { Grants, Right } from '../../shared/model/remote.ts';
import { systemClock } from './core/clock.ts';
import { silentLogger } from './core/logger.ts';
import { RemoteDesk } from './remote-desk.ts';
import { nodeSuite } from './relay/node-suite.ts';
import { type DeviceStore, openDeviceStore } from './relay/stores/device-store.ts';
import { type HomeIdentityStore, openHomeIdentity } from './relay/stores/home-identity.ts';
import { openRelaySettings, type RelaySettingsStore } from './relay/stores/relay-settings.ts';
import { openRemoteFile } from './relay/stores/remote-file.ts';
import { type RemotePart, remotePart } from './relay/stores/remote-part.ts';
import { openViewLog } from './relay/stores/view-log.ts';

interface Home {
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
  const secrets = { get: async (name: string) => held.get(name) ?? null, set: async (name: string, text: string) => void held.set(name, text), delete: async (name: string) => void held.delete(name) };
  const file = await openRemoteFile(folder, silentLogger);
  const devices = openDeviceStore({ file, secrets, suite: nodeSuite, clock: systemClock });
  const identity = openHomeIdentity({ file, secrets, suite: nodeSuite });
  const relays = openRelaySettings(file);
  // Nothing here is switched on, so no live part is made.
  const create = (): never => {
    throw new Error('nothing is to be dialled');
  };
  const desk = new RemoteDesk({ configDir: folder, file, devices, settings: relays, identity, create, onChange: () => undefined, clock: systemClock, log: silentLogger });
  const home: Home = { folder, devices, identity, relays, desk, part: remotePart({ collect: () => desk.collect(), put: (setup) => desk.put(setup) }) };
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
