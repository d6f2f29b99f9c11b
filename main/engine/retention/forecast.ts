/** What storage adds up to: use, rate and the days that fit, per camera and in all. Pure. */
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { CameraStorage, RootState, RootSummary, StorageRules, StorageSummary } from '../../../shared/model/storage.ts';
import { DAY_MS, type EpochMs } from '../../../shared/time.ts';
import type { PreviewUsage, StreamUsage } from '../ports/archive.ts';

export interface RootFact {
  readonly rootId: RootId;
  readonly path: string;
  readonly state: RootState;
  readonly problem: string | null;
  readonly diskBytes: number;
  readonly freeBytes: number;
}

/** Less footage than this says nothing about a day. */
const LEAST_FOR_A_RATE_MS = 20_000;

/**
 * The summary of section "Storage at a glance". A stream's rate is its bytes per recorded time, so that a camera that was off for a week
 * counts as what it writes when it is on; its previews grow in proportion. Days that fit: what all disks may hold, shared at today's rates,
 * no more than the age limit.
 */
export function summarizeStorage(roots: readonly RootFact[], usage: readonly StreamUsage[], previews: readonly PreviewUsage[], rules: StorageRules): StorageSummary {
  const used = (rootId: RootId): number => sum([...usage, ...previews].map((one) => (one.rootId === rootId ? one.sizeBytes : 0)));
  const bytesPerDay = sum([...Map.groupBy(usage, (one) => one.cameraId).keys()].map((cameraId) => cameraRate(usage, previews, cameraId)));
  const capacityBytes = roots.reduce((sum, root) => sum + (root.state === 'ready' || root.state === 'full' ? capacity(root, used(root.rootId), rules) : 0), 0);
  const fitDays = bytesPerDay === 0 ? null : Math.min(capacityBytes / bytesPerDay, rules.maxAgeDays ?? Number.POSITIVE_INFINITY);
  const cameras = [...Map.groupBy(usage, (one) => one.cameraId)].map(([cameraId, streams]): CameraStorage => {
    const rate = cameraRate(usage, previews, cameraId);
    return { cameraId, usedBytes: cameraBytes(usage, cameraId) + cameraBytes(previews, cameraId), bytesPerDay: rate, oldestMs: oldest(streams), forecastDays: rate === 0 ? null : fitDays };
  });
  return {
    roots: roots.map((root): RootSummary => ({ ...pick(root), usedBytes: used(root.rootId), quotaBytes: rules.quotaBytes[root.rootId] ?? null, keepFreeBytes: rules.keepFreeBytes })),
    cameras,
    maxAgeDays: rules.maxAgeDays,
    bytesPerDay,
    oldestMs: oldest(usage),
    forecastDays: fitDays,
  };
}

/** Footage that fits on a disk beside what else lies there. */
function capacity(root: RootFact, usedBytes: number, rules: StorageRules): number {
  const room = Math.max(0, usedBytes + root.freeBytes - rules.keepFreeBytes);
  return Math.min(room, rules.quotaBytes[root.rootId] ?? Number.POSITIVE_INFINITY);
}

function cameraBytes(usage: readonly { readonly cameraId: CameraId; readonly sizeBytes: number }[], cameraId: CameraId): number {
  return sum(usage.map((one) => (one.cameraId === cameraId ? one.sizeBytes : 0)));
}

function cameraRate(usage: readonly StreamUsage[], previews: readonly PreviewUsage[], cameraId: CameraId): number {
  const footageBytes = cameraBytes(usage, cameraId);
  return footageBytes === 0 ? 0 : footageRate(usage, cameraId) * (1 + cameraBytes(previews, cameraId) / footageBytes);
}

function footageRate(usage: readonly StreamUsage[], cameraId: CameraId): number {
  const byStream = Map.groupBy(usage.filter((one) => one.cameraId === cameraId), (one) => one.stream);
  return sum(
    [...byStream.values()].map((parts) => {
      const durationMs = sum(parts.map((part) => part.durationMs));
      return durationMs < LEAST_FOR_A_RATE_MS ? 0 : (sum(parts.map((part) => part.sizeBytes)) / durationMs) * DAY_MS;
    }),
  );
}

function oldest(usage: readonly StreamUsage[]): EpochMs | null {
  return usage.length === 0 ? null : Math.min(...usage.map((one) => one.oldestMs));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function pick({ rootId, path, state, problem, diskBytes, freeBytes }: RootFact): RootFact {
  return { rootId, path, state, problem, diskBytes, freeBytes };
}
