/** Footage of cameras that are not on the list: of a disk that came from another computer, or of a camera that was removed. */
import type { EpochMs } from '../time.ts';
import type { CameraId } from './ids.ts';

export interface CameraElsewhere {
  readonly cameraId: CameraId;
  /** As its disk has it; null where that does not say. */
  readonly name: string | null;
  /** It was removed from the list here, and can be restored. */
  readonly removed: boolean;
  readonly usedBytes: number;
  /** First and last moment of its footage. */
  readonly oldestMs: EpochMs;
  readonly newestMs: EpochMs;
}
