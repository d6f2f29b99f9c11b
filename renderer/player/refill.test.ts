import { expect, it } from 'vitest';
import { type Loading, Refill, type RefillLook } from './refill.ts';

function setUp(): { told: (Loading | null)[]; refill: Refill; step: (look: Partial<RefillLook>) => boolean } {
  const told: (Loading | null)[] = [];
  const refill = new Refill((loading) => told.push(loading));
  const step = (look: Partial<RefillLook>): boolean => {
    refill.step({ nowMs: 0, starving: false, seeking: false, aheadMs: 0, rate: 1, ...look });
    return refill.filling;
  };
  return { told, refill, step };
}

it('waits for a second and a half once footage ran out, and says so when it takes long', () => {
  const { told, step } = setUp();
  expect(step({ nowMs: 0, aheadMs: 300 })).toBe(false);
  expect(step({ nowMs: 300, starving: true })).toBe(true);
  // The next picture is there: it alone is not enough.
  expect(step({ nowMs: 500, aheadMs: 40 })).toBe(true);
  expect(told).toEqual([]);
  expect(step({ nowMs: 1_000, aheadMs: 1_000 })).toBe(true);
  expect(told).toEqual(['footage']);
  expect(step({ nowMs: 1_500, aheadMs: 1_500 })).toBe(false);
  expect(told).toEqual(['footage', null]);
});

it('needs as much more as it plays faster, and no more than will come', () => {
  const { step } = setUp();
  step({ starving: true, rate: 4 });
  expect(step({ aheadMs: 5_000, rate: 4 })).toBe(true);
  expect(step({ aheadMs: 6_000, rate: 4 })).toBe(false);
  step({ starving: true });
  expect(step({ aheadMs: Number.POSITIVE_INFINITY })).toBe(false);
});

it('does not wait where footage is there and only its pictures are late', () => {
  const { told, step } = setUp();
  expect(step({ starving: true, aheadMs: 3_000 })).toBe(false);
  expect(step({ nowMs: 100, aheadMs: 2_900 })).toBe(false);
  expect(told).toEqual([]);
});

it('goes on at once where a moment comes at once, and gathers some where it came slowly', () => {
  const { told, refill, step } = setUp();
  step({ nowMs: 0, starving: true, seeking: true });
  expect(step({ nowMs: 200, aheadMs: 500 })).toBe(false);
  step({ nowMs: 1_000, starving: true, seeking: true });
  expect(step({ nowMs: 1_800, starving: true, seeking: true })).toBe(true);
  expect(told).toEqual(['moment']);
  expect(step({ nowMs: 2_000, aheadMs: 500 })).toBe(true);
  refill.reset();
  expect(step({ nowMs: 2_100, starving: true, seeking: true })).toBe(false);
  expect(told).toEqual(['moment', null]);
});
