/** Days as people in a place count them: from one local midnight to the next, 23 or 25 hours long where the clock changes; pure (docs/design/time.md). */
import { DAY_MS, type EpochMs, HOUR_MS, MINUTE_MS, type TimeRange } from './time.ts';

const formats = new Map<string, Intl.DateTimeFormat>();

/** Throws RangeError for a name that is no time zone (IANA, as `Europe/Berlin`). */
function formatFor(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
  formats.set(timeZone, format);
  return format;
}

export function isTimeZone(timeZone: string): boolean {
  try {
    formatFor(timeZone);
    return true;
  } catch {
    return false;
  }
}

/** What a clock on the wall there shows, as if it were UTC. Throws RangeError for a name that is no time zone. */
export function wallMs(atMs: EpochMs, timeZone: string): EpochMs {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatFor(timeZone).formatToParts(atMs)) parts[type] = Number(value);
  return Date.UTC(parts['year'] ?? 0, (parts['month'] ?? 1) - 1, parts['day'] ?? 1, parts['hour'] ?? 0, parts['minute'] ?? 0, parts['second'] ?? 0);
}

function dayNumberAt(atMs: EpochMs, timeZone: string): number {
  return Math.floor(wallMs(atMs, timeZone) / DAY_MS);
}

/**
 * The first moment of the local day that holds `atMs`. Where the clock jumps over midnight, the day begins with what comes after the jump;
 * where it goes back over midnight, with the first time the day's date is shown.
 */
export function startOfLocalDay(atMs: EpochMs, timeZone: string): EpochMs {
  const day = dayNumberAt(atMs, timeZone);
  const wholeSecondMs = Math.floor(atMs / 1000) * 1000;
  const guess = wholeSecondMs - (wallMs(wholeSecondMs, timeZone) - day * DAY_MS);
  // A day on which the clock was not changed before now: the usual case.
  if (dayNumberAt(guess, timeZone) === day && dayNumberAt(guess - 1000, timeZone) < day) return guess;
  // The clock may have changed between midnight and now, by three hours at most anywhere: look for where the date changes around the guess.
  let before = Math.floor((guess - 4 * HOUR_MS) / MINUTE_MS) * MINUTE_MS;
  let within = Math.min(wholeSecondMs, guess + 4 * HOUR_MS);
  while (dayNumberAt(before, timeZone) >= day) before -= 6 * HOUR_MS;
  while (dayNumberAt(within, timeZone) !== day) within = Math.min(wholeSecondMs, within + HOUR_MS);
  while (within - before > 1000) {
    const middle = Math.floor((before + within) / 2 / 1000) * 1000;
    if (dayNumberAt(middle, timeZone) >= day) within = middle;
    else before = middle;
  }
  return within;
}

/** The last `count` local days up to the one that holds `untilMs`, oldest first; each ends where the next begins. */
export function localDays(untilMs: EpochMs, count: number, timeZone: string): readonly TimeRange[] {
  const days: TimeRange[] = [];
  let startMs = startOfLocalDay(untilMs, timeZone);
  // Far enough into the next day whatever its length, and not beyond it.
  let endMs = startOfLocalDay(startMs + 36 * HOUR_MS, timeZone);
  for (let left = count; left > 0; left -= 1) {
    days.unshift({ startMs, endMs });
    endMs = startMs;
    startMs = startOfLocalDay(startMs - 1000, timeZone);
  }
  return days;
}
