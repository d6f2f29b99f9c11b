/** Disks, rules and what they add up to. */
import type { EpochMs } from '../time.ts';
import type { CameraId, RootId } from './ids.ts';
import type { BrokenRule } from './storage-rules.ts';

export type RootState = 'ready' | 'missing' | 'wrong-disk' | 'read-only' | 'full' | 'failing';

export interface RootSummary {
  readonly rootId: RootId;
  readonly path: string;
  readonly state: RootState;
  /** One sentence when `state` is not ready. */
  readonly problem: string | null;
  /** Bytes of footage and previews here. */
  readonly usedBytes: number;
  /** Size and free space of the whole disk. */
  readonly diskBytes: number;
  readonly freeBytes: number;
  readonly quotaBytes: number | null;
  readonly keepFreeBytes: number;
  /** Days of all cameras' footage that fit here at today's rate; null while there is no rate yet. */
  readonly forecastDays: number | null;
}

export interface CameraStorage {
  readonly cameraId: CameraId;
  readonly usedBytes: number;
  readonly bytesPerDay: number;
  readonly oldestMs: EpochMs | null;
  /** Days that fit at today's rate; null while there is no rate yet. */
  readonly forecastDays: number | null;
  readonly minAgeDays: number | null;
  readonly maxAgeDays: number | null;
}

export interface StorageSummary {
  readonly roots: readonly RootSummary[];
  readonly cameras: readonly CameraStorage[];
  readonly maxAgeDays: number | null;
  readonly bytesPerDay: number;
  readonly oldestMs: EpochMs | null;
  readonly forecastDays: number | null;
  /** Rules that could not be kept lately. */
  readonly broken: readonly BrokenRule[];
}

export type { StorageRules } from './storage-rules.ts';
