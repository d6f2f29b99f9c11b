import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readIfThere, replaceFile } from './atomic-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-atomic-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('replaces the whole and keeps the previous copy', async () => {
  const file = path.join(folder, 'cameras.json');
  expect(await readIfThere(file)).toBeNull();
  await replaceFile(file, 'one');
  await replaceFile(file, 'two');
  expect(await readIfThere(file)).toBe('two');
  expect(await readFile(`${file}.previous`, 'utf8')).toBe('one');
  expect((await readdir(folder)).sort()).toEqual(['cameras.json', 'cameras.json.previous']);
});

it('makes files that only their owner can read', async ({ skip }) => {
  skip(process.platform === 'win32', 'Windows has no owner-only mode bits');
  const file = path.join(folder, 'secrets.json');
  await replaceFile(file, 'x');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it('leaves the old content where the new cannot be written', async () => {
  const file = path.join(folder, 'cameras.json');
  await replaceFile(file, 'one');
  await expect(replaceFile(path.join(folder, 'nowhere', 'x'), 'two')).rejects.toThrow('ENOENT');
  expect(await readIfThere(file)).toBe('one');
});
