import { expect, it } from 'vitest';
import { retryWaitMs } from './retry.ts';

const ladder = { stepsMs: [500, 1000, 30_000], jitter: 0.2 };

it('climbs, stays at the top, and spreads', () => {
  expect([1, 2, 3, 9].map((failures) => retryWaitMs(ladder, failures, 0.5))).toEqual([500, 1000, 30_000, 30_000]);
  expect(retryWaitMs(ladder, 1, 0)).toBe(400);
  expect(retryWaitMs(ladder, 1, 1)).toBe(600);
});
