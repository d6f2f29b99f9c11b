import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { followNow, keepInSight, NARROWEST_MS, pan, tickStepMs, ticks, WIDEST_MS, widthMs, zoom } from './time-window.ts';

const HOUR = 3_600_000;
const before = process.env['TZ'];
beforeAll(() => {
  process.env['TZ'] = 'Europe/Berlin';
});
afterAll(() => {
  if (before === undefined) delete process.env['TZ'];
  else process.env['TZ'] = before;
});

describe('the window', () => {
  const window = { startMs: 1_000_000, endMs: 1_000_000 + HOUR };

  it('keeps the moment under the pointer when it zooms', () => {
    const anchor = window.startMs + HOUR / 4;
    const closer = zoom(window, 0.5, anchor);
    expect(widthMs(closer)).toBe(HOUR / 2);
    expect((anchor - closer.startMs) / widthMs(closer)).toBeCloseTo(0.25);
  });

  it('zooms from seconds to a month and no farther', () => {
    expect(widthMs(zoom(window, 1e-9, window.startMs))).toBe(NARROWEST_MS);
    expect(widthMs(zoom(window, 1e9, window.startMs))).toBe(WIDEST_MS);
  });

  it('does not pan into the future', () => {
    const now = window.endMs;
    expect(pan(window, 1e12, now)).toEqual(followNow(window, now));
    expect(pan(window, -HOUR, now).startMs).toBe(window.startMs - HOUR);
  });

  it('stays where it is while the playhead is in sight', () => {
    expect(keepInSight(window, window.startMs + HOUR / 2)).toBe(window);
    const moved = keepInSight(window, window.endMs + HOUR);
    expect(moved.startMs).toBeLessThan(window.endMs + HOUR);
    expect(moved.endMs).toBeGreaterThan(window.endMs + HOUR);
  });
});

describe('the labels', () => {
  it('do not crowd', () => {
    const window = { startMs: 0, endMs: 24 * HOUR };
    expect(tickStepMs(window, 1200, 90)).toBe(2 * HOUR);
    expect(tickStepMs(window, 300, 90)).toBe(12 * HOUR);
  });

  it('stand at round local hours on both sides of a change of the clock', () => {
    const day = (date: string): number[] => {
      const startMs = new Date(date).getTime();
      return ticks({ startMs, endMs: startMs + 26 * HOUR }, 6 * HOUR).map(({ atMs }) => new Date(atMs).getHours());
    };
    expect(day('2026-03-29T00:00:00')).toEqual([0, 6, 12, 18, 0]);
    expect(day('2026-10-25T00:00:00')).toEqual([0, 6, 12, 18, 0]);
  });

  it('mark where days begin', () => {
    const startMs = new Date('2026-03-28T00:00:00').getTime();
    const found = ticks({ startMs, endMs: startMs + 72 * HOUR }, 24 * HOUR);
    expect(found.every(({ day, atMs }) => day && new Date(atMs).getHours() === 0)).toBe(true);
    expect(found).toHaveLength(4);
  });

  it('count minutes and seconds from the window on', () => {
    const startMs = new Date('2026-11-21T14:30:10').getTime();
    expect(ticks({ startMs, endMs: startMs + 60_000 }, 15_000).map(({ atMs }) => new Date(atMs).getSeconds())).toEqual([15, 30, 45, 0]);
  });
});
