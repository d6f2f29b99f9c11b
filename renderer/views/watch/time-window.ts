/** The stretch of time the timeline shows: zooming, panning, following, and where the labels go; pure. */
import { DAY_MS, type EpochMs, HOUR_MS, MINUTE_MS, SECOND_MS, type TimeRange } from '../../../shared/time.ts';
import { addLocalDays, localDayStart } from '../../components/format.ts';

export const NARROWEST_MS = 10 * SECOND_MS;
export const WIDEST_MS = 32 * DAY_MS;
/** Where "now" stands in a window that follows it: a little future stays in sight. */
const NOW_AT = 0.94;

export function widthMs(window: TimeRange): number {
  return window.endMs - window.startMs;
}

/** A window of a width whose share `at` lies at a moment. */
export function windowAround(momentMs: EpochMs, lengthMs: number, at: number): TimeRange {
  const startMs = momentMs - lengthMs * at;
  return { startMs, endMs: startMs + lengthMs };
}

export function followNow(window: TimeRange, nowMs: EpochMs): TimeRange {
  return windowAround(nowMs, widthMs(window), NOW_AT);
}

/** Zooms by a factor (below 1: closer) and keeps the moment under the pointer where it is. */
export function zoom(window: TimeRange, factor: number, anchorMs: EpochMs): TimeRange {
  const lengthMs = Math.min(WIDEST_MS, Math.max(NARROWEST_MS, widthMs(window) * factor));
  return windowAround(anchorMs, lengthMs, (anchorMs - window.startMs) / widthMs(window));
}

/** Moves the window, not farther into the future than following would. */
export function pan(window: TimeRange, byMs: number, nowMs: EpochMs): TimeRange {
  const latest = followNow(window, nowMs);
  const startMs = Math.min(window.startMs + byMs, latest.startMs);
  return { startMs, endMs: startMs + widthMs(window) };
}

/** The same window, or one moved so that the moment is in sight again. */
export function keepInSight(window: TimeRange, momentMs: EpochMs): TimeRange {
  const share = (momentMs - window.startMs) / widthMs(window);
  if (share >= 0 && share <= NOW_AT) return window;
  return windowAround(momentMs, widthMs(window), share < 0 ? 0.15 : 0.5);
}

export interface Tick {
  readonly atMs: EpochMs;
  /** It begins a local day. */
  readonly day: boolean;
}

const STEPS_MS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR_MS),
  ...[1, 2, 7].map((count) => count * DAY_MS),
];

/** The distance of labels: the smallest step at which they do not crowd. */
export function tickStepMs(window: TimeRange, widthPx: number, apartPx: number): number {
  const least = (widthMs(window) / Math.max(1, widthPx)) * apartPx;
  return STEPS_MS.find((step) => step >= least) ?? 7 * DAY_MS;
}

/** Labels at round local times, also across a change of the clock, where a day has 23 or 25 hours. */
export function ticks(window: TimeRange, stepMs: number): Tick[] {
  const found: Tick[] = [];
  for (let dayMs = localDayStart(window.startMs), count = 0; dayMs < window.endMs; count += 1) {
    const nextDayMs = addLocalDays(dayMs, 1);
    if (stepMs >= DAY_MS) {
      const days = stepMs / DAY_MS;
      if (Math.round(dayMs / DAY_MS) % days === 0) found.push({ atMs: dayMs, day: true });
    } else found.push(...ticksOfDay(dayMs, nextDayMs, stepMs, window));
    dayMs = nextDayMs;
    if (count > 40) break;
  }
  return found.filter(({ atMs }) => atMs >= window.startMs && atMs <= window.endMs);
}

function ticksOfDay(dayMs: EpochMs, nextDayMs: EpochMs, stepMs: number, window: TimeRange): Tick[] {
  const found: Tick[] = [];
  if (stepMs >= HOUR_MS) {
    const date = new Date(dayMs);
    for (let hour = 0; hour < 24; hour += stepMs / HOUR_MS) {
      const atMs = new Date(date.getFullYear(), date.getMonth(), date.getDate(), hour).getTime();
      if (found.at(-1)?.atMs !== atMs) found.push({ atMs, day: hour === 0 });
    }
    return found;
  }
  const skipped = Math.max(0, Math.floor((window.startMs - dayMs) / stepMs));
  for (let atMs = dayMs + skipped * stepMs; atMs < Math.min(nextDayMs, window.endMs + 1); atMs += stepMs) found.push({ atMs, day: atMs === dayMs });
  return found;
}
