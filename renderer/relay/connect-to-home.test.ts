/** Which days are tried, how long is waited between dials, and which logs of views go on from the one that was seen. */
import { describe, expect, it } from 'vitest';
import { continues, daysToTry, retryHomeMs } from './connect-to-home.ts';

describe('days', () => {
  it.each([
    ['2026-11-21T00:05:00Z', ['2026-11-21', '2026-11-20']],
    ['2026-11-21T11:59:00Z', ['2026-11-21', '2026-11-20']],
    ['2026-11-21T12:01:00Z', ['2026-11-21', '2026-11-22']],
    ['2026-12-31T23:59:59Z', ['2026-12-31', '2027-01-01']],
  ])('at %s are tried in that order', (now, days) => {
    expect(daysToTry(Date.parse(now))).toEqual(days);
  });
});

describe('the wait before a dial', () => {
  it('is spread from nothing to a ceiling that grows to 4 s, and to 15 s after a minute', () => {
    const most = (attempt: number): number => Math.max(...Array.from({ length: 2_000 }, () => retryHomeMs(attempt)));
    for (const [attempt, ceilingMs] of [[1, 500], [2, 1_000], [5, 4_000], [30, 4_000], [31, 15_000], [400, 15_000]] as const) {
      expect(most(attempt)).toBeLessThanOrEqual(ceilingMs);
      expect(most(attempt)).toBeGreaterThan(ceilingMs * 0.9);
    }
    expect(Math.min(...Array.from({ length: 2_000 }, () => retryHomeMs(8)))).toBeLessThan(500);
  });
});

describe('a log of views', () => {
  const seen = { length: 7, headHex: 'ab' };
  it.each([
    ['the first that is seen', null, { length: 0, headHex: '00' }, true],
    ['the same', seen, { length: 7, headHex: 'ab' }, true],
    ['a longer one', seen, { length: 8, headHex: 'cd' }, true],
    ['a shorter one', seen, { length: 6, headHex: 'ab' }, false],
    ['one of the same length with another end', seen, { length: 7, headHex: 'cd' }, false],
  ] as const)('%s', (_name, before, now, isLater) => {
    expect(continues(before, now)).toBe(isLater);
  });
});
