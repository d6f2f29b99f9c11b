/** Time that goes on in sleep and never goes back. */
import { expect, it } from 'vitest';
import { awakeOrAsleep } from './page-clock.ts';

function rig(): { readonly now: () => number; readonly pass: (monotonicMs: number, wallMs?: number) => void } {
  let [monotonic, wall] = [500, 1_700_000_000_000];
  const now = awakeOrAsleep(() => monotonic, () => wall);
  return { now, pass: (monotonicMs, wallMs = monotonicMs) => void ([monotonic, wall] = [monotonic + monotonicMs, wall + wallMs]) };
}

it('is the monotonic clock while the computer is awake, however the wall clock is adjusted', () => {
  const { now, pass } = rig();
  const startMs = now();
  pass(1_000);
  pass(1_000, 900);
  pass(1_000, 1_400);
  expect(now() - startMs).toBe(3_000);
});

it('counts sleep, in which the monotonic clock stood still', () => {
  const { now, pass } = rig();
  const startMs = now();
  pass(20, 8 * 3_600_000);
  expect(now() - startMs).toBe(8 * 3_600_000);
  pass(1_000);
  expect(now() - startMs).toBe(8 * 3_600_000 + 1_000);
});

it('does not go back when the wall clock is set back', () => {
  const { now, pass } = rig();
  const startMs = now();
  pass(1_000, -3_600_000);
  expect(now() - startMs).toBe(1_000);
});
