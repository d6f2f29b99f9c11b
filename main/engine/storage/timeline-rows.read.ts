/** The timeline's rows: what overlaps a window through one index range per class of length, and what begins in a range of days. */
import { GAP_CAUSES } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { type CameraEvent, EVENT_KINDS, type Span, type TimelineGap } from '../../../shared/model/timeline.ts';
import { DAY_MS, type DurationMs, type TimeRange } from '../../../shared/time.ts';
import { runsOf } from './coverage.ts';
import type { ReadableDb } from './database.ts';
import { DAY_LONG_CLASS, reachMs, SHORT_CLASSES, SIZE_CLASSES } from './size-class.ts';
import { type DayRange, daysOf } from './timeline-days.ts';

/** Before any time a row can hold. */
const EVER_MS = -9e15;

const GAP_COLUMNS = 'start_ms, end_ms, cause, detail';
const EVENT_COLUMNS = 'start_ms, end_ms, id, kind, label';

/** One range of an index per class, asked in one statement: what overlaps a window, in no order. */
function overlapping(columns: string, table: string, key: string, classes: readonly number[], tail = ''): string {
  const parts = classes.map((sizeClass) => `SELECT ${columns} FROM ${table} WHERE ${key} = ? AND size_class = ${sizeClass} AND start_ms > ? AND start_ms < ? AND end_ms > ?${tail}`);
  return parts.map((part) => (tail === '' ? part : `SELECT * FROM (${part})`)).join(' UNION ALL ');
}

/** The values of an `overlapping` statement. */
function overlapValues(key: number | string, classes: readonly number[], window: TimeRange, ...more: readonly number[]): (number | string)[] {
  return classes.flatMap((sizeClass) => {
    const reach = reachMs(sizeClass);
    return [key, reach === null ? EVER_MS : window.startMs - reach, window.endMs, window.startMs, ...more];
  });
}

/** What begins within a range of time and is shorter than a day. */
function beginning(columns: string, table: string, key: string): string {
  return SHORT_CLASSES.map((sizeClass) => `SELECT ${columns} FROM ${table} WHERE ${key} = ? AND size_class = ${sizeClass} AND start_ms >= ? AND start_ms < ?`).join(' UNION ALL ');
}

const gapsSqlFrom = (classes: readonly number[]): string => overlapping(GAP_COLUMNS, 'gaps', 'stream_id', classes);

export const TIMELINE_SQL = {
  spans: overlapping('start_ms, end_ms', 'spans', 'stream_id', SIZE_CLASSES),
  coverage: 'SELECT day, bits FROM coverage WHERE stream_id = ? AND bucket_ms = ? AND day >= ? AND day <= ? ORDER BY day',
  gaps: gapsSqlFrom(SIZE_CLASSES),
  gapsOfDays: beginning(GAP_COLUMNS, 'gaps', 'stream_id'),
  longGaps: `SELECT ${GAP_COLUMNS} FROM gaps WHERE stream_id = ? AND size_class = ${DAY_LONG_CLASS}`,
  events: overlapping(EVENT_COLUMNS, 'events', 'camera_id', SIZE_CLASSES, ' ORDER BY start_ms DESC LIMIT ?'),
  eventsOfDays: beginning(EVENT_COLUMNS, 'events', 'camera_id'),
  longEvents: `SELECT ${EVENT_COLUMNS} FROM events WHERE camera_id = ? AND size_class = ${DAY_LONG_CLASS}`,
  first: 'SELECT start_ms FROM segments WHERE stream_id = ? ORDER BY start_ms LIMIT 1',
  /** The newest start, and what may end later although it began earlier. */
  last: `SELECT max(end_ms) FROM segments WHERE stream_id = ? AND start_ms >= (SELECT start_ms FROM segments WHERE stream_id = ?
    ORDER BY start_ms DESC LIMIT 1) - (SELECT longest_ms FROM streams WHERE id = ?)`,
  newestChange: 'SELECT max(seq) FROM timeline_changes',
  changes: 'SELECT what, owner, day FROM timeline_changes WHERE seq > ?',
} as const;

export interface TimelineChange {
  readonly what: 'coverage' | 'gaps' | 'events';
  /** A stream's row id, for events a camera's id. */
  readonly owner: number | string;
  /** By the beginning; -1: something of a day or longer. */
  readonly day: number;
}

/** In the order of time, spans in none. */
export interface TimelineRows {
  spans(streamId: number, window: TimeRange): Span[];
  /** Footage by the bitmaps of the days that a window touches. */
  coverage(streamId: number, window: TimeRange, bucketMs: DurationMs): Span[];
  /** The same by day: what goes on past midnight is in both. */
  coverageOfDays(streamId: number, days: DayRange, bucketMs: DurationMs): Map<number, Span[]>;
  /** `classes`: a tail of SIZE_CLASSES. */
  gaps(streamId: number, window: TimeRange, classes: readonly number[]): TimelineGap[];
  gapsOfDays(streamId: number, days: DayRange): TimelineGap[];
  longGaps(streamId: number): TimelineGap[];
  /** The newest `limit`. */
  events(cameraId: CameraId, window: TimeRange, limit: number): CameraEvent[];
  eventsOfDays(cameraId: CameraId, days: DayRange): CameraEvent[];
  longEvents(cameraId: CameraId): CameraEvent[];
  /** First and last moment of a stream's footage. */
  bounds(streamId: number): TimeRange | null;
  newestChange(): number;
  changesAfter(seq: number): TimelineChange[];
}

export function timelineRows(db: ReadableDb): TimelineRows {
  const spansSql = db.prepare(TIMELINE_SQL.spans).raw();
  const coverageSql = db.prepare(TIMELINE_SQL.coverage).raw();
  /** By the shortest class they ask for. */
  const gapsSql = SIZE_CLASSES.map((from) => db.prepare(gapsSqlFrom(SIZE_CLASSES.filter((sizeClass) => sizeClass >= from))).raw());
  const gapsOfDaysSql = db.prepare(TIMELINE_SQL.gapsOfDays).raw();
  const longGapsSql = db.prepare(TIMELINE_SQL.longGaps).raw();
  const eventsSql = db.prepare(TIMELINE_SQL.events).raw();
  const eventsOfDaysSql = db.prepare(TIMELINE_SQL.eventsOfDays).raw();
  const longEventsSql = db.prepare(TIMELINE_SQL.longEvents).raw();
  const firstSql = db.prepare(TIMELINE_SQL.first).pluck();
  const lastSql = db.prepare(TIMELINE_SQL.last).pluck();
  const newestChangeSql = db.prepare(TIMELINE_SQL.newestChange).pluck();
  const changesSql = db.prepare(TIMELINE_SQL.changes);

  const bitmaps = (streamId: number, days: DayRange, bucketMs: DurationMs): [day: number, bits: Uint8Array][] => coverageSql.all(streamId, bucketMs, days.first, days.last) as [number, Uint8Array][];
  return {
    spans: (streamId, window) => (spansSql.all(...overlapValues(streamId, SIZE_CLASSES, window)) as [number, number][]).map(([startMs, endMs]) => ({ startMs, endMs })),
    coverage: (streamId, window, bucketMs) => {
      const runs: Span[] = [];
      for (const [day, bits] of bitmaps(streamId, daysOf(window), bucketMs)) runs.push(...runsOf(bits, day, bucketMs));
      return runs;
    },
    coverageOfDays: (streamId, days, bucketMs) => new Map(bitmaps(streamId, days, bucketMs).map(([day, bits]) => [day, runsOf(bits, day, bucketMs)])),
    gaps: (streamId, window, classes) => gapsOf(gapsSql[classes[0] ?? 0]?.all(...overlapValues(streamId, classes, window)) ?? []),
    gapsOfDays: (streamId, days) => gapsOf(gapsOfDaysSql.all(...beginValues(streamId, days))),
    longGaps: (streamId) => gapsOf(longGapsSql.all(streamId)),
    events: (cameraId, window, limit) => eventsOf(cameraId, eventsSql.all(...overlapValues(cameraId, SIZE_CLASSES, window, limit))).slice(-limit),
    eventsOfDays: (cameraId, days) => eventsOf(cameraId, eventsOfDaysSql.all(...beginValues(cameraId, days))),
    longEvents: (cameraId) => eventsOf(cameraId, longEventsSql.all(cameraId)),
    bounds: (streamId) => {
      const startMs = firstSql.get(streamId);
      const endMs = lastSql.get(streamId, streamId, streamId);
      return typeof startMs === 'number' && typeof endMs === 'number' ? { startMs, endMs } : null;
    },
    newestChange: () => Number(newestChangeSql.get() ?? 0),
    changesAfter: (seq) => changesSql.all(seq) as TimelineChange[],
  };
}

/** The values of a `beginning` statement. */
function beginValues(key: number | string, days: DayRange): (number | string)[] {
  return SHORT_CLASSES.flatMap(() => [key, days.first * DAY_MS, (days.last + 1) * DAY_MS]);
}

export function gapsInOrder(a: TimeRange, b: TimeRange): number {
  return a.startMs - b.startMs || a.endMs - b.endMs;
}

/** The word of the list itself: ten thousand rows share it. One the list does not have stays as it is. */
function oneOf<Word extends string>(words: readonly Word[], word: string): Word {
  return words[words.indexOf(word as Word)] ?? (word as Word);
}

function gapsOf(rows: readonly unknown[]): TimelineGap[] {
  return (rows as [number, number, string, string][]).map(([startMs, endMs, cause, detail]) => ({ startMs, endMs, cause: oneOf(GAP_CAUSES, cause), detail })).sort(gapsInOrder);
}

export function eventsInOrder(a: CameraEvent, b: CameraEvent): number {
  return a.startMs - b.startMs || (a.id < b.id ? -1 : 1);
}

function eventsOf(cameraId: CameraId, rows: readonly unknown[]): CameraEvent[] {
  return (rows as [number, number, string, string, string][]).map(([startMs, endMs, id, kind, label]) => ({ id, cameraId, startMs, endMs, kind: oneOf(EVENT_KINDS, kind), label })).sort(eventsInOrder);
}
