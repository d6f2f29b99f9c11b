/** Where footage on disks that are not here lies in time: told once when a disk goes, answered from memory (docs/design/storage.md, "Several disks"). */
import type { CameraId } from '../../../shared/model/ids.ts';
import type { Span } from '../../../shared/model/timeline.ts';
import type { EpochMs, TimeRange } from '../../../shared/time.ts';
import type { AbsentRuns } from './moves.read.ts';

export class AbsentFootage {
  /** Of main streams, in order, none overlapping another. */
  #runs: ReadonlyMap<CameraId, readonly TimeRange[]> = new Map();

  set(all: readonly AbsentRuns[]): void {
    this.#runs = new Map(all.filter(({ stream }) => stream === 'main').map(({ cameraId, runs }) => [cameraId, joined(runs)]));
  }

  /**
   * What overlaps a window, cut to it, in order, neighbours closer than a pixel as one: at most `maxItems`. One walk over memory; nothing where all disks
   * are here, at the cost of a look.
   */
  within(cameraId: CameraId, { startMs, endMs }: TimeRange, maxItems: number): readonly Span[] {
    const runs = this.#runs.get(cameraId);
    if (runs === undefined) return [];
    // As in mergeSpans: one hole fewer than items.
    const pixelMs = (endMs - startMs) / Math.max(1, maxItems - 1);
    const found: { startMs: EpochMs; endMs: EpochMs }[] = [];
    let last: { startMs: EpochMs; endMs: EpochMs } | null = null;
    for (let at = firstEndingAfter(runs, startMs); at < runs.length; at += 1) {
      const run = runs[at];
      if (run === undefined || run.startMs >= endMs) break;
      if (last !== null && run.startMs - last.endMs < pixelMs) {
        last.endMs = Math.min(endMs, run.endMs);
      } else {
        last = { startMs: Math.max(startMs, run.startMs), endMs: Math.min(endMs, run.endMs) };
        found.push(last);
      }
    }
    return found;
  }
}

function joined(runs: readonly TimeRange[]): readonly TimeRange[] {
  const all: { startMs: EpochMs; endMs: EpochMs }[] = [];
  for (const { startMs, endMs } of runs.toSorted((a, b) => a.startMs - b.startMs)) {
    const last = all.at(-1);
    if (last !== undefined && startMs <= last.endMs) last.endMs = Math.max(last.endMs, endMs);
    else all.push({ startMs, endMs });
  }
  return all;
}

function firstEndingAfter(runs: readonly TimeRange[], atMs: EpochMs): number {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((runs[middle]?.endMs ?? Number.POSITIVE_INFINITY) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
