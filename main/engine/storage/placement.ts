/** Which disk a camera's footage goes to, and which disk old footage moves on to: pure functions (docs/design/storage.md, "Several disks"). */
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { Placement } from '../../../shared/model/placement.ts';
import type { RootState } from '../../../shared/model/storage.ts';
import { keepFreeOf, type StorageRules } from '../../../shared/model/storage-rules.ts';

/** A disk as placement sees it, in the owner's order. */
export interface PlacementRoot {
  readonly rootId: RootId;
  readonly state: RootState;
  /** It reported trouble a moment ago, and is not trusted with new footage while there is another. */
  readonly suspect: boolean;
  readonly diskBytes: number;
}

/** The disk each camera belongs to where cameras are spread: kept, so that a camera stays on its disk. */
export type Homes = Readonly<Record<CameraId, RootId>>;

/**
 * The disk that takes footage now: `preferred` where it can, else the first that is ready; a disk that is in doubt only when no other is ready,
 * and one that is full, which makes room for itself, only after that. Null where none can take any.
 */
export function rootForRecording<Root extends PlacementRoot>(roots: readonly Root[], preferred: RootId | null): Root | null {
  const sound = roots.filter((root) => root.state === 'ready' && !root.suspect);
  const wanted = roots.find((root) => root.rootId === preferred);
  if (wanted !== undefined && sound.includes(wanted)) return wanted;
  return sound[0] ?? roots.find((root) => root.state === 'ready') ?? (wanted?.state === 'full' ? wanted : roots.find((root) => root.state === 'full')) ?? null;
}

/** A disk that takes a camera's footage for the moment, chosen by camera so that those of a missing disk do not all go to one. */
export function standInFor<Root extends PlacementRoot>(cameraId: CameraId, roots: readonly Root[], homes: Homes): Root | null {
  const others = roots.filter((root) => root.state === 'ready' && !root.suspect);
  const cameras = Object.keys(homes).filter((id) => homes[id as CameraId] === homes[cameraId]).sort();
  return others[Math.max(0, cameras.indexOf(cameraId)) % Math.max(1, others.length)] ?? rootForRecording(roots, null);
}

/**
 * Gives every camera a disk. A camera keeps the one it has while that is in use, also while it is away; new ones go to the disk with the fewest
 * cameras for its size, and a disk that is new gets cameras from the fullest until it has its share. `roots` are those in use; the order of
 * `cameraIds` decides ties.
 */
export function assignHomes(cameraIds: readonly CameraId[], roots: readonly PlacementRoot[], homes: Homes): Homes {
  // The size of a disk that is away is not known; it gets nobody new.
  const takers = roots.filter((root) => root.diskBytes > 0);
  if (takers.length === 0) return homes;
  const next = new Map<CameraId, RootId>();
  for (const cameraId of cameraIds) {
    const home = homes[cameraId];
    if (home !== undefined && roots.some((root) => root.rootId === home)) next.set(cameraId, home);
  }
  const count = (rootId: RootId): number => [...next.values()].filter((home) => home === rootId).length;
  const load = (root: PlacementRoot, added: number): number => (count(root.rootId) + added) / root.diskBytes;
  const lightest = (): PlacementRoot | undefined => takers.toSorted((a, b) => load(a, 1) - load(b, 1))[0];
  const isNew = takers.filter((root) => count(root.rootId) === 0 && !Object.values(homes).includes(root.rootId));
  for (const cameraId of cameraIds) {
    const root = next.has(cameraId) ? undefined : lightest();
    if (root !== undefined) next.set(cameraId, root.rootId);
  }
  for (const root of isNew) {
    for (;;) {
      const fullest = takers.filter((other) => other !== root).toSorted((a, b) => load(b, 0) - load(a, 0))[0];
      const leaver = fullest === undefined ? undefined : cameraIds.findLast((cameraId) => next.get(cameraId) === fullest.rootId);
      if (fullest === undefined || leaver === undefined || load(root, 1) >= load(fullest, 0)) break;
      next.set(leaver, root.rootId);
    }
  }
  return Object.fromEntries(next) as Homes;
}

/** A disk's fill, for moving. */
export interface TierRoot extends PlacementRoot {
  /** Bytes of footage and previews here. */
  readonly usedBytes: number;
  readonly freeBytes: number;
  /** What is written here before the next look. */
  readonly headroomBytes: number;
}

export interface TierMove {
  readonly fromRootId: RootId;
  readonly toRootId: RootId;
  /** Bytes to move for room; age may ask for more. */
  readonly excessBytes: number;
  /** Room on the other disk that may be used now. */
  readonly roomBytes: number;
}

/** Moving begins while there is still this many times the headroom that retention keeps: what can move is moved before it would be deleted. */
const MOVE_AHEAD = 2;

/** Bytes above what a disk may hold, with `headroom` times its headroom kept; negative: room. */
function excess(root: TierRoot, rules: StorageRules, headroom: number): number {
  const quotaBytes = rules.quotaBytes[root.rootId] ?? Number.POSITIVE_INFINITY;
  const aheadBytes = root.headroomBytes * headroom;
  return Math.max(root.usedBytes + aheadBytes - quotaBytes, keepFreeOf(rules, root.rootId) + aheadBytes - root.freeBytes);
}

/** Each disk with the next one in the owner's order that can take something; none where cameras are spread. */
export function tierPairs<Root extends PlacementRoot>(roots: readonly Root[], placement: Placement): readonly (readonly [from: Root, to: Root])[] {
  if (placement.mode !== 'tiers') return [];
  const isHere = ({ state }: Root): boolean => state === 'ready' || state === 'full';
  return roots.flatMap((root, at): readonly (readonly [Root, Root])[] => {
    const target = roots.slice(at + 1).find((other) => isHere(other) && !other.suspect);
    return isHere(root) && target !== undefined ? [[root, target]] : [];
  });
}

/** What has to move now, and what there is room for. */
export function tierMoves(roots: readonly TierRoot[], placement: Placement, rules: StorageRules): readonly TierMove[] {
  return tierPairs(roots, placement).map(([from, to]) => ({
    fromRootId: from.rootId,
    toRootId: to.rootId,
    excessBytes: Math.max(0, excess(from, rules, 1 + MOVE_AHEAD)),
    roomBytes: Math.max(0, -excess(to, rules, 0)),
  }));
}

/**
 * The rules with the quotas of disks whose oldest footage moves on instead of being deleted taken off: what a lower quota asks for is moved,
 * however long that takes. Half the free space that was asked for stays guarded, so that the disk never fills up meanwhile.
 */
export function rulesWhileMoving(rules: StorageRules, moving: readonly RootId[]): StorageRules {
  if (moving.length === 0) return rules;
  const quotas = Object.fromEntries(moving.map((rootId) => [rootId, null]));
  const free = Object.fromEntries(moving.map((rootId) => [rootId, Math.floor(keepFreeOf(rules, rootId) / 2)]));
  return { ...rules, quotaBytes: { ...rules.quotaBytes, ...quotas }, keepFreeBytesOf: { ...rules.keepFreeBytesOf, ...free } };
}

/** What a plan of deletions needs of a disk. */
interface PooledRoot {
  readonly rootId: RootId;
  readonly usedBytes: number;
  /** Null where the disk is not here. */
  readonly freeBytes: number | null;
  readonly headroomBytes: number;
}

/**
 * For a plan of what goes in the end: disks between which footage moves are one disk, under the name of the first, that holds what they hold
 * together and may hold what they may. `chain`: those disks; fewer than two change nothing.
 */
export function pooled<Root extends PooledRoot>(roots: readonly Root[], rules: StorageRules, chain: readonly RootId[]): { readonly roots: readonly Root[]; readonly rules: StorageRules; readonly poolOf: (rootId: RootId) => RootId } {
  const members = roots.filter((root) => chain.includes(root.rootId) && root.freeBytes !== null);
  const [first] = members;
  if (first === undefined || members.length < 2) return { roots, rules, poolOf: (rootId) => rootId };
  const capacity = ({ rootId, usedBytes, freeBytes }: Root): number => Math.min(rules.quotaBytes[rootId] ?? Number.POSITIVE_INFINITY, usedBytes + (freeBytes ?? 0) - keepFreeOf(rules, rootId));
  const sum = (of: (root: Root) => number): number => members.reduce((total, root) => total + of(root), 0);
  const pool: Root = { ...first, usedBytes: sum(({ usedBytes }) => usedBytes), freeBytes: Number.MAX_SAFE_INTEGER, headroomBytes: sum(({ headroomBytes }) => headroomBytes) };
  return {
    roots: [pool, ...roots.filter((root) => !members.includes(root))],
    rules: { ...rules, quotaBytes: { ...rules.quotaBytes, [first.rootId]: Math.max(1, sum(capacity)) }, keepFreeBytesOf: { ...rules.keepFreeBytesOf, [first.rootId]: 0 } },
    poolOf: (rootId) => (members.some((root) => root.rootId === rootId) ? first.rootId : rootId),
  };
}
