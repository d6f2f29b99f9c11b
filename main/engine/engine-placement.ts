/** Several disks, connected: which one each camera's footage goes to, what moves on, and what is known of disks that are not here. */
import type { CameraId, RootId } from '../../shared/model/ids.ts';
import type { AbsentDisk, Placement, PlacementState } from '../../shared/model/placement.ts';
import type { StorageRules } from '../../shared/model/storage-rules.ts';
import { type DurationMs, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/time.ts';
import type { Base, StopStack } from './engine-base.ts';
import type { IngestNotice } from './ports/ingest.ts';
import { rootFacts } from './retention/facts.ts';
import type { PlacementCarrier } from './settings/placement-part.ts';
import { openPlacement, type PlacementStore } from './settings/placement-store.ts';
import { assignHomes, rootForRecording, rulesWhileMoving, standInFor, tierPairs, type TierRoot } from './storage/placement.ts';
import { FootageMover } from './storage/mover.ts';
import type { RootPlace } from './storage/root-list.ts';

/** A disk that refused a write is not trusted with new footage for so long, while there is another; one that was too slow for longer. Each time twice as long. */
const REFUSED_MS: DurationMs = 30 * SECOND_MS;
const SLOW_MS: DurationMs = 5 * MINUTE_MS;
const LONGEST_DOUBT_MS: DurationMs = HOUR_MS;
/** Trouble of one moment, told by every camera, is one trouble. */
const SAME_TROUBLE_MS: DurationMs = 10 * SECOND_MS;
/** The interface hears of moving this often at most. */
const TELL_MS: DurationMs = 2 * SECOND_MS;

export interface PlacementDesk {
  /** Where a camera's footage goes now; null where no disk can take any. */
  readonly rootFor: (cameraId: CameraId) => RootPlace | null;
  /** The owner's rules, where footage moves on instead of being deleted. The same object while nothing changes. */
  readonly rulesInForce: () => StorageRules;
  /** Disks between which footage moves before any is deleted. */
  readonly movesAmong: () => readonly RootId[];
  readonly mover: FootageMover;
  /** A disk gave trouble: recording goes elsewhere at once. True where something is to be applied. */
  hear(notice: IngestNotice): boolean;
  state(): Promise<PlacementState>;
  choose(placement: Placement, order: readonly RootId[] | null): Promise<void>;
  /** As a set-up that is taken along sees it. */
  readonly carrier: PlacementCarrier;
  /** Tells the timeline which footage is not here, where that is another than before or `anew` is asked for. */
  lookForAbsent(anew?: boolean): Promise<void>;
}

export async function openPlacementDesk(base: Base, ageNowMs: () => Promise<number>, stops: StopStack): Promise<PlacementDesk> {
  const { archive, clock, hub, log } = base;
  const store = await openPlacement(base.configDir, log);
  const { roots } = archive;
  const stateNow = async (): Promise<PlacementState> => ({
    ...store.get(),
    order: roots.list().map(({ rootId }) => rootId),
    moves: mover.progress(),
    absent: await absentDisks(base),
  });
  const tell = toldNowAndThen(base, async () => hub.tell('placement.changed', await stateNow()), stops);
  const mover = new FootageMover({
    moves: archive.moves,
    roots: async () => await tierRoots(base),
    conditions: () => roots.conditions(),
    placement: () => store.get(),
    rules: () => base.rules.get(),
    ageNowMs, clock,
    logger: log.scoped('placement'),
    onProgress: tell,
  });
  stops.push(() => mover.stop());
  const troubles = new Map<RootId, { readonly atMs: DurationMs; readonly forMs: DurationMs }>();
  /** How long a disk is not trusted: twice as long as the last time, where that was lately. */
  const doubtMs = (rootId: RootId, leastMs: DurationMs): DurationMs => {
    const nowMs = clock.monotonicMs();
    const last = troubles.get(rootId);
    if (last !== undefined && nowMs - last.atMs < SAME_TROUBLE_MS) return Math.max(leastMs, last.forMs);
    const forMs = last === undefined || nowMs - last.atMs > last.forMs + LONGEST_DOUBT_MS ? leastMs : Math.min(LONGEST_DOUBT_MS, Math.max(leastMs, 2 * last.forMs));
    troubles.set(rootId, { atMs: nowMs, forMs });
    return forMs;
  };
  let inForce: { readonly rules: StorageRules; readonly moving: string; readonly result: StorageRules } | null = null;

  return {
    mover,
    rootFor: (cameraId) => {
      const conditions = roots.conditions();
      if (store.get().mode === 'tiers' || conditions.length < 2) return roots.forRecording();
      const homes = settleHomes(base, store);
      const home = homes[cameraId] ?? null;
      const root = rootForRecording(conditions, home);
      return root === null || root.rootId === home ? root : standInFor(cameraId, conditions, homes);
    },
    rulesInForce: () => {
      const [rules, moving] = [base.rules.get(), mover.relieved()];
      const key = moving.join();
      if (inForce?.rules !== rules || inForce.moving !== key) inForce = { rules, moving: key, result: rulesWhileMoving(rules, moving) };
      return inForce.result;
    },
    movesAmong: () => {
      const relieved = mover.relieved();
      return tierPairs(roots.conditions(), store.get()).flatMap(([from, to]) => (relieved.includes(from.rootId) ? [from.rootId, to.rootId] : []));
    },
    hear: (notice) => {
      if (notice.type !== 'root-problem') return false;
      const slow = notice.cause === 'disk-too-slow';
      if (slow) mover.pause();
      // Alone, a disk is tried again by the recorder's own steps.
      if (roots.list().length < 2) return false;
      roots.suspect(notice.rootId, doubtMs(notice.rootId, slow ? SLOW_MS : REFUSED_MS));
      return true;
    },
    state: stateNow,
    choose: async (placement, order) => {
      await store.choose(placement);
      if (order !== null) await roots.reorder(order);
      mover.hurry();
      tell();
    },
    carrier: placementCarrier(base, store, mover, tell),
    lookForAbsent: absenceWatch(base, tell),
  };
}

function placementCarrier(base: Base, store: PlacementStore, mover: FootageMover, tell: () => void): PlacementCarrier {
  const { roots } = base.archive;
  return {
    setup: () => ({ placement: store.get(), disks: roots.list(), homes: store.homes() }),
    movingBytes: async (placement, order) => {
      const now = await tierRoots(base);
      const then = order.flatMap((rootId) => now.find((root) => root.rootId === rootId) ?? []);
      return Math.max(0, (await mover.bytesToMove(then, placement)) - (await mover.bytesToMove(now, store.get())));
    },
    take: async (placement, order, homes) => {
      await store.take(placement, homes);
      await roots.reorder(order);
      mover.hurry();
      tell();
    },
  };
}

/** Which disks with footage are not here is asked of the index when it may have changed; where their footage lies, when it has. */
function absenceWatch({ archive, hub, clock, registry }: Base, tell: () => void): PlacementDesk['lookForAbsent'] {
  let told = '';
  return async (anew = false) => {
    const here = new Set(archive.roots.readable().map(({ rootId }) => rootId));
    const absent = (await archive.moves.rootsWithFootage()).map(({ rootId }) => rootId).filter((rootId) => !here.has(rootId)).sort();
    if (absent.join() === told && !(anew && absent.length > 0)) return;
    await archive.moves.tellAbsent(absent);
    told = absent.join();
    hub.tell('timeline.changed', { cameraIds: registry.list().map(({ id }) => id), startMs: 0, endMs: clock.nowMs() });
    tell();
  };
}

/** Disks as moving sees them, looked at now. */
async function tierRoots({ archive }: Base): Promise<readonly TierRoot[]> {
  const conditions = await archive.roots.refresh();
  const facts = rootFacts(conditions, await archive.retentionFacts());
  return conditions.map((root): TierRoot => {
    const fact = facts.find(({ rootId }) => rootId === root.rootId);
    return { ...root, usedBytes: fact?.usedBytes ?? 0, headroomBytes: fact?.headroomBytes ?? 0 };
  });
}

/** Every camera's disk; a new one is written down beside recording, which does not wait for it. */
function settleHomes({ archive, registry, log }: Base, store: PlacementStore): ReturnType<PlacementStore['homes']> {
  const before = store.homes();
  const homes = assignHomes(registry.list().map(({ id }) => id), archive.roots.conditions(), before);
  if (JSON.stringify(homes) !== JSON.stringify(before)) store.setHomes(homes).catch((error: unknown) => log.warn('The disks of cameras could not be written down', error));
  return homes;
}

/** Disks with footage that cannot be read now, by the index. */
async function absentDisks({ archive }: Base): Promise<readonly AbsentDisk[]> {
  const { roots } = archive;
  const here = new Set(roots.readable().map(({ rootId }) => rootId));
  const [withFootage, usage] = await Promise.all([archive.moves.rootsWithFootage(), archive.read.usage()]);
  return withFootage.filter(({ rootId }) => !here.has(rootId)).map(({ rootId, bytes }): AbsentDisk => {
    const away = roots.away().find((one) => one.rootId === rootId);
    const listed = roots.list().find((one) => one.rootId === rootId);
    const begins = usage.filter((one) => one.rootId === rootId).map(({ oldestMs }) => oldestMs);
    return { rootId, path: listed?.path ?? away?.path ?? null, sinceMs: away?.sinceMs ?? null, usedBytes: bytes, oldestMs: begins.length === 0 ? null : Math.min(...begins), removed: listed === undefined };
  });
}

/** A function that calls `tell` soon, and not more often than every TELL_MS. */
function toldNowAndThen({ clock, log }: Base, tell: () => Promise<void>, stops: StopStack): () => void {
  let cancel: (() => void) | null = null;
  let lastMs = Number.NEGATIVE_INFINITY;
  stops.push(() => cancel?.());
  return () => {
    cancel ??= clock.after(Math.max(0, lastMs + TELL_MS - clock.monotonicMs()), () => {
      cancel = null;
      lastMs = clock.monotonicMs();
      tell().catch((error: unknown) => log.warn('Placement could not be told', error));
    });
  };
}
