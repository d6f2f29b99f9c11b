/** Media time that stands still while pictures come: noticed, told from a burst, and its end said. */
import { describe, expect, it } from 'vitest';
import { StandingTimes } from './standing-times.ts';

const FRAME_MS = 40;

/** What is said of each picture; `mediaOf` is its decode time, `arrivalOf` when it came. */
function said(pictures: number, mediaOf: (index: number) => number, arrivalOf = (index: number): number => index * FRAME_MS): Set<string> {
  const times = new StandingTimes();
  return new Set(Array.from({ length: pictures }, (_unused, index) => times.take(arrivalOf(index), mediaOf(index))));
}

const flowing = (index: number): number => index * FRAME_MS;

describe('standing timestamps', () => {
  it('are none where pictures come evenly, in a burst, in pairs of fields, or after a stall', () => {
    expect(said(100, flowing)).toEqual(new Set(['flows']));
    expect(said(100, flowing, (index) => Math.max(2_000, index * FRAME_MS))).toEqual(new Set(['flows']));
    expect(said(100, (index) => Math.floor(index / 2) * 2 * FRAME_MS)).toEqual(new Set(['flows']));
    expect(said(100, flowing, (index) => (index > 50 ? Math.max(4_000, index * FRAME_MS) : index * FRAME_MS))).toEqual(new Set(['flows']));
  });

  it('that have caught up are said with the first picture that has a time of its own again', () => {
    const times = new StandingTimes();
    const all = Array.from({ length: 100 }, (_unused, index) => times.take(index * FRAME_MS, index < 50 ? flowing(index) : Math.max(flowing(49) + (index - 49) / 90, flowing(index) - 400)));
    expect(all.findIndex((flow) => flow !== 'flows')).toBe(60);
    expect(all.filter((flow) => flow === 'flows again')).toHaveLength(1);
    expect(all).not.toContain('stands');
  });

  it('that take longer are said within little more than a second', () => {
    const times = new StandingTimes();
    const all = Array.from({ length: 100 }, (_unused, index) => times.take(index * FRAME_MS, index < 50 ? flowing(index) : flowing(49) + (index - 49) / 90));
    expect((all.indexOf('stands') - 50) * FRAME_MS).toBeLessThan(1_200);
  });
});
