/** Retention on a real archive: rules come true, files go in order, a full disk makes room, and any prefix of it is sound (I1, I2, I5). */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { RetentionExecutor } from '../../main/engine/retention/executor.ts';
import { summarizeStorage } from '../../main/engine/retention/forecast.ts';
import { type Archive, openArchive } from '../../main/engine/storage/archive.ts';
import { PreviewPacks } from '../../main/engine/storage/preview-pack.ts';
import type { RootPlace } from '../../main/engine/storage/root-list.ts';
import { diskSpace } from '../../main/engine/storage/root.ts';
import { CLIP_MS, writeClosed, writeCut } from '../../main/engine/storage/testing/footage.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { Segment } from '../../shared/model/segment.ts';
import { NO_RULES, type StorageRules } from '../../shared/model/storage-rules.ts';
import { DAY_MS, HOUR_MS, utcDay } from '../../shared/time.ts';

const CAMERAS = ['cam-aaaaaaaaaaaa', 'cam-bbbbbbbbbbbb'] as CameraId[];
const key = { cameraId: CAMERAS[0] as CameraId, stream: 'main' } as const;
/** Root in a Linux that lets it mount: only then can a disk be made small enough to fill. */
const canMount = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

let folder: string;
let archive: Archive;
let root: RootPlace;
let startMs: number;
let rules: StorageRules;

const open = () => openArchive({ dataDir: path.join(folder, 'data'), clock: systemClock, logger: silentLogger });
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'porchlight-retention-'));
  archive = await open();
  root = await archive.roots.add(path.join(folder, 'media'));
  startMs = Math.floor(systemClock.nowMs() / HOUR_MS) * HOUR_MS - 5 * HOUR_MS;
  rules = NO_RULES;
});
afterEach(async () => {
  await archive.close();
  await rm(folder, { recursive: true, force: true });
});

const executor = (clock = systemClock) => new RetentionExecutor({ archive, rules: () => rules, clock, logger: silentLogger });
async function record(count: number, over: Partial<Segment> = {}): Promise<Segment[]> {
  return await Promise.all(
    Array.from({ length: count }, async (_, sequence) => {
      const segment = await writeClosed(root, { ...key, session: 1, sequence, startMs: startMs + sequence * CLIP_MS, ...over });
      await archive.write.insertSegment(segment);
      return segment;
    }),
  );
}
const usedBytes = async () => (await archive.read.usage()).reduce((sum, one) => sum + one.sizeBytes, 0);
const wrong = async () => (await archive.check({ engine: 'stopped', thorough: false })).findings.filter((finding) => finding.notice !== true);

describe('retention', () => {
  it('brings an archive under its quota, oldest first, and says what changed', async () => {
    const segments = await record(20);
    const quota = (segments[0]?.sizeBytes ?? 0) * 10;
    rules = { ...rules, quotaBytes: { [root.rootId]: quota } };
    const changes: unknown[] = [];
    const retention = executor();
    retention.onDeleted((change) => void changes.push(change));
    const gone = await retention.runOnce();
    expect(gone).toBeGreaterThanOrEqual(10);
    expect(gone).toBeLessThanOrEqual(12);
    expect(await usedBytes()).toBeLessThanOrEqual(quota);
    expect(await archive.read.bounds([key.cameraId])).toEqual({ startMs: startMs + gone * CLIP_MS, endMs: startMs + 20 * CLIP_MS });
    expect(changes).toEqual([{ cameraIds: [key.cameraId], startMs, endMs: startMs + gone * CLIP_MS }]);
    expect(await wrong()).toEqual([]);
    expect(await retention.runOnce()).toBe(0);
  });

  it('keeps an age limit and what is locked', async () => {
    await record(6);
    const nowMs = systemClock.nowMs();
    rules = { ...rules, maxAgeDays: (nowMs - startMs - 4.5 * CLIP_MS) / DAY_MS };
    await archive.locks.add({ id: 'lock-1', cameraId: key.cameraId, startMs, endMs: startMs + 1, note: '', createdMs: systemClock.nowMs() });
    // However long the lock took: an age is counted from one moment.
    expect(await executor({ ...systemClock, nowMs: () => nowMs }).runOnce()).toBe(3);
    expect((await archive.read.segmentAt(key, startMs + 10))?.segment.sequence).toBe(0);
    expect(await archive.read.segmentAt(key, startMs + CLIP_MS + 10)).toBeNull();
    expect(await wrong()).toEqual([]);
  });

  it('takes what shows nothing first, then events, then what is too young, and says which promise it broke until a while later', async () => {
    const segments = await record(8);
    const sizeBytes = segments[0]?.sizeBytes ?? 0;
    await archive.write.insertEvent({ id: 'event-1', cameraId: key.cameraId, kind: 'person', label: 'Person', startMs: startMs + 1.2 * CLIP_MS, endMs: startMs + 1.4 * CLIP_MS });
    // That a camera was away is nothing to be kept.
    await archive.write.insertEvent({ id: 'event-2', cameraId: key.cameraId, kind: 'camera-offline', label: '', startMs: startMs + 3.2 * CLIP_MS, endMs: startMs + 3.4 * CLIP_MS });
    await archive.locks.add({ id: 'lock-1', cameraId: key.cameraId, startMs: startMs + 2.5 * CLIP_MS, endMs: startMs + 2.6 * CLIP_MS, note: '', createdMs: systemClock.nowMs() });
    const left = async () => (await archive.footageBlocks({ byHour: false })).map((block) => Math.round((block.startMs - startMs) / CLIP_MS)).toSorted((a, b) => a - b);
    const youngFromMs = startMs + 6 * CLIP_MS + 1;
    const keep = { cameras: { [key.cameraId]: { minAgeDays: (systemClock.nowMs() - youngFromMs) / DAY_MS, maxAgeDays: null } }, events: { keepDays: 1, marginMs: 0 } };
    const retention = executor();
    const runWith = async (pieces: number) => {
      rules = { ...NO_RULES, ...keep, quotaBytes: { [root.rootId]: pieces * sizeBytes * 1.12 } };
      await retention.runOnce();
      expect(await wrong()).toEqual([]);
      return { left: await left(), broken: retention.broken.map(({ rule }) => rule) };
    };
    expect(await runWith(5)).toEqual({ left: [1, 2, 5, 6, 7], broken: [] });
    expect(await runWith(4)).toEqual({ left: [1, 2, 6, 7], broken: [] });
    expect(await runWith(3)).toEqual({ left: [2, 6, 7], broken: ['event-age'] });
    expect(await runWith(2)).toEqual({ left: [2, 7], broken: ['min-age'] });
    // Between two deletions the promise is broken still.
    await retention.runOnce();
    expect(retention.broken.map(({ sentence }) => sentence)).toEqual([expect.stringContaining('deleted, so that recording goes on.')]);
    expect(await runWith(0.5)).toEqual({ left: [2], broken: ['min-age', 'quota'] });
    rules = NO_RULES;
    await retention.runOnce();
    expect(retention.broken).toEqual([]);
  });

  it('counts previews, and deletes them with the footage of their time, folders and all', async () => {
    const earlierMs = startMs - 2 * DAY_MS;
    const packs = new PreviewPacks();
    const jpeg = Buffer.alloc(5_000, 0xff);
    // An hour of two days ago, one of today, and one of a camera that is off the list.
    await record(1, { startMs: earlierMs });
    await packs.append(root.path, key.cameraId, [{ atMs: earlierMs, jpeg }]);
    const [newest] = await record(1, { startMs, session: 2 });
    await packs.append(root.path, key.cameraId, [{ atMs: startMs, jpeg }]);
    const gone = { cameraId: CAMERAS[1] as CameraId, session: 3, startMs: earlierMs };
    await record(1, gone);
    await packs.append(root.path, gone.cameraId, [{ atMs: earlierMs, jpeg }]);
    const previews = await archive.read.previewUsage();
    expect(previews.map((one) => [one.cameraId, one.sizeBytes > 10_000])).toEqual([[key.cameraId, true], [gone.cameraId, false]]);
    const previewBytes = previews.reduce((sum, one) => sum + one.sizeBytes, 0);
    expect((await archive.retentionFacts()).usedBytes).toEqual([{ rootId: root.rootId, bytes: (await usedBytes()) + previewBytes }]);
    const summary = summarizeStorage(archive.roots.conditions(), await archive.read.usage(), previews, rules);
    expect(summary.roots[0]?.usedBytes).toBe((await usedBytes()) + previewBytes);

    // Room for one of three segments.
    rules = { ...rules, quotaBytes: { [root.rootId]: 1.2 * ((newest?.sizeBytes ?? 0) + previewBytes) } };
    expect(await executor().runOnce()).toBe(2);
    const folders = (cameraId: CameraId) => readdirSync(path.join(root.path, cameraId, 'previews'));
    expect(folders(key.cameraId)).toEqual([utcDay(startMs)]);
    expect(folders(gone.cameraId)).toEqual([]);
    expect(readdirSync(path.join(root.path, gone.cameraId, 'main'))).toEqual([]);
    expect((await archive.read.previewUsage()).reduce((sum, one) => sum + one.sizeBytes, 0)).toBe(previews[0] === undefined ? -1 : previews[0].sizeBytes / 2);
    expect(await wrong()).toEqual([]);
  });

  it('runs by itself, sooner when told to hurry, and stops', async () => {
    const segments = await record(10);
    const retention = executor();
    retention.start();
    const all = segments.reduce((sum, one) => sum + one.sizeBytes, 0);
    await expect.poll(() => usedBytes(), { timeout: 20_000 }).toBe(all);
    const gone = Promise.withResolvers<void>();
    retention.onDeleted(() => gone.resolve());
    rules = { ...rules, quotaBytes: { [root.rootId]: all / 2 } };
    retention.hurry();
    // While it deletes: said once, and not forgotten.
    await gone.promise;
    rules = { ...rules, quotaBytes: { [root.rootId]: 1 } };
    retention.hurry();
    await expect.poll(() => archive.read.usage(), { timeout: 20_000 }).toEqual([]);
    await retention.stop();
  });

  it('makes room on a full disk ahead of need', async ({ skip }) => {
    skip(!canMount, 'mounting needs root on Linux');
    const small = path.join(folder, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', small]);
    try {
      await archive.roots.remove(root.rootId);
      root = await archive.roots.add(small);
      await record(20);
      const { freeBytes, diskBytes } = await diskSpace(small);
      writeFileSync(path.join(small, 'film.mkv'), Buffer.alloc(freeBytes - 20_000));
      const retention = executor();
      const gone = await retention.runOnce();
      expect(gone).toBeGreaterThan(0);
      expect(gone).toBeLessThan(20);
      expect((await diskSpace(small)).freeBytes).toBeGreaterThan(diskBytes / 100);
      expect(retention.broken).toEqual([]);
      // Somebody else's film stays, whatever it takes: the rule is then said to be broken.
      rules = { ...rules, keepFreeBytes: diskBytes };
      await retention.runOnce();
      expect(await usedBytes()).toBe(0);
      expect(retention.broken).toMatchObject([{ rootId: root.rootId, rule: 'keep-free' }]);
      expect(existsSync(path.join(small, 'film.mkv'))).toBe(true);
      await archive.close();
    } finally {
      execFileSync('umount', [small]);
    }
  });

  it('adds up what is stored and how long it lasts', async () => {
    // 150 clips of 4 s are ten minutes: enough for a rate.
    const segments = await record(150);
    const bytes = segments.reduce((sum, one) => sum + one.sizeBytes, 0);
    rules = { ...rules, quotaBytes: { [root.rootId]: bytes * 2 } };
    const summary = summarizeStorage(await archive.roots.refresh(), await archive.read.usage(), [], rules);
    const perDay = (bytes / (150 * CLIP_MS)) * DAY_MS;
    expect(summary).toMatchObject({ oldestMs: startMs, roots: [{ state: 'ready', usedBytes: bytes, quotaBytes: bytes * 2 }], cameras: [{ cameraId: key.cameraId, usedBytes: bytes, oldestMs: startMs }] });
    expect(summary.bytesPerDay).toBeCloseTo(perDay, 0);
    expect(summary.forecastDays).toBeCloseTo((bytes * 2) / perDay, 3);
    expect(summarizeStorage([], [], [], rules)).toMatchObject({ forecastDays: null, oldestMs: null, bytesPerDay: 0 });
  });
});

describe('whatever happens to an archive', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('record' as const), camera: fc.integer({ min: 0, max: 1 }), sub: fc.boolean(), stepMs: fc.constantFrom(0, 0, 0, 300, 7_000, -HOUR_MS) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('session' as const), camera: fc.integer({ min: 0, max: 1 }), gapMs: fc.integer({ min: 600, max: 90_000 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), camera: fc.integer({ min: 0, max: 1 }), bytes: fc.integer({ min: 0, max: 30_000 }), rowed: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), count: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('event' as const), camera: fc.integer({ min: 0, max: 1 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('lock' as const), camera: fc.integer({ min: 0, max: 1 }), clips: fc.integer({ min: 0, max: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('unlock' as const), which: fc.integer({ min: 0, max: 2 }) }) },
  );

  it('a rebuilt index answers as the one before it (I5), and the check finds nothing', { timeout: 180_000 }, async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
        round += 1;
        await archive.close();
        rmSync(path.join(folder, 'data'), { recursive: true, force: true });
        archive = await open();
        root = await archive.roots.add(path.join(folder, `media-${round}`));
        await archive.reconcile();
        // Per camera: the wall clock, the session and the next sequence.
        const at = CAMERAS.map(() => ({ wallMs: startMs, session: 1, sequence: 0 }));
        let events = 0;
        for (const one of steps) {
          if (one.do === 'delete') {
            const { segments } = await archive.oldestSegments({ limitPerRoot: one.count });
            const locks = await archive.locks.list();
            expect(segments.filter((segment) => locks.some((lock) => lock.cameraId === segment.cameraId && lock.startMs < segment.endMs && segment.startMs < lock.endMs))).toEqual([]);
            await archive.deleteSegments(segments);
            continue;
          }
          if (one.do === 'unlock') {
            const lock = (await archive.locks.list())[one.which];
            if (lock !== undefined) await archive.locks.remove(lock, systemClock.nowMs());
            continue;
          }
          const cameraId = CAMERAS[one.camera] as CameraId;
          const now = at[one.camera] as (typeof at)[number];
          if (one.do === 'lock') {
            events += 1;
            const from = now.wallMs - one.clips * CLIP_MS;
            await archive.locks.add({ id: `lock-${events}`, cameraId, startMs: from + 100, endMs: from + CLIP_MS + 100, note: `number ${events}`, createdMs: systemClock.nowMs() });
          } else if (one.do === 'event') {
            events += 1;
            await archive.write.insertEvent({ id: `event-${events}`, cameraId, kind: 'motion', label: 'Motion', startMs: now.wallMs, endMs: now.wallMs + 500 });
          } else if (one.do === 'session') {
            await archive.write.insertGap({ cameraId, stream: 'main', startMs: now.wallMs, endMs: now.wallMs + one.gapMs, cause: 'camera-unreachable', detail: '' });
            Object.assign(now, { wallMs: now.wallMs + one.gapMs, session: now.session + 1, sequence: 0 });
          } else if (one.do === 'record') {
            const take = { cameraId, stream: one.sub ? 'sub' as const : 'main' as const, session: now.session, sequence: now.sequence, startMs: now.wallMs + one.stepMs };
            await archive.write.insertSegment(await writeClosed(root, take));
            Object.assign(now, { wallMs: take.startMs + CLIP_MS, sequence: now.sequence + 1 });
          } else {
            if (one.rowed) await writeClosed(root, { cameraId, stream: 'main', session: now.session, sequence: now.sequence, startMs: now.wallMs });
            writeCut(root, { cameraId, stream: 'main', session: now.session, sequence: now.sequence + 1, startMs: now.wallMs + CLIP_MS }, one.bytes);
            Object.assign(now, { wallMs: now.wallMs + 2 * CLIP_MS, session: now.session + 1, sequence: 0 });
            await archive.close();
            archive = await open();
            await archive.recoverTails();
          }
        }
        expect(await wrong()).toEqual([]);
        const ask = async () => {
          const range = { cameraIds: CAMERAS, startMs: startMs - 8 * HOUR_MS, endMs: startMs + 4 * HOUR_MS };
          return { far: await archive.read.timeline({ ...range, maxItems: 64 }), middle: await archive.read.timeline({ ...range, maxItems: 2_048 }), near: await archive.read.timeline({ ...range, maxItems: 8_192 }), usage: await archive.read.usage(), locks: await archive.locks.list(), tails: (await archive.read.streamTails()).toSorted((a, b) => (a.cameraId + a.stream < b.cameraId + b.stream ? -1 : 1)) };
        };
        const before = await ask();
        await archive.rebuild();
        expect(await ask()).toEqual(before);
        expect(await wrong()).toEqual([]);
      }),
      { numRuns: 6 },
    );
  });
});
