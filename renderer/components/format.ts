/** Moments, lengths and sizes as people read them, in their locale and zone. */
import { DAY_MS, type DurationMs, type EpochMs, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/time.ts';

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const timeWithSeconds = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const shortDay = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short' });

export const formatTime = (atMs: EpochMs): string => time.format(atMs);
export const formatClock = (atMs: EpochMs): string => timeWithSeconds.format(atMs);
export const formatDay = (atMs: EpochMs): string => day.format(atMs);
export const formatShortDay = (atMs: EpochMs): string => shortDay.format(atMs);

/** The time, with its day unless that is today. */
export function formatMoment(atMs: EpochMs, nowMs: EpochMs): string {
  return localDayStart(atMs) === localDayStart(nowMs) ? formatTime(atMs) : `${formatShortDay(atMs)}, ${formatTime(atMs)}`;
}

/** Start of the local calendar day; right also where the clock changes, because the calendar is asked. */
export function localDayStart(atMs: EpochMs): EpochMs {
  const date = new Date(atMs);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** The same time of day `days` calendar days later. */
export function addLocalDays(atMs: EpochMs, days: number): EpochMs {
  const date = new Date(atMs);
  date.setDate(date.getDate() + days);
  return date.getTime();
}

/** The two largest parts that matter: "3 days", "2 h 10 min", "45 s". */
export function formatDuration(durationMs: DurationMs): string {
  const parts: readonly (readonly [number, string, string])[] = [
    [DAY_MS, 'day', 'days'],
    [HOUR_MS, 'h', 'h'],
    [MINUTE_MS, 'min', 'min'],
    [SECOND_MS, 's', 's'],
  ];
  let restMs = Math.max(0, Math.round(durationMs / SECOND_MS) * SECOND_MS);
  const words: string[] = [];
  for (const [unitMs, one, many] of parts) {
    const count = Math.floor(restMs / unitMs);
    restMs -= count * unitMs;
    if (count > 0) words.push(`${count} ${count === 1 ? one : many}`);
    else if (words.length > 0) break;
    if (words.length === 2) break;
  }
  return words.length === 0 ? '0 s' : words.join(' ');
}

/** A codec of RFC 6381 as people know it: 'avc1.64001f' is H.264. Others stay as they are. */
export function formatCodec(codec: string): string {
  if (/^avc[13]\./.test(codec)) return 'H.264';
  return /^h(?:ev|vc)1\./.test(codec) ? 'H.265' : codec;
}

/** Decimal units, as on the disk's label. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toLocaleString(undefined, { maximumFractionDigits: value < 10 && unit > 1 ? 1 : 0 })} ${units[unit]}`;
}

export function formatBitRate(bitsPerSecond: number): string {
  return bitsPerSecond >= 1e6 ? `${(bitsPerSecond / 1e6).toLocaleString(undefined, { maximumFractionDigits: 1 })} Mbit/s` : `${Math.round(bitsPerSecond / 1000)} kbit/s`;
}

/** A share of 1 in per cent, never rounded up to the whole: "99.97 %". */
export function formatShare(share: number): string {
  const hundredths = Math.floor(Math.min(1, Math.max(0, share)) * 10_000) / 100;
  return `${hundredths.toLocaleString(undefined, { maximumFractionDigits: 2 })} %`;
}

/** "31 days", "7 hours", or a dash where nothing is known. */
export function formatDays(days: number | null): string {
  if (days === null) return '–';
  if (days >= 730) return `${Math.floor(days / 365)} years`;
  if (days >= 2) return `${Math.floor(days)} days`;
  const hours = Math.floor(days * 24);
  return hours >= 2 ? `${hours} hours` : formatDuration(days * DAY_MS);
}
