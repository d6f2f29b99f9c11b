/** Time under stall, drift, steps and jumps, hours in milliseconds (docs/design/time.md). */
import { describe, expect, it } from 'vitest';
import { ArrivalOffset, WallAnchor } from './wall-clock.ts';

const FRAME_MS = 40;

/** A camera whose clock runs `ppm` fast, over a line that delays each frame by 5-35 ms and as `delayMs` says. Returns the error of the estimate at each frame. */
function run(seconds: number, ppm: number, delayMs: (trueMs: number) => number = () => 0): number[] {
  const offset = new ArrivalOffset();
  const errors: number[] = [];
  let arrivedMs = 0;
  let seed = 1;
  for (let trueMs = 0; trueMs < seconds * 1_000; trueMs += FRAME_MS) {
    seed = (seed * 16_807) % 2_147_483_647;
    const mediaMs = 1_000_000 + trueMs * (1 + ppm / 1e6);
    arrivedMs = Math.max(arrivedMs, trueMs + 5 + (seed / 2_147_483_647) * 30 + delayMs(trueMs));
    offset.observe(arrivedMs, mediaMs);
    errors.push((offset.monotonicOf(mediaMs) ?? Number.NaN) - trueMs);
  }
  return errors;
}

const worst = (errors: readonly number[]): number => errors.reduce((most, error) => Math.max(most, Math.abs(error)), 0);

describe('the arrival offset', () => {
  it('is not moved by a stall of two seconds', () => {
    const errors = run(120, 0, (trueMs) => (trueMs > 60_000 && trueMs < 62_000 ? 62_000 - trueMs : 0));
    expect(worst(errors.slice(25))).toBeLessThan(40);
  });

  it.each([100, -100])('follows a camera that is %d ppm off for three hours', (ppm) => {
    const errors = run(3 * 3_600, ppm);
    expect(worst(errors.slice(250))).toBeLessThan(60);
    expect(Math.abs((errors.at(-1) ?? 0) - (errors[2_000] ?? 0))).toBeLessThan(20);
  });

  it.each([
    [20_000, 200],
    [5_000, 130],
    [-20_000, 60],
    [-500_000, 200],
  ])('follows a camera that is %d ppm off within half a minute, and stays within %d ms', (ppm, limitMs) => {
    expect(worst(run(600, ppm).slice((30 * 1_000) / FRAME_MS))).toBeLessThan(limitMs);
  });

  it('says before it leaps that it will, where a slow clock is found out', () => {
    const offset = new ArrivalOffset();
    const leaps: boolean[] = [];
    for (let trueMs = 0; trueMs < 60_000; trueMs += FRAME_MS) {
      const said = offset.jumpsAt(trueMs, trueMs / 2);
      const before = offset.monotonicOf(trueMs / 2) ?? trueMs;
      offset.observe(trueMs, trueMs / 2);
      if ((offset.monotonicOf(trueMs / 2) ?? Number.NaN) - before > 300) leaps.push(said);
    }
    expect(leaps).toEqual([true]);
  });

  it('is not moved by one picture with a wrong timestamp', () => {
    const offset = new ArrivalOffset();
    for (let trueMs = 0; trueMs < 60_000; trueMs += FRAME_MS) offset.observe(trueMs, trueMs + (trueMs === 30_000 ? 900 : 0));
    expect(offset.monotonicOf(0)).toBeCloseTo(0, 5);
  });

  it('does not take a queue that fills and empties for a slow clock', () => {
    const errors = run(300, 0, (trueMs) => (trueMs % 100_000 > 40_000 && trueMs % 100_000 < 60_000 ? (trueMs % 100_000) / 20 - 2_000 : 0));
    expect(worst(errors.slice(250))).toBeLessThan(40);
  });

  it('forgets what a camera had buffered before it was asked', () => {
    const errors = run(20, 0, (trueMs) => Math.max(0, 1_500 - trueMs));
    expect(Math.abs(errors[0] ?? 0)).toBeGreaterThan(1_000);
    expect(worst(errors.slice(60))).toBeLessThan(40);
  });

  it.each([
    ['an even line', () => 0],
    ['two seconds that come at once', (trueMs: number) => Math.max(0, 2_000 - trueMs)],
    ['two seconds that come in one', (trueMs: number) => Math.max(0, 1_000 - trueMs / 2)],
    ['a line that is stuck once more just after', (trueMs: number) => Math.max(0, 1_500 - trueMs, trueMs > 1_700 && trueMs < 2_600 ? 2_600 - trueMs : 0)],
  ])('says that it is settled when it is true, after at most five seconds: %s', (_name, delayMs) => {
    const offset = new ArrivalOffset();
    expect(offset.settledAt(0)).toBe(false);
    let settledMs: number | null = null;
    for (let trueMs = 0, arrivedMs = 0; settledMs === null; trueMs += FRAME_MS) {
      arrivedMs = Math.max(arrivedMs, trueMs + 10 + delayMs(trueMs));
      offset.observe(arrivedMs, trueMs);
      if (offset.settledAt(arrivedMs)) settledMs = arrivedMs;
    }
    expect(settledMs).toBeGreaterThan(1_000);
    expect(settledMs).toBeLessThanOrEqual(5_100);
    expect(Math.abs((offset.monotonicOf(0) ?? Number.NaN) - 10)).toBeLessThan(25);
  });

  it('sees a jump of the timestamps, either way, and a stall is none', () => {
    const offset = new ArrivalOffset();
    for (let at = 0; at < 10_000; at += FRAME_MS) offset.observe(at + 10, at);
    expect(offset.jumpsAt(10_010, 10_000)).toBe(false);
    expect(offset.jumpsAt(12_010, 10_000)).toBe(false);
    expect(offset.jumpsAt(10_010, 15_000)).toBe(true);
    expect(offset.jumpsAt(10_010, 3_000)).toBe(true);
    offset.observe(10_010, 500_000);
    expect(offset.monotonicOf(500_040)).toBe(10_050);
  });
});

describe('the wall anchor', () => {
  it('finds a step of an hour either way and holds the new time', () => {
    for (const stepMs of [3_600_000, -3_600_000]) {
      const anchor = new WallAnchor(1_000_000, 0);
      expect(anchor.compare(1_001_000, 1_000)).toBe(0);
      expect(anchor.steps(1_002_000 + stepMs, 2_000)).toBe(true);
      expect(anchor.compare(1_002_000 + stepMs, 2_000)).toBe(stepMs);
      expect(anchor.wallOf(3_000)).toBe(1_003_000 + stepMs);
    }
  });

  it('follows a clock that is steered, without a step', () => {
    const anchor = new WallAnchor(0, 0);
    for (let s = 1; s <= 3_600; s += 1) expect(anchor.compare(s * 1_000 * 1.0005, s * 1_000)).toBe(0);
    expect(Math.abs(anchor.wallOf(3_600_000) - 3_600_000 * 1.0005)).toBeLessThan(2);
  });
});
