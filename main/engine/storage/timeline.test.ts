import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../shared/time.ts';
import type { WritableDb } from './database.ts';
import { happeningWriter } from './happenings.write.ts';
import { segmentWriter } from './segments.write.ts';
import { classesFrom } from './size-class.ts';
import { idLookup } from './stream-ids.ts';
import { CAMERA, DAY_START_MS, fakeSegment, memoryIndex, planOf } from './testing/memory-index.ts';
import { TIMELINE_SQL, timelineRows } from './timeline-rows.read.ts';
import { mergeSpans, timelineReader } from './timeline.read.ts';

let db: WritableDb;
beforeEach(() => {
  db = memoryIndex();
});
afterEach(() => void db.close());

const ask = (startMs: number, endMs: number, maxItems = 2048) => timelineReader(db, idLookup(db)).timeline({ cameraIds: [CAMERA], startMs, endMs, maxItems })[0];
/** `count` segments of a minute; after each of `dropsAfter` comes a gap of `gapMs` with a row and a new session. */
function record(count: number, dropEvery: number, gapMs: number): void {
  const segments = segmentWriter(db);
  const happenings = happeningWriter(db);
  let startMs = DAY_START_MS;
  let session = 1;
  db.transaction(() => {
    for (let at = 0, sequence = 0; at < count; at += 1, sequence += 1) {
      segments.insert(fakeSegment({ session, sequence, startMs, endMs: startMs + MINUTE_MS }));
      startMs += MINUTE_MS;
      if ((at + 1) % dropEvery !== 0) continue;
      happenings.insertGap({ cameraId: CAMERA, stream: 'main', startMs, endMs: startMs + gapMs, cause: 'camera-unreachable', detail: '' });
      startMs += gapMs;
      session += 1;
      sequence = -1;
    }
  })();
}

describe('the timeline', () => {
  it('shows spans and gaps to the millisecond when near', () => {
    record(4, 2, 20 * SECOND_MS);
    const near = ask(DAY_START_MS, DAY_START_MS + 5 * MINUTE_MS);
    expect(near?.spans).toEqual([
      { startMs: DAY_START_MS, endMs: DAY_START_MS + 2 * MINUTE_MS },
      { startMs: DAY_START_MS + 2 * MINUTE_MS + 20_000, endMs: DAY_START_MS + 4 * MINUTE_MS + 20_000 },
    ]);
    expect(near?.gaps).toMatchObject([{ startMs: DAY_START_MS + 2 * MINUTE_MS, endMs: DAY_START_MS + 2 * MINUTE_MS + 20_000, cause: 'camera-unreachable' }, { startMs: DAY_START_MS + 4 * MINUTE_MS + 20_000 }]);
  });

  it('cuts spans to the window and finds those that reach into it', () => {
    record(240, 1_000, 0);
    expect(ask(DAY_START_MS + HOUR_MS, DAY_START_MS + HOUR_MS + SECOND_MS)?.spans).toEqual([{ startMs: DAY_START_MS + HOUR_MS, endMs: DAY_START_MS + HOUR_MS + SECOND_MS }]);
  });

  it('keeps a long hole at the zoom of a month, and gives no item that no pixel shows', () => {
    record(300, 1, 30 * SECOND_MS);
    const segments = segmentWriter(db);
    segments.insert(fakeSegment({ session: 9_999, startMs: DAY_START_MS + 10 * DAY_MS }));
    const month = ask(DAY_START_MS, DAY_START_MS + 30 * DAY_MS, 1_000);
    // Bitmaps round to a minute, and the edges of all footage are exact.
    expect(month?.spans).toEqual([
      { startMs: DAY_START_MS, endMs: DAY_START_MS + 450 * MINUTE_MS },
      { startMs: DAY_START_MS + 10 * DAY_MS, endMs: DAY_START_MS + 10 * DAY_MS + MINUTE_MS },
    ]);
    expect(month?.gaps).toEqual([]);
  });

  it('answers at every zoom with no more than it was asked for', () => {
    record(1_000, 1, 26 * SECOND_MS);
    for (const windowMs of [MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS, 30 * DAY_MS]) {
      for (const maxItems of [16, 100, 2_048]) {
        const answer = ask(DAY_START_MS, DAY_START_MS + windowMs, maxItems);
        expect(answer?.spans.length).toBeGreaterThan(0);
        expect(Math.max(answer?.spans.length ?? 0, answer?.gaps.length ?? 0), `${windowMs} ms in ${maxItems} items`).toBeLessThanOrEqual(maxItems);
      }
    }
  });

  it('never shows footage farther than a pixel from where there is some, nor misses any', () => {
    const pieces = fc.array(fc.record({ startS: fc.integer({ min: 0, max: 86_400 * 2 }), lengthS: fc.integer({ min: 1, max: 120 }) }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(pieces, fc.constantFrom(HOUR_MS, 8 * HOUR_MS, DAY_MS, 2 * DAY_MS), (some, windowMs) => {
        const mine = memoryIndex();
        try {
          const write = segmentWriter(mine);
          some.forEach(({ startS, lengthS }, at) => write.insert(fakeSegment({ session: at + 1, startMs: DAY_START_MS + startS * 1_000, endMs: DAY_START_MS + (startS + lengthS) * 1_000 })));
          const maxItems = 512;
          const pixelMs = windowMs / (maxItems - 1);
          const spans = timelineReader(mine, idLookup(mine)).timeline({ cameraIds: [CAMERA], startMs: DAY_START_MS, endMs: DAY_START_MS + windowMs, maxItems })[0]?.spans ?? [];
          for (const { startS, lengthS } of some) {
            const middleMs = DAY_START_MS + (startS + lengthS / 2) * 1_000;
            if (middleMs < DAY_START_MS + windowMs) expect(spans.some((span) => span.startMs <= middleMs && middleMs < span.endMs)).toBe(true);
          }
          for (const span of spans) {
            for (const edgeMs of [span.startMs, span.endMs]) {
              expect(some.some(({ startS, lengthS }) => edgeMs >= DAY_START_MS + startS * 1_000 - pixelMs && edgeMs <= DAY_START_MS + (startS + lengthS) * 1_000 + pixelMs)).toBe(true);
            }
          }
        } finally {
          mine.close();
        }
      }),
      { numRuns: 100 },
    );
  });

  it('shows the day after what began the evening before', () => {
    record(1, 1, 20 * HOUR_MS);
    happeningWriter(db).insertEvent({ id: 'party', cameraId: CAMERA, kind: 'person', label: 'Person', startMs: DAY_START_MS + 20 * HOUR_MS, endMs: DAY_START_MS + 26 * HOUR_MS });
    happeningWriter(db).insertGap({ cameraId: CAMERA, stream: 'main', cause: 'power-lost', detail: '', startMs: DAY_START_MS + 22 * HOUR_MS, endMs: DAY_START_MS + 30 * HOUR_MS });
    const night = ask(DAY_START_MS + 25 * HOUR_MS, DAY_START_MS + 25 * HOUR_MS + MINUTE_MS);
    expect(night?.gaps).toMatchObject([{ cause: 'power-lost' }]);
    expect(night?.events).toMatchObject([{ id: 'party' }]);
  });

  it('remembers days, and answers the same as a reader that remembers nothing, whatever was added and removed between', () => {
    // Few days and few lengths, so that what is added is asked for, reaches over midnight and is removed again.
    const change = fc.record({ what: fc.constantFrom('segment', 'segment', 'segment', 'gap', 'gap', 'event', 'event', 'remove', 'prune'), startM: fc.integer({ min: 0, max: 2 * 1_440 }), lengthS: fc.constantFrom(20, 90, 2_400, 8 * 3_600, 30 * 3_600) });
    const question = fc.record({ startM: fc.integer({ min: -60, max: 2 * 1_440 }), windowMs: fc.constantFrom(HOUR_MS, DAY_MS, DAY_MS, 3 * DAY_MS, 30 * DAY_MS, 300 * DAY_MS), maxItems: fc.constantFrom(16, 700, 4_096) });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(change, { maxLength: 6 }), question), { minLength: 3, maxLength: 6 }), (steps) => {
        const mine = memoryIndex();
        try {
          const [write, happen] = [segmentWriter(mine), happeningWriter(mine)];
          const remembering = timelineReader(mine, idLookup(mine));
          let session = 0;
          for (const [changes, { startM, windowMs, maxItems }] of steps) {
            for (const { what, startM: atM, lengthS } of changes) {
              const range = { startMs: DAY_START_MS + atM * MINUTE_MS, endMs: DAY_START_MS + atM * MINUTE_MS + lengthS * 1_000 };
              if (what === 'segment') write.insert(fakeSegment({ session: (session += 1), ...range }));
              else if (what === 'gap') happen.insertGap({ cameraId: CAMERA, stream: 'main', cause: 'power-lost', detail: `${session}`, ...range });
              else if (what === 'event') happen.insertEvent({ id: `event-${lengthS}-${atM}`, cameraId: CAMERA, kind: 'motion', label: '', ...range });
              else if (what === 'remove' && session > 0) write.remove({ cameraId: CAMERA, stream: 'main', session: 1 + (atM % session), sequence: 0 }, false);
              else if (what === 'prune') happen.prune(CAMERA, range.startMs - DAY_MS);
            }
            const startMs = DAY_START_MS + startM * MINUTE_MS;
            const query = { cameraIds: [CAMERA], startMs, endMs: startMs + windowMs, maxItems };
            const [answer] = remembering.timeline(query);
            const forgetful = timelineReader(mine, idLookup(mine));
            expect(answer).toEqual(forgetful.timeline(query)[0]);
            expect(remembering.bounds([CAMERA])).toEqual(forgetful.bounds([CAMERA]));
            // What lies beside the memory is the definition.
            const rows = timelineRows(mine);
            const streamId = idLookup(mine).stream(CAMERA, 'main');
            const gaps = streamId === null ? [] : rows.gaps(streamId, query, classesFrom(windowMs / maxItems));
            if (gaps.length <= maxItems) expect(answer?.gaps).toEqual(gaps);
            expect(answer?.events).toEqual(rows.events(CAMERA, query, maxItems));
          }
        } finally {
          mine.close();
        }
      }),
      { numRuns: 50 },
    );
  }, 30_000);

  it('knows the bounds of all footage, overlapping by a clock step too', () => {
    const write = segmentWriter(db);
    expect(timelineReader(db, idLookup(db)).bounds([CAMERA])).toBeNull();
    write.insert(fakeSegment({ session: 1, startMs: DAY_START_MS, endMs: DAY_START_MS + 90_000 }));
    write.insert(fakeSegment({ session: 2, startMs: DAY_START_MS + 10_000, endMs: DAY_START_MS + 20_000 }));
    write.insert(fakeSegment({ session: 2, stream: 'sub', startMs: DAY_START_MS - 10_000, endMs: DAY_START_MS + 20_000 }));
    expect(timelineReader(db, idLookup(db)).bounds([CAMERA])).toEqual({ startMs: DAY_START_MS - 10_000, endMs: DAY_START_MS + 90_000 });
  });

  it('gives events that reach into the window, in order, and of too many the newest', () => {
    const write = happeningWriter(db);
    const event = (id: string, startMs: number, endMs: number) => write.insertEvent({ id, cameraId: CAMERA, kind: 'motion', label: 'Motion', startMs: DAY_START_MS + startMs, endMs: DAY_START_MS + endMs });
    event('long', -2 * DAY_MS, 5_000);
    event('in', 1_000, 2_000);
    event('past', -9_000, -8_000);
    expect(ask(DAY_START_MS, DAY_START_MS + MINUTE_MS)?.events.map((one) => one.id)).toEqual(['long', 'in']);
    expect(timelineReader(db, idLookup(db)).events({ cameraIds: [CAMERA], startMs: DAY_START_MS, endMs: DAY_START_MS + MINUTE_MS, limit: 1 }).map((one) => one.id)).toEqual(['in']);
  });

  it('reads through indexes only', () => {
    for (const [name, sql] of Object.entries(TIMELINE_SQL)) {
      const values = Array.from(sql.match(/\?/g) ?? [], () => 1);
      // A bounded subquery is read whole; no table is.
      expect(planOf(db, sql, ...values).replaceAll(/SCAN \(subquery-\d+\)/g, ''), name).not.toContain('SCAN');
    }
    const some = (sql: string) => Array.from(sql.match(/\?/g) ?? [], () => 1);
    expect(planOf(db, TIMELINE_SQL.spans, ...some(TIMELINE_SQL.spans))).toContain('COVERING INDEX spans_by_time (stream_id=? AND size_class=? AND start_ms>? AND start_ms<?)');
    expect(planOf(db, TIMELINE_SQL.gaps, ...some(TIMELINE_SQL.gaps))).toContain('gaps_by_time (stream_id=? AND size_class=? AND start_ms>? AND start_ms<?)');
  });

  it('merges spans that overlap or lie closer than a pixel', () => {
    expect(mergeSpans([{ startMs: 50, endMs: 60 }, { startMs: 0, endMs: 40 }, { startMs: 10, endMs: 20 }, { startMs: 61, endMs: 70 }, { startMs: 200, endMs: 300 }], { startMs: 0, endMs: 100 }, 21)).toEqual([
      { startMs: 0, endMs: 40 },
      { startMs: 50, endMs: 70 },
    ]);
  });
});
