/** Keeps the bitmaps of footage in the transaction that adds or removes a segment. */
import type { TimeRange } from '../../../shared/time.ts';
import { BUCKETS_MS, dayNumber, emptyDay, markDay, wholeBuckets } from './coverage.ts';
import type { WritableDb } from './database.ts';

export interface CoverageWriter {
  add(streamId: number, range: TimeRange): void;
  /** After the segment's row is gone; `overlapping` gives the footage that remains in a range. */
  remove(streamId: number, range: TimeRange, overlapping: (range: TimeRange) => readonly TimeRange[]): void;
}

export function coverageWriter(db: WritableDb): CoverageWriter {
  const find = db.prepare('SELECT bits FROM coverage WHERE stream_id = ? AND bucket_ms = ? AND day = ?').pluck();
  const put = db.prepare('INSERT INTO coverage (stream_id, bucket_ms, day, bits) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET bits = excluded.bits');
  const drop = db.prepare('DELETE FROM coverage WHERE stream_id = ? AND bucket_ms = ? AND day = ?');

  const changeDays = (streamId: number, bucketMs: number, range: TimeRange, change: (bits: Uint8Array, day: number) => void): void => {
    if (range.endMs <= range.startMs) return;
    for (let day = dayNumber(range.startMs); day <= dayNumber(range.endMs - 0.001); day += 1) {
      const found = find.get(streamId, bucketMs, day);
      const bits = found instanceof Uint8Array ? found : emptyDay(bucketMs);
      change(bits, day);
      if (bits.some((byte) => byte !== 0)) put.run(streamId, bucketMs, day, bits);
      else drop.run(streamId, bucketMs, day);
    }
  };

  return {
    add: (streamId, range) => {
      for (const bucketMs of BUCKETS_MS) changeDays(streamId, bucketMs, range, (bits, day) => markDay(bits, day, bucketMs, range, true));
    },
    remove: (streamId, range, overlapping) => {
      const widest = wholeBuckets(range, Math.max(...BUCKETS_MS));
      const left = overlapping(widest);
      for (const bucketMs of BUCKETS_MS) {
        const touched = wholeBuckets(range, bucketMs);
        changeDays(streamId, bucketMs, touched, (bits, day) => {
          markDay(bits, day, bucketMs, touched, false);
          for (const remaining of left) {
            const inside = { startMs: Math.max(remaining.startMs, touched.startMs), endMs: Math.min(remaining.endMs, touched.endMs) };
            if (inside.startMs < inside.endMs) markDay(bits, day, bucketMs, inside, true);
          }
        });
      }
    },
  };
}
