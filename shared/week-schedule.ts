/** Whether a moment lies in a week's hours, and when that changes next; pure, and right where the clock is changed (docs/design/time.md). */
import { DAY_MINUTES, type WeekSchedule } from './model/recording-mode.ts';
import { DAY_MS, type EpochMs, MINUTE_MS } from './time.ts';
import { wallMs } from './local-days.ts';

/** Clocks are changed at whole quarters of an hour of UTC everywhere (the IANA database since 1972). */
const QUARTER_MS = 15 * MINUTE_MS;
/** 1 January 1970 was a Thursday: three days after a Monday. */
const FIRST_MONDAY_DAYS = 3;
/** A border further away than this is looked for again by then; a whole week and an hour that a changed clock adds. */
const LOOK_AHEAD_MS = 8 * DAY_MS;

interface LocalMoment {
  /** 0 is Monday. */
  readonly weekday: number;
  readonly minute: number;
}

function localMoment(atMs: EpochMs, timeZone: string): LocalMoment {
  const wall = wallMs(atMs, timeZone);
  const day = Math.floor(wall / DAY_MS);
  return { weekday: (((day + FIRST_MONDAY_DAYS) % 7) + 7) % 7, minute: Math.floor((wall - day * DAY_MS) / MINUTE_MS) };
}

/** What the clock on the wall shows decides: an hour that comes twice counts twice, one that is left out not at all. */
export function isScheduled(schedule: WeekSchedule, atMs: EpochMs): boolean {
  const { weekday, minute } = localMoment(atMs, schedule.timeZone);
  return (schedule.days[weekday] ?? []).some(({ startMinute, endMinute }) => minute >= startMinute && minute < endMinute);
}

/** The first moment after `atMs` at which `isScheduled` changes; null where it does not within eight days. */
export function nextBorderMs(schedule: WeekSchedule, atMs: EpochMs): EpochMs | null {
  const now = isScheduled(schedule, atMs);
  for (let fromMs = atMs; fromMs < atMs + LOOK_AHEAD_MS; ) {
    const quarterMs = Math.floor(fromMs / QUARTER_MS) * QUARTER_MS + QUARTER_MS;
    // Between quarters the clock runs evenly: a border within is as far away as it is on the clock.
    const { weekday, minute } = localMoment(fromMs, schedule.timeZone);
    const minuteStartMs = Math.floor(fromMs / MINUTE_MS) * MINUTE_MS;
    const borders = (schedule.days[weekday] ?? []).flatMap(({ startMinute, endMinute }) => [startMinute, endMinute]).filter((border) => border > minute && border < DAY_MINUTES);
    const inside = borders.map((border) => minuteStartMs + (border - minute) * MINUTE_MS).filter((borderMs) => borderMs < quarterMs);
    for (const borderMs of [...inside.sort((a, b) => a - b), quarterMs]) if (isScheduled(schedule, borderMs) !== now) return borderMs;
    fromMs = quarterMs;
  }
  return null;
}

/** Minutes of the week that are recorded, by the clock on the wall. */
export function scheduledMinutes(schedule: WeekSchedule): number {
  return schedule.days.flat().reduce((sum, { startMinute, endMinute }) => sum + (endMinute - startMinute), 0);
}
