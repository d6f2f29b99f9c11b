/** When a segment ends: pure (docs/design/recording.md, "The life of a stream"). */
import { type DurationMs, type EpochMs, MINUTE_MS } from '../../../shared/time.ts';

/** A camera with a keyframe each ten seconds and the stagger still gives a first segment worth its file. */
const SHORTEST_MS: DurationMs = 5_000;
/** A bitrate gone mad must not make files no player opens comfortably. */
const LARGEST_BYTES = 1024 * 1024 * 1024;

export interface OpenSegmentFacts {
  readonly startMs: EpochMs;
  readonly sizeBytes: number;
}

/** Whether the keyframe at `keyframeMs` begins a new segment: the first after the stream's own second of the minute. */
export function rotatesAt(open: OpenSegmentFacts, keyframeMs: EpochMs, rotationOffsetMs: DurationMs): boolean {
  if (open.sizeBytes >= LARGEST_BYTES) return true;
  if (keyframeMs - open.startMs < SHORTEST_MS) return false;
  const minuteOf = (ms: EpochMs): number => Math.floor((ms - rotationOffsetMs) / MINUTE_MS);
  return minuteOf(keyframeMs) > minuteOf(open.startMs);
}
