/** When a camera is recorded: always, around events, and in which hours of the week (docs/design/recording.md, "When it is recorded"). */
import { type DurationMs, type EpochMs, MINUTE_MS, SECOND_MS } from '../time.ts';

export const RECORDING_KINDS = ['continuous', 'events'] as const;
export type RecordingKind = (typeof RECORDING_KINDS)[number];

/** Part of a local day, in minutes since its midnight as the clock on the wall shows them; `endMinute` is not part of it. */
export interface MinuteRange {
  readonly startMinute: number;
  readonly endMinute: number;
}

export const DAY_MINUTES = 1_440;
export const WEEK_DAYS = 7;

/** The hours of the week in which footage is wanted. */
export interface WeekSchedule {
  /** IANA name: the place whose clock and calendar are meant. */
  readonly timeZone: string;
  /** Seven days, Monday first; of each its ranges in order, none of which touch. A day without any is not recorded. */
  readonly days: readonly (readonly MinuteRange[])[];
}

export interface RecordingMode {
  readonly kind: RecordingKind;
  /** What is kept from before an event, and from after its end. Of no effect while `kind` is `continuous`. */
  readonly preRollMs: DurationMs;
  readonly postRollMs: DurationMs;
  /** Null: at all hours. */
  readonly schedule: WeekSchedule | null;
}

export const MAX_PRE_ROLL_MS: DurationMs = MINUTE_MS;
export const MAX_POST_ROLL_MS: DurationMs = 10 * MINUTE_MS;

export const ALWAYS: RecordingMode = { kind: 'continuous', preRollMs: 10 * SECOND_MS, postRollMs: 30 * SECOND_MS, schedule: null };

/** What is kept of a camera at the moment, for its tile and its page. */
export type Keeping =
  | { readonly kind: 'everything' }
  /** Of a camera recorded on events; `untilMs` is set while one goes on (with what is kept after it). */
  | { readonly kind: 'events'; readonly untilMs: EpochMs | null }
  /** Outside its hours; until when, null where the schedule has no hours at all. */
  | { readonly kind: 'not-scheduled'; readonly untilMs: EpochMs | null };

/** The bytes that went from a camera into the recorder on one stream, and whether a connection is open now. */
export interface ReceivedBytes {
  /** Since the engine's start, over all connections; of the media itself, without the network's wrapping. */
  readonly receivedBytes: number;
  readonly connected: boolean;
}

/** The same ranges in order, touching ones joined, none outside the day. */
export function tidyRanges(ranges: readonly MinuteRange[]): readonly MinuteRange[] {
  const kept: { startMinute: number; endMinute: number }[] = [];
  const inDay = ranges.map(({ startMinute, endMinute }) => ({ startMinute: Math.max(0, startMinute), endMinute: Math.min(DAY_MINUTES, endMinute) }));
  for (const range of inDay.filter((one) => one.endMinute > one.startMinute).sort((a, b) => a.startMinute - b.startMinute)) {
    const last = kept.at(-1);
    if (last !== undefined && range.startMinute <= last.endMinute) last.endMinute = Math.max(last.endMinute, range.endMinute);
    else kept.push({ ...range });
  }
  return kept;
}
