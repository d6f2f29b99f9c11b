/** One segment file as the index knows it. The file itself is docs/design/storage.md. */
import type { DurationMs, EpochMs } from '../time.ts';
import type { StreamKind } from './camera.ts';
import type { CameraId, RootId } from './ids.ts';

/** One keyframe of a segment. */
export interface Keyframe {
  /** Where its fragment begins in the file, in bytes. */
  readonly offsetBytes: number;
  /** Bytes from there to the end of the keyframe's own fragment: what must be read to decode this one picture. */
  readonly sizeBytes: number;
  /** Media time of the picture from the start of the file, in milliseconds. */
  readonly mediaMs: DurationMs;
}

/** One closed segment. (session, sequence) orders the segments of a stream; wall time does not. */
export interface Segment {
  readonly cameraId: CameraId;
  readonly stream: StreamKind;
  readonly rootId: RootId;
  /** One ffmpeg life: milliseconds since 1970 at its start, made strictly increasing per stream. */
  readonly session: number;
  /** From 0 within the session. */
  readonly sequence: number;
  /** Wall time in the file's name, whole milliseconds: the start as estimated when the file was opened. */
  readonly nameMs: EpochMs;
  /** Wall time of the first video frame. */
  readonly startMs: EpochMs;
  /** Wall time at which the last video frame ends. */
  readonly endMs: EpochMs;
  readonly sizeBytes: number;
  /** Length of ftyp + moov at the head of the file. */
  readonly initBytes: number;
  readonly videoFrames: number;
  readonly keyframes: readonly Keyframe[];
}

/** Wall time of a media moment: the mapping is linear inside one segment (docs/design/time.md). */
export function wallOfMediaMs(segment: Pick<Segment, 'startMs'>, mediaMs: DurationMs): EpochMs {
  return segment.startMs + mediaMs;
}
