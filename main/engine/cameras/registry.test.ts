import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { FoundCamera, ProbedCamera } from '../../../shared/model/discovery.ts';
import { systemClock, type Clock } from '../core/clock.ts';
import { silentLogger } from '../core/logger.ts';
import { openRegistry, type CameraRegistry } from './registry.ts';
import { openOwnerOnlySecrets } from './secret-store.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function fresh(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-registry-'));
  folders.push(folder);
  return folder;
}

async function open(folder: string, clock: Clock = systemClock): Promise<CameraRegistry> {
  return await openRegistry({ clock, log: silentLogger, folder, secrets: await openOwnerOnlySecrets(folder) });
}

const probed = (host: string, more: Partial<ProbedCamera> = {}): ProbedCamera => ({
  origin: 'onvif',
  identity: `id-${host}`,
  deviceUrl: `http://${host}/onvif/device_service`,
  device: { maker: 'ACME', model: 'Eye', firmware: '5.10', serial: `SN-${host}` },
  suggestedName: 'ACME Eye',
  streams: [{ kind: 'main', url: `rtsp://${host}/main`, videoCodec: 'h264', audioCodec: 'aac', width: 1920, height: 1080, fps: 25, transport: 'tcp', profileToken: '000' }],
  clockOffsetMs: 0,
  ...more,
});
const LOGIN = { username: 'admin', password: 'gänsefüßchen"' };

describe('a camera that is added', () => {
  const bySerial = (host: string, mac: string | null): ProbedCamera => probed(host, { identity: 'serial:tp-link/tapo c200/a1b2c3', device: { maker: 'TP-Link', model: 'Tapo C200', firmware: '1', serial: 'A1B2C3' }, mac });
  it('may have the serial of another, where its network card is another', async () => {
    const registry = await open(await fresh());
    await registry.add(bySerial('10.0.0.1', '02:00:00:00:00:01'), null, null);
    await registry.add(bySerial('10.0.0.2', '02:00:00:00:00:02'), null, null);
    expect(registry.list()).toHaveLength(2);
    await expect(registry.add(bySerial('10.0.0.3', '02:00:00:00:00:02'), null, null)).rejects.toMatchObject({ kind: 'conflict' });
    await expect(registry.add(bySerial('10.0.0.3', null), null, null)).rejects.toMatchObject({ kind: 'conflict' });
  });
  it('may have the endpoint of another that is where it was, and is not taken for it', async () => {
    const registry = await open(await fresh());
    const one = await registry.add(probed('10.0.0.1', { identity: 'shared' }), null, null);
    const found = (host: string): FoundCamera => ({ key: host, identity: 'shared', deviceUrls: [`http://${host}/onvif/device_service`], host, maker: '', model: '', cameraId: null });
    expect(registry.configuredAs(found('10.0.0.2'), [found('10.0.0.1'), found('10.0.0.2')])).toBeNull();
    expect(registry.configuredAs(found('10.0.0.1'), [found('10.0.0.1'), found('10.0.0.2')])).toBe(one.id);
    expect(registry.configuredAs(found('10.0.0.2'), [found('10.0.0.2')])).toBe(one.id);
    const two = await registry.add(probed('10.0.0.2', { identity: 'shared' }), null, null);
    expect(registry.configuredAs(found('10.0.0.2'), [found('10.0.0.1'), found('10.0.0.2')])).toBe(two.id);
  });
  it('is not taken twice, found and typed', async () => {
    const registry = await open(await fresh());
    await registry.add(probed('10.0.0.1'), null, null);
    await expect(registry.add(probed('10.0.0.1', { identity: 'serial:acme/eye/sn-10.0.0.1' }), null, null)).rejects.toMatchObject({ kind: 'conflict' });
    await registry.add(probed('10.0.0.1', { identity: 'serial:acme/eye/sn-other', device: { maker: 'ACME', model: 'Eye', firmware: '5.10', serial: 'SN-other' } }), null, null);
    expect(registry.list()).toHaveLength(2);
  });
});

describe('the list of cameras', () => {
  it('is the same after a restart: order, names, logins, pauses', async () => {
    const folder = await fresh();
    const first = await open(folder);
    const a = await first.add(probed('10.0.0.1'), LOGIN, 'Porch');
    const b = await first.add(probed('10.0.0.2'), null, null);
    const c = await first.add(probed('10.0.0.3'), LOGIN, null);
    await first.reorder([c.id, a.id]);
    await first.update(a.id, { name: 'Front', recorded: ['sub'], recordSound: false });
    await first.pause(b.id, null);
    await first.close();
    const again = await open(folder);
    expect(again.list()).toEqual(first.list());
    expect(again.list().map((camera) => camera.name)).toEqual(['ACME Eye 2', 'Front', 'ACME Eye']);
    expect(again.get(a.id)).toMatchObject({ recorded: ['main', 'sub'], recordSound: false });
    expect(await again.login(a.id)).toEqual(LOGIN);
    expect(await again.login(b.id)).toBeNull();
    expect(again.warnings).toEqual([]);
    await again.close();
  });

  it('holds no password, in no file, and all files are the owner\'s only', async () => {
    const folder = await fresh();
    const registry = await open(folder);
    await registry.add(probed('10.0.0.1'), LOGIN, null);
    await registry.setCredentials(registry.list()[0]?.id as CameraId, { username: 'admin', password: 'second-secret' });
    await registry.close();
    for (const name of await readdir(folder)) {
      const file = path.join(folder, name);
      const text = await readFile(file, 'latin1');
      expect(text).not.toContain('second-secret');
      expect(text).not.toContain(Buffer.from(LOGIN.password, 'utf8').toString('latin1'));
      expect((await stat(file)).mode & 0o077).toBe(0);
    }
  });

  it('refuses the same camera twice, and takes a removed one back under its old id', async () => {
    const registry = await open(await fresh());
    const camera = await registry.add(probed('10.0.0.1'), LOGIN, 'Porch');
    await expect(registry.add(probed('10.0.0.1'), LOGIN, null)).rejects.toMatchObject({ kind: 'conflict' });
    await registry.remove(camera.id);
    expect(registry.list()).toEqual([]);
    expect(() => registry.get(camera.id)).toThrow(expect.objectContaining({ kind: 'not-found' }));
    expect(await registry.restore(camera.id)).toEqual(camera);
    expect(await registry.login(camera.id)).toEqual(LOGIN);
    await registry.remove(camera.id);
    const back = await registry.add(probed('10.0.0.1', { deviceUrl: 'http://10.0.0.99/onvif/device_service' }), LOGIN, null);
    expect(back).toMatchObject({ id: camera.id, name: 'Porch', deviceUrl: 'http://10.0.0.99/onvif/device_service' });
    expect(registry.removed()).toEqual([]);
    await registry.close();
  });

  it('tells its listeners once per change', async () => {
    const registry = await open(await fresh());
    const heard: number[] = [];
    registry.onChange((cameras) => heard.push(cameras.length));
    const camera = await registry.add(probed('10.0.0.1'), null, null);
    await registry.remove(camera.id);
    expect(heard).toEqual([1, 0]);
    await registry.close();
  });

  it('damaged: the previous copy is used with a warning, the damage is kept, and a restart is quiet again', async () => {
    const folder = await fresh();
    const first = await open(folder);
    const a = await first.add(probed('10.0.0.1'), null, null);
    await first.add(probed('10.0.0.2'), null, null);
    await first.close();
    await writeFile(path.join(folder, 'cameras.json'), '{"format":1,"cameras":[{"id"');
    const second = await open(folder);
    expect(second.list().map((camera) => camera.id)).toEqual([a.id]);
    expect(second.warnings).toHaveLength(1);
    await second.add(probed('10.0.0.3'), null, null);
    await second.close();
    expect((await readdir(folder)).filter((name) => name.includes('damaged'))).toHaveLength(1);
    const third = await open(folder);
    expect(third.list()).toHaveLength(2);
    expect(third.warnings).toEqual([]);
    await third.close();
  });

  it('damaged without a copy: empty with a warning; from a newer version: refused and left alone', async () => {
    const folder = await fresh();
    await writeFile(path.join(folder, 'cameras.json'), 'nonsense');
    const empty = await open(folder);
    expect([empty.list().length, empty.warnings.length]).toEqual([0, 1]);
    await empty.close();
    const newer = '{"format":2,"cameras":{}}';
    await writeFile(path.join(folder, 'cameras.json'), newer);
    await expect(open(folder)).rejects.toMatchObject({ kind: 'database-from-future' });
    expect(await readFile(path.join(folder, 'cameras.json'), 'utf8')).toBe(newer);
  });

  it('ends a pause at its time', async () => {
    const timers: { atMs: number; action: () => void }[] = [];
    let nowMs = 1_000_000;
    const clock: Clock = { ...systemClock, nowMs: () => nowMs, after: (durationMs, action) => (timers.push({ atMs: nowMs + durationMs, action }), () => undefined) };
    const registry = await open(await fresh(), clock);
    const camera = await registry.add(probed('10.0.0.1'), null, null);
    await registry.pause(camera.id, nowMs + 5000);
    const timer = timers.at(-1);
    expect(timer?.atMs).toBe(1_005_000);
    nowMs += 5000;
    timer?.action();
    await expect.poll(() => registry.get(camera.id).paused).toBeNull();
    await registry.close();
  });

  it('knows a found camera by its endpoint, also at a new address', async () => {
    const registry = await open(await fresh());
    const camera = await registry.add(probed('10.0.0.1'), null, null);
    const found = (identity: string, host: string): FoundCamera => ({ key: identity, identity, deviceUrls: [`http://${host}/onvif/device_service`], host, maker: '', model: '', cameraId: null });
    expect(registry.configuredAs(found('id-10.0.0.1', '10.0.0.77'))).toBe(camera.id);
    expect(registry.configuredAs(found('other', '10.0.0.1'))).toBeNull();
    const bare = await registry.add(probed('10.0.0.2', { identity: 'serial:acme/eye/1' }), null, null);
    expect(registry.configuredAs(found('whatever', '10.0.0.2'))).toBe(bare.id);
    await registry.close();
  });
});

describe('sealed secrets', () => {
  it('survive a restart, and cannot be swapped, read with another key, or lost to a damaged file', async () => {
    const folder = await fresh();
    const store = await openOwnerOnlySecrets(folder);
    await store.set('a', 'one');
    await store.set('b', 'two');
    expect(await (await openOwnerOnlySecrets(folder)).get('a')).toBe('one');
    const file = path.join(folder, 'secrets.json');
    const { secrets } = JSON.parse(await readFile(file, 'utf8')) as { secrets: Record<string, string> };
    await writeFile(file, JSON.stringify({ format: 1, secrets: { a: secrets.b, b: secrets.b } }));
    const swapped = await openOwnerOnlySecrets(folder);
    expect([await swapped.get('a'), await swapped.get('b')]).toEqual([null, 'two']);
    await writeFile(file, '{');
    expect(await (await openOwnerOnlySecrets(folder)).get('a')).toBe('one');
    // A key that was replaced by another: its copy opens what it sealed.
    await writeFile(path.join(folder, 'secrets.key'), Buffer.alloc(32, 7));
    expect(await (await openOwnerOnlySecrets(folder)).get('a')).toBe('one');
    await writeFile(path.join(folder, 'secrets.key.previous'), Buffer.alloc(32, 8));
    expect(await (await openOwnerOnlySecrets(folder)).get('a')).toBeNull();
    await writeFile(path.join(folder, 'secrets.key'), 'short');
    await expect(openOwnerOnlySecrets(folder)).rejects.toThrow(/secrets.key/);
  });

  it('forget what is deleted', async () => {
    const store = await openOwnerOnlySecrets(await fresh());
    await store.set('a', 'one');
    await store.delete('a');
    expect(await store.get('a')).toBeNull();
  });
});
