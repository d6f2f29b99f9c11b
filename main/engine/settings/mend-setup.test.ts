/** A torn file of the set-up, whichever it is and wherever it was torn: the copy before the last change is in force, and a sentence says so. */
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openOwnerOnlySecrets } from '../cameras/secret-store.ts';
import { systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/logger.ts';
import { RootList } from '../storage/root-list.ts';
import { mendSetup } from './mend-setup.ts';
import { openRules } from './rules-store.ts';
import { openSealedSecrets } from './sealed-secrets.ts';
import { openSettings } from './settings-store.ts';

let folder = '';
let config = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-test-'));
  config = path.join(folder, 'config');
  await RootList.load(folder, systemClock);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const sealer = { seal: async (text: string) => Buffer.from(text).toString('hex'), open: async (text: string) => Buffer.from(text, 'hex').toString() };
const rules = () => openRules(config, () => ({ quotaBytes: {}, keepFreeBytes: 5, maxAgeDays: null }), silentLogger);

/** Two changes of each file; what the first made is what has to be back. */
const FILES = {
  'settings.json': {
    words: 'The settings',
    change: async () => {
      const settings = await openSettings(config, silentLogger);
      await settings.change({ homeName: 'Cabin' });
      await settings.change({ homeName: 'Cottage' });
    },
    read: async () => (await openSettings(config, silentLogger)).get().homeName,
    first: 'Cabin',
    again: async () => void (await (await openSettings(config, silentLogger)).change({ theme: 'dark' })),
  },
  'storage.json': {
    words: 'The rules for storage',
    change: async () => {
      const store = await rules();
      await store.change({ maxAgeDays: 30 });
      await store.change({ maxAgeDays: 7 });
    },
    read: async () => (await rules()).get().maxAgeDays,
    first: 30,
    again: async () => void (await (await rules()).change({ keepFreeBytes: 9 })),
  },
  'disks.json': {
    words: 'The list of disks',
    change: async () => {
      const roots = await RootList.load(folder, systemClock);
      await roots.add(path.join(folder, 'one'));
      await roots.add(path.join(folder, 'two'));
    },
    read: async () => (await RootList.load(folder, systemClock)).list().map((root) => path.basename(root.path)).join(),
    first: 'one',
    again: async () => void (await (await RootList.load(folder, systemClock)).add(path.join(folder, 'three'))),
  },
  'keyring.json': {
    words: 'The stored passwords of cameras',
    change: async () => {
      const secrets = await openSealedSecrets(config, sealer);
      await secrets.set('camera:a', 'first');
      await secrets.set('camera:a', 'second');
    },
    read: async () => await (await openSealedSecrets(config, sealer)).get('camera:a'),
    first: 'first',
    again: async () => await (await openSealedSecrets(config, sealer)).set('camera:b', 'other'),
  },
} as const;

it.each(Object.entries(FILES))('%s', async (name, { words, change, read, first, again }) => {
  await change();
  const file = path.join(config, name);
  const [whole, previous] = [await readFile(file), await readFile(`${file}.previous`)];
  expect(await mendSetup(config, silentLogger)).toEqual([]);
  expect(await readFile(file)).toEqual(whole);
  const { size } = await stat(file);
  // Torn at the start, in the middle, before its last brace.
  for (const length of [0, 1, Math.floor(size / 2), size - 2]) {
    await writeFile(file, whole);
    await writeFile(`${file}.previous`, previous);
    await truncate(file, length);
    expect(await mendSetup(config, silentLogger)).toEqual([expect.stringMatching(new RegExp(`^${words} could not be read; the copy before the last change is used\\.`))]);
    expect(await read()).toEqual(first);
    expect(await readFile(`${file}.damaged`)).toEqual(whole.subarray(0, length));
    expect(await mendSetup(config, silentLogger)).toEqual([]);
  }
  // The next change keeps the good copy, not the damage.
  await again();
  expect(await readFile(`${file}.previous`)).toEqual(previous);
});

it('says so where there is no copy, and goes on', async () => {
  await writeFile(path.join(config, 'settings.json'), '{"homeName": "Ca');
  expect(await mendSetup(config, silentLogger)).toEqual(['The settings could not be read, and there is no earlier copy: what was set there has to be set again.']);
  expect((await openSettings(config, silentLogger)).get().homeName).toBe('Home');
});

it.each([['emptied', Buffer.alloc(0)], ['zeroed', Buffer.alloc(32)], ['noise of another length', Buffer.alloc(300, 5)]])('a key of the passwords that was %s gives way to its copy, and without one is set aside, so that the rest can start', async (_name, damage) => {
  await (await openOwnerOnlySecrets(config)).set('a', 'one');
  await writeFile(path.join(config, 'secrets.key'), damage);
  expect(await mendSetup(config, silentLogger)).toEqual([]);
  expect(await (await openOwnerOnlySecrets(config)).get('a')).toBe('one');
  for (const name of ['secrets.key', 'secrets.key.previous']) await writeFile(path.join(config, name), damage);
  expect(await mendSetup(config, silentLogger)).toEqual([expect.stringMatching(/enter the passwords again/)]);
  expect(await (await openOwnerOnlySecrets(config)).get('a')).toBeNull();
  expect(await readFile(path.join(config, 'secrets.key.damaged'))).toEqual(damage);
});
