/** Where footage goes when there are several disks, what is moved between them, and which disks are not here (docs/design/storage.md, "Several disks"). */
import type { EpochMs } from '../time.ts';
import type { RootId } from './ids.ts';

/** `spread`: each camera has a disk of its own choice. `tiers`: all record to the first disk, and the oldest footage moves on to the next. */
export const PLACEMENT_MODES = ['spread', 'tiers'] as const;
export type PlacementMode = (typeof PLACEMENT_MODES)[number];

export interface Placement {
  readonly mode: PlacementMode;
  /** With tiers: footage older than this moves on although there is room; null: only when the room is needed. */
  readonly moveAfterDays: number | null;
}

/** Every disk keeps recording as it did before there were several: the first takes all, the next ones what no longer fits. */
export const DEFAULT_PLACEMENT: Placement = { mode: 'tiers', moveAfterDays: null };

/** What moves from a disk to the next one at the moment. */
export interface MoveProgress {
  readonly fromRootId: RootId;
  readonly toRootId: RootId;
  /** Bytes that still have to move. */
  readonly leftBytes: number;
  /** Measured over the last minute of moving; null while too little has moved. */
  readonly bytesPerSecond: number | null;
  /** Why it does not go on, in a sentence; null while it does. */
  readonly problem: string | null;
}

/** A disk with footage that is not here: pulled, failing, or taken out of use. */
export interface AbsentDisk {
  readonly rootId: RootId;
  /** Where it was last; null where this computer never knew. */
  readonly path: string | null;
  /** Null where this computer never saw it leave. */
  readonly sinceMs: EpochMs | null;
  /** Footage that is on it, by the index. */
  readonly usedBytes: number;
  readonly oldestMs: EpochMs | null;
  /** The owner took it out of use; otherwise it is expected back. */
  readonly removed: boolean;
}

export interface PlacementState extends Placement {
  /** The disks in use in the owner's order, the first for new footage first. */
  readonly order: readonly RootId[];
  readonly moves: readonly MoveProgress[];
  readonly absent: readonly AbsentDisk[];
}
