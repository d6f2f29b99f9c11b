/** A week's hours against a search minute by minute, and on the days on which the clock is changed. */
import { describe, expect, it } from 'vitest';
import { type MinuteRange, tidyRanges, type WeekSchedule } from './model/recording-mode.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './time.ts';
import { isScheduled, nextBorderMs } from './week-schedule.ts';

const week = (timeZone: string, ...ranges: readonly MinuteRange[]): WeekSchedule => ({ timeZone, days: Array.from({ length: 7 }, () => ranges) });
const minutes = (start: string, end: string): MinuteRange => {
  const of = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  return { startMinute: of(start), endMinute: of(end) };
};
/** Ranges of a stretch of time in which it is recorded, found border by border. */
function recorded(schedule: WeekSchedule, from: string, to: string): readonly string[] {
  const found: string[] = [];
  for (let atMs = Date.parse(from); atMs < Date.parse(to); ) {
    const nextMs = Math.min(nextBorderMs(schedule, atMs) ?? Infinity, Date.parse(to));
    if (isScheduled(schedule, atMs)) found.push(`${new Date(atMs).toISOString().slice(5, 16)} ${(nextMs - atMs) / MINUTE_MS}`);
    atMs = nextMs;
  }
  return found;
}

describe('on days of 23 and 25 hours (Berlin)', () => {
  it('the night of the lost hour is an hour shorter', () => {
    expect(recorded(week('Europe/Berlin', minutes('00:00', '06:00')), '2026-03-28T23:00Z', '2026-03-29T22:00Z')).toEqual(['03-28T23:00 300']);
  });
  it('the night of the doubled hour is an hour longer', () => {
    expect(recorded(week('Europe/Berlin', minutes('00:00', '06:00')), '2026-10-24T22:00Z', '2026-10-25T23:00Z')).toEqual(['10-24T22:00 420']);
  });
  it('what lies in the lost hour is left out, what lies in the doubled one comes twice', () => {
    const inside = week('Europe/Berlin', minutes('02:15', '02:45'));
    expect(recorded(inside, '2026-03-28T23:00Z', '2026-03-29T22:00Z')).toEqual([]);
    expect(recorded(inside, '2026-10-24T22:00Z', '2026-10-25T23:00Z')).toEqual(['10-25T00:15 30', '10-25T01:15 30']);
  });
  it('a range that begins in the lost hour begins when it is over', () => {
    expect(recorded(week('Europe/Berlin', minutes('02:30', '04:00')), '2026-03-28T23:00Z', '2026-03-29T22:00Z')).toEqual(['03-29T01:00 60']);
  });
});

it('agrees with a search minute by minute, in zones of half and quarter hours too', () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 0x1_0000_0000) * below);
  };
  for (const timeZone of ['Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/St_Johns', 'Pacific/Chatham', 'UTC']) {
    const days = Array.from({ length: 7 }, () => tidyRanges(Array.from({ length: random(4) }, () => ({ startMinute: random(1_440), endMinute: random(1_441) }))));
    const schedule = { timeZone, days };
    // Days around a change of the clock in one of the hemispheres.
    for (const start of ['2026-03-28T11:59:17Z', '2026-04-04T03:00Z', '2026-10-03T00:00Z', '2026-10-24T17:31:02Z']) {
      const fromMs = Date.parse(start);
      const untilMs = fromMs + 2 * DAY_MS;
      let slowly = Math.ceil((fromMs + 1) / MINUTE_MS) * MINUTE_MS;
      while (slowly < untilMs && isScheduled(schedule, slowly) === isScheduled(schedule, fromMs)) slowly += MINUTE_MS;
      const quickly = nextBorderMs(schedule, fromMs) ?? Infinity;
      expect(Math.min(quickly, untilMs), `${timeZone} ${start} ${JSON.stringify(days)}`).toBe(Math.min(slowly, untilMs));
    }
  }
});

it('of all hours or none has no border, and of one day a week has the next one', () => {
  expect(nextBorderMs(week('Europe/Berlin', { startMinute: 0, endMinute: 1_440 }), 0)).toBe(null);
  expect(nextBorderMs(week('Europe/Berlin'), 0)).toBe(null);
  const sundays = { timeZone: 'UTC', days: [[], [], [], [], [], [], [{ startMinute: 0, endMinute: 1_440 }]] };
  const monday = Date.parse('2026-11-23T00:00:00Z');
  expect(isScheduled(sundays, monday - SECOND_MS)).toBe(true);
  expect(isScheduled(sundays, monday)).toBe(false);
  expect(nextBorderMs(sundays, monday)).toBe(monday + 6 * DAY_MS);
  expect(nextBorderMs(sundays, monday - 5 * HOUR_MS)).toBe(monday);
});
