/** Footage that moves from one disk to another: nothing is lost, whatever dies when, and disks that are away keep their place. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, open as openFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { type Archive, openArchive } from '../../main/engine/storage/archive.ts';
import type { MovableSegment } from '../../main/engine/storage/moves.read.ts';
import { FootageMover } from '../../main/engine/storage/mover.ts';
import type { TierRoot } from '../../main/engine/storage/placement.ts';
import type { RootPlace } from '../../main/engine/storage/root-list.ts';
import { copyWithinLimit, STAGING_FILE } from '../../main/engine/storage/segment-copy.ts';
import { encodeSegmentName } from '../../main/engine/storage/segment-name.ts';
import { CLIP_MS, writeClosed } from '../../main/engine/storage/testing/footage.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { Segment } from '../../shared/model/segment.ts';
import { NO_RULES } from '../../shared/model/storage-rules.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { HOUR_MS } from '../../shared/time.ts';

const CAMERA = 'cam-aaaaaaaaaaaa' as CameraId;
const START_MS = Date.UTC(2026, 10, 21, 14, 0, 0);
const key = { cameraId: CAMERA, stream: 'main' } as const;
const WINDOW = { cameraIds: [CAMERA], startMs: START_MS - HOUR_MS, endMs: START_MS + HOUR_MS, maxItems: 2_048 };
const pace = { clock: systemClock, bytesPerSecond: 1e9, signal: new AbortController().signal };

let folder: string;
let dataDir: string;
let archive: Archive;
let fast: RootPlace;
let big: RootPlace;
let segments: Segment[];

const open = async (): Promise<Archive> => await openArchive({ dataDir, clock: systemClock, logger: silentLogger });
const fileOf = (segment: Segment | MovableSegment): string => encodeSegmentName({ ...segment, startMs: segment.nameMs });
const isOn = (root: RootPlace, segment: Segment): boolean => existsSync(path.join(root.path, fileOf(segment)));
const wrong = async () => (await archive.check({ engine: 'stopped', thorough: true })).findings.filter((finding) => finding.notice !== true);

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'porchlight-moves-'));
  dataDir = path.join(folder, 'data');
  archive = await open();
  fast = await archive.roots.add(path.join(folder, 'fast'));
  big = await archive.roots.add(path.join(folder, 'big'));
  await archive.recoverTails();
  await archive.reconcile();
  segments = [];
  for (let sequence = 0; sequence < 4; sequence += 1) {
    const segment = await writeClosed(fast, { ...key, session: 1_000, sequence, startMs: START_MS + sequence * CLIP_MS });
    await archive.write.insertSegment(segment);
    segments.push(segment);
  }
  await archive.write.insertGap({ ...key, startMs: START_MS - 5_000, endMs: START_MS, cause: 'stream-stalled', detail: 'x' });
});
afterEach(async () => {
  await archive.close();
  await rm(folder, { recursive: true, force: true });
});

const segment = (at: number): Segment => forceUnwrap('four were recorded', segments[at]);
async function moveOldest(): Promise<boolean> {
  const [oldest] = await archive.moves.oldest(fast.rootId, 1);
  return await archive.moves.move(forceUnwrap('there is footage', oldest), fast.rootId, big.rootId, pace);
}

describe('a segment that moves', () => {
  it('is the same segment on the other disk, with sums and timeline as they were, and its file is gone from the first', async () => {
    const before = await archive.read.timeline(WINDOW);
    expect(await moveOldest()).toBe(true);
    expect(await archive.read.segmentAt(key, START_MS + 100)).toEqual({ segment: { ...segment(0), rootId: big.rootId }, path: path.join(big.path, fileOf(segment(0))) });
    expect([isOn(fast, segment(0)), isOn(big, segment(0)), isOn(fast, segment(1))]).toEqual([false, true, true]);
    expect(await archive.read.timeline(WINDOW)).toEqual(before);
    expect((await archive.read.usage()).map(({ rootId, sizeBytes }) => [rootId, sizeBytes])).toEqual(expect.arrayContaining([[big.rootId, segment(0).sizeBytes], [fast.rootId, 3 * segment(1).sizeBytes]]));
    expect(await wrong()).toEqual([]);
  });

  it('is read on by whoever has the old file open', async () => {
    const handle = await openFile(path.join(fast.path, fileOf(segment(0))));
    const before = readFileSync(path.join(fast.path, fileOf(segment(0))));
    await moveOldest();
    expect(await handle.readFile()).toEqual(before);
    await handle.close();
  });

  it('is not moved where it was deleted meanwhile, and leaves nothing on the other disk', async () => {
    const [oldest] = await archive.moves.oldest(fast.rootId, 1);
    await archive.deleteSegments([segment(0)]);
    expect(await archive.moves.move(forceUnwrap('it was there', oldest), fast.rootId, big.rootId, pace)).toBe(false);
    expect(isOn(big, segment(0))).toBe(false);
    expect(await wrong()).toEqual([]);
  });

  it('takes the journal of its day along, so that the other disk alone gives it all back (I5)', async () => {
    for (let at = 0; at < 4; at += 1) await moveOldest();
    await archive.close();
    for (const name of ['porchlight.db', 'porchlight.db-wal', 'porchlight.db-shm']) rmSync(path.join(dataDir, name), { force: true });
    renameSync(fast.path, `${fast.path}.away`);
    archive = await open();
    await archive.recoverTails();
    await archive.reconcile();
    expect((await archive.read.timeline(WINDOW))[0]).toMatchObject({ spans: [{ startMs: START_MS, endMs: START_MS + 4 * CLIP_MS }], gaps: [{ cause: 'stream-stalled' }] });
    await archive.close();
    renameSync(`${fast.path}.away`, fast.path);
    archive = await open();
    await archive.reconcile();
    expect((await archive.read.timeline(WINDOW))[0]?.gaps).toHaveLength(1);
    expect(await wrong()).toEqual([]);
  });

  for (const step of ['reserved', 'copied', 'committed', 'unlinked'] as const) {
    for (const index of ['kept', 'deleted'] as const) {
      it(`and whose process dies once it is ${step} is there exactly once afterwards, with the index ${index} (I1, I2, I5)`, async () => {
        const before = await archive.read.timeline(WINDOW);
        await archive.close();
        await expect(runChild(step)).rejects.toMatchObject({ signal: 'SIGKILL' });
        if (index === 'deleted') for (const name of ['porchlight.db', 'porchlight.db-wal', 'porchlight.db-shm']) rmSync(path.join(dataDir, name), { force: true });
        archive = await open();
        await archive.recoverTails();
        await archive.reconcile();
        expect(await archive.read.timeline(WINDOW)).toEqual(before);
        expect([isOn(fast, segment(0)), isOn(big, segment(0))].filter(Boolean)).toHaveLength(1);
        expect((await archive.read.segmentAt(key, START_MS + 100))?.path).toBe(path.join((isOn(fast, segment(0)) ? fast : big).path, fileOf(segment(0))));
        expect(await wrong()).toEqual([]);
        // And it can be moved again.
        while ((await archive.moves.oldest(fast.rootId, 1)).length > 0) await moveOldest();
        expect(segments.every((one) => isOn(big, one) && !isOn(fast, one))).toBe(true);
        expect(await wrong()).toEqual([]);
      }, 60_000);
    }
  }

  it('and breaks off in the middle of its copy leaves a file that is no segment, and that the next copy takes away', async () => {
    writeFileSync(path.join(big.path, STAGING_FILE), 'half a segment');
    expect(await wrong()).toEqual([]);
    await moveOldest();
    expect(existsSync(path.join(big.path, STAGING_FILE))).toBe(false);
  });

  it('and takes too long is given up, with no file under its name', async () => {
    const crawl = { ...pace, bytesPerSecond: 1 };
    await expect(copyWithinLimit(fast, big, fileOf(segment(0)), segment(0).sizeBytes, crawl, 200)).rejects.toMatchObject({ kind: 'timeout' });
    expect(isOn(big, segment(0))).toBe(false);
    expect(await wrong()).toEqual([]);
    expect(await moveOldest()).toBe(true);
  });

  it('and lies on both disks after the index was lost is one segment; the copy is removed', async () => {
    const copy = path.join(big.path, fileOf(segment(0)));
    await mkdir(path.dirname(copy), { recursive: true });
    await copyFile(path.join(fast.path, fileOf(segment(0))), copy);
    await archive.rebuild();
    expect([isOn(fast, segment(0)), isOn(big, segment(0))].filter(Boolean)).toHaveLength(1);
    expect(await wrong()).toEqual([]);
  });
});

describe('moving', () => {
  const roots = async (): Promise<readonly TierRoot[]> => {
    const [conditions, { usedBytes }] = await Promise.all([archive.roots.refresh(), archive.retentionFacts()]);
    return conditions.map((root) => ({ ...root, state: 'ready' as const, usedBytes: usedBytes.find(({ rootId }) => rootId === root.rootId)?.bytes ?? 0, headroomBytes: 0 }));
  };
  const moverWith = (over: { readonly quotaBytes?: number; readonly moveAfterDays?: number }): FootageMover =>
    new FootageMover({
      moves: archive.moves, roots, conditions: () => archive.roots.conditions(),
      placement: () => ({ mode: 'tiers', moveAfterDays: over.moveAfterDays ?? null }),
      rules: () => ({ ...NO_RULES, quotaBytes: { [fast.rootId]: over.quotaBytes ?? null } }),
      ageNowMs: () => Promise.resolve(START_MS + 2 * CLIP_MS + 86_400_000),
      clock: systemClock, logger: silentLogger, onProgress: () => undefined,
    });

  it('takes the oldest until the first disk is within its quota, and says when nothing is left to do', async () => {
    const mover = moverWith({ quotaBytes: 2 * segment(0).sizeBytes + 10 });
    expect(await mover.runOnce()).toBe(2);
    expect(segments.map((one) => isOn(big, one))).toEqual([true, true, false, false]);
    expect(mover.progress()).toEqual([]);
    expect(mover.relieved()).toEqual([fast.rootId]);
    expect(await mover.runOnce()).toBe(0);
  });

  it('takes what is older than the owner said', async () => {
    expect(await moverWith({ moveAfterDays: 1 }).runOnce()).toBe(2);
    expect(segments.map((one) => isOn(big, one))).toEqual([true, true, false, false]);
  });
});

describe('a disk that is not here', () => {
  it('keeps its footage on the timeline, marked, and is passed over by playback until it is back, wherever that is', async () => {
    await moveOldest();
    renameSync(big.path, `${big.path}-elsewhere`);
    await archive.roots.refresh();
    await archive.moves.tellAbsent([big.rootId]);
    const [away] = await archive.read.timeline(WINDOW);
    expect(away).toMatchObject({ spans: [{ startMs: START_MS, endMs: START_MS + 4 * CLIP_MS }], absent: [{ startMs: START_MS, endMs: START_MS + CLIP_MS }] });
    expect(await archive.read.segmentAt(key, START_MS + 100)).toMatchObject({ path: null });
    expect((await archive.read.firstSegmentHere(key, START_MS))?.segment.sequence).toBe(1);
    expect(archive.roots.away()).toMatchObject([{ rootId: big.rootId, path: big.path, removed: false }]);
    await archive.roots.add(`${big.path}-elsewhere`);
    await archive.moves.tellAbsent([]);
    expect(archive.roots.away()).toEqual([]);
    expect(archive.roots.list().map(({ rootId }) => rootId)).toEqual([fast.rootId, big.rootId]);
    expect((await archive.read.timeline(WINDOW))[0]).not.toHaveProperty('absent');
    expect((await archive.read.segmentAt(key, START_MS + 100))?.path).toBe(path.join(`${big.path}-elsewhere`, fileOf(segment(0))));
  });

  it('that was taken out of use is absent too, over a restart, and comes back with its folder', async () => {
    await archive.roots.remove(fast.rootId);
    await archive.close();
    archive = await open();
    expect(archive.roots.away()).toMatchObject([{ rootId: fast.rootId, path: fast.path, removed: true }]);
    expect(await archive.moves.rootsWithFootage()).toMatchObject([{ rootId: fast.rootId }]);
    expect(await archive.read.segmentAt(key, START_MS + 100)).toMatchObject({ path: null });
    await archive.roots.add(fast.path);
    expect(archive.roots.away()).toEqual([]);
    expect((await archive.read.segmentAt(key, START_MS + 100))?.path).toBe(path.join(fast.path, fileOf(segment(0))));
  });

  it('when a segment had moved off it and was still to be unlinked: the old file goes when the disk is back', async () => {
    const there = `${fast.path}.away`;
    archive.moves.onStep = async (step) => {
      if (step !== 'committed') return;
      renameSync(fast.path, there);
      await archive.roots.refresh();
    };
    await moveOldest();
    archive.moves.onStep = null;
    expect(existsSync(path.join(there, fileOf(segment(0))))).toBe(true);
    renameSync(there, fast.path);
    await archive.roots.refresh();
    await archive.reconcile();
    expect([isOn(fast, segment(0)), isOn(big, segment(0))]).toEqual([false, true]);
    expect(await wrong()).toEqual([]);
  });
});

function runChild(step: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [path.join(import.meta.dirname, 'storage-moves-child.ts'), dataDir, fast.rootId, big.rootId, step], (error) => (error === null ? resolve() : reject(error)));
  });
}
