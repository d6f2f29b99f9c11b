import { describe, expect, it } from 'vitest';
import { intersectRanges, rangeContains, utcDay, utcHour } from './time.ts';

describe('ranges', () => {
  it('are half-open', () => {
    expect(rangeContains({ startMs: 1, endMs: 3 }, 1)).toBe(true);
    expect(rangeContains({ startMs: 1, endMs: 3 }, 3)).toBe(false);
    expect(intersectRanges({ startMs: 0, endMs: 5 }, { startMs: 5, endMs: 9 })).toBeNull();
  });
});

it('names days and hours in UTC', () => {
  const atMs = Date.parse('2026-11-21T23:59:59.999Z');
  expect([utcDay(atMs), utcHour(atMs), utcDay(atMs + 1), utcHour(atMs + 1)]).toEqual(['2026-11-21', '23', '2026-11-22', '00']);
});
