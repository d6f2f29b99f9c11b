/** What could not be recorded outside the hours is not missing. */
import { expect, it } from 'vitest';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { WeekSchedule } from '../../../shared/model/recording-mode.ts';
import { DAY_MS, HOUR_MS } from '../../../shared/time.ts';
import { GapLedger } from './gap-ledger.ts';
import { offHours } from './off-hours.ts';

const MONDAY = Date.parse('2026-11-23T00:00:00Z');
const PORCH = { cameraId: 'cam-aaaaaaaaaaaa' as CameraId, stream: 'main' } as const;
const days: WeekSchedule = { timeZone: 'UTC', days: Array.from({ length: 7 }, () => [{ startMinute: 8 * 60, endMinute: 18 * 60 }]) };

it('a night with the computer off is missing up to the evening and from the morning on only', () => {
  // Off from 17:00 to 9:00; the first frame ten seconds later.
  const [offMs, onMs] = [MONDAY + 17 * HOUR_MS, MONDAY + 33 * HOUR_MS];
  const start = { footageEnds: [{ ...PORCH, endMs: offMs }], openOutages: [], between: { startMs: offMs, endMs: onMs, cause: 'computer-off', detail: 'The computer was shut down.' } } as const;
  const ledger = new GapLedger({ ...start, hoursOf: () => days });
  const told = (gaps: ReturnType<GapLedger['openGaps']>): readonly (readonly [string, number, number])[] => gaps.map(({ cause, startMs, endMs }) => [cause, (startMs - MONDAY) / HOUR_MS, (endMs - MONDAY) / HOUR_MS]);
  const gaps = ledger.ended(PORCH, null, onMs + 10_000, null);
  expect(told(gaps)).toEqual([['computer-off', 17, 18], ['not-scheduled', 18, 32], ['computer-off', 32, 33 + 10 / 3_600]]);
  // At all hours, all of it.
  expect(told(new GapLedger(start).ended(PORCH, null, onMs + 10_000, null)).map(([cause]) => cause)).toEqual(['computer-off']);
});

it('what was reported while Porchlight ran is left as it was told', () => {
  const ledger = new GapLedger({ footageEnds: [], openOutages: [], between: { startMs: MONDAY - DAY_MS, endMs: MONDAY, cause: 'stopped-by-you', detail: '' }, hoursOf: () => days });
  ledger.ended(PORCH, null, MONDAY + HOUR_MS, null);
  ledger.began({ ...PORCH, sinceMs: MONDAY + 2 * HOUR_MS, cause: 'camera-unreachable', detail: '' });
  expect(ledger.openGaps(MONDAY + 20 * HOUR_MS).map(({ cause }) => cause)).toEqual(['camera-unreachable']);
});

it('a week has fourteen borders, and years are not gone through', () => {
  expect(offHours(days, { startMs: MONDAY, endMs: MONDAY + 7 * DAY_MS }).length).toBe(8);
  expect(offHours(days, { startMs: MONDAY - 3_000 * DAY_MS, endMs: MONDAY }).length).toBe(63);
});
