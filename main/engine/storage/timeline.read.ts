/**
 * Answers what the timeline draws, bounded by what is drawn and not by what is stored: spans where a pixel is short,
 * bitmaps where it is long; gaps and events by classes of length (docs/design/storage.md, "Timeline").
 */
import type { GapCause } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { CameraEvent, CameraTimeline, EventKind, Span, TimelineGap } from '../../../shared/model/timeline.ts';
import type { DurationMs, TimeRange } from '../../../shared/time.ts';
import { appendRuns, bucketForPixel, dayNumber } from './coverage.ts';
import { type ReadableDb, snapshotOf } from './database.ts';
import { classesFrom, reachMs, SIZE_CLASSES } from './size-class.ts';
import type { IdLookup } from './stream-ids.ts';

export interface TimelineQuery extends TimeRange {
  readonly cameraIds: readonly CameraId[];
  /** Spans, gaps and events per camera, each. */
  readonly maxItems: number;
}

export interface TimelineReader {
  timeline(query: TimelineQuery): readonly CameraTimeline[];
  /** First and last moment of any footage of these cameras, all streams. */
  bounds(cameraIds: readonly CameraId[]): TimeRange | null;
  /** The newest events of these cameras in a range, oldest first. */
  events(query: Omit<TimelineQuery, 'maxItems'> & { readonly limit: number }): readonly CameraEvent[];
}

/** Before any time a row can hold. */
const EVER_MS = -9e15;

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

const gapsSqlFrom = (classes: readonly number[]): string => overlapping('start_ms, end_ms, cause, detail', 'gaps', 'stream_id', classes);

export const TIMELINE_SQL = {
  spans: overlapping('start_ms, end_ms', 'spans', 'stream_id', SIZE_CLASSES),
  coverage: 'SELECT day, bits FROM coverage WHERE stream_id = ? AND bucket_ms = ? AND day >= ? AND day <= ? ORDER BY day',
  gaps: gapsSqlFrom(SIZE_CLASSES),
  events: overlapping('start_ms, end_ms, id, kind, label', 'events', 'camera_id', SIZE_CLASSES, ' ORDER BY start_ms DESC LIMIT ?'),
  first: 'SELECT start_ms FROM segments WHERE stream_id = ? ORDER BY start_ms LIMIT 1',
  /** The newest start, and what may end later although it began earlier. */
  last: `SELECT max(end_ms) FROM segments WHERE stream_id = ? AND start_ms >= (SELECT start_ms FROM segments WHERE stream_id = ?
    ORDER BY start_ms DESC LIMIT 1) - (SELECT longest_ms FROM streams WHERE id = ?)`,
} as const;

export function timelineReader(db: ReadableDb, ids: IdLookup): TimelineReader {
  const onOneState = snapshotOf(db);
  const spansSql = db.prepare(TIMELINE_SQL.spans).raw();
  const coverageSql = db.prepare(TIMELINE_SQL.coverage).raw();
  /** By the shortest class they ask for. */
  const gapsSql = SIZE_CLASSES.map((from) => db.prepare(gapsSqlFrom(SIZE_CLASSES.filter((sizeClass) => sizeClass >= from))).raw());
  const eventsSql = db.prepare(TIMELINE_SQL.events).raw();
  const firstSql = db.prepare(TIMELINE_SQL.first).pluck();
  const lastSql = db.prepare(TIMELINE_SQL.last).pluck();

  const streamBounds = (streamId: number): TimeRange | null => {
    const startMs = firstSql.get(streamId);
    const endMs = lastSql.get(streamId, streamId, streamId);
    return typeof startMs === 'number' && typeof endMs === 'number' ? { startMs, endMs } : null;
  };
  const fineSpans = (streamId: number, window: TimeRange): Span[] =>
    (spansSql.all(...overlapValues(streamId, SIZE_CLASSES, window)) as unknown[][]).map(([startMs, endMs]) => ({ startMs: Number(startMs), endMs: Number(endMs) }));
  const coarseSpans = (streamId: number, window: TimeRange, bucketMs: DurationMs): Span[] => {
    const bounds = streamBounds(streamId);
    if (bounds === null) return [];
    const runs: { startMs: number; endMs: number }[] = [];
    for (const [day, bits] of coverageSql.all(streamId, bucketMs, dayNumber(window.startMs), dayNumber(window.endMs)) as [number, Uint8Array][]) appendRuns(runs, bits, day, bucketMs);
    // A bucket reaches past the first and the last frame; footage does not.
    return runs.map((run) => ({ startMs: Math.max(run.startMs, bounds.startMs), endMs: Math.min(run.endMs, bounds.endMs) }));
  };
  const readGaps = (streamId: number, window: TimeRange, maxItems: number): TimelineGap[] => {
    const classes = classesFrom((window.endMs - window.startMs) / maxItems);
    const rows = (gapsSql[classes[0] ?? 0]?.all(...overlapValues(streamId, classes, window)) ?? []) as unknown[][];
    const gaps = rows.map(([startMs, endMs, cause, detail]) => ({ startMs: Number(startMs), endMs: Number(endMs), cause: cause as GapCause, detail: String(detail) }));
    return longest(gaps, maxItems);
  };
  const readEvents = (cameraId: CameraId, window: TimeRange, limit: number): CameraEvent[] =>
    (eventsSql.all(...overlapValues(cameraId, SIZE_CLASSES, window, limit)) as unknown[][])
      .map(([startMs, endMs, id, kind, label]) => ({ id: String(id), cameraId, startMs: Number(startMs), endMs: Number(endMs), kind: kind as EventKind, label: String(label) }))
      .toSorted((a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1))
      .slice(-limit);

  return {
    timeline: ({ cameraIds, startMs, endMs, maxItems }) => {
      const window = { startMs, endMs };
      const pixelMs = (endMs - startMs) / maxItems;
      const bucketMs = bucketForPixel(pixelMs);
      return onOneState(() => cameraIds.map((cameraId) => {
        const streamId = ids.stream(cameraId, 'main');
        const events = readEvents(cameraId, window, maxItems);
        if (streamId === null) return { cameraId, spans: [], gaps: [], events };
        const spans = bucketMs === null ? fineSpans(streamId, window) : coarseSpans(streamId, window, bucketMs);
        return { cameraId, spans: mergeSpans(spans, window, maxItems), gaps: readGaps(streamId, window, maxItems), events };
      }));
    },
    bounds: (cameraIds) => {
      const all = cameraIds.flatMap((cameraId) => (['main', 'sub'] as const).map((stream) => ids.stream(cameraId, stream))).flatMap((id) => (id === null ? [] : (streamBounds(id) ?? [])));
      if (all.length === 0) return null;
      return { startMs: Math.min(...all.map((range) => range.startMs)), endMs: Math.max(...all.map((range) => range.endMs)) };
    },
    events: ({ cameraIds, startMs, endMs, limit }) =>
      cameraIds.flatMap((cameraId) => readEvents(cameraId, { startMs, endMs }, limit)).toSorted((a, b) => a.startMs - b.startMs).slice(-limit),
  };
}

/** Cuts spans to the window and draws neighbours closer than a pixel as one, so that at most `maxItems` are left. */
export function mergeSpans(spans: readonly Span[], window: TimeRange, maxItems: number): readonly Span[] {
  // Holes of at least this length: one fewer than maxItems of them fit.
  const pixelMs = (window.endMs - window.startMs) / Math.max(1, maxItems - 1);
  const merged: { startMs: number; endMs: number }[] = [];
  for (const span of spans.toSorted((a, b) => a.startMs - b.startMs)) {
    const startMs = Math.max(span.startMs, window.startMs);
    const endMs = Math.min(span.endMs, window.endMs);
    const open = merged.at(-1);
    if (endMs <= startMs) continue;
    if (open !== undefined && startMs - open.endMs < pixelMs) open.endMs = Math.max(open.endMs, endMs);
    else merged.push({ startMs, endMs });
  }
  return merged;
}

/** The `count` longest gaps in time order: where there are more than pixels, the short ones are those that cannot be seen. */
function longest(gaps: readonly TimelineGap[], count: number): TimelineGap[] {
  const kept = gaps.length <= count ? gaps : gaps.toSorted((a, b) => b.endMs - b.startMs - (a.endMs - a.startMs)).slice(0, count);
  return kept.toSorted((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
}
