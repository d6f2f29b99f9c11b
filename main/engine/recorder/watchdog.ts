/** Whether a session still deserves trust: a pure function of what arrived and the time (R4). */
import type { DurationMs } from '../../../shared/time.ts';

/** Connecting, the camera's first keyframe (up to ten seconds on many), and a slow start of ffmpeg. */
export const START_GRACE_MS: DurationMs = 15_000;
/** Longer than the 2 s stall a network may have without anybody noticing, short enough to be back within seconds. */
const STALL_FLOOR_MS: DurationMs = 4_000;
/** No camera that records sends less than a frame in this time. */
const STALL_CEILING_MS: DurationMs = 30_000;

export interface WatchdogFacts {
  /** All times monotonic. */
  readonly startedMs: DurationMs;
  /** When the last whole video fragment came; null before the first. */
  readonly lastVideoMs: DurationMs | null;
  /** Typical distance of two frames, and the longest of the last minute. */
  readonly frameIntervalMs: DurationMs;
  readonly longestIntervalMs: DurationMs;
  /** When the last keyframe came and how far apart they are; null before known. */
  readonly lastKeyframeMs: DurationMs | null;
  readonly keyframeDistanceMs: DurationMs | null;
  /** How many times as long as usual a first picture and the next keyframe are waited for: 1 until waiting was in vain (`PATIENCE`). */
  readonly patience: number;
}

/** Nothing is given out before a keyframe, and some cameras send one a minute, or less than a picture in five seconds: to connect anew at the same moment each time would never see one. */
export const PATIENCE: readonly number[] = [1, 3, 6, 12];

export type WatchdogVerdict = 'fine' | 'never-started' | 'stalled' | 'no-keyframes';

/** What to make of the silence. */
export function judge(facts: WatchdogFacts, nowMs: DurationMs): WatchdogVerdict {
  if (facts.lastVideoMs === null) return nowMs - facts.startedMs > Math.max(facts.patience * START_GRACE_MS, 2 * (facts.keyframeDistanceMs ?? 0)) ? 'never-started' : 'fine';
  if (nowMs - facts.lastVideoMs > stallLimitMs(facts)) return 'stalled';
  const keyframeSince = facts.lastKeyframeMs ?? facts.startedMs;
  const keyframeLimitMs = Math.max(facts.patience * 60_000, 4 * (facts.keyframeDistanceMs ?? 0));
  return nowMs - keyframeSince > keyframeLimitMs ? 'no-keyframes' : 'fine';
}

/** Five frames of patience, and twice the longest pause the camera has shown (smart codecs pause on still scenes). */
export function stallLimitMs(facts: Pick<WatchdogFacts, 'frameIntervalMs' | 'longestIntervalMs'>): DurationMs {
  // After one picture alone nobody knows when the next is due.
  if (facts.longestIntervalMs === 0) return START_GRACE_MS;
  return Math.min(STALL_CEILING_MS, Math.max(STALL_FLOOR_MS, 5 * facts.frameIntervalMs, 2 * facts.longestIntervalMs));
}
