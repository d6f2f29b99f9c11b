/** Locks on a real archive: what is locked is never deleted, and the journals bring locks back when the index is lost (I4, I5). */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { type Archive, openArchive } from '../../main/engine/storage/archive.ts';
import { PreviewPacks } from '../../main/engine/storage/preview-pack.ts';
import type { RootPlace } from '../../main/engine/storage/root-list.ts';
import { CLIP_MS, writeClosed } from '../../main/engine/storage/testing/footage.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { FootageLock } from '../../shared/model/locks.ts';
import type { Segment } from '../../shared/model/segment.ts';
import { HOUR_MS } from '../../shared/time.ts';

const CAMERA = 'cam-aaaaaaaaaaaa' as CameraId;
const key = { cameraId: CAMERA, stream: 'main' } as const;

let folder: string;
let archive: Archive;
let root: RootPlace;
let startMs: number;

const open = () => openArchive({ dataDir: path.join(folder, 'data'), clock: systemClock, logger: silentLogger });
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'porchlight-locks-'));
  archive = await open();
  root = await archive.roots.add(path.join(folder, 'media'));
  startMs = Math.floor(systemClock.nowMs() / HOUR_MS) * HOUR_MS - 50 * HOUR_MS;
});
afterEach(async () => {
  await archive.close();
  await rm(folder, { recursive: true, force: true });
});

const lock = (over: Partial<FootageLock> = {}): FootageLock => ({ id: 'lock-1', cameraId: CAMERA, startMs: startMs + 1.5 * CLIP_MS, endMs: startMs + 2.5 * CLIP_MS, note: 'the parcel', createdMs: systemClock.nowMs(), ...over });
async function record(count: number, over: Partial<Segment> = {}): Promise<Segment[]> {
  return await Promise.all(
    Array.from({ length: count }, async (_, sequence) => {
      const segment = await writeClosed(root, { ...key, session: 1, sequence, startMs: startMs + sequence * CLIP_MS, ...over });
      await archive.write.insertSegment(segment);
      return segment;
    }),
  );
}
const wrong = async () => (await archive.check({ engine: 'stopped', thorough: false })).findings.filter((finding) => finding.notice !== true);
const remaining = async (): Promise<number[]> => (await archive.footageBlocks({ byHour: false })).map((block) => Math.round((block.startMs - startMs) / CLIP_MS)).toSorted((a, b) => a - b);

describe('a lock', () => {
  it('keeps every stream of its camera that it touches, whatever was planned before it was set', async () => {
    const segments = await record(5);
    const [sub] = await record(1, { stream: 'sub', startMs: startMs + 2 * CLIP_MS });
    await archive.locks.add(lock());
    const report = await archive.deleteSegments([...segments, ...(sub === undefined ? [] : [sub])]);
    expect(report.segments).toBe(3);
    expect(await remaining()).toEqual([1, 2, 2]);
    expect(await wrong()).toEqual([]);
    await archive.locks.remove(lock(), systemClock.nowMs());
    expect(await archive.locks.list()).toEqual([]);
    expect((await archive.deleteSegments(segments)).segments).toBe(2);
    expect(await wrong()).toEqual([]);
  });

  it('is on the disk before it is confirmed, and back before anything can be deleted where the index was lost', async () => {
    const segments = await record(4);
    await archive.locks.add(lock());
    await archive.locks.add(lock({ id: 'lock-2', startMs: startMs + 3.2 * CLIP_MS, endMs: startMs + 3.3 * CLIP_MS }));
    await archive.locks.remove(lock({ id: 'lock-2' }), systemClock.nowMs());
    const journal = path.join(root.path, CAMERA, 'journal');
    expect(readdirSync(journal).flatMap((name) => readFileSync(path.join(journal, name), 'utf8').trim().split('\n')).map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(['lock', 'lock', 'unlock']);
    await archive.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(path.join(folder, 'data', `porchlight.db${suffix}`), { force: true });
    archive = await open();
    expect(await archive.locks.list()).toEqual([lock({ createdMs: (await archive.locks.list())[0]?.createdMs })]);
    await archive.recoverTails();
    await archive.reconcile();
    expect((await archive.deleteSegments(segments)).segments).toBe(2);
    expect(await remaining()).toEqual([1, 2]);
    expect(await wrong()).toEqual([]);
  });

  it('keeps its previews, and those of the hours between it and the rest go with their footage', async () => {
    const packs = new PreviewPacks();
    const jpeg = Buffer.alloc(5_000, 0xff);
    const hours = [0, 2, 4].map((hour) => startMs + hour * HOUR_MS);
    const segments: Segment[] = [];
    for (const [at, hourMs] of hours.entries()) {
      segments.push(...(await record(1, { session: at + 1, startMs: hourMs })));
      await packs.append(root.path, CAMERA, [{ atMs: hourMs, jpeg }]);
    }
    await archive.write.insertEvent({ id: 'event-1', cameraId: CAMERA, startMs, endMs: startMs + 1, kind: 'motion', label: '' });
    await archive.locks.add(lock({ startMs, endMs: startMs + 1 }));
    expect((await archive.deleteSegments(segments.slice(0, 2))).segments).toBe(1);
    const previews = path.join(root.path, CAMERA, 'previews');
    expect(readdirSync(previews, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())).toHaveLength(2);
    expect(await archive.read.events({ cameraIds: [CAMERA], startMs: 0, endMs: startMs + HOUR_MS, limit: 10 })).toHaveLength(1);
    expect(await archive.locks.list()).toHaveLength(1);
    expect(await wrong()).toEqual([]);
  });

  it('of which no footage is left goes with the journal of its day', async () => {
    await record(1);
    const segments = await record(1, { session: 2, startMs: startMs + 49 * HOUR_MS });
    await archive.locks.add(lock({ startMs: startMs - HOUR_MS, endMs: startMs - HOUR_MS + 1, createdMs: startMs }));
    expect((await archive.deleteSegments([{ ...key, session: 1, sequence: 0 }])).segments).toBe(1);
    expect(segments).toHaveLength(1);
    expect(await archive.locks.list()).toEqual([]);
    expect(await wrong()).toEqual([]);
  });
});
