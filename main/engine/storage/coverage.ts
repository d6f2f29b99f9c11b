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

/** Appends the runs of set buckets to `runs`, joining a run that goes on from the day before. Days must come in order. */
export function appendRuns(runs: { startMs: EpochMs; endMs: EpochMs }[], bits: Uint8Array, day: number, bucketMs: DurationMs): void {
  const dayStartMs = day * DAY_MS;
  let open = runs.at(-1);
  if (open !== undefined && open.endMs !== dayStartMs) open = undefined;
  const put = (bucket: number, count: number): void => {
    const startMs = dayStartMs + bucket * bucketMs;
    if (open?.endMs === startMs) {
      open.endMs += count * bucketMs;
    } else {
      open = { startMs, endMs: startMs + count * bucketMs };
      runs.push(open);
    }
  };
  for (let at = 0; at < bits.length; at += 1) {
    const byte = bits[at] ?? 0;
    if (byte === 0) continue;
    if (byte === 0xff) {
      // Most of most days: runs of whole bytes are one step.
      let end = at + 1;
      while (bits[end] === 0xff) end += 1;
      put(at * 8, (end - at) * 8);
      at = end - 1;
      continue;
    }
    for (let bit = 0; bit < 8; bit += 1) if ((byte & (1 << bit)) !== 0) put(at * 8 + bit, 1);
  }
}
