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

  /** What overlaps a window, in order; nothing where all disks are here, at the cost of a look. */
  within(cameraId: CameraId, { startMs, endMs }: TimeRange): readonly Span[] {
    const runs = this.#runs.get(cameraId);
    if (runs === undefined) return [];
    const found: Span[] = [];
    for (let at = firstEndingAfter(runs, startMs); at < runs.length; at += 1) {
      const run = runs[at];
      if (run === undefined || run.startMs >= endMs) break;
      found.push(run);
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
