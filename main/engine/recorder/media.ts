/** What one session yields, as the parts of the recorder hand it to each other. */
import type { InitSegment, InitTrack } from '../../../shared/media/init.ts';
import type { DurationMs, EpochMs } from '../../../shared/time.ts';

/** The parameters of everything that follows until the next one. */
export interface SessionInit {
  /** Unique within the ingest thread's life. */
  readonly initId: number;
  /** ftyp + moov. */
  readonly bytes: Uint8Array;
  readonly init: InitSegment;
  readonly video: InitTrack;
  readonly audio: InitTrack | null;
}

/** One whole moof + mdat. Its bytes are shared and never changed. Media times are of the session. */
export interface SessionFragment {
  readonly init: SessionInit;
  readonly bytes: Uint8Array;
  readonly video: boolean;
  /** It starts with a keyframe (video only). */
  readonly keyframe: boolean;
  readonly frames: number;
  /** Decode time of the first sample, in the track's ticks. */
  readonly baseTicks: number;
  /** Presentation time at which the last sample ends, in the track's ticks. */
  readonly endTicks: number;
  /** Presentation time of the first sample, and of the end of the last one. */
  readonly startMediaMs: DurationMs;
  readonly endMediaMs: DurationMs;
  /** Wall time of `startMediaMs` by the best estimate of now. */
  readonly wallMs: EpochMs;
}
