/** Which disk footage goes to, in a set-up that is taken along: the choice, the order of the disks, and each camera's disk. Disks stay with their computer, so those that are not here are named. */
import { COMMANDS } from '../../../shared/contract/engine-api.ts';
import { type CameraId, isCameraId, isRootId, type RootId } from '../../../shared/model/ids.ts';
import type { Placement, PlacementMode } from '../../../shared/model/placement.ts';
import type { SetupChange } from '../../../shared/model/setup.ts';
import type { Homes } from '../storage/placement.ts';
import type { RootPlace } from '../storage/root-list.ts';
import { notOfThisPart, type SetupPart } from './setup-parts.ts';

/** The disks in use in the owner's order, and how footage is placed on them. */
export interface PlacementSetup {
  readonly placement: Placement;
  readonly disks: readonly RootPlace[];
  readonly homes: Homes;
}

export interface PlacementCarrier {
  setup(): PlacementSetup;
  /** Bytes of footage that would move from disk to disk then, and do not have to now. */
  movingBytes(placement: Placement, order: readonly RootId[]): Promise<number>;
  /** Durable when it resolves. */
  take(placement: Placement, order: readonly RootId[], homes: Homes): Promise<void>;
}

const MODE_WORDS: Readonly<Record<PlacementMode, string>> = { tiers: 'one after the other', spread: 'cameras side by side' };
const BYTES_PER_GB = 1e9;

export function placementPart(carrier: PlacementCarrier): SetupPart {
  return {
    name: 'placement',
    collect: async () => {
      const { placement, disks, homes } = carrier.setup();
      return { ...placement, disks: disks.map(({ rootId, path }) => ({ rootId, path })), homes };
    },
    plan: async (value) => {
      const file = readPart(value);
      const before = carrier.setup();
      const order = takenOrder(before.disks, file.disks);
      const homes = takenHomes(before, file);
      const moving = await carrier.movingBytes(file.placement, order.map(({ rootId }) => rootId));
      const changes = placementChanges(before, { placement: file.placement, disks: order, homes }, moving);
      const put = (setup: PlacementSetup): Promise<void> => carrier.take(setup.placement, setup.disks.map(({ rootId }) => rootId), setup.homes);
      return {
        changes: [...changes, ...missingDisks(before.disks, file.disks)],
        apply: async () => void (changes.length > 0 && (await put({ placement: file.placement, disks: order, homes }))),
        undo: async () => void (changes.length > 0 && (await put(before))),
      };
    },
  };
}

function readPart(value: unknown): PlacementSetup {
  const part = typeof value === 'object' && value !== null ? (value as { readonly disks?: unknown; readonly homes?: unknown }) : {};
  const disks = (Array.isArray(part.disks) ? part.disks : []).filter((disk): disk is RootPlace => typeof disk?.rootId === 'string' && isRootId(disk.rootId) && typeof disk.path === 'string' && disk.path.length <= 4096);
  const parsed = COMMANDS['storage.setPlacement'].input.safeParse({ ...part, order: disks.map(({ rootId }) => rootId) });
  if (!parsed.success || !Array.isArray(part.disks)) throw notOfThisPart('choice of disks');
  const homes = typeof part.homes === 'object' && part.homes !== null ? Object.entries(part.homes) : [];
  return {
    placement: { mode: parsed.data.mode, moveAfterDays: parsed.data.moveAfterDays },
    disks: disks.map(({ rootId, path }) => ({ rootId, path })),
    homes: Object.fromEntries(homes.filter((entry): entry is [CameraId, RootId] => isCameraId(entry[0]) && typeof entry[1] === 'string' && isRootId(entry[1]))) as Homes,
  };
}

/** The disks that are here: those of the file in its order among themselves, those it does not know where they were. Pure. */
function takenOrder(here: readonly RootPlace[], file: readonly RootPlace[]): readonly RootPlace[] {
  const known = file.flatMap(({ rootId }) => here.find((disk) => disk.rootId === rootId) ?? []);
  let next = 0;
  return here.map((disk) => (known.includes(disk) ? (known[next++] ?? disk) : disk));
}

/** Cameras' disks of the file, where those disks are here. */
function takenHomes(before: PlacementSetup, file: PlacementSetup): Homes {
  const isHere = ([, rootId]: readonly [string, RootId]): boolean => before.disks.some((disk) => disk.rootId === rootId);
  return { ...before.homes, ...Object.fromEntries(Object.entries(file.homes).filter(isHere)) };
}

function placementChanges(before: PlacementSetup, after: PlacementSetup, movingBytes: number): readonly SetupChange[] {
  const sentences: string[] = [];
  if (before.placement.mode !== after.placement.mode) sentences.push(`Footage on several disks: “${MODE_WORDS[before.placement.mode]}” becomes “${MODE_WORDS[after.placement.mode]}”.`);
  if (before.placement.moveAfterDays !== after.placement.moveAfterDays) sentences.push(`Footage moves on to the next disk ${after.placement.moveAfterDays === null ? 'when the room is needed' : `after ${after.placement.moveAfterDays} days`}.`);
  const order = after.disks.map(({ path }) => path);
  if (order.join('\n') !== before.disks.map(({ path }) => path).join('\n')) sentences.push(`The disks are used in the order of the file: ${order.join(', then ')}.`);
  const moved = Object.entries(after.homes).filter(([cameraId, rootId]) => before.homes[cameraId as CameraId] !== rootId).length;
  if (moved > 0 && after.placement.mode === 'spread') sentences.push(`${moved === 1 ? '1 camera records' : `${moved} cameras record`} to the disk ${moved === 1 ? 'it has' : 'they have'} in the file.`);
  if (sentences.length > 0 && movingBytes > 0) sentences.push(`Footage that is here then moves between the disks: about ${Math.max(1, Math.round(movingBytes / BYTES_PER_GB))} GB, the oldest first.`);
  return sentences.map((sentence) => ({ kind: 'change', sentence }));
}

function missingDisks(here: readonly RootPlace[], file: readonly RootPlace[]): readonly SetupChange[] {
  return file.filter(({ rootId }) => !here.some((disk) => disk.rootId === rootId)).map(({ path }) => ({ kind: 'keep', sentence: `The disk that was at ${path} is not in use here. If you have it, add it under Storage, and choose its place there.` }));
}
