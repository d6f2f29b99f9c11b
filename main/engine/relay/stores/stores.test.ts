/** What the home keeps about watching from away, on a real disk: durable before it is answered, and nothing secret in the clear. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CameraId } from '../../../../shared/model/ids.ts';
import type { Grants } from '../../../../shared/model/remote.ts';
import { toBase64url, toHex } from '../../../../shared/relay/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { nodeSuite } from '../node-suite.ts';
import { type DeviceChange, type DeviceStore, MAX_DEVICES, openDeviceStore } from './device-store.ts';
import { openHomeIdentity } from './home-identity.ts';
import { openHomesStore } from './homes-store.ts';
import { normalisedRelay, openRelaySettings } from './relay-settings.ts';
import { openRemoteFile, type RemoteFile, type Secrets } from './remote-file.ts';

const PORCH = 'cam-aaaaaaaaaaaa' as CameraId;
const GRANTS: Grants = { cameras: [{ cameraId: PORCH, rights: ['live', 'previews'] }], untilMs: null };

let folder = '';
let nowMs = 1_000;
const clock: Clock = { ...systemClock, nowMs: () => nowMs };

/** Stands for the sealed secrets, which have tests of their own. */
class MemorySecrets implements Secrets {
  readonly held = new Map<string, string>();
  locked = false;

  async get(name: string): Promise<string | null> {
    if (this.locked) throw new Error('the keyring is locked');
    return this.held.get(name) ?? null;
  }

  async set(name: string, secret: string): Promise<void> {
    this.held.set(name, secret);
  }

  async delete(name: string): Promise<void> {
    this.held.delete(name);
  }
}

let secrets = new MemorySecrets();
beforeEach(async () => {
  nowMs = 1_000;
  secrets = new MemorySecrets();
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-away-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const remoteFile = (): Promise<RemoteFile> => openRemoteFile(folder, silentLogger);
const openDevices = async (): Promise<DeviceStore> => openDeviceStore({ file: await remoteFile(), secrets, suite: nodeSuite, clock });
const device = (name: string) => ({ name, grants: GRANTS, publicKey: nodeSuite.random(32), psk: nodeSuite.random(32), ringSeed: nodeSuite.random(32) });

/** All text in the folder: what a copy of it would tell. */
async function allText(): Promise<string> {
  const names = await readdir(folder, { recursive: true });
  return (await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8').catch(() => '')))).join('\n');
}

describe('paired devices', () => {
  it('come back after a restart with their grants and keys, none of which is in the clear', async () => {
    const phone = device('Phone');
    const added = await (await openDevices()).add(phone);
    const again = await openDevices();
    expect(again.list()).toEqual([{ id: added.id, name: 'Phone', pairedMs: 1_000, lastSeenMs: null, grants: GRANTS }]);
    expect(again.paired()).toEqual([]);
    expect(await again.openKeys()).toBe(true);
    expect(again.paired()).toEqual([{ ...again.list()[0], publicKey: phone.publicKey, psk: phone.psk, ringSeed: phone.ringSeed }]);
    expect(again.find(phone.publicKey)?.id).toBe(added.id);
    expect(again.find(nodeSuite.random(32))).toBeNull();
    const text = await allText();
    for (const key of [phone.psk, phone.ringSeed]) for (const form of [toHex(key), toBase64url(key), Buffer.from(key).toString('base64')]) expect(text).not.toContain(form);
  });

  it('take no stamp twice: above every earlier one, and on the disk before it is said to be good', async () => {
    const devices = await openDevices();
    const { id } = await devices.add(device('Phone'));
    expect(await devices.acceptStamp(id, 500)).toBe(true);
    for (const stamp of [500, 499, 0, -1, Number.NaN, 1.5, Number.POSITIVE_INFINITY, 2 ** 53]) expect(await devices.acceptStamp(id, stamp), String(stamp)).toBe(false);
    // Many with the same stamp at once: one of them.
    expect((await Promise.all(Array.from({ length: 20 }, () => devices.acceptStamp(id, 501)))).filter(Boolean)).toHaveLength(1);
    expect(await readFile(path.join(folder, 'remote.json'), 'utf8')).toContain('"stampMs": 501');
    const again = await openDevices();
    expect(await again.acceptStamp(id, 501)).toBe(false);
    expect(await again.acceptStamp(id, 502)).toBe(true);
    expect(await again.acceptStamp('0000000000000000', 9)).toBe(false);
  });

  it('are out at once when they are revoked, for good when that is answered, and those who listen hear it then', async () => {
    const devices = await openDevices();
    const phone = device('Phone');
    const { id } = await devices.add(phone);
    await devices.add(device('Tablet'));
    const heard: (readonly [DeviceChange['kind'], boolean])[] = [];
    devices.onChange(({ kind }) => {
      heard.push([kind, devices.find(phone.publicKey) === null]);
    });
    const revoking = devices.revoke(id);
    expect([devices.get(id), devices.find(phone.publicKey), devices.paired().some((one) => one.id === id), await devices.acceptStamp(id, 9)]).toEqual([null, null, false, false]);
    expect(heard).toEqual([]);
    await revoking;
    expect(heard).toEqual([['revoked', true]]);
    expect(secrets.held.has(`away.device.${id}`)).toBe(false);
    expect((await openDevices()).list().map(({ name }) => name)).toEqual(['Tablet']);
    await expect(devices.revoke(id)).rejects.toMatchObject({ kind: 'not-found' });
    await expect(devices.change(id, { name: 'Back' })).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('are cut off also where the disk does not take the revocation, which is said', async () => {
    const devices = await openDevices();
    const { id } = await devices.add(device('Phone'));
    const heard: string[] = [];
    devices.onChange(({ kind }) => heard.push(kind));
    await rm(folder, { recursive: true });
    await expect(devices.revoke(id)).rejects.toMatchObject({ code: 'ENOENT' });
    expect([devices.get(id), heard]).toEqual([null, ['revoked']]);
  });

  it('keep the highest stamp when they pair again, and are bounded in number', async () => {
    const devices = await openDevices();
    const phone = device('Phone');
    const { id } = await devices.add(phone);
    await devices.acceptStamp(id, 7_000);
    await devices.add({ ...phone, psk: nodeSuite.random(32), name: 'Phone again' });
    expect(devices.list().map(({ name }) => name)).toEqual(['Phone again']);
    expect(await devices.acceptStamp(id, 7_000)).toBe(false);
    for (let count = 1; count < MAX_DEVICES; count += 1) await devices.add(device(`Device ${count}`));
    await expect(devices.add(device('One too many'))).rejects.toMatchObject({ kind: 'conflict' });
    await devices.add(phone);
  });

  it('wait for a keyring that is locked, and one bad entry costs one device', async () => {
    const devices = await openDevices();
    await devices.add(device('Phone'));
    await devices.add(device('Tablet'));
    secrets.locked = true;
    const locked = await openDevices();
    expect([await locked.openKeys(), locked.paired().length, locked.list().length]).toEqual([false, 0, 2]);
    secrets.locked = false;
    expect([await locked.openKeys(), locked.paired().length]).toEqual([true, 2]);
    const file = path.join(folder, 'remote.json');
    const content = JSON.parse(await readFile(file, 'utf8')) as { devices: { grants: unknown }[] };
    for (const one of content.devices.slice(0, 1)) one.grants = { cameras: [{ cameraId: '../..', rights: ['everything'] }] };
    await writeFile(file, JSON.stringify(content));
    expect((await openDevices()).list().map(({ name }) => name)).toEqual(['Tablet']);
  });
});

describe('the identity of this home', () => {
  it('is drawn once, outlives a restart, and lies nowhere in the clear', async () => {
    const first = openHomeIdentity({ file: await remoteFile(), secrets, suite: nodeSuite });
    expect(await first.text()).toBeNull();
    const [one, other] = await Promise.all([first.get(), first.get()]);
    expect(one).toBe(other);
    const again = await openHomeIdentity({ file: await remoteFile(), secrets, suite: nodeSuite }).get();
    expect([toHex(again.key.publicKey), toHex(again.routeSeed)]).toEqual([toHex(one.key.publicKey), toHex(one.routeSeed)]);
    const sealed = secrets.held.get('away.home') ?? '';
    expect(await allText()).not.toContain((JSON.parse(sealed) as { privateKey: string }).privateKey);
  });

  it('is not replaced in silence while devices are paired with it', async () => {
    const identity = openHomeIdentity({ file: await remoteFile(), secrets, suite: nodeSuite });
    const first = await identity.get();
    const devices = await openDevices();
    const { id } = await devices.add(device('Phone'));
    secrets.held.delete('away.home');
    const lost = openHomeIdentity({ file: await remoteFile(), secrets, suite: nodeSuite });
    await expect(lost.get()).rejects.toMatchObject({ kind: 'not-allowed', message: expect.stringContaining('pair them again') });
    await (await openDevices()).revoke(id);
    const fresh = await openHomeIdentity({ file: await remoteFile(), secrets, suite: nodeSuite }).get();
    expect(toHex(fresh.key.publicKey)).not.toBe(toHex(first.key.publicKey));
  });
});

describe('relays', () => {
  it.each([
    ['wss://relay.example.org', 'wss://relay.example.org'],
    [' WSS://Relay.Example.ORG:443/ ', 'wss://relay.example.org'],
    ['relay.example.org', 'wss://relay.example.org'],
    ['relay.example.org:8443/porch/', 'wss://relay.example.org:8443/porch'],
    ['ws://127.0.0.1:9000', 'ws://127.0.0.1:9000'],
    ['ws://localhost:9000/', 'ws://localhost:9000'],
    ['ws://[::1]:9000', 'ws://[::1]:9000'],
  ])('%s is %s', (text, normalised) => {
    expect(normalisedRelay(text)).toBe(normalised);
    expect(normalisedRelay(normalised)).toBe(normalised);
  });

  it.each(['', '   ', 'https://relay.example.org', 'http://127.0.0.1', 'ws://relay.example.org', 'ws://127.0.0.1.example.org', 'ws://2130706433.example', 'wss://user@relay.example.org', 'wss://user:word@relay.example.org', 'wss://relay.example.org/?a=1', 'wss://relay.example.org/#a', 'wss://relay.example.org?', 'wss://', 'wss://re lay', 'javascript://x', 'file:///etc/passwd', `wss://relay.example.org/${'x'.repeat(300)}`])(
    '%s is refused in a sentence',
    (text) => {
      expect(() => normalisedRelay(text)).toThrow(expect.objectContaining({ kind: 'invalid-input', message: expect.stringMatching(/^[A-Z].*\.$/) }) as Error);
    },
  );

  it('are off until wanted, each kept once, five at most', async () => {
    const relays = openRelaySettings(await remoteFile(), clock);
    expect(relays.get()).toEqual({ enabled: false, relays: [] });
    await expect(relays.set({ enabled: true, relays: [] })).rejects.toMatchObject({ kind: 'invalid-input' });
    await relays.set({ enabled: true, relays: ['b.example', 'wss://a.example/', 'B.example'] });
    expect(openRelaySettings(await remoteFile(), clock).get()).toEqual({ enabled: true, relays: ['wss://b.example', 'wss://a.example'] });
    await expect(relays.set({ enabled: true, relays: ['a.org', 'b.org', 'c.org', 'd.org', 'e.org', 'f.org'] })).rejects.toMatchObject({ kind: 'invalid-input' });
    await expect(relays.set({ enabled: true, relays: ['a.org', 'http://b.org'] })).rejects.toMatchObject({ kind: 'invalid-input' });
    expect(relays.get().relays).toEqual(['wss://b.example', 'wss://a.example']);
  });

  it('come back from the copy before when the file is torn', async () => {
    const relays = openRelaySettings(await remoteFile(), clock);
    await relays.set({ enabled: true, relays: ['a.example'] });
    await relays.set({ enabled: true, relays: ['b.example'] });
    await writeFile(path.join(folder, 'remote.json'), '{"format":1,"ena');
    expect(openRelaySettings(await remoteFile(), clock).get().relays).toEqual(['wss://a.example']);
  });
});

describe('homes this computer looks into', () => {
  const keyNames = ['homePublicKey', 'devicePrivateKey', 'psk', 'ringSeed', 'routeSeed'];
  const keysOf = (): Record<string, string> => Object.fromEntries(keyNames.map((name) => [name, toBase64url(nodeSuite.random(32))]));
  const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const open = () => openHomesStore({ configDir: folder, secrets, suite: nodeSuite, clock, log: silentLogger });

  it('give their keys back, which are in no file of theirs', async () => {
    const keys = keysOf();
    const home = await (await open()).add({ name: 'Cabin', relays: ['relay.example.org/'], bytes: bytesOf({ ...keys, more: 'ignored' }) });
    expect(home).toMatchObject({ name: 'Cabin', relays: ['wss://relay.example.org'], logHead: null });
    const again = await open();
    expect(again.list()).toEqual([home]);
    expect(JSON.parse(new TextDecoder().decode(await again.keys(home.id)))).toEqual(keys);
    const text = await allText();
    for (const key of Object.values(keys)) expect(text).not.toContain(key);
    await again.remove(home.id);
    await expect(again.keys(home.id)).rejects.toMatchObject({ kind: 'not-found' });
    expect([...secrets.held.keys()]).toEqual([]);
    for (const bad of [{}, { ...keys, psk: 'short' }, { ...keys, psk: undefined }, null, []]) await expect(again.add({ name: 'x', relays: ['a.example'], bytes: bytesOf(bad) })).rejects.toMatchObject({ kind: 'invalid-input' });
  });

  it('never stamp twice, also when the clock goes back and after a restart', async () => {
    const homes = await open();
    const { id } = await homes.add({ name: 'Cabin', relays: ['a.example'], bytes: bytesOf(keysOf()) });
    nowMs = 5_000.7;
    const stamps = [await homes.stamp(id), await homes.stamp(id), ...(await Promise.all([homes.stamp(id), homes.stamp(id)]))];
    nowMs = 10;
    stamps.push(await homes.stamp(id), await (await open()).stamp(id));
    expect(stamps).toEqual([5_000, 5_001, 5_002, 5_003, 5_004, 5_005]);
    nowMs = 9_000;
    expect(await homes.stamp(id)).toBe(9_000);
  });

  it('keep whether the line is filled up, through other changes, a restart and a new pairing; a rate nobody knows is none', async () => {
    const homes = await open();
    const pairing = { name: 'Cabin', relays: ['a.example'], bytes: bytesOf(keysOf()) };
    const { id } = await homes.add(pairing);
    expect(homes.list()[0]).not.toHaveProperty('evenMbit');
    const told: unknown[] = [];
    homes.onChange(([home]) => told.push(home?.evenMbit));
    await homes.setEvenRate(id, 4);
    await homes.rename(id, 'Hut');
    await homes.add(pairing);
    expect(told).toEqual([4, 4, 4]);
    const again = await open();
    expect(again.list()[0]?.evenMbit).toBe(4);
    expect(await again.setEvenRate(id, null)).not.toHaveProperty('evenMbit');
    await again.setEvenRate(id, 8);
    await again.close();
    const file = path.join(folder, 'homes.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/"evenMbit": ?8/, '"evenMbit":7'));
    expect((await open()).list()).toMatchObject([{ id, name: 'Cabin' }]);
    expect((await open()).list()[0]).not.toHaveProperty('evenMbit');
  });

  it('remember the longest log of views they were shown', async () => {
    const homes = await open();
    const { id } = await homes.add({ name: 'Cabin', relays: ['a.example'], bytes: bytesOf(keysOf()) });
    await homes.sawLog(id, 5, 'aa'.repeat(32));
    await homes.sawLog(id, 4, 'bb'.repeat(32));
    expect((await open()).list()[0]?.logHead).toEqual({ length: 5, headHex: 'aa'.repeat(32) });
  });
});
