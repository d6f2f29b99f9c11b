import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, mkdtemp, open, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CameraId, cameraIdFrom } from '../../../shared/model/ids.ts';
import { forceUnwrap } from '../../../shared/result.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import { ForeignPackError } from './preview-index.ts';
import { packPath } from './preview-name.ts';
import { type NewPreview, PreviewPacks } from './preview-pack.ts';
import { RECORD_HEADER_BYTES } from './preview-record.ts';
import { createRoot } from './root.ts';

const hourMs = Date.parse('2026-11-21T14:00:00Z');
let root = '';
let camera: CameraId;
let other: CameraId;

beforeEach(async () => {
  root = (await createRoot(await mkdtemp(path.join(tmpdir(), 'previews-')), hourMs)).path;
  camera = cameraIdFrom(randomBytes(12));
  other = cameraIdFrom(randomBytes(12));
});
afterEach(async () => await rm(root, { recursive: true }));

/** Bytes stand in for JPEGs here: a pack never looks inside. */
function pictures(count: number, fromMs = hourMs, sizeBytes = 700): NewPreview[] {
  return Array.from({ length: count }, (_, index) => ({ atMs: fromMs + index * 2_000, jpeg: randomBytes(sizeBytes) }));
}

async function allOf(packs: PreviewPacks, cameraId: CameraId, hour = hourMs): Promise<{ atMs: number; jpeg: Buffer }[]> {
  const index = await packs.index(root, cameraId, hour);
  const read = index === null ? [] : await packs.read(root, cameraId, hour, index.all);
  return read.filter((picture) => picture !== null).map(({ atMs, jpeg }) => ({ atMs, jpeg: Buffer.from(jpeg) }));
}

test('what was appended is read back, by the writer and by a fresh reader', async () => {
  const packs = new PreviewPacks();
  const first = pictures(30);
  const second = pictures(30, hourMs + 60_000);
  await packs.append(root, camera, first);
  await packs.append(root, camera, second);
  expect(await allOf(packs, camera)).toEqual([...first, ...second]);
  expect(await allOf(new PreviewPacks(), camera)).toEqual([...first, ...second]);
});

test('a batch over the full hour goes into two packs', async () => {
  const packs = new PreviewPacks();
  await packs.append(root, camera, pictures(4, hourMs + HOUR_MS - 4_000));
  expect(await allOf(packs, camera)).toHaveLength(2);
  expect(await allOf(packs, camera, hourMs + HOUR_MS)).toHaveLength(2);
});

test('another process that appends is seen: the index grows with the file', async () => {
  const writer = new PreviewPacks();
  const reader = new PreviewPacks();
  await writer.append(root, camera, pictures(3));
  expect(await allOf(reader, camera)).toHaveLength(3);
  await writer.append(root, camera, pictures(3, hourMs + 60_000));
  expect(await allOf(reader, camera)).toHaveLength(6);
});

test('a tail torn at any byte hides only its own picture and is cut off by the next append', async () => {
  const kept = pictures(3);
  const torn = pictures(1, hourMs + 60_000);
  await new PreviewPacks().append(root, camera, kept);
  const file = packPath(root, camera, hourMs);
  const whole = (await stat(file)).size;
  await new PreviewPacks().append(root, camera, torn);
  const bytes = await readFile(file);
  for (const cut of [whole + 1, whole + RECORD_HEADER_BYTES - 1, whole + RECORD_HEADER_BYTES, whole + RECORD_HEADER_BYTES + 300, bytes.length - 1]) {
    await rm(file);
    await appendFile(file, bytes.subarray(0, cut));
    const packs = new PreviewPacks();
    expect(await allOf(packs, camera), `cut at ${cut}`).toEqual(kept);
    const more = pictures(1, hourMs + 120_000);
    await packs.append(root, camera, more);
    expect(await allOf(new PreviewPacks(), camera), `after a cut at ${cut}`).toEqual([...kept, ...more]);
    expect((await stat(file)).size).toBe(whole + RECORD_HEADER_BYTES + 700);
  }
});

test('damage in the middle costs the damaged pictures only', async () => {
  const all = pictures(9);
  await new PreviewPacks().append(root, camera, all);
  const handle = await open(packPath(root, camera, hourMs), 'r+');
  const record = RECORD_HEADER_BYTES + 700;
  await handle.write(Buffer.alloc(10), 0, 10, 2 * record + 20);
  await handle.write(Buffer.alloc(10), 0, 10, 5 * record + 400);
  await handle.close();
  expect((await allOf(new PreviewPacks(), camera)).map((picture) => picture.atMs)).toEqual([0, 1, 3, 4, 6, 7, 8].map((index) => hourMs + index * 2_000));
});

test('a pack that lands in another camera’s folder is refused whole, for reading and for writing', async () => {
  await new PreviewPacks().append(root, other, pictures(5));
  const mine = packPath(root, camera, hourMs);
  await mkdir(path.dirname(mine), { recursive: true });
  await rename(packPath(root, other, hourMs), mine);
  const packs = new PreviewPacks();
  await expect(packs.index(root, camera, hourMs)).rejects.toBeInstanceOf(ForeignPackError);
  const before = await readFile(mine);
  await expect(packs.append(root, camera, pictures(1))).rejects.toBeInstanceOf(ForeignPackError);
  expect(await readFile(mine)).toEqual(before);
});

test('a pack swapped for another camera’s behind a known index shows nothing', async () => {
  const packs = new PreviewPacks();
  await packs.append(root, camera, pictures(5));
  await packs.append(root, other, pictures(5));
  const index = forceUnwrap('it was written above', await packs.index(root, camera, hourMs));
  await rename(packPath(root, other, hourMs), packPath(root, camera, hourMs));
  expect(await packs.read(root, camera, hourMs, index.all)).toEqual([null, null, null, null, null]);
});

test('nothing is written under a folder that is no root: an unmounted disk stays empty', async () => {
  const packs = new PreviewPacks();
  await rm(path.join(root, 'porchlight-disk.json'));
  await expect(packs.append(root, camera, pictures(1))).rejects.toMatchObject({ kind: 'disk-missing' });
  await expect(stat(path.join(root, camera))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('appends of one camera at the same time lose nothing', async () => {
  const packs = new PreviewPacks();
  await Promise.all(Array.from({ length: 10 }, async (_, batch) => await packs.append(root, camera, pictures(3, hourMs + batch * 10_000))));
  expect(await allOf(new PreviewPacks(), camera)).toHaveLength(30);
});

test('a pack cut shorter than the known index is indexed anew', async () => {
  const packs = new PreviewPacks();
  const all = pictures(6);
  await packs.append(root, camera, all);
  await truncate(packPath(root, camera, hourMs), 2 * (RECORD_HEADER_BYTES + 700));
  expect(await allOf(packs, camera)).toEqual(all.slice(0, 2));
});

test('hours come newest first, and only what is a pack counts', async () => {
  const packs = new PreviewPacks();
  for (const hour of [-30, -2, 0]) await packs.append(root, camera, pictures(1, hourMs + hour * HOUR_MS));
  await appendFile(path.join(path.dirname(packPath(root, camera, hourMs)), 'notes.txt'), 'x');
  const hours: number[] = [];
  for await (const hour of packs.hoursNewestFirst(root, camera)) hours.push((hour - hourMs) / HOUR_MS);
  expect(hours).toEqual([0, -2, -30]);
});
