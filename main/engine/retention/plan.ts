/**
 * Which footage has to go: a pure function of what is there, the rules and the time (docs/design/storage.md, "Retention").
 * Never a locked range, never more than needed, oldest first.
 */
import type { RootId } from '../../../shared/model/ids.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { StorageRules } from '../../../shared/model/storage.ts';
import { DAY_MS, type EpochMs, type TimeRange } from '../../../shared/time.ts';
import type { StreamKey } from '../ports/ingest.ts';

/** A segment as retention sees it. */
export interface OldSegment extends StreamKey, TimeRange {
  readonly rootId: RootId;
  readonly session: number;
  readonly sequence: number;
  readonly sizeBytes: number;
}

/** Footage that must stay. */
export interface LockedRange extends TimeRange {
  readonly cameraId: CameraId;
}

export interface RootFacts {
  readonly rootId: RootId;
  /** Bytes of footage here, as the index sums them. */
  readonly usedBytes: number;
  /** Bytes still free on the whole disk; null while the disk is not here: then nothing can be deleted from it. */
  readonly freeBytes: number | null;
  /** Bytes that will be written before the next plan is made: made room for ahead of need. */
  readonly headroomBytes: number;
}

export interface RetentionInput {
  readonly roots: readonly RootFacts[];
  /** Oldest first per root; as many as one run may delete. */
  readonly oldest: readonly OldSegment[];
  readonly rules: StorageRules;
  readonly locks: readonly LockedRange[];
  readonly nowMs: EpochMs;
}

export type DeletionReason = 'too-old' | 'quota' | 'disk-full';

export interface Deletion {
  readonly segment: OldSegment;
  readonly reason: DeletionReason;
}

/** A rule that cannot be kept: everything that may go is gone, or lies locked. */
export interface BrokenRule {
  readonly rootId: RootId;
  readonly reason: DeletionReason;
  readonly missingBytes: number;
}

export interface RetentionPlan {
  /** In the order in which they are to be deleted; any prefix of them is a sound plan too. */
  readonly deletions: readonly Deletion[];
  readonly broken: readonly BrokenRule[];
}

/** What has to go now. */
export function planRetention(input: RetentionInput): RetentionPlan {
  const locked = lockCheck(input.locks);
  const deletions: Deletion[] = [];
  const broken: BrokenRule[] = [];
  for (const root of input.roots) {
    if (root.freeBytes === null) continue;
    const all = input.oldest.filter((segment) => segment.rootId === root.rootId).toSorted((a, b) => a.startMs - b.startMs);
    const mine = planRoot(root, all.filter((segment) => !locked(segment)), input.rules, input.nowMs);
    deletions.push(...mine.deletions);
    // With fewer segments than there are, what is missing is for the next run.
    broken.push(...mine.broken);
  }
  return { deletions, broken };
}

function planRoot(root: RootFacts, candidates: readonly OldSegment[], rules: StorageRules, nowMs: EpochMs): RetentionPlan {
  const oldestAllowedMs = rules.maxAgeDays === null ? Number.NEGATIVE_INFINITY : nowMs - rules.maxAgeDays * DAY_MS;
  const quotaBytes = rules.quotaBytes[root.rootId] ?? null;
  let overQuota = quotaBytes === null ? 0 : root.usedBytes + quotaHeadroom(root.headroomBytes, quotaBytes) - quotaBytes;
  let tooFull = rules.keepFreeBytes + root.headroomBytes - (root.freeBytes ?? 0);
  const deletions: Deletion[] = [];
  for (const segment of candidates) {
    const reason = segment.endMs <= oldestAllowedMs ? 'too-old' : tooFull > 0 ? 'disk-full' : overQuota > 0 ? 'quota' : null;
    // Oldest first by start: a later one can still have ended before the age limit only where segments overlap.
    if (reason === null) {
      if (segment.startMs > oldestAllowedMs) break;
      continue;
    }
    deletions.push({ segment, reason });
    overQuota -= segment.sizeBytes;
    tooFull -= segment.sizeBytes;
  }
  const broken: BrokenRule[] = [];
  if (overQuota > 0) broken.push({ rootId: root.rootId, reason: 'quota', missingBytes: overQuota });
  if (tooFull > 0) broken.push({ rootId: root.rootId, reason: 'disk-full', missingBytes: tooFull });
  return { deletions, broken };
}

/** A quota is what may be there at most, the next minutes' footage included; of a small quota no more than a tenth is kept free for it. */
export function quotaHeadroom(headroomBytes: number, quotaBytes: number): number {
  return Math.min(headroomBytes, quotaBytes / 10);
}

/** A locked range holds every segment of the camera that it touches, all streams. */
function lockCheck(locks: readonly LockedRange[]): (segment: OldSegment) => boolean {
  const byCamera = Map.groupBy(locks, (lock) => lock.cameraId);
  return (segment) => byCamera.get(segment.cameraId)?.some((lock) => lock.startMs < segment.endMs && segment.startMs < lock.endMs) ?? false;
}
