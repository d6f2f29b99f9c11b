/** Keeps the bitmaps of footage in the transaction that adds or removes a segment. */
import type { TimeRange } from '../../../shared/time.ts';
import { BUCKETS_MS, dayNumber, emptyDay, markDay, wholeBuckets } from './coverage.ts';
import type { WritableDb } from './database.ts';

export interface CoverageWriter {
  add(streamId: number, range: TimeRange): void;
  /** As `add` for each, but each day's bitmap is read and written once. */
  addAll(streamId: number, ranges: readonly TimeRange[]): void;
  /** After the segment's row is gone; `overlapping` gives the footage that remains in a range. */
  remove(streamId: number, range: TimeRange, overlapping: (range: TimeRange) => readonly TimeRange[]): void;
}

export function coverageWriter(db: WritableDb): CoverageWriter {
  const find = db.prepare('SELECT bits FROM coverage WHERE stream_id = ? AND bucket_ms = ? AND day = ?').pluck();
  const put = db.prepare('INSERT INTO coverage (stream_id, bucket_ms, day, bits) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET bits = excluded.bits');
  const drop = db.prepare('DELETE FROM coverage WHERE stream_id = ? AND bucket_ms = ? AND day = ?');

  const changeDay = (streamId: number, bucketMs: number, day: number, change: (bits: Uint8Array) => void): void => {
    const found = find.get(streamId, bucketMs, day);
    const bits = found instanceof Uint8Array ? found : emptyDay(bucketMs);
    change(bits);
    if (bits.some((byte) => byte !== 0)) put.run(streamId, bucketMs, day, bits);
    else drop.run(streamId, bucketMs, day);
  };
  const addAll = (streamId: number, ranges: readonly TimeRange[]): void => {
    const byDay = new Map<number, TimeRange[]>();
    for (const range of ranges) {
      for (const day of daysOf(range)) {
        const inDay = byDay.get(day);
        if (inDay === undefined) byDay.set(day, [range]);
        else inDay.push(range);
      }
    }
    for (const bucketMs of BUCKETS_MS) {
      for (const [day, inDay] of byDay) {
        changeDay(streamId, bucketMs, day, (bits) => {
          for (const range of inDay) markDay(bits, day, bucketMs, range, true);
        });
      }
    }
  };

  return {
    add: (streamId, range) => addAll(streamId, [range]),
    addAll,
    remove: (streamId, range, overlapping) => {
      const widest = wholeBuckets(range, Math.max(...BUCKETS_MS));
      const left = overlapping(widest);
      for (const bucketMs of BUCKETS_MS) {
        const touched = wholeBuckets(range, bucketMs);
        for (const day of daysOf(touched)) {
          changeDay(streamId, bucketMs, day, (bits) => {
            markDay(bits, day, bucketMs, touched, false);
            for (const remaining of left) {
              const inside = { startMs: Math.max(remaining.startMs, touched.startMs), endMs: Math.min(remaining.endMs, touched.endMs) };
              if (inside.startMs < inside.endMs) markDay(bits, day, bucketMs, inside, true);
            }
          });
        }
      }
    },
  };
}

/** The UTC days that a range touches; none for a range without length. */
function daysOf(range: TimeRange): readonly number[] {
  if (range.endMs <= range.startMs) return [];
  const first = dayNumber(range.startMs);
  return Array.from({ length: dayNumber(range.endMs - 0.001) - first + 1 }, (_, at) => first + at);
}
