import { expect, it } from 'vitest';
import { dayWords, everyDay, paint, shareOf } from './week-painting.ts';

const empty = Array.from({ length: 7 }, () => []);

it('paints rectangles on and off, and leaves minutes elsewhere alone', () => {
  const odd = empty.map((_, day) => (day === 2 ? [{ startMinute: 15, endMinute: 555 }] : []));
  const painted = paint(paint(odd, { day: 3, hour: 10 }, { day: 1, hour: 8 }, true), { day: 2, hour: 2 }, { day: 2, hour: 3 }, false);
  expect(painted.map(dayWords)).toEqual(['not at all', '08:00 – 11:00', '00:15 – 02:00, 04:00 – 11:00', '08:00 – 11:00', 'not at all', 'not at all', 'not at all']);
  expect([shareOf(painted, { day: 2, hour: 0 }), shareOf(painted, { day: 2, hour: 3 }), shareOf(painted, { day: 2, hour: 10 })]).toEqual([0.75, 0, 1]);
  expect(paint(painted, { day: 0, hour: 0 }, { day: 6, hour: 23 }, false)).toEqual(empty);
  expect(paint(painted, { day: 0, hour: 0 }, { day: 6, hour: 23 }, true).map(dayWords)).toEqual(empty.map(() => 'all day'));
});

it('knows nights', () => {
  expect(everyDay(20 * 60, 7 * 60).map(dayWords)[0]).toBe('00:00 – 07:00, 20:00 – 24:00');
  expect(everyDay(0, 1_440).map(dayWords)[6]).toBe('all day');
});
