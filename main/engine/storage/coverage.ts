/**
 * Bitmaps of footage: per stream and UTC day a bit for each bucket that holds any. They answer coarse questions about
 * weeks in a few hundred bytes a day, however often a camera dropped. Pure.
 */
import { DAY_MS, type DurationMs, type EpochMs, SECOND_MS, type TimeRange } from '../../../shared/time.ts';

/** Two resolutions, finest first: a window is answered from the coarsest one that is no coarser than a pixel. */
export const BUCKETS_MS: readonly DurationMs[] = [15 * SECOND_MS, 60 * SECOND_MS];

/** UTC days since 1970. */
export function dayNumber(atMs: EpochMs): number {
  return Math.floor(atMs / DAY_MS);
}

/** An empty day: 720 bytes for 15 s, 180 for a minute. */
export function emptyDay(bucketMs: DurationMs): Uint8Array {
  return new Uint8Array(DAY_MS / bucketMs / 8);
}

/** The finest bucket size no coarser than `pixelMs` would need, or null where spans themselves must answer. */
export function bucketForPixel(pixelMs: DurationMs): DurationMs | null {
  return BUCKETS_MS.findLast((bucketMs) => bucketMs <= pixelMs) ?? null;
}

/** Sets or clears the buckets of one day that `range` touches. */
export function markDay(bits: Uint8Array, day: number, bucketMs: DurationMs, range: TimeRange, value: boolean): void {
  const dayStartMs = day * DAY_MS;
  const first = Math.max(0, Math.floor((range.startMs - dayStartMs) / bucketMs));
  const end = Math.min(DAY_MS / bucketMs, Math.ceil((range.endMs - dayStartMs) / bucketMs));
  for (let bucket = first; bucket < end; bucket += 1) {
    const at = bucket >> 3;
    const mask = 1 << (bucket & 7);
    bits[at] = value ? (bits[at] ?? 0) | mask : (bits[at] ?? 0) & ~mask;
  }
}

/** `range` widened to whole buckets. */
export function wholeBuckets(range: TimeRange, bucketMs: DurationMs): TimeRange {
  return { startMs: Math.floor(range.startMs / bucketMs) * bucketMs, endMs: Math.ceil(range.endMs / bucketMs) * bucketMs };
}

/** The runs of set buckets of one day, in order. */
export function runsOf(bits: Uint8Array, day: number, bucketMs: DurationMs): TimeRange[] {
  const dayStartMs = day * DAY_MS;
  const runs: TimeRange[] = [];
  const buckets = bits.length * 8;
  let from: number | null = null;
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const byte = bits[bucket >> 3] ?? 0;
    if ((bucket & 7) === 0 && byte === (from === null ? 0 : 0xff)) {
      // Most of most days: a byte in which nothing changes is one step.
      bucket += 7;
      continue;
    }
    const isSet = (byte & (1 << (bucket & 7))) !== 0;
    if (isSet && from === null) from = bucket;
    if (isSet || from === null) continue;
    runs.push({ startMs: dayStartMs + from * bucketMs, endMs: dayStartMs + bucket * bucketMs });
    from = null;
  }
  if (from !== null) runs.push({ startMs: dayStartMs + from * bucketMs, endMs: dayStartMs + DAY_MS });
  return runs;
}
