/** A week's hours as a board of cells that can be painted; pure. */
import { DAY_MINUTES, type MinuteRange, tidyRanges, WEEK_DAYS } from '../../../shared/model/recording-mode.ts';

export const CELL_MINUTES = 60;
export const CELLS = DAY_MINUTES / CELL_MINUTES;

export interface Cell {
  /** 0 is Monday. */
  readonly day: number;
  readonly hour: number;
}

type Days = readonly (readonly MinuteRange[])[];

/** The share of a cell that is recorded, 0 to 1. */
export function shareOf(days: Days, { day, hour }: Cell): number {
  const [startMinute, endMinute] = [hour * CELL_MINUTES, (hour + 1) * CELL_MINUTES];
  const minutes = (days[day] ?? []).reduce((sum, range) => sum + Math.max(0, Math.min(endMinute, range.endMinute) - Math.max(startMinute, range.startMinute)), 0);
  return minutes / CELL_MINUTES;
}

/** All cells of the rectangle between two corners become recorded or not; the rest stays to the minute. */
export function paint(days: Days, from: Cell, to: Cell, on: boolean): Days {
  const [firstDay, lastDay] = [Math.min(from.day, to.day), Math.max(from.day, to.day)];
  const startMinute = Math.min(from.hour, to.hour) * CELL_MINUTES;
  const endMinute = (Math.max(from.hour, to.hour) + 1) * CELL_MINUTES;
  return days.map((ranges, day) => {
    if (day < firstDay || day > lastDay) return ranges;
    if (on) return tidyRanges([...ranges, { startMinute, endMinute }]);
    return tidyRanges(ranges.flatMap((range) => [{ ...range, endMinute: Math.min(range.endMinute, startMinute) }, { ...range, startMinute: Math.max(range.startMinute, endMinute) }]));
  });
}

/** The same hours each day; those that end before they begin go over midnight. */
export function everyDay(startMinute: number, endMinute: number): Days {
  const ranges = startMinute < endMinute ? [{ startMinute, endMinute }] : tidyRanges([{ startMinute: 0, endMinute }, { startMinute, endMinute: DAY_MINUTES }]);
  return Array.from({ length: WEEK_DAYS }, () => ranges);
}

/** "00:00 – 07:00, 20:00 – 24:00", or a word for a day that is recorded not at all or altogether. */
export function dayWords(ranges: readonly MinuteRange[]): string {
  const [first] = ranges;
  if (first === undefined) return 'not at all';
  if (first.startMinute === 0 && first.endMinute === DAY_MINUTES) return 'all day';
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = (minute: number): string => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
  return ranges.map(({ startMinute, endMinute }) => `${clock(startMinute)} – ${clock(endMinute)}`).join(', ');
}
