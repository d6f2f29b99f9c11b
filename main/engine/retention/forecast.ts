/** What storage adds up to: use, rate and the days that fit, per camera, per disk and in all. Pure. */
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { CameraStorage, RootState, RootSummary, StorageSummary } from '../../../shared/model/storage.ts';
import { agesOf, type BrokenRule, keepFreeOf, type StorageRules } from '../../../shared/model/storage-rules.ts';
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

/** What the forecast counts beside footage. */
export interface ForecastExtras {
  readonly broken?: readonly BrokenRule[];
  /** Cameras that are thought of: bytes a day of each. */
  readonly addedBytesPerDay?: readonly number[];
}

/** Less footage than this says nothing about a day. */
const LEAST_FOR_A_RATE_MS = 20_000;

/**
 * The summary of section "Storage at a glance". A stream's rate is its bytes per recorded time, so that a camera that was off for a week
 * counts as what it writes when it is on; its previews grow in proportion. Days that fit: what all disks may hold, shared at today's rates
 * within each camera's ages.
 */
export function summarizeStorage(roots: readonly RootFact[], usage: readonly StreamUsage[], previews: readonly PreviewUsage[], rules: StorageRules, extras: ForecastExtras = {}): StorageSummary {
  const used = (rootId: RootId): number => sum([...usage, ...previews].map((one) => (one.rootId === rootId ? one.sizeBytes : 0)));
  const byCamera = [...Map.groupBy(usage, (one) => one.cameraId)].map(([cameraId, streams]) => ({ cameraId, streams, bytesPerDay: cameraRate(usage, previews, cameraId), ...agesOf(rules, cameraId) }));
  const added = (extras.addedBytesPerDay ?? []).map((rate): Writer => ({ bytesPerDay: rate, minAgeDays: null, maxAgeDays: rules.maxAgeDays }));
  const writers: readonly Writer[] = [...byCamera, ...added];
  const bytesPerDay = sum(writers.map((writer) => writer.bytesPerDay));
  const room = roots.map((root) => (root.state === 'ready' || root.state === 'full' ? capacity(root, used(root.rootId), rules) : 0));
  const fit = daysThatFit(writers, sum(room));
  const cameras = byCamera.map(({ cameraId, streams, bytesPerDay: rate, minAgeDays, maxAgeDays }): CameraStorage => ({
    cameraId,
    usedBytes: cameraBytes(usage, cameraId) + cameraBytes(previews, cameraId),
    bytesPerDay: rate,
    oldestMs: oldest(streams),
    forecastDays: rate === 0 || fit === null ? null : fit({ minAgeDays, maxAgeDays }),
    minAgeDays,
    maxAgeDays,
  }));
  return {
    roots: roots.map((root, at): RootSummary => ({
      ...pick(root), usedBytes: used(root.rootId), quotaBytes: rules.quotaBytes[root.rootId] ?? null, keepFreeBytes: keepFreeOf(rules, root.rootId),
      forecastDays: bytesPerDay === 0 ? null : (room[at] ?? 0) / bytesPerDay,
    })),
    cameras,
    maxAgeDays: rules.maxAgeDays,
    bytesPerDay,
    oldestMs: oldest(usage),
    forecastDays: fit === null ? null : fit({ minAgeDays: null, maxAgeDays: rules.maxAgeDays }),
    broken: extras.broken ?? [],
  };
}

interface Ages {
  readonly minAgeDays: number | null;
  readonly maxAgeDays: number | null;
}

interface Writer extends Ages {
  readonly bytesPerDay: number;
}

/**
 * How many days each camera's footage lasts where `capacityBytes` are shared oldest first: all cameras have the same days, but for those
 * whose maximum is less and those whose minimum is more; where not even the minima fit, what is beyond the others' footage is shared by
 * them. Null where nothing is written.
 */
export function daysThatFit(writers: readonly Writer[], capacityBytes: number): ((ages: Ages) => number) | null {
  if (sum(writers.map((writer) => writer.bytesPerDay)) === 0) return null;
  const need = (days: number, lasts: Lasts): number => sum(writers.map((writer) => writer.bytesPerDay * lasts(writer, days)));
  // Without ordinary footage left (0 days of it), the minima are what goes.
  const lasts: Lasts = need(0, withinAges) <= capacityBytes ? withinAges : minimaOnly;
  if (need(MOST_DAYS, lasts) <= capacityBytes) return (ages) => lasts(ages, MOST_DAYS);
  let [low, high] = [0, MOST_DAYS];
  // Sixty halvings of a thousand years: far below a second.
  for (let turn = 0; turn < 60; turn += 1) {
    const middle = (low + high) / 2;
    if (need(middle, lasts) <= capacityBytes) low = middle;
    else high = middle;
  }
  return (ages) => lasts(ages, low);
}

type Lasts = (ages: Ages, days: number) => number;
const MOST_DAYS = 365_000;

const withinAges: Lasts = ({ minAgeDays, maxAgeDays }, days) => Math.max(minAgeDays ?? 0, Math.min(days, maxAgeDays ?? Number.POSITIVE_INFINITY));
const minimaOnly: Lasts = ({ minAgeDays }, days) => Math.min(minAgeDays ?? 0, days);

/** Footage that fits on a disk beside what else lies there. */
function capacity(root: RootFact, usedBytes: number, rules: StorageRules): number {
  const room = Math.max(0, usedBytes + root.freeBytes - keepFreeOf(rules, root.rootId));
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
