/** From what the archive and its disks say to what a plan is made of. Pure. */
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { agesOf, type StorageRules } from '../../../shared/model/storage-rules.ts';
import { DAY_MS, type DurationMs, type EpochMs, HOUR_MS, MINUTE_MS } from '../../../shared/time.ts';
import type { HoldQuery } from '../storage/holds.read.ts';
import type { RetentionFacts } from '../storage/retention.read.ts';
import { roomMissing, type RootFacts } from './plan.ts';

/** A disk as it was last looked at. */
export interface RootCondition {
  readonly rootId: RootId;
  readonly state: string;
  readonly freeBytes: number;
  readonly diskBytes: number;
}

/** Footage of this long at the current rate stays free ahead of need. */
const HEADROOM_MS: DurationMs = 2.5 * MINUTE_MS;
/** Nothing is known of the rate at first: what one 4 Mbit/s camera writes in the headroom's time, but no great part of a small disk. */
const LEAST_HEADROOM_BYTES = 75 * 1_000_000;

export function rootFacts(conditions: readonly RootCondition[], facts: Pick<RetentionFacts, 'usedBytes' | 'lastHour'>): readonly RootFacts[] {
  return conditions.map(({ rootId, state, freeBytes, diskBytes }) => {
    const rate = (facts.lastHour.find((hour) => hour.rootId === rootId)?.bytes ?? 0) / HOUR_MS;
    return {
      rootId,
      usedBytes: facts.usedBytes.find((used) => used.rootId === rootId)?.bytes ?? 0,
      freeBytes: state === 'ready' || state === 'full' ? freeBytes : null,
      headroomBytes: Math.max(rate * HEADROOM_MS, Math.min(LEAST_HEADROOM_BYTES, diskBytes / 50)),
    };
  });
}

/** Null where no rule asks for anything. `startedByMs`: only footage that began until then can be concerned; null for all. */
export function isAnythingToDo(roots: readonly RootFacts[], { oldest }: Pick<RetentionFacts, 'oldest'>, rules: StorageRules, nowMs: EpochMs): { readonly startedByMs: EpochMs | null } | null {
  const here = roots.filter((root) => root.freeBytes !== null);
  const isShort = here.some((root) => {
    const { overQuota, tooFull } = roomMissing(root, rules);
    return overQuota > 0 || tooFull > 0;
  });
  if (isShort) return { startedByMs: null };
  const bounds = oldest.flatMap(({ rootId, cameraId, startMs }) => {
    const { maxAgeDays } = agesOf(rules, cameraId);
    const boundMs = maxAgeDays === null ? Number.NEGATIVE_INFINITY : nowMs - maxAgeDays * DAY_MS;
    return startMs < boundMs && here.some((root) => root.rootId === rootId) ? [boundMs] : [];
  });
  return bounds.length === 0 ? null : { startedByMs: Math.max(...bounds) };
}

export function eventQuery({ events: { keepDays, marginMs } }: StorageRules, nowMs: EpochMs): HoldQuery['events'] {
  return keepDays === null ? null : { sinceMs: nowMs - keepDays * DAY_MS, marginMs };
}

/** Per camera with a minimum age, what ended later is too young to go. */
export function youngBounds(rules: StorageRules, nowMs: EpochMs): Readonly<Record<CameraId, EpochMs>> {
  return Object.fromEntries(
    Object.keys(rules.cameras).flatMap((id) => {
      const { minAgeDays } = agesOf(rules, id as CameraId);
      return minAgeDays === null ? [] : [[id, nowMs - minAgeDays * DAY_MS]];
    }),
  );
}
