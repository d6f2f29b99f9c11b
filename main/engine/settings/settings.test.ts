/** What the owner set survives restarts, damage and later versions. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../shared/model/settings.ts';
import { NO_RULES } from '../../../shared/model/storage-rules.ts';
import { silentLogger } from '../core/logger.ts';
import { firstRules, openRules } from './rules-store.ts';
import { openSealedSecrets } from './sealed-secrets.ts';
import { openSettings } from './settings-store.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('keeps settings, tells of changes, and takes the previous copy for a damaged file', async () => {
  const file = path.join(folder, 'settings.json');
  const settings = await openSettings(folder, silentLogger);
  const told: string[] = [];
  settings.onChange((next) => told.push(next.homeName));
  await Promise.all([settings.change({ homeName: 'Cabin' }), settings.change({ theme: 'dark' })]);
  expect(told).toEqual(['Cabin', 'Cabin']);
  expect((await openSettings(folder, silentLogger)).get()).toEqual({ ...DEFAULT_SETTINGS, homeName: 'Cabin', theme: 'dark' });
  await writeFile(file, '{"homeName": "Ca');
  expect((await openSettings(folder, silentLogger)).get().homeName).toBe('Cabin');
});

it('loses one bad setting, not all, and keeps those of a later version', async () => {
  const file = path.join(folder, 'settings.json');
  await writeFile(file, JSON.stringify({ homeName: 'Cabin', theme: 'plaid', doorbell: 'loud' }));
  const settings = await openSettings(folder, silentLogger);
  expect(settings.get()).toEqual({ ...DEFAULT_SETTINGS, homeName: 'Cabin' });
  await settings.change({ keepAwake: false });
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ doorbell: 'loud', homeName: 'Cabin', keepAwake: false });
});

it('begins with rules that fit the disk and delete nothing at once', () => {
  expect(firstRules({ diskBytes: 1e12, freeBytes: 8e11 }).keepFreeBytes).toBe(1e10);
  expect(firstRules({ diskBytes: 1e11, freeBytes: 8e9 }).keepFreeBytes).toBe(2e9);
});

const DISK = 'disk-aaaaaaaaaaaa';
const CAMERA = 'cam-aaaaaaaaaaaa';
const reread = async () => (await openRules(folder, () => ({ quotaBytes: {}, keepFreeBytes: 0, maxAgeDays: null }), silentLogger)).get();

it('keeps rules, changing only what was said', async () => {
  const rules = await openRules(folder, () => ({ quotaBytes: {}, keepFreeBytes: 5, maxAgeDays: null }), silentLogger);
  await rules.change({ quotaBytes: { [DISK]: 7, '__proto__': 1 } });
  await rules.change({ maxAgeDays: 30, keepFreeBytesOf: { [DISK]: 9 } });
  await rules.change({ cameras: { [CAMERA]: { minAgeDays: 3, maxAgeDays: null }, nobody: { minAgeDays: 1, maxAgeDays: null } }, events: { keepDays: 60 } });
  const said = { quotaBytes: { [DISK]: 7 }, keepFreeBytes: 5, keepFreeBytesOf: { [DISK]: 9 }, maxAgeDays: 30, cameras: { [CAMERA]: { minAgeDays: 3, maxAgeDays: null } }, events: { keepDays: 60, marginMs: 10_000 } };
  expect(await reread()).toEqual(said);
  await rules.change({ keepFreeBytesOf: { [DISK]: null }, cameras: { [CAMERA]: null }, quotaBytes: { [DISK]: null } });
  expect(await reread()).toEqual({ ...said, keepFreeBytesOf: {}, cameras: {}, quotaBytes: { [DISK]: null } });
});

it('reads rules of the first format on, and loses one bad rule, not all', async () => {
  await writeFile(path.join(folder, 'storage.json'), JSON.stringify({ quotaBytes: { [DISK]: 7, other: 8 }, keepFreeBytes: 5, maxAgeDays: 30 }));
  expect(await reread()).toEqual({ ...NO_RULES, quotaBytes: { [DISK]: 7 }, keepFreeBytes: 5, maxAgeDays: 30 });
  await writeFile(path.join(folder, 'storage.json'), JSON.stringify({ format: 3, quotaBytes: {}, keepFreeBytes: 5, maxAgeDays: null, cameras: { [CAMERA]: { minAgeDays: 'long', maxAgeDays: 4 } }, events: { keepDays: -1, marginMs: 2_000 } }));
  expect(await reread()).toEqual({ ...NO_RULES, keepFreeBytes: 5, cameras: { [CAMERA]: { minAgeDays: null, maxAgeDays: 4 } }, events: { keepDays: null, marginMs: 2_000 } });
});

it('refuses a minimum age above the maximum, and keeps the rules as they were', async () => {
  const rules = await openRules(folder, () => ({ quotaBytes: {}, keepFreeBytes: 5, maxAgeDays: 10 }), silentLogger);
  await expect(rules.change({ cameras: { [CAMERA]: { minAgeDays: 11, maxAgeDays: null } } })).rejects.toMatchObject({ kind: 'invalid-input' });
  await rules.change({ cameras: { [CAMERA]: { minAgeDays: 11, maxAgeDays: 12 } } });
  expect(rules.get().cameras).toEqual({ [CAMERA]: { minAgeDays: 11, maxAgeDays: 12 } });
});

it('writes secrets sealed only, for the owner only', async () => {
  const sealer = { seal: async (text: string) => Buffer.from(text).toString('hex'), open: async (text: string) => Buffer.from(text, 'hex').toString() };
  const secrets = await openSealedSecrets(folder, sealer);
  await secrets.set('camera:a', 'hunter2');
  await secrets.set('camera:b', 'other');
  await secrets.delete('camera:b');
  const file = path.join(folder, 'keyring.json');
  expect(await readFile(file, 'utf8')).not.toContain('hunter2');
  expect((await stat(file)).mode & 0o077).toBe(0);
  const again = await openSealedSecrets(folder, sealer);
  expect([await again.get('camera:a'), await again.get('camera:b')]).toEqual(['hunter2', null]);
});
