import { describe, expect, it } from 'vitest';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { NO_RULES } from '../../../shared/model/storage-rules.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../shared/time.ts';
import { readAgeClock, startAgeClock } from './age-clock.ts';
import { type OldSegment, planRetention } from './plan.ts';

const NOW_MS = Date.UTC(2026, 10, 21);
const LEAP_MS = Date.UTC(2038, 0, 19) - NOW_MS;
const recorded = () => startAgeClock(NOW_MS - DAY_MS, NOW_MS, 0);

describe('the age of footage', () => {
  it('is counted from now while time goes on, slow, asleep or set by hours', () => {
    let clock = recorded();
    expect(clock.nowMs).toBe(NOW_MS);
    for (const [monotonicMs, wallMs] of [[MINUTE_MS, NOW_MS + MINUTE_MS], [2 * MINUTE_MS, NOW_MS + 3 * HOUR_MS], [3 * MINUTE_MS, NOW_MS - 5 * HOUR_MS], [4 * MINUTE_MS, NOW_MS + 5 * MINUTE_MS], [5 * MINUTE_MS, NOW_MS + 20 * HOUR_MS]] as const) {
      clock = readAgeClock(clock, wallMs, monotonicMs);
      expect(clock.nowMs).toBe(wallMs);
    }
  });

  it('does not follow a clock that leaps ahead, and goes on with one that is set right again', () => {
    const leapt = readAgeClock(recorded(), NOW_MS + HOUR_MS + LEAP_MS, HOUR_MS);
    expect(leapt.nowMs).toBe(NOW_MS + HOUR_MS);
    const later = readAgeClock(leapt, NOW_MS + 9 * HOUR_MS + LEAP_MS, 9 * HOUR_MS);
    expect(later.nowMs).toBe(NOW_MS + 9 * HOUR_MS);
    expect(readAgeClock(later, NOW_MS + 10 * HOUR_MS, 10 * HOUR_MS)).toEqual({ nowMs: NOW_MS + 10 * HOUR_MS, knownMs: NOW_MS + 10 * HOUR_MS, monotonicMs: 10 * HOUR_MS, doubtedSinceMs: null });
  });

  it('believes a leap that lasts: the clock was wrong before', () => {
    const leapt = readAgeClock(recorded(), NOW_MS + HOUR_MS + LEAP_MS, HOUR_MS);
    expect(readAgeClock(leapt, NOW_MS + 24 * HOUR_MS + LEAP_MS, 24 * HOUR_MS).nowMs).toBe(NOW_MS + 24 * HOUR_MS);
    expect(readAgeClock(leapt, NOW_MS + 25 * HOUR_MS + LEAP_MS, 25 * HOUR_MS).nowMs).toBe(NOW_MS + 25 * HOUR_MS + LEAP_MS);
  });

  it('does not follow a leap that a restart finds in the footage already', () => {
    // Of the newest 24 hours of footage two are dated to 2038.
    const restarted = startAgeClock(NOW_MS - 22 * HOUR_MS, NOW_MS + 2 * HOUR_MS + LEAP_MS, 0);
    expect(restarted.nowMs).toBe(NOW_MS + 2 * HOUR_MS);
  });

  it('waits a day after a month in which the computer was off', () => {
    const back = startAgeClock(NOW_MS - DAY_MS, NOW_MS + 30 * DAY_MS, 0);
    expect(back.nowMs).toBe(NOW_MS);
    expect(readAgeClock(back, NOW_MS + 31 * DAY_MS, DAY_MS).nowMs).toBe(NOW_MS + 31 * DAY_MS);
  });

  it('is as the clock says where nothing was recorded yet', () => {
    expect(startAgeClock(null, NOW_MS, 0).nowMs).toBe(NOW_MS);
  });

  it('deletes nothing for a leap, whatever the age limit', () => {
    const oldest = Array.from({ length: 100 }, (_, at): OldSegment => ({ cameraId: 'cam-aaaaaaaaaaaa' as CameraId, stream: 'main', rootId: 'disk-aaaaaaaaaaaa' as RootId, session: 1, sequence: at, startMs: NOW_MS - (100 - at) * MINUTE_MS, endMs: NOW_MS - (99 - at) * MINUTE_MS, sizeBytes: 1 }));
    const roots = [{ rootId: 'disk-aaaaaaaaaaaa' as RootId, usedBytes: 100, freeBytes: 1e9, headroomBytes: 0 }];
    const plan = (nowMs: number) => planRetention({ roots, segments: oldest, rules: { ...NO_RULES, maxAgeDays: 1 }, locks: [], events: [], nowMs }).deletions;
    const leapt = readAgeClock(recorded(), NOW_MS + LEAP_MS, MINUTE_MS);
    expect(plan(NOW_MS + LEAP_MS)).toHaveLength(100);
    expect(plan(leapt.nowMs)).toEqual([]);
  });
});
