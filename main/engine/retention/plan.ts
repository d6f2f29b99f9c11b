/**
 * Which footage has to go: a pure function of what is there, the rules and the time (docs/design/storage.md, "Retention").
 * Never a locked range, never more than needed, and in one order: what is too old, then for room what nothing holds, then what
 * is kept for an event, then what is younger than its camera's minimum; each oldest first.
 */
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { agesOf, keepFreeOf, type RuleName, type StorageRules } from '../../../shared/model/storage-rules.ts';
import { DAY_MS, type DurationMs, type EpochMs, type TimeRange } from '../../../shared/time.ts';
import type { StreamKey } from '../ports/ingest.ts';
import { type Held, heldCheck, type HeldRange } from '../storage/held-ranges.ts';

/** A segment as retention sees it. */
export interface OldSegment extends StreamKey, TimeRange {
  readonly rootId: RootId;
  readonly session: number;
  readonly sequence: number;
  readonly sizeBytes: number;
}

export interface HeldSegment extends OldSegment {
  readonly held: Held;
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
  readonly segments: readonly OldSegment[];
  readonly rules: StorageRules;
  /** Footage that must stay. */
  readonly locks: readonly HeldRange[];
  /** Events as they are, of any age. */
  readonly events: readonly HeldRange[];
  readonly nowMs: EpochMs;
}

export type DeletionReason = 'too-old' | 'quota' | 'disk-full';

export interface Deletion {
  readonly segment: OldSegment;
  readonly reason: DeletionReason;
}

/** A rule that cannot be kept: everything that may go is gone or locked, or something went before its time. */
export interface UnkeptRule {
  readonly rule: RuleName;
  readonly rootId: RootId;
  /** Null where the rule is about a whole disk. */
  readonly cameraId: CameraId | null;
  /** Bytes too many, or that went too early. */
  readonly bytes: number;
  /** Of what went too early, the age of the youngest. */
  readonly ageMs: DurationMs | null;
}

export interface RetentionPlan {
  /** In the order in which they are to be deleted; any prefix of them is a sound plan too. */
  readonly deletions: readonly Deletion[];
  readonly broken: readonly UnkeptRule[];
}

/** What has to go now. */
export function planRetention({ segments, locks, events, ...rest }: RetentionInput): RetentionPlan {
  const held = heldCheck(locks, keptEvents(events, rest.rules, rest.nowMs));
  return planHeld({ ...rest, segments: segments.map((segment) => ({ ...segment, held: held(segment) })) });
}

/** Events whose footage is still kept for them, with the margin around each. */
export function keptEvents(events: readonly HeldRange[], { events: { keepDays, marginMs } }: StorageRules, nowMs: EpochMs): readonly HeldRange[] {
  if (keepDays === null) return [];
  const sinceMs = nowMs - keepDays * DAY_MS;
  return events.filter((event) => event.endMs > sinceMs).map(({ cameraId, startMs, endMs }) => ({ cameraId, startMs: startMs - marginMs, endMs: endMs + marginMs }));
}

/** `planRetention` where it is known what is held. */
export function planHeld({ roots, segments, rules, nowMs }: Omit<RetentionInput, 'segments' | 'locks' | 'events'> & { readonly segments: readonly HeldSegment[] }): RetentionPlan {
  const classOf = classCheck(rules, nowMs);
  const plans = roots.flatMap((root) => {
    if (root.freeBytes === null) return [];
    const candidates = segments.flatMap((segment): Candidate[] => {
      const order = segment.rootId === root.rootId ? classOf(segment) : null;
      return order === null ? [] : [{ segment, order }];
    });
    return [planRoot(root, candidates.sort(inOrder), rules, nowMs)];
  });
  return { deletions: plans.flatMap((plan) => plan.deletions), broken: plans.flatMap((plan) => plan.broken) };
}

/** The order of classes: the lowest goes first. */
const CLASS = { tooOld: 0, free: 1, event: 2, young: 3 } as const;
type Class = (typeof CLASS)[keyof typeof CLASS];

interface Candidate {
  readonly segment: HeldSegment;
  readonly order: Class;
}

/** The class of a segment; null where it must stay. */
function classCheck(rules: StorageRules, nowMs: EpochMs): (segment: HeldSegment) => Class | null {
  const bounds = new Map<CameraId, { readonly oldMs: EpochMs; readonly youngMs: EpochMs }>();
  const boundsOf = (cameraId: CameraId) => {
    const { minAgeDays, maxAgeDays } = agesOf(rules, cameraId);
    const made = { oldMs: maxAgeDays === null ? Number.NEGATIVE_INFINITY : nowMs - maxAgeDays * DAY_MS, youngMs: minAgeDays === null ? Number.POSITIVE_INFINITY : nowMs - minAgeDays * DAY_MS };
    bounds.set(cameraId, made);
    return made;
  };
  return ({ cameraId, endMs, held }) => {
    if (held === 'locked') return null;
    const { oldMs, youngMs } = bounds.get(cameraId) ?? boundsOf(cameraId);
    if (endMs > youngMs) return CLASS.young;
    if (held === 'event') return CLASS.event;
    return endMs <= oldMs ? CLASS.tooOld : CLASS.free;
  };
}

/** By class, then age; what began at the same moment in an order that never changes. */
function inOrder({ segment: a, order: classA }: Candidate, { segment: b, order: classB }: Candidate): number {
  return classA - classB || a.startMs - b.startMs || compareText(a.cameraId, b.cameraId) || compareText(a.stream, b.stream) || a.session - b.session || a.sequence - b.sequence;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function planRoot(root: RootFacts, candidates: readonly Candidate[], rules: StorageRules, nowMs: EpochMs): RetentionPlan {
  let { overQuota, tooFull } = roomMissing(root, rules);
  const deletions: Deletion[] = [];
  const early = new Map<string, UnkeptRule>();
  for (const { segment, order } of candidates) {
    const reason = order === CLASS.tooOld ? 'too-old' : tooFull > 0 ? 'disk-full' : overQuota > 0 ? 'quota' : null;
    // All that is too old comes first: from here on nothing else is asked for.
    if (reason === null) break;
    deletions.push({ segment, reason });
    overQuota -= segment.sizeBytes;
    tooFull -= segment.sizeBytes;
    if (order === CLASS.event || order === CLASS.young) noteEarly(early, segment, order, nowMs);
  }
  const broken: UnkeptRule[] = [];
  if (overQuota > 0) broken.push({ rule: 'quota', rootId: root.rootId, cameraId: null, bytes: overQuota, ageMs: null });
  if (tooFull > 0) broken.push({ rule: 'keep-free', rootId: root.rootId, cameraId: null, bytes: tooFull, ageMs: null });
  return { deletions, broken: [...broken, ...early.values()] };
}

function noteEarly(early: Map<string, UnkeptRule>, { rootId, cameraId, endMs, sizeBytes }: HeldSegment, order: Class, nowMs: EpochMs): void {
  const rule = order === CLASS.young ? 'min-age' : 'event-age';
  const before = early.get(`${rule} ${cameraId}`);
  const ageMs = Math.min(before?.ageMs ?? Number.POSITIVE_INFINITY, Math.max(0, nowMs - endMs));
  early.set(`${rule} ${cameraId}`, { rule, rootId, cameraId, bytes: (before?.bytes ?? 0) + sizeBytes, ageMs });
}

/** Bytes that a root has too many: over its quota, and of what should be free. Zero or less where the rule is kept. */
export function roomMissing(root: RootFacts, rules: StorageRules): { overQuota: number; tooFull: number } {
  const quotaBytes = rules.quotaBytes[root.rootId] ?? null;
  return {
    overQuota: quotaBytes === null ? 0 : root.usedBytes + quotaHeadroom(root.headroomBytes, quotaBytes) - quotaBytes,
    tooFull: keepFreeOf(rules, root.rootId) + root.headroomBytes - (root.freeBytes ?? 0),
  };
}

/** A quota is what may be there at most, the next minutes' footage included; of a small quota no more than a tenth is kept free for it. */
export function quotaHeadroom(headroomBytes: number, quotaBytes: number): number {
  return Math.min(headroomBytes, quotaBytes / 10);
}
