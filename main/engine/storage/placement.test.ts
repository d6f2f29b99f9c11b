import { describe, expect, it } from 'vitest';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { NO_RULES } from '../../../shared/model/storage-rules.ts';
import { assignHomes, type Homes, type PlacementRoot, pooled, rootForRecording, rulesWhileMoving, standInFor, tierMoves, type TierRoot } from './placement.ts';

const GB = 1e9;
const [FAST, BIG, SPARE] = ['disk-fast', 'disk-big', 'disk-spare'] as unknown as [RootId, RootId, RootId];
const disk = (rootId: RootId, over: Partial<TierRoot> = {}): TierRoot => ({ rootId, state: 'ready', suspect: false, diskBytes: 1_000 * GB, usedBytes: 0, freeBytes: 1_000 * GB, headroomBytes: GB, ...over });
const cameras = (count: number): CameraId[] => Array.from({ length: count }, (_, at) => `cam-${at}` as CameraId);
const count = (homes: Homes, rootId: RootId): number => Object.values(homes).filter((home) => home === rootId).length;

describe('new footage', () => {
  it('goes to the first disk that can take it, and past one that is missing, read-only, in doubt or full', () => {
    const states: readonly Partial<PlacementRoot>[] = [{ state: 'missing' }, { state: 'wrong-disk' }, { state: 'read-only' }, { state: 'failing' }, { state: 'full' }, { suspect: true }];
    for (const state of states) expect(rootForRecording([disk(FAST, state), disk(BIG)], null)?.rootId).toBe(BIG);
    expect(rootForRecording([disk(FAST), disk(BIG)], null)?.rootId).toBe(FAST);
    expect(rootForRecording([disk(FAST), disk(BIG)], BIG)?.rootId).toBe(BIG);
  });

  it('goes to a doubtful or full disk rather than nowhere, and nowhere only where none can be written to', () => {
    expect(rootForRecording([disk(FAST, { suspect: true }), disk(BIG, { state: 'full' })], null)?.rootId).toBe(FAST);
    expect(rootForRecording([disk(FAST, { state: 'missing' }), disk(BIG, { state: 'full' })], null)?.rootId).toBe(BIG);
    expect(rootForRecording([disk(FAST, { state: 'read-only' }), disk(BIG, { state: 'failing' })], null)).toBeNull();
  });
});

describe('cameras that are spread', () => {
  it('share disks by their size', () => {
    const homes = assignHomes(cameras(9), [disk(FAST), disk(BIG, { diskBytes: 2_000 * GB })], {} as Homes);
    expect([count(homes, FAST), count(homes, BIG)]).toEqual([3, 6]);
  });

  it('stay on their disk whatever comes and goes, also while it is away', () => {
    const ids = cameras(6);
    const first = assignHomes(ids, [disk(FAST), disk(BIG)], {} as Homes);
    const away = assignHomes(ids, [disk(FAST, { state: 'missing', diskBytes: 0 }), disk(BIG)], first);
    expect(away).toEqual(first);
    expect(assignHomes([...ids, 'cam-new' as CameraId], [disk(FAST), disk(BIG)], first)).toMatchObject(first);
  });

  it('move to a new disk until it has its share, and no further', () => {
    const ids = cameras(8);
    const before = assignHomes(ids, [disk(FAST)], {} as Homes);
    const after = assignHomes(ids, [disk(FAST), disk(BIG)], before);
    expect([count(after, FAST), count(after, BIG)]).toEqual([4, 4]);
    expect(assignHomes(ids, [disk(FAST), disk(BIG)], after)).toEqual(after);
  });

  it('of a disk that is away are taken in by all others', () => {
    const ids = cameras(6);
    const homes = Object.fromEntries(ids.map((id) => [id, FAST])) as Homes;
    const roots = [disk(FAST, { state: 'missing' }), disk(BIG), disk(SPARE)];
    expect(ids.map((id) => standInFor(id, roots, homes)?.rootId)).toEqual([BIG, SPARE, BIG, SPARE, BIG, SPARE]);
  });
});

describe('tiers', () => {
  const tiers = { mode: 'tiers', moveAfterDays: null } as const;

  it('move what is above the quota or the free space, before retention would delete for it', () => {
    const rules = { ...NO_RULES, quotaBytes: { [FAST]: 100 * GB } };
    // Retention keeps one headroom below the quota; moving keeps three.
    expect(tierMoves([disk(FAST, { usedBytes: 96 * GB }), disk(BIG)], tiers, rules)).toMatchObject([{ fromRootId: FAST, toRootId: BIG, excessBytes: 0 }]);
    expect(tierMoves([disk(FAST, { usedBytes: 98.5 * GB }), disk(BIG)], tiers, rules)).toMatchObject([{ excessBytes: 1.5 * GB, roomBytes: 1_000 * GB }]);
    expect(tierMoves([disk(FAST, { freeBytes: 5 * GB }), disk(BIG)], tiers, { ...NO_RULES, keepFreeBytes: 10 * GB })).toMatchObject([{ excessBytes: 8 * GB }]);
  });

  it('go past a disk that is not here, and nowhere from the last one or where cameras are spread', () => {
    expect(tierMoves([disk(FAST), disk(BIG, { state: 'missing' }), disk(SPARE)], tiers, NO_RULES).map(({ fromRootId, toRootId }) => [fromRootId, toRootId])).toEqual([[FAST, SPARE]]);
    expect(tierMoves([disk(FAST, { state: 'failing' }), disk(BIG)], tiers, NO_RULES)).toEqual([]);
    expect(tierMoves([disk(FAST), disk(BIG)], { mode: 'spread', moveAfterDays: null }, NO_RULES)).toEqual([]);
  });

  it('are one disk for what goes in the end: what they may hold together, less the free space of each', () => {
    const rules = { ...NO_RULES, quotaBytes: { [FAST]: 10 * GB }, keepFreeBytes: 100 * GB };
    const roots = [disk(FAST, { usedBytes: 50 * GB }), disk(BIG, { usedBytes: 20 * GB, freeBytes: 130 * GB }), disk(SPARE)];
    const pool = pooled(roots, rules, [FAST, BIG]);
    expect(pool.roots).toMatchObject([{ rootId: FAST, usedBytes: 70 * GB, headroomBytes: 2 * GB }, { rootId: SPARE }]);
    expect(pool.rules.quotaBytes[FAST]).toBe(10 * GB + 50 * GB);
    expect([pool.poolOf(BIG), pool.poolOf(SPARE)]).toEqual([FAST, SPARE]);
    expect(pooled(roots, rules, [FAST]).roots).toBe(roots);
  });

  it('spare what moves from deletion, but for a disk that fills up all the same', () => {
    const rules = { ...NO_RULES, quotaBytes: { [FAST]: GB, [BIG]: GB }, keepFreeBytes: 10 };
    expect(rulesWhileMoving(rules, [FAST])).toMatchObject({ quotaBytes: { [FAST]: null, [BIG]: GB }, keepFreeBytes: 10, keepFreeBytesOf: { [FAST]: 5 } });
    expect(rulesWhileMoving(rules, [])).toBe(rules);
  });
});
