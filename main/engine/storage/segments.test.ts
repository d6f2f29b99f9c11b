import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WritableDb } from './database.ts';
import { garbagePaths, snapshotDerived } from './testing/derived.ts';
import { rederiveAll } from './rederive.write.ts';
import { SEGMENT_SQL, segmentReader } from './segments.read.ts';
import { type SegmentWriter, segmentWriter } from './segments.write.ts';
import { idLookup } from './stream-ids.ts';
import { CAMERA, DAY_START_MS, fakeSegment, memoryIndex, planOf } from './testing/memory-index.ts';
import { encodeSegmentName } from './segment-name.ts';

let db: WritableDb;
let writer: SegmentWriter;
beforeEach(() => {
  db = memoryIndex();
  writer = segmentWriter(db);
});
afterEach(() => void db.close());

const spans = (): unknown => db.prepare('SELECT start_ms - ?, end_ms - ? FROM spans ORDER BY start_ms').raw().all(DAY_START_MS, DAY_START_MS);
/** A segment by its place and its times relative to the day. */
const piece = (session: number, sequence: number, startMs: number, endMs: number) => fakeSegment({ session, sequence, startMs: DAY_START_MS + startMs, endMs: DAY_START_MS + endMs });

describe('segments', () => {
  it('are one span while each goes on within half a second of the last', () => {
    for (const segment of [piece(1, 0, 0, 60_000), piece(1, 1, 60_033, 120_000), piece(1, 2, 120_499, 180_000), piece(1, 3, 180_501, 200_000)]) writer.insert(segment);
    expect(spans()).toEqual([[0, 180_000], [180_501, 200_000]]);
  });

  it('of two sessions are one span only where they touch', () => {
    for (const segment of [piece(1, 0, 0, 60_000), piece(2, 0, 60_000, 120_000), piece(3, 0, 120_100, 180_000)]) writer.insert(segment);
    expect(spans()).toEqual([[0, 120_000], [120_100, 180_000]]);
  });

  it('after a clock set back begin a span of their own and are found by either moment', () => {
    writer.insert(piece(1, 0, 3_600_000, 3_660_000));
    writer.insert(piece(1, 1, 30_000, 90_000));
    expect(spans()).toEqual([[30_000, 90_000], [3_600_000, 3_660_000]]);
    const reader = segmentReader(db, idLookup(db));
    expect(reader.at({ cameraId: CAMERA, stream: 'main' }, DAY_START_MS + 3_600_500)?.sequence).toBe(0);
    expect(reader.at({ cameraId: CAMERA, stream: 'main' }, DAY_START_MS + 30_500)?.sequence).toBe(1);
  });

  it('that cover the same moment give the newest one', () => {
    writer.insert(piece(1, 0, 0, 60_000));
    writer.insert(piece(2, 0, 30_000, 90_000));
    const reader = segmentReader(db, idLookup(db));
    expect(reader.at({ cameraId: CAMERA, stream: 'main' }, DAY_START_MS + 40_000)?.session).toBe(2);
    expect(reader.at({ cameraId: CAMERA, stream: 'main' }, DAY_START_MS + 10_000)?.session).toBe(1);
    expect(reader.at({ cameraId: CAMERA, stream: 'main' }, DAY_START_MS + 90_000)).toBeNull();
  });

  it('follow one another by sequence, then by time', () => {
    for (const segment of [piece(1, 0, 0, 60_000), piece(1, 1, 60_000, 120_000), piece(2, 0, 300_000, 360_000)]) writer.insert(segment);
    const reader = segmentReader(db, idLookup(db));
    const key = { cameraId: CAMERA, stream: 'main' } as const;
    expect(reader.after(key, { session: 1, sequence: 0, endMs: DAY_START_MS + 60_000 })?.sequence).toBe(1);
    expect(reader.after(key, { session: 1, sequence: 1, endMs: DAY_START_MS + 120_000 })?.session).toBe(2);
    expect(reader.after(key, { session: 2, sequence: 0, endMs: DAY_START_MS + 360_000 })).toBeNull();
    expect(reader.firstFrom(key, DAY_START_MS + 1)?.sequence).toBe(1);
    expect(reader.tails()).toEqual([{ ...key, session: 2, sequence: 0, endMs: DAY_START_MS + 360_000 }]);
  });

  it('give back what was put in, keyframes too', () => {
    const segment = piece(7, 3, 0.25, 60_000.125);
    writer.insert(segment);
    const found = segmentReader(db, idLookup(db)).at({ cameraId: CAMERA, stream: 'main' }, DAY_START_MS + 5);
    const { packed: _, ...rest } = segment;
    expect(found).toMatchObject(rest);
    expect(found?.keyframes).toHaveLength(60);
    expect(found?.keyframes[59]).toEqual({ offsetBytes: 1_000 + 59 * 500_000, sizeBytes: 60_000, mediaMs: 59_000 });
  });

  it('found twice are one row', () => {
    expect([writer.insert(piece(1, 0, 0, 60_000)), writer.insert(piece(1, 0, 0, 60_000))]).toEqual([true, false]);
    expect(segmentReader(db, idLookup(db)).usage()).toMatchObject([{ sizeBytes: 30_000_000, durationMs: 60_000 }]);
  });

  it('that are deleted leave their path as garbage, and no keyframes', () => {
    const segment = piece(1, 0, 0, 60_000);
    writer.insert(segment);
    writer.remove(segment, true);
    expect(garbagePaths(db)).toEqual([encodeSegmentName({ ...segment, startMs: segment.nameMs })]);
    expect(db.prepare('SELECT count(*) FROM keyframes').pluck().get()).toBe(0);
    expect(snapshotDerived(db)).toEqual({ spans: [], coverage: [], usage: [] });
  });

  it('in any order of coming and going leave spans, coverage and sums that are those of the rows (I5)', () => {
    // Whole seconds on a small stage, so that segments touch, overlap and leave gaps often.
    const step = fc.record({ add: fc.boolean(), session: fc.integer({ min: 1, max: 3 }), sequence: fc.integer({ min: 0, max: 5 }), startS: fc.integer({ min: 0, max: 200 }), lengthS: fc.integer({ min: 0, max: 90 }), ordered: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const mine = memoryIndex();
        try {
          const write = segmentWriter(mine);
          for (const { add, session, sequence, startS, lengthS, ordered } of steps) {
            // Midnight lies in the middle; ordered ones continue each other, as recorded ones do.
            const startMs = DAY_START_MS - 100_000 + (ordered ? session * 100_000 + sequence * 20_000 : startS * 1_000);
            const endMs = startMs + (ordered ? 20_000 : lengthS * 1_000);
            if (add) write.insert(fakeSegment({ session, sequence, startMs, endMs }));
            else write.remove({ cameraId: CAMERA, stream: 'main', session, sequence }, true);
          }
          const kept = snapshotDerived(mine);
          rederiveAll(mine);
          expect(kept).toEqual(snapshotDerived(mine));
        } finally {
          mine.close();
        }
      }),
      { numRuns: 300 },
    );
  }, 30_000);

  it('that come many at once are as if they had come one by one', () => {
    const segment = fc.record({ stream: fc.constantFrom('main' as const, 'sub' as const), session: fc.integer({ min: 1, max: 3 }), sequence: fc.integer({ min: 0, max: 8 }), startS: fc.integer({ min: 0, max: 200 }), lengthS: fc.integer({ min: 0, max: 90 }), ordered: fc.boolean() });
    fc.assert(
      fc.property(fc.array(fc.array(segment, { maxLength: 12 }), { maxLength: 5 }), (batches) => {
        const [mine, other] = [memoryIndex(), memoryIndex()];
        try {
          const [atOnce, oneByOne] = [segmentWriter(mine), segmentWriter(other)];
          for (const batch of batches) {
            const segments = batch.map(({ stream, session, sequence, startS, lengthS, ordered }) => {
              const startMs = DAY_START_MS - 100_000 + (ordered ? session * 100_000 + sequence * 20_000 : startS * 1_000);
              return fakeSegment({ stream, session, sequence, startMs, endMs: startMs + (ordered ? 20_000 : lengthS * 1_000) });
            });
            atOnce.insertAll(segments);
            for (const one of segments) oneByOne.insert(one);
          }
          const rows = (from: WritableDb): unknown => from.prepare('SELECT camera_id, stream, longest_ms, session, sequence, start_ms, end_ms, hex(packed) FROM segments JOIN streams ON streams.id = stream_id JOIN keyframes ON segment_id = segments.id ORDER BY 1, 2, 4, 5').all();
          expect(rows(mine)).toEqual(rows(other));
          const kept = snapshotDerived(mine);
          rederiveAll(mine);
          expect(kept).toEqual(snapshotDerived(mine));
        } finally {
          mine.close();
          other.close();
        }
      }),
      { numRuns: 150 },
    );
  }, 30_000);

  it('are found through indexes', () => {
    writer.insert(piece(1, 0, 0, 60_000));
    expect(planOf(db, SEGMENT_SQL.at, 1, 0, 0, 1, 0)).toMatch(/SEARCH segments USING (COVERING )?INDEX segments_by_time \(stream_id=\? AND start_ms>\? AND start_ms<\?\)/);
    expect(planOf(db, SEGMENT_SQL.nextInSession, 1, 1, 0)).toContain('INDEX segments_in_order (stream_id=? AND session=? AND sequence>?)');
    expect(planOf(db, SEGMENT_SQL.from, 1, 0)).toContain('INDEX segments_by_time (stream_id=? AND start_ms>?)');
    expect(planOf(db, SEGMENT_SQL.fromOn, 1, 0, '[]')).toContain('segments USING INDEX segments_by_time (stream_id=? AND start_ms>?)');
    expect(planOf(db, SEGMENT_SQL.gapAt, 1, 0, 0, 0, 0)).toContain('gaps_by_time (stream_id=? AND size_class=? AND start_ms>? AND start_ms<?)');
    expect(planOf(db, SEGMENT_SQL.usage)).not.toContain('SCAN segments');
  });
});
