import { expect, it } from 'vitest';
import { isTimeZone, localDays, startOfLocalDay } from './local-days.ts';
import { HOUR_MS } from './time.ts';

const at = (text: string): number => Date.parse(text);

it('has 23 hours where the clock goes on and 25 where it goes back', () => {
  const spring = localDays(at('2026-03-29T12:00:00Z'), 2, 'Europe/Berlin');
  expect(spring).toEqual([
    { startMs: at('2026-03-27T23:00:00Z'), endMs: at('2026-03-28T23:00:00Z') },
    { startMs: at('2026-03-28T23:00:00Z'), endMs: at('2026-03-29T22:00:00Z') },
  ]);
  const [autumn] = localDays(at('2026-10-25T23:30:00Z') - HOUR_MS, 1, 'Europe/Berlin');
  expect(autumn).toEqual({ startMs: at('2026-10-24T22:00:00Z'), endMs: at('2026-10-25T23:00:00Z') });
});

it('follows zones with odd offsets, and with a change at midnight itself', () => {
  expect(startOfLocalDay(at('2026-11-22T00:00:00Z'), 'Asia/Kathmandu')).toBe(at('2026-11-21T18:15:00Z'));
  // In Cairo the clock jumps from 23:59:59 to 01:00: that day has no midnight.
  expect(startOfLocalDay(at('2026-04-24T12:00:00Z'), 'Africa/Cairo')).toBe(at('2026-04-23T22:00:00Z'));
  // In Havana it goes from 01:00 back to 00:00: the day begins with the first of the two.
  const [havana] = localDays(at('2026-11-01T12:00:00Z'), 1, 'America/Havana');
  expect((havana?.endMs ?? 0) - (havana?.startMs ?? 0)).toBe(25 * HOUR_MS);
  // Samoa left out a whole day at the end of 2011.
  const apia = localDays(at('2011-12-31T12:00:00Z') - 11 * HOUR_MS, 2, 'Pacific/Apia');
  expect(apia.every(({ startMs, endMs }) => endMs - startMs === 24 * HOUR_MS)).toBe(true);
});

it('gives days without holes, each one date, in every zone of a sample', () => {
  for (const timeZone of ['UTC', 'Europe/London', 'America/New_York', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Chatham', 'America/Asuncion', 'Asia/Beirut']) {
    const days = localDays(at('2026-12-31T12:00:00Z'), 366, timeZone);
    const format = new Intl.DateTimeFormat('sv', { timeZone });
    const date = (ms: number): string => format.format(ms);
    for (const [index, { startMs, endMs }] of days.entries()) {
      expect(days[index + 1]?.startMs ?? endMs).toBe(endMs);
      expect(Math.abs(endMs - startMs - 24 * HOUR_MS)).toBeLessThanOrEqual(HOUR_MS);
      expect(date(startMs)).toBe(date(endMs - 1));
      expect(date(startMs - 1)).not.toBe(date(startMs));
    }
  }
}, 60_000);

it('tells names of zones from other words', () => {
  expect(isTimeZone('Europe/Berlin')).toBe(true);
  expect(isTimeZone('Moon/Base')).toBe(false);
});
