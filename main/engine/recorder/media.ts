/** What one session yields, as the parts of the recorder hand it to each other. */
import type { FragmentHead } from '../../../shared/media/fragment-head.ts';
import type { InitTrack } from '../../../shared/media/init.ts';
import type { DurationMs, EpochMs } from '../../../shared/time.ts';

/** The parameters of everything that follows until the next one. */
export interface SessionInit {
  /** Unique within the ingest thread's life. */
  readonly initId: number;
  /** ftyp + moov. */
  readonly bytes: Uint8Array;
  readonly video: InitTrack;
  readonly audio: InitTrack | null;
}

/** One whole moof + mdat. Media times are of the session. */
export interface SessionFragment {
  readonly init: SessionInit;
  /** Lent: who keeps them copies them before it returns. Never changed. */
  readonly bytes: Uint8Array;
  /** Where what is in the bytes; the same in every copy. */
  readonly head: FragmentHead;
  readonly video: boolean;
  /** It starts with a keyframe (video only). */
  readonly keyframe: boolean;
  /** Presentation time of the first sample, and of the end of the last one. */
  readonly startMediaMs: DurationMs;
  readonly endMediaMs: DurationMs;
  /** Wall time of `startMediaMs` by the best estimate of now. */
  readonly wallMs: EpochMs;
}
