/** What deleted footage leaves behind: previews of its hours, journal days, rows of gaps and events. */
import type { CameraId } from '../../../shared/model/ids.ts';
import { type EpochMs, HOUR_MS, type TimeRange } from '../../../shared/time.ts';
import type { WorkerClient } from '../core/worker-rpc.ts';
import type { MaintenanceApi } from './maintenance-worker.ts';
import type { RootPlace } from './root-list.ts';

export interface TidyUpParts {
  readonly maintenance: WorkerClient<MaintenanceApi>;
  readonly writable: readonly RootPlace[];
  /** Every disk of the list can be written to. */
  readonly allHere: boolean;
  readonly nowMs: EpochMs;
  /** Forgets rows of gaps, events and locks before a moment. */
  readonly prune: (cameraId: CameraId, beforeMs: EpochMs) => Promise<void>;
}

/** Segments that were deleted. */
export interface Gone extends TimeRange {
  readonly cameraId: CameraId;
}

/** A segment that is still open has no row; its previews lie within its hour or the one before. */
const OPEN_HOURS_MS = 2 * HOUR_MS;

/**
 * Everything older than a camera's oldest footage, and the previews of each hour in which nothing is left: what is locked in between keeps
 * its own. Resolves with the number of preview packs that went.
 */
export async function tidyUp(parts: TidyUpParts, gone: readonly Gone[]): Promise<number> {
  const { maintenance, writable, nowMs } = parts;
  const oldest = new Map((await maintenance.oldestByCamera()).map((one) => [one.cameraId, one.startMs]));
  let packs = 0;
  for (const [cameraId, ranges] of Map.groupBy(gone, (one) => one.cameraId)) {
    // With no footage left its last hour goes too, but for what a segment being recorded may have.
    const goneUntilMs = Math.max(...ranges.map((range) => range.endMs));
    const keptFromMs = oldest.get(cameraId) ?? Math.min(goneUntilMs + HOUR_MS, nowMs - HOUR_MS);
    const empty = await maintenance.hoursWithoutFootage(cameraId, hoursOf(ranges).filter((hourMs) => hourMs < nowMs - OPEN_HOURS_MS));
    let journaledFromMs: EpochMs | null = null;
    for (const root of writable) {
      packs += (await maintenance.prunePreviews(root, cameraId, keptFromMs)) + (await maintenance.removePreviewHours(root, cameraId, empty));
      // Only when every disk's journal can be pruned do rows and journals still say the same (I5); and a disk that is away may have footage that is locked here.
      if (parts.allHere) journaledFromMs = await maintenance.pruneJournal(root, cameraId, keptFromMs);
    }
    if (journaledFromMs !== null) await parts.prune(cameraId, journaledFromMs);
  }
  return packs;
}

/** Hours, by their first moment, that the ranges touch. */
function hoursOf(ranges: readonly TimeRange[]): readonly EpochMs[] {
  const hours = new Set<EpochMs>();
  for (const { startMs, endMs } of ranges) for (let at = Math.floor(startMs / HOUR_MS) * HOUR_MS; at < endMs; at += HOUR_MS) hours.add(at);
  return [...hours];
}
