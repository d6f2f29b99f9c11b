/** How good and how frequent a camera's previews are, so that an hour of them stays within one percent of its footage: pure (docs/design/previews.md, "Size"). */
import type { DurationMs } from '../../../shared/time.ts';
import { RECORD_HEADER_BYTES } from '../storage/preview-record.ts';

/** A preview of every camera every two seconds, as far as its keyframes allow. */
export const PREVIEW_STEP_MS: DurationMs = 2_000;
const SHARE_OF_FOOTAGE = 0.01;
/** Aimed below the share, for what the scene does next. */
const AIM = 0.85;
/** ffmpeg's scale for MJPEG, 2 best to 31: better than 5 shows nothing more at 320 pixels, worse than 22 is blocks. */
const BEST_QUALITY = 5;
const WORST_QUALITY = 22;
/** A camera whose rate is not known yet: 2 Mbit/s. */
const ASSUMED_BYTES_PER_SECOND = 250_000;
/** Never rarer than this, whatever the budget. */
const LONGEST_STEP_MS = 60_000;

export interface PreviewPace {
  /** ffmpeg's -q:v. */
  readonly quality: number;
  /** At most one preview in each step of wall time. */
  readonly stepMs: DurationMs;
}

export const FIRST_PACE: PreviewPace = { quality: 9, stepMs: PREVIEW_STEP_MS };

/** The pace for the next batch, from the mean JPEG size of the last one in bytes and the rate of the camera's footage (null while unknown). */
export function nextPace(pace: PreviewPace, meanJpegBytes: number, footageBytesPerSecond: number | null): PreviewPace {
  const bytesPerMs = ((footageBytesPerSecond ?? ASSUMED_BYTES_PER_SECOND) * SHARE_OF_FOOTAGE * AIM) / 1000;
  const recordBytes = meanJpegBytes + RECORD_HEADER_BYTES;
  const wantedBytes = bytesPerMs * PREVIEW_STEP_MS;
  // Sizes fall a little slower than the scale rises; the plain ratio settles within a few batches, at most doubling or halving in one.
  const quality = clamp(Math.ceil(pace.quality * (recordBytes / wantedBytes)), Math.floor(pace.quality / 2), pace.quality * 2);
  const settled = clamp(quality, BEST_QUALITY, WORST_QUALITY);
  if (settled < WORST_QUALITY || pace.quality < WORST_QUALITY || recordBytes <= wantedBytes) return { quality: settled, stepMs: PREVIEW_STEP_MS };
  return { quality: settled, stepMs: clamp(Math.ceil(recordBytes / bytesPerMs), PREVIEW_STEP_MS, LONGEST_STEP_MS) };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
