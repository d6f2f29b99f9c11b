import { mkdir, mkdtemp, readlink, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock, type Clock } from '../core/clock.ts';
import { createRoot } from '../storage/root.ts';
import { SegmentFiles } from './segment-files.ts';

let folder = '';
let nowMs = 0;
const ticks = new Set<() => void>();
const clock: Clock = {
  ...systemClock,
  monotonicMs: () => nowMs,
  every: (_periodMs, tick) => {
    ticks.add(tick);
    return () => ticks.delete(tick);
  },
};

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'files-'));
  nowMs = 0;
  ticks.clear();
});
afterEach(async () => await rm(folder, { recursive: true }));

async function make(name: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, name);
  return file;
}

/** How many descriptors of ours point into the folder; -1 where the system does not tell. */
async function descriptors(): Promise<number> {
  if (process.platform !== 'linux') return -1;
  const names = await readdir('/proc/self/fd');
  const targets = await Promise.all(names.map(async (name) => await readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(folder)).length;
}

test('reads are positional, end where the file ends, and a missing file is the system’s error', async () => {
  const files = new SegmentFiles(clock);
  const file = await make('abcdef');
  expect(Buffer.from(await files.read(file, 2, 3)).toString()).toBe('cde');
  expect(Buffer.from(await files.read(file, 4, 100)).toString()).toBe('ef');
  expect(await files.read(file, 100, 10)).toHaveLength(0);
  await expect(files.read(path.join(folder, 'none'), 0, 1)).rejects.toMatchObject({ code: 'ENOENT' });
  await make('none');
  expect(await files.read(path.join(folder, 'none'), 0, 1)).toHaveLength(1);
  await files.close();
});

test('never more than a few files stay open, however many are read, also all at once', async () => {
  const files = new SegmentFiles(clock);
  const names = await Promise.all(Array.from({ length: 100 }, async (_, index) => await make(`segment-${index}`)));
  await Promise.all(names.map(async (name) => expect(Buffer.from(await files.read(name, 0, 100)).toString()).toBe(path.basename(name))));
  for (const name of names) await files.read(name, 0, 1);
  expect(files.openCount).toBeLessThanOrEqual(32);
  await expect.poll(descriptors).toBeLessThanOrEqual(32);
  await files.close();
  expect(await descriptors()).toBeLessThanOrEqual(0);
});

test('a file nobody reads any more is closed, so that a deleted one gives its space back', async () => {
  const files = new SegmentFiles(clock);
  const [old, fresh] = [await make('old'), await make('fresh')];
  await files.read(old, 0, 1);
  nowMs = 9_000;
  await files.read(fresh, 0, 1);
  nowMs = 11_000;
  for (const tick of ticks) tick();
  await expect.poll(() => files.openCount).toBe(1);
  nowMs = 30_000;
  for (const tick of ticks) tick();
  await expect.poll(() => files.openCount).toBe(0);
  await expect.poll(descriptors).toBeLessThanOrEqual(0);
  for (const tick of ticks) tick();
  expect(ticks.size).toBe(0);
  await files.close();
});

test('a file that moved to another disk since its path was asked for is read there; one whose disk is gone says so', async () => {
  const [fast, big] = [await createRoot(path.join(folder, 'fast'), 1), await createRoot(path.join(folder, 'big'), 1)];
  const files = new SegmentFiles(clock, () => [fast.path, big.path]);
  for (const { path: root } of [fast, big]) await mkdir(path.join(root, 'hour'));
  const file = path.join(fast.path, 'hour', 'segment.mp4');
  await writeFile(file, 'before');
  expect(Buffer.from(await files.read(file, 0, 2)).toString()).toBe('be');
  await rename(file, path.join(big.path, 'hour', 'segment.mp4'));
  expect(Buffer.from(await files.read(file, 2, 4)).toString()).toBe('fore');
  nowMs = 20_000;
  for (const tick of ticks) tick();
  expect(Buffer.from(await files.read(file, 0, 6)).toString()).toBe('before');
  await expect(files.read(path.join(fast.path, 'hour', 'deleted.mp4'), 0, 1)).rejects.toMatchObject({ code: 'ENOENT' });
  await rm(fast.path, { recursive: true });
  await expect(files.read(path.join(fast.path, 'hour', 'deleted.mp4'), 0, 1)).rejects.toMatchObject({ code: 'ENODEV' });
  await files.close();
});
