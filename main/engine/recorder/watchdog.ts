/** Whether a session still deserves trust: a pure function of what arrived and the time (R4). */
import type { DurationMs } from '../../../shared/time.ts';

/** Connecting, the camera's first keyframe (up to ten seconds on some), and a slow start of ffmpeg. */
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
}

export type WatchdogVerdict = 'fine' | 'never-started' | 'stalled' | 'no-keyframes';

/** What to make of the silence. */
export function judge(facts: WatchdogFacts, nowMs: DurationMs): WatchdogVerdict {
  if (facts.lastVideoMs === null) return nowMs - facts.startedMs > START_GRACE_MS ? 'never-started' : 'fine';
  if (nowMs - facts.lastVideoMs > stallLimitMs(facts)) return 'stalled';
  const keyframeSince = facts.lastKeyframeMs ?? facts.startedMs;
  const keyframeLimitMs = Math.max(60_000, 4 * (facts.keyframeDistanceMs ?? 0));
  return nowMs - keyframeSince > keyframeLimitMs ? 'no-keyframes' : 'fine';
}

/** Five frames of patience, and twice the longest pause the camera has shown (smart codecs pause on still scenes). */
export function stallLimitMs(facts: Pick<WatchdogFacts, 'frameIntervalMs' | 'longestIntervalMs'>): DurationMs {
  return Math.min(STALL_CEILING_MS, Math.max(STALL_FLOOR_MS, 5 * facts.frameIntervalMs, 2 * facts.longestIntervalMs));
}
