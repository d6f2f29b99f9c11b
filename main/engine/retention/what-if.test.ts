/** What is told before anything is deleted, and what it takes to delete much. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { NO_RULES, type StorageRules } from '../../../shared/model/storage-rules.ts';
import { DAY_MS, HOUR_MS } from '../../../shared/time.ts';
import type { BlockQuery, FootageBlock } from '../storage/holds.read.ts';
import { daysThatFit } from './forecast.ts';
import { WhatIfDesk } from './what-if.ts';

const ROOT = 'disk-aaaaaaaaaaaa' as RootId;
const CAMERA = 'cam-aaaaaaaaaaaa' as CameraId;
const NOW_MS = Date.UTC(2026, 10, 21);
const GB = 1e9;

/** Ten days of a camera, 24 GB each, an hour a block; the oldest four hours are locked. */
let blocks: FootageBlock[];
let rules: StorageRules;
let rebuilding: boolean;
let asked: BlockQuery[];
let monotonicMs: number;
beforeEach(() => {
  blocks = Array.from({ length: 240 }, (_, at): FootageBlock => ({ rootId: ROOT, cameraId: CAMERA, stream: 'main', held: at < 4 ? 'locked' : null, startMs: NOW_MS - (240 - at) * HOUR_MS, endMs: NOW_MS - (239 - at) * HOUR_MS, sizeBytes: GB }));
  rules = { ...NO_RULES, keepFreeBytes: GB };
  rebuilding = false;
  asked = [];
  monotonicMs = 0;
});

const used = (): number => blocks.reduce((sum, block) => sum + block.sizeBytes, 0);
const desk = (): WhatIfDesk =>
  new WhatIfDesk({
    archive: {
      retentionFacts: async () => ({ segments: 100_000, usedBytes: [{ rootId: ROOT, bytes: used() }], lastHour: [], oldest: [] }),
      footageBlocks: async (query) => (asked.push(query), blocks),
      read: { usage: async () => [{ rootId: ROOT, cameraId: CAMERA, stream: 'main' as const, sizeBytes: used(), durationMs: blocks.length * HOUR_MS, oldestMs: blocks[0]?.startMs ?? 0 }], previewUsage: async () => [] },
      roots: { refresh: async () => [{ rootId: ROOT, path: '/footage', state: 'ready' as const, problem: null, diskBytes: 1_000 * GB, freeBytes: 500 * GB }] },
      get rebuilding() {
        return rebuilding;
      },
    },
    rules: () => rules,
    ageNowMs: async () => NOW_MS,
    clock: { monotonicMs: () => monotonicMs },
    names: { root: () => '/footage', camera: () => 'Front door' },
  });
const quota = (gigabytes: number): StorageRules => ({ ...rules, quotaBytes: { [ROOT]: gigabytes * GB } });

describe('a what-if', () => {
  it('tells what would go at once, of which camera, and how long footage would last', async () => {
    const answer = await desk().ask(quota(192.1));
    // With the headroom's 75 MB, 48 hours after the locked four.
    expect(answer).toMatchObject({ usedBytes: 240 * GB, deletedBytes: 48 * GB, deletedAnywayBytes: 0, asks: true, broken: [] });
    expect(answer.cameras).toEqual([{ cameraId: CAMERA, usedBytes: 240 * GB, deletedBytes: 48 * GB, oldestMs: NOW_MS - 240 * HOUR_MS, oldestAfterMs: NOW_MS - 240 * HOUR_MS, forecastDays: expect.closeTo(192.1 / 24, 3) }]);
    expect(answer.roots).toEqual([{ rootId: ROOT, deletedBytes: 48 * GB, forecastDays: expect.closeTo(192.1 / 24, 3) }]);
    expect(answer.sentence).toBe('48 GB of footage, 20 % of it, is deleted at once. About 8 days fit at today’s rate.');
    blocks = blocks.map((block) => ({ ...block, held: null }));
    expect((await desk().ask(quota(192.1))).sentence).toBe('48 GB of footage, 20 % of it, is deleted at once: the oldest 2 days. About 8 days fit at today’s rate.');
  });

  it('says nothing of what would go anyway, and asks only above a tenth', async () => {
    expect(await desk().ask(quota(220.1))).toMatchObject({ deletedBytes: 20 * GB, asks: false });
    rules = quota(180.1);
    expect(await desk().ask({ ...rules, maxAgeDays: 9 })).toMatchObject({ deletedBytes: 60 * GB, deletedAnywayBytes: 60 * GB, asks: false, sentence: expect.stringMatching(/^Nothing is deleted by this change\./) });
  });

  it('forecasts with one more camera', async () => {
    expect((await desk().ask(quota(240))).forecastDays).toBeCloseTo(10, 3);
    const more = await desk().ask(quota(240), [24 * GB]);
    expect(more.forecastDays).toBeCloseTo(5, 3);
    expect(more.deletedBytes).toBe((await desk().ask(quota(240))).deletedBytes);
  });

  it('names the rules that could not be kept', async () => {
    const answer = await desk().ask({ ...quota(100), cameras: { [CAMERA]: { minAgeDays: 7, maxAgeDays: null } } });
    expect(answer.broken.map(({ sentence }) => sentence)).toEqual(['Front door is to be kept for at least 7 days, but there is no room in /footage: footage of 3 days would be deleted, so that recording goes on.']);
    expect((await desk().ask(quota(3))).broken.map(({ rule }) => rule)).toEqual(['quota']);
  });

  it('reads the archive once while somebody types, by the hour where it is large', async () => {
    const one = desk();
    await one.ask(quota(190));
    await one.ask(quota(19));
    expect(asked).toEqual([{ events: null, byHour: true }]);
    monotonicMs += 61_000;
    await one.ask(quota(19));
    expect(asked).toHaveLength(2);
    one.forget();
    await one.ask({ ...quota(19), events: { keepDays: 5, marginMs: 1_000 } });
    expect(asked.slice(2)).toEqual([{ events: null, byHour: true }, { events: { sinceMs: NOW_MS - 5 * DAY_MS, marginMs: 1_000 }, byHour: true }]);
  });
});

describe('a change that deletes much', () => {
  const refused = expect.objectContaining({ kind: 'conflict', message: expect.stringContaining('Confirm the change') });

  it('needs the token of an answer about the same rules', async () => {
    const one = desk();
    const { token } = await one.ask(quota(150));
    await expect(one.requireConfirmed(quota(150), null)).rejects.toEqual(refused);
    await expect(one.requireConfirmed(quota(140), token)).rejects.toEqual(refused);
    await expect(one.requireConfirmed(quota(150), 'made up')).rejects.toEqual(refused);
    await expect(one.requireConfirmed(quota(150), token)).resolves.toBeUndefined();
    await expect(one.requireConfirmed(quota(239.5), null)).resolves.toBeUndefined();
  });

  it('needs a new one where more would go by now than was told', async () => {
    const one = desk();
    const { token } = await one.ask(quota(150));
    const add = (gigabytes: number): void => {
      blocks = [...blocks, { ...(blocks[239] as FootageBlock), sizeBytes: gigabytes * GB }];
      one.forget();
    };
    add(2);
    await expect(one.requireConfirmed(quota(150), token)).resolves.toBeUndefined();
    add(20);
    await expect(one.requireConfirmed(quota(150), token)).rejects.toEqual(refused);
  });

  it('asks for every tighter rule while the index does not know all footage, and for no looser one', async () => {
    rebuilding = true;
    rules = { ...quota(300), maxAgeDays: 30 };
    for (const tighter of [quota(299), { ...rules, maxAgeDays: 29 }, { ...rules, cameras: { [CAMERA]: { minAgeDays: null, maxAgeDays: 8 } } }]) await expect(desk().requireConfirmed(tighter, null)).rejects.toEqual(refused);
    for (const looser of [quota(301), { ...rules, maxAgeDays: null }, { ...rules, quotaBytes: {} }]) await expect(desk().requireConfirmed(looser, null)).resolves.toBeUndefined();
  });
});

describe('the days that fit', () => {
  const ages = (minAgeDays: number | null, maxAgeDays: number | null) => ({ minAgeDays, maxAgeDays });
  const fit = (capacity: number, ...cameras: (readonly [number | null, number | null])[]) => {
    const days = daysThatFit(cameras.map(([min, max]) => ({ bytesPerDay: 1, ...ages(min, max) })), capacity);
    return cameras.map(([min, max]) => Math.round((days?.(ages(min, max)) ?? -1) * 100) / 100);
  };

  it('are shared by all cameras within their ages', () => {
    expect(fit(20, [null, null], [null, null])).toEqual([10, 10]);
    expect(fit(20, [null, 4], [null, null])).toEqual([4, 16]);
    expect(fit(20, [15, null], [null, null])).toEqual([15, 5]);
    expect(fit(20, [15, null], [12, null], [null, null])).toEqual([10, 10, 0]);
    expect(fit(20, [15, null], [4, null])).toEqual([15, 5]);
  });
});
