/** Footage that the owner keeps whatever the rules say (docs/design/storage.md, "Locks"). */
import type { DurationMs, EpochMs, TimeRange } from '../time.ts';
import type { CameraId } from './ids.ts';

/** A range of a camera's time: no footage of it is deleted, of any stream, until the lock is taken off. */
export interface FootageLock extends TimeRange {
  readonly id: string;
  readonly cameraId: CameraId;
  /** What the owner wrote about it; may be empty. */
  readonly note: string;
  readonly createdMs: EpochMs;
}

/** A lock and what it holds. */
export interface LockWithFootage extends FootageLock {
  /** Footage of the main stream inside the range; less than the range where some was never recorded or is deleted. */
  readonly recordedMs: DurationMs;
  /** Bytes of all streams' files that the range touches. */
  readonly sizeBytes: number;
  /** What a person should know, or null: nothing is left to keep, or only part of the time. */
  readonly sentence: string | null;
}
