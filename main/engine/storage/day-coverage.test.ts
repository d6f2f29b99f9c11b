import { describe, expect, it } from 'vitest';
import { recordedShare } from '../../../shared/model/coverage.ts';
import type { GapCause } from '../../../shared/model/gap.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../../shared/time.ts';
import { coverageOfDays } from './day-coverage.ts';

const DAY = { startMs: 0, endMs: DAY_MS };
const gap = (startMs: number, endMs: number, cause: GapCause): { startMs: number; endMs: number; cause: GapCause; detail: string } => ({ startMs, endMs, cause, detail: '' });

describe('a day', () => {
  it('of unbroken footage is whole', () => {
    const [day] = coverageOfDays([DAY], { spans: [{ startMs: -HOUR_MS, endMs: DAY_MS + HOUR_MS }], gaps: [], sinceMs: -HOUR_MS, untilMs: 2 * DAY_MS });
    expect(day).toMatchObject({ expectedMs: DAY_MS, recordedMs: DAY_MS, missing: [] });
  });

  it('says how much is missing and why, and counts nothing twice where a gap and footage overlap', () => {
    const spans = [{ startMs: 0, endMs: HOUR_MS }, { startMs: HOUR_MS + 21 * SECOND_MS, endMs: DAY_MS }];
    const [day] = coverageOfDays([DAY], { spans, gaps: [gap(HOUR_MS, HOUR_MS + 22 * SECOND_MS, 'camera-unreachable')], sinceMs: 0, untilMs: DAY_MS });
    expect(day).toMatchObject({ expectedMs: DAY_MS, recordedMs: DAY_MS - 21 * SECOND_MS, missing: [{ cause: 'camera-unreachable', missingMs: 21 * SECOND_MS, gaps: 1 }] });
    expect(recordedShare(day ?? { expectedMs: 0, recordedMs: 0 })).toBeCloseTo(0.99976, 5);
  });

  it('begins with the camera and ends with now', () => {
    const [day] = coverageOfDays([DAY], { spans: [{ startMs: 5 * HOUR_MS, endMs: 7 * HOUR_MS }], gaps: [], sinceMs: 5 * HOUR_MS, untilMs: 7 * HOUR_MS });
    expect(day).toMatchObject({ expectedMs: 2 * HOUR_MS, recordedMs: 2 * HOUR_MS });
    expect(coverageOfDays([DAY], { spans: [], gaps: [], sinceMs: null, untilMs: DAY_MS })[0]).toMatchObject({ expectedMs: 0, recordedMs: 0 });
  });

  it('does not count what was not scheduled as missing', () => {
    const [day] = coverageOfDays([DAY], { spans: [{ startMs: 0, endMs: 8 * HOUR_MS }], gaps: [gap(8 * HOUR_MS, DAY_MS, 'not-scheduled')], sinceMs: 0, untilMs: DAY_MS });
    expect(day).toMatchObject({ expectedMs: 8 * HOUR_MS, recordedMs: 8 * HOUR_MS, notScheduledMs: 16 * HOUR_MS, missing: [] });
  });

  it('tells what nobody wrote down, but for less than a frame’s uncertainty', () => {
    const spans = [{ startMs: 0, endMs: HOUR_MS }, { startMs: HOUR_MS + 300, endMs: 2 * HOUR_MS }, { startMs: 3 * HOUR_MS, endMs: DAY_MS }];
    const [day] = coverageOfDays([DAY], { spans, gaps: [], sinceMs: 0, untilMs: DAY_MS });
    expect(day?.missing).toEqual([{ cause: 'unknown', missingMs: HOUR_MS, gaps: 1 }]);
    expect(day?.recordedMs).toBe(23 * HOUR_MS);
  });

  it('shares an outage over midnight between two days, in parts of different causes', () => {
    const days = [DAY, { startMs: DAY_MS, endMs: 2 * DAY_MS }];
    const spans = [{ startMs: 0, endMs: DAY_MS - HOUR_MS }, { startMs: DAY_MS + HOUR_MS, endMs: 2 * DAY_MS }];
    const gaps = [gap(DAY_MS - HOUR_MS, DAY_MS - HOUR_MS / 2, 'stream-stalled'), gap(DAY_MS - HOUR_MS / 2, DAY_MS + HOUR_MS, 'camera-unreachable')];
    const [first, second] = coverageOfDays(days, { spans, gaps, sinceMs: 0, untilMs: 2 * DAY_MS });
    expect(first?.missing).toEqual([{ cause: 'stream-stalled', missingMs: HOUR_MS / 2, gaps: 1 }, { cause: 'camera-unreachable', missingMs: HOUR_MS / 2, gaps: 1 }]);
    expect(second?.missing).toEqual([{ cause: 'camera-unreachable', missingMs: HOUR_MS, gaps: 1 }]);
  });

  it('adds up, whatever spans and gaps there are: expected is recorded and missing', () => {
    let state = 7;
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    for (let round = 0; round < 200; round += 1) {
      const some = (): { startMs: number; endMs: number } => {
        const startMs = (random() * 1.4 - 0.2) * DAY_MS;
        return { startMs, endMs: startMs + random() * random() * DAY_MS };
      };
      const spans = Array.from({ length: Math.floor(random() * 8) }, some);
      const gaps = Array.from({ length: Math.floor(random() * 8) }, () => ({ ...some(), cause: random() < 0.2 ? ('not-scheduled' as const) : ('disk-full' as const), detail: '' }));
      const [day] = coverageOfDays([DAY], { spans, gaps, sinceMs: 0, untilMs: DAY_MS });
      const missingMs = day?.missing.reduce((total, each) => total + each.missingMs, 0) ?? 0;
      expect((day?.recordedMs ?? 0) + missingMs).toBeCloseTo(day?.expectedMs ?? -1, 3);
      expect((day?.expectedMs ?? 0) + (day?.notScheduledMs ?? 0)).toBeCloseTo(DAY_MS, 3);
      const last = day?.longestGaps.at(-1);
      expect(last === undefined || last.endMs <= DAY_MS).toBe(true);
    }
  });
});
