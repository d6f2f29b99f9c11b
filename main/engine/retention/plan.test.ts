import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { DAY_MS, MINUTE_MS } from '../../../shared/time.ts';
import { type OldSegment, planRetention, quotaHeadroom, type RetentionInput } from './plan.ts';

const ROOT = 'disk-aaaaaaaaaaaa' as RootId;
const CAMERAS = ['cam-aaaaaaaaaaaa', 'cam-bbbbbbbbbbbb'] as CameraId[];
const NOW_MS = Date.UTC(2026, 10, 21);
const NO_RULES = { quotaBytes: {}, keepFreeBytes: 0, maxAgeDays: null };

const minute = (at: number, over: Partial<OldSegment> = {}): OldSegment => ({
  cameraId: CAMERAS[0] as CameraId, stream: 'main', rootId: ROOT, session: 1, sequence: at, startMs: NOW_MS - 100 * MINUTE_MS + at * MINUTE_MS, endMs: NOW_MS - 99 * MINUTE_MS + at * MINUTE_MS, sizeBytes: 100, ...over,
});
const input = (over: Partial<RetentionInput>): RetentionInput => ({ roots: [{ rootId: ROOT, usedBytes: 1_000, freeBytes: 1_000_000, headroomBytes: 0 }], oldest: Array.from({ length: 10 }, (_, at) => minute(at)), rules: NO_RULES, locks: [], nowMs: NOW_MS, ...over });
const deleted = (from: RetentionInput) => planRetention(from).deletions.map(({ segment, reason }) => [segment.sequence, reason]);

describe('the retention plan', () => {
  it('deletes nothing without a reason', () => {
    expect(planRetention(input({}))).toEqual({ deletions: [], broken: [] });
  });

  it('keeps a quota, the headroom included', () => {
    expect(deleted(input({ rules: { ...NO_RULES, quotaBytes: { [ROOT]: 750 } } }))).toEqual([[0, 'quota'], [1, 'quota'], [2, 'quota']]);
    expect(deleted(input({ roots: [{ rootId: ROOT, usedBytes: 1_000, freeBytes: 1e6, headroomBytes: 80 }], rules: { ...NO_RULES, quotaBytes: { [ROOT]: 1_000 } } }))).toEqual([[0, 'quota']]);
  });

  it('keeps no more than a tenth of a small quota free', () => {
    expect(deleted(input({ roots: [{ rootId: ROOT, usedBytes: 1_000, freeBytes: 1e9, headroomBytes: 75e6 }], rules: { ...NO_RULES, quotaBytes: { [ROOT]: 1_000 } } }))).toEqual([[0, 'quota']]);
  });

  it('recycles a full disk ahead of need', () => {
    expect(deleted(input({ roots: [{ rootId: ROOT, usedBytes: 1_000, freeBytes: 50, headroomBytes: 120 }], rules: { ...NO_RULES, keepFreeBytes: 30 } }))).toEqual([[0, 'disk-full']]);
  });

  it('keeps an age limit to the minute', () => {
    expect(deleted(input({ rules: { ...NO_RULES, maxAgeDays: (97 * MINUTE_MS) / DAY_MS } }))).toEqual([[0, 'too-old'], [1, 'too-old'], [2, 'too-old']]);
  });

  it('passes over what is locked and says which rule that breaks', () => {
    const locks = [{ cameraId: CAMERAS[0] as CameraId, startMs: NOW_MS - 100 * MINUTE_MS, endMs: NOW_MS - 92 * MINUTE_MS }];
    const plan = planRetention(input({ locks, rules: { ...NO_RULES, quotaBytes: { [ROOT]: 500 } } }));
    expect(plan.deletions.map(({ segment }) => segment.sequence)).toEqual([8, 9]);
    expect(plan.broken).toEqual([{ rootId: ROOT, reason: 'quota', missingBytes: 300 }]);
  });

  it('leaves a disk alone that is not here', () => {
    expect(planRetention(input({ roots: [{ rootId: ROOT, usedBytes: 1_000, freeBytes: null, headroomBytes: 0 }], rules: { quotaBytes: { [ROOT]: 1 }, keepFreeBytes: 0, maxAgeDays: 0.001 } }))).toEqual({ deletions: [], broken: [] });
  });

  const segments = fc.array(fc.record({ camera: fc.integer({ min: 0, max: 1 }), startMin: fc.integer({ min: 0, max: 2_000 }), minutes: fc.integer({ min: 1, max: 3 }), sizeBytes: fc.integer({ min: 1, max: 1_000 }) }), { maxLength: 40 });
  const rules = fc.record({ quota: fc.option(fc.integer({ min: 0, max: 20_000 })), keepFreeBytes: fc.integer({ min: 0, max: 5_000 }), maxAgeMin: fc.option(fc.integer({ min: 1, max: 2_000 })), freeBytes: fc.integer({ min: 0, max: 10_000 }), headroomBytes: fc.integer({ min: 0, max: 2_000 }) });
  const lockRanges = fc.array(fc.record({ camera: fc.integer({ min: 0, max: 1 }), startMin: fc.integer({ min: 0, max: 2_000 }), minutes: fc.integer({ min: 1, max: 500 }) }), { maxLength: 4 });

  it('never takes what is locked, never more than needed, and the oldest first', () => {
    fc.assert(
      fc.property(segments, rules, lockRanges, (some, { quota, keepFreeBytes, maxAgeMin, freeBytes, headroomBytes }, locked) => {
        const atMs = (min: number) => NOW_MS - 2_000 * MINUTE_MS + min * MINUTE_MS;
        const oldest = some
          .map(({ camera, startMin, minutes, sizeBytes }, at): OldSegment => ({ cameraId: CAMERAS[camera] as CameraId, stream: 'main', rootId: ROOT, session: at, sequence: 0, startMs: atMs(startMin), endMs: atMs(startMin + minutes), sizeBytes }))
          .toSorted((a, b) => a.startMs - b.startMs);
        const locks = locked.map(({ camera, startMin, minutes }) => ({ cameraId: CAMERAS[camera] as CameraId, startMs: atMs(startMin), endMs: atMs(startMin + minutes) }));
        const usedBytes = oldest.reduce((sum, segment) => sum + segment.sizeBytes, 0);
        const ageMs = maxAgeMin === null ? null : maxAgeMin * MINUTE_MS;
        const plan = planRetention({ roots: [{ rootId: ROOT, usedBytes, freeBytes, headroomBytes }], oldest, rules: { quotaBytes: { [ROOT]: quota }, keepFreeBytes, maxAgeDays: ageMs === null ? null : ageMs / DAY_MS }, locks, nowMs: NOW_MS });
        const gone = plan.deletions.map((deletion) => deletion.segment);
        const isLocked = (segment: OldSegment) => locks.some((lock) => lock.cameraId === segment.cameraId && lock.startMs < segment.endMs && segment.startMs < lock.endMs);
        expect(gone.some(isLocked)).toBe(false);
        // Oldest first: whatever stays and is neither locked nor within its age begins no earlier than the last that went for room.
        const forRoom = plan.deletions.filter((deletion) => deletion.reason !== 'too-old').map((deletion) => deletion.segment.startMs);
        const kept = oldest.filter((segment) => !gone.includes(segment) && !isLocked(segment));
        if (forRoom.length > 0) expect(Math.min(Number.POSITIVE_INFINITY, ...kept.map((segment) => segment.startMs))).toBeGreaterThanOrEqual(Math.max(...forRoom));
        // Never more than needed: without the last one that went for room, a rule would be broken.
        const lastForRoom = plan.deletions.findLast((deletion) => deletion.reason !== 'too-old');
        if (lastForRoom !== undefined) {
          const before = plan.deletions.slice(0, plan.deletions.indexOf(lastForRoom)).reduce((sum, { segment }) => sum + segment.sizeBytes, 0);
          const overQuota = quota !== null && usedBytes - before + quotaHeadroom(headroomBytes, quota) > quota;
          expect(overQuota || freeBytes + before < keepFreeBytes + headroomBytes).toBe(true);
        }
        // Too old means gone, unless locked.
        if (ageMs !== null) expect(kept.filter((segment) => segment.endMs <= NOW_MS - ageMs)).toEqual([]);
        // A rule is kept, or said to be broken.
        const goneBytes = gone.reduce((sum, segment) => sum + segment.sizeBytes, 0);
        expect(plan.broken.some((rule) => rule.reason === 'quota')).toBe(quota !== null && usedBytes - goneBytes + quotaHeadroom(headroomBytes, quota) > quota);
        expect(plan.broken.some((rule) => rule.reason === 'disk-full')).toBe(freeBytes + goneBytes < keepFreeBytes + headroomBytes);
      }),
      { numRuns: 500 },
    );
  });
});
