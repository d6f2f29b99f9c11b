import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intersectRanges, rangeContains, rangeLengthMs, subtractRanges, utcDay, utcHour } from './time.ts';

const range = fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 1000 })).map(([a, b]) => ({ startMs: Math.min(a, b), endMs: Math.max(a, b) }));

describe('ranges', () => {
  it('are half-open', () => {
    expect(rangeContains({ startMs: 1, endMs: 3 }, 1)).toBe(true);
    expect(rangeContains({ startMs: 1, endMs: 3 }, 3)).toBe(false);
    expect(intersectRanges({ startMs: 0, endMs: 5 }, { startMs: 5, endMs: 9 })).toBeNull();
  });

  it('lose exactly the moments that the holes cover', () => {
    fc.assert(
      fc.property(range, fc.array(range, { maxLength: 8 }), (whole, holes) => {
        const left = subtractRanges(whole, holes);
        for (let atMs = 0; atMs <= 1000; atMs += 1) {
          const expected = rangeContains(whole, atMs) && !holes.some((hole) => rangeContains(hole, atMs));
          if (left.some((part) => rangeContains(part, atMs)) !== expected) return false;
        }
        return left.every((part) => rangeLengthMs(part) > 0);
      }),
      { numRuns: 200 },
    );
  });
});

it('names days and hours in UTC', () => {
  const atMs = Date.parse('2026-11-21T23:59:59.999Z');
  expect([utcDay(atMs), utcHour(atMs), utcDay(atMs + 1), utcHour(atMs + 1)]).toEqual(['2026-11-21', '23', '2026-11-22', '00']);
});
