/**
 * Answers what the timeline draws, bounded by what is drawn and not by what is stored: spans where a pixel is short,
 * bitmaps where it is long; gaps and events by classes of length (docs/design/storage.md, "Timeline").
 */
import { columnsOf, encodeColumns } from '../../../shared/contract/timeline-columns.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { CameraEvent, CameraTimeline, Span, TimelineGap } from '../../../shared/model/timeline.ts';
import { DAY_MS, type DurationMs, intersectRanges, type TimeRange } from '../../../shared/time.ts';
import { bucketForPixel, BUCKETS_MS, dayNumber } from './coverage.ts';
import { type ReadableDb, snapshotOf } from './database.ts';
import { classesFrom, leastMs } from './size-class.ts';
import type { AbsentFootage } from './absent-footage.ts';
import type { IdLookup } from './stream-ids.ts';
import { type DayRange, daysOf, TimelineDays } from './timeline-days.ts';
import { eventsInOrder, gapsInOrder, timelineRows, type TimelineRows } from './timeline-rows.read.ts';

export interface TimelineQuery extends TimeRange {
  readonly cameraIds: readonly CameraId[];
  /** Spans, gaps and events per camera, each. */
  readonly maxItems: number;
}

export interface TimelineReader {
  timeline(query: TimelineQuery): readonly CameraTimeline[];
  /** The same as it crosses threads and wires, with `bounds` of the same state. */
  drawn(query: TimelineQuery): { readonly columns: Uint8Array<ArrayBuffer>; readonly bounds: TimeRange | null };
  /** First and last moment of any footage of these cameras, all streams. */
  bounds(cameraIds: readonly CameraId[]): TimeRange | null;
  /** The newest events of these cameras in a range, oldest first. */
  events(query: Omit<TimelineQuery, 'maxItems'> & { readonly limit: number }): readonly CameraEvent[];
}

/** As many changed days are read again one by one; after more, everything is forgotten instead. */
const MOST_CHANGES = 2_000;

export function timelineReader(db: ReadableDb, ids: IdLookup, away: Pick<AbsentFootage, 'within'> | null = null): TimelineReader {
  const onOneState = snapshotOf(db);
  const rows = timelineRows(db);
  const memory = new TimelineMemory(rows);

  const spansOf = (streamId: number, window: TimeRange, maxItems: number, bucketMs: DurationMs | null): readonly Span[] => {
    if (bucketMs === null) return mergeSpans(rows.spans(streamId, window), window, maxItems);
    // A bucket reaches past the first and the last frame; footage does not.
    const bounds = memory.bounds(streamId);
    const filled = bounds === null ? null : intersectRanges(window, bounds);
    return filled === null ? [] : mergeSpans(memory.coverage(streamId, window, bucketMs), window, maxItems, filled);
  };

  const timeline = ({ cameraIds, startMs, endMs, maxItems }: TimelineQuery): readonly CameraTimeline[] => {
    const window = { startMs, endMs };
    const pixelMs = (endMs - startMs) / maxItems;
    const bucketMs = bucketForPixel(pixelMs);
    memory.refresh();
    return cameraIds.map((cameraId) => {
      const streamId = ids.stream(cameraId, 'main');
      const events = memory.events(cameraId, window, maxItems);
      if (streamId === null) return { cameraId, spans: [], gaps: [], events };
      const gaps = longest(memory.gaps(streamId, window, classesFrom(pixelMs)), maxItems);
      const absent = away?.within(cameraId, window, maxItems) ?? [];
      return { cameraId, spans: spansOf(streamId, window, maxItems, bucketMs), gaps, events, ...(absent.length === 0 ? {} : { absent }) };
    });
  };
  const bounds = (cameraIds: readonly CameraId[]): TimeRange | null => {
    const all = cameraIds.flatMap((cameraId) => (['main', 'sub'] as const).map((stream) => ids.stream(cameraId, stream))).flatMap((id) => (id === null ? [] : (memory.bounds(id) ?? [])));
    if (all.length === 0) return null;
    return { startMs: Math.min(...all.map((range) => range.startMs)), endMs: Math.max(...all.map((range) => range.endMs)) };
  };

  return {
    timeline: (query) => onOneState(() => timeline(query)),
    drawn: (query) => onOneState(() => ({ columns: encodeColumns(timeline(query).map(columnsOf)), bounds: bounds(query.cameraIds) })),
    bounds: (cameraIds) =>
      onOneState(() => {
        memory.refresh();
        return bounds(cameraIds);
      }),
    events: ({ cameraIds, startMs, endMs, limit }) =>
      cameraIds.flatMap((cameraId) => rows.events(cameraId, { startMs, endMs }, limit)).toSorted((a, b) => a.startMs - b.startMs).slice(-limit),
  };
}

/** The rows of recent questions, right as of the last `refresh`. What it answers is what the rows themselves would. */
class TimelineMemory {
  readonly #rows: TimelineRows;
  readonly #coverage: ReadonlyMap<DurationMs, TimelineDays<number, Span>>;
  readonly #gaps: TimelineDays<number, TimelineGap>;
  readonly #events: TimelineDays<CameraId, CameraEvent>;
  readonly #bounds = new Map<number, TimeRange | null>();
  readonly #longGaps = new Map<number, readonly TimelineGap[]>();
  readonly #longEvents = new Map<CameraId, readonly CameraEvent[]>();
  #seq = 0;

  constructor(rows: TimelineRows) {
    this.#rows = rows;
    this.#coverage = new Map(BUCKETS_MS.map((bucketMs) => [bucketMs, new TimelineDays((streamId: number, days) => rows.coverageOfDays(streamId, days, bucketMs))]));
    this.#gaps = new TimelineDays((streamId: number, days) => byDay(rows.gapsOfDays(streamId, days)));
    this.#events = new TimelineDays((cameraId: CameraId, days) => byDay(rows.eventsOfDays(cameraId, days)));
  }

  /** Forgets what has changed since; to be called in the transaction that is answered from. */
  refresh(): void {
    const newest = this.#rows.newestChange();
    if (newest === this.#seq) return;
    const changes = newest - this.#seq > MOST_CHANGES ? null : this.#rows.changesAfter(this.#seq);
    this.#seq = newest;
    if (changes === null) {
      this.#forget();
      return;
    }
    for (const { what, owner, day } of changes) {
      if (what === 'coverage') this.#footageChanged(Number(owner), day);
      else if (what === 'gaps' && day < 0) this.#longGaps.delete(Number(owner));
      else if (what === 'gaps') this.#gaps.changed(Number(owner), day);
      else if (day < 0) this.#longEvents.delete(owner as CameraId);
      else this.#events.changed(owner as CameraId, day);
    }
  }

  /** Runs of footage of every day that the window touches; they end at midnight and may go on there. */
  coverage(streamId: number, window: TimeRange, bucketMs: DurationMs): readonly Span[] {
    const days = daysOf(window);
    const remembered = this.#coverage.get(bucketMs);
    return remembered === undefined || !TimelineDays.holds(days) ? this.#rows.coverage(streamId, window, bucketMs) : remembered.of(streamId, days).flat();
  }

  gaps(streamId: number, window: TimeRange, classes: readonly number[]): TimelineGap[] {
    const days = daysReaching(window);
    if (!TimelineDays.holds(days)) return this.#rows.gaps(streamId, window, classes);
    const shortestMs = leastMs(classes);
    const long = remember(this.#longGaps, streamId, () => this.#rows.longGaps(streamId));
    return within(window, long, this.#gaps.of(streamId, days), shortestMs, gapsInOrder);
  }

  events(cameraId: CameraId, window: TimeRange, limit: number): CameraEvent[] {
    const days = daysReaching(window);
    if (!TimelineDays.holds(days)) return this.#rows.events(cameraId, window, limit);
    const long = remember(this.#longEvents, cameraId, () => this.#rows.longEvents(cameraId));
    const found = within(window, long, this.#events.of(cameraId, days), 0, eventsInOrder);
    return found.length > limit ? found.slice(-limit) : found;
  }

  /** First and last moment of a stream's footage. */
  bounds(streamId: number): TimeRange | null {
    return remember(this.#bounds, streamId, () => this.#rows.bounds(streamId));
  }

  #footageChanged(streamId: number, day: number): void {
    for (const days of this.#coverage.values()) days.changed(streamId, day);
    this.#bounds.delete(streamId);
  }

  #forget(): void {
    this.#bounds.clear();
    for (const days of this.#coverage.values()) days.forget();
    this.#gaps.forget();
    this.#events.forget();
    this.#longGaps.clear();
    this.#longEvents.clear();
  }
}

function remember<Key, Value>(map: Map<Key, Value>, key: Key, read: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = read();
  map.set(key, value);
  return value;
}

/** Days of which something that is shorter than a day can reach into the window. */
function daysReaching(window: TimeRange): DayRange {
  return daysOf({ startMs: window.startMs - DAY_MS, endMs: window.endMs });
}

function byDay<Item extends TimeRange>(items: readonly Item[]): Map<number, Item[]> {
  return Map.groupBy(items, ({ startMs }) => dayNumber(startMs));
}

/** What overlaps the window and is not shorter than asked, in order. */
function within<Item extends TimeRange>(window: TimeRange, long: readonly Item[], days: readonly (readonly Item[])[], shortestMs: DurationMs, inOrder: (a: Item, b: Item) => number): Item[] {
  const found: Item[] = [];
  for (const item of long) if (item.startMs < window.endMs && item.endMs > window.startMs) found.push(item);
  const longs = found.length;
  for (const day of days) {
    for (const item of day) {
      if (item.startMs < window.endMs && item.endMs > window.startMs && item.endMs - item.startMs >= shortestMs) found.push(item);
    }
  }
  // The days are in order already.
  return longs === 0 ? found : found.sort(inOrder);
}

/** Cuts spans to `part` of the window and draws neighbours closer than a pixel as one, so that at most `maxItems` are left. */
export function mergeSpans(spans: readonly Span[], window: TimeRange, maxItems: number, part: TimeRange = window): readonly Span[] {
  // Holes of at least this length: one fewer than maxItems of them fit.
  const pixelMs = (window.endMs - window.startMs) / Math.max(1, maxItems - 1);
  const merged: { startMs: number; endMs: number }[] = [];
  let open: { startMs: number; endMs: number } | undefined;
  for (const span of spans.toSorted((a, b) => a.startMs - b.startMs)) {
    const startMs = Math.max(span.startMs, part.startMs);
    const endMs = Math.min(span.endMs, part.endMs);
    if (endMs <= startMs) continue;
    if (open !== undefined && startMs - open.endMs < pixelMs) {
      open.endMs = Math.max(open.endMs, endMs);
    } else {
      open = { startMs, endMs };
      merged.push(open);
    }
  }
  return merged;
}

/** The `count` longest gaps in time order: where there are more than pixels, the short ones are those that cannot be seen. */
function longest(gaps: readonly TimelineGap[], count: number): readonly TimelineGap[] {
  if (gaps.length <= count) return gaps;
  const kept = gaps.toSorted((a, b) => b.endMs - b.startMs - (a.endMs - a.startMs)).slice(0, count);
  return kept.sort(gapsInOrder);
}
