/** Why footage is missing where nobody could watch: facts about this computer and this program, turned into causes. Pure. */
import type { Gap, GapCause } from '../../../shared/model/gap.ts';
import { type DurationMs, type EpochMs, intersectRanges, SECOND_MS, type TimeRange } from '../../../shared/time.ts';
import type { StreamKey } from '../ports/ingest.ts';
import { sameBoot } from './boot-id.ts';

/** A time in which nothing could be recorded, whatever the cameras did. */
export interface DeadTime extends TimeRange {
  readonly cause: GapCause;
  readonly detail: string;
}

/** How the life before this one went, as its marker tells (life-marker.ts). */
export interface LastLife {
  readonly bootId: string;
  /** When it last said that it lives. */
  readonly aliveMs: EpochMs;
  /** Set by an orderly stop. */
  readonly stopped: { readonly atMs: EpochMs; readonly reason: StopReason } | null;
}

/** `computer`: the system is shutting down or the user logs out. */
export type StopReason = 'owner' | 'computer';

/** Connecting takes a while after a computer woke or a program started: a remainder this short has the same cause as what it follows. */
const CONNECTING_MS: DurationMs = 15 * SECOND_MS;

/** The time between two lives, by the facts: boot id and marker. */
export function timeBetweenLives(last: LastLife | null, bootId: string, startedMs: EpochMs): DeadTime {
  const endMs = startedMs;
  if (last === null) return { startMs: Number.NEGATIVE_INFINITY, endMs, cause: 'porchlight-failed', detail: 'Nothing is known of how Porchlight ended before.' };
  const startMs = Math.min(last.stopped?.atMs ?? last.aliveMs, endMs);
  if (last.stopped !== null) {
    return last.stopped.reason === 'owner'
      ? { startMs, endMs, cause: 'stopped-by-you', detail: 'Porchlight was closed.' }
      : { startMs, endMs, cause: 'computer-off', detail: 'The computer was shut down or the user logged out.' };
  }
  return sameBoot(last.bootId, bootId)
    ? { startMs, endMs, cause: 'porchlight-failed', detail: 'Porchlight ended without being closed.' }
    : { startMs, endMs, cause: 'power-lost', detail: 'The computer went off without being shut down.' };
}

/** What the recorder says of an outage. */
export interface ReportedOutage {
  readonly sinceMs: EpochMs;
  readonly cause: GapCause;
  readonly detail: string;
}

/**
 * The gaps that make up one stretch of missing footage: dead times where there are any, the reported cause elsewhere. Times
 * before and between without a report, and short remainders, take the cause of the dead time beside them.
 */
export function explainGap(key: StreamKey, range: TimeRange, reported: ReportedOutage | null, deadTimes: readonly DeadTime[]): readonly Gap[] {
  if (range.endMs <= range.startMs) return [];
  const dead = deadTimes.flatMap((time) => {
    const part = intersectRanges(time, range);
    return part === null ? [] : [{ ...part, cause: time.cause, detail: time.detail }];
  });
  if (dead.length === 0) return [gap(key, range, reported ?? UNREPORTED)];
  const pieces: DeadTime[] = [];
  for (const time of dead.toSorted((a, b) => a.startMs - b.startMs)) {
    const cursorMs = pieces.at(-1)?.endMs ?? range.startMs;
    if (time.endMs <= cursorMs) continue;
    const startMs = Math.max(time.startMs, cursorMs);
    // Without a report, what lies before a dead time is the last footage's way to the disk, cut off by the same fault.
    if (startMs - cursorMs > CONNECTING_MS && reported !== null && reported.sinceMs < startMs) pieces.push({ startMs: cursorMs, endMs: startMs, cause: reported.cause, detail: reported.detail }, { ...time, startMs });
    else pieces.push({ ...time, startMs: cursorMs });
  }
  const last = pieces.at(-1);
  if (last === undefined) return [gap(key, range, reported ?? UNREPORTED)];
  if (range.endMs > last.endMs) {
    if (reported !== null && range.endMs - last.endMs > CONNECTING_MS) pieces.push({ startMs: last.endMs, endMs: range.endMs, cause: reported.cause, detail: reported.detail });
    else pieces[pieces.length - 1] = { ...last, endMs: range.endMs };
  }
  return pieces.map((piece) => gap(key, piece, piece));
}

/** Footage ended and nobody said why: the recorder reports every outage it sees, so the program itself is to blame. */
const UNREPORTED = { cause: 'porchlight-failed', detail: 'Porchlight did not record and did not note why.' } as const;

function gap(key: StreamKey, range: TimeRange, why: { readonly cause: GapCause; readonly detail: string }): Gap {
  return { cameraId: key.cameraId, stream: key.stream, startMs: range.startMs, endMs: range.endMs, cause: why.cause, detail: why.detail };
}

/** Clocks at one moment. The boot-time clock goes on while the computer sleeps; the monotonic one, on most systems, does not. */
export interface ClockReading {
  readonly wallMs: EpochMs;
  readonly monotonicMs: DurationMs;
  readonly bootMs: DurationMs;
}

/** A difference between clocks below this is jitter of reading them. */
const SLEEP_AT_LEAST_MS = 2 * SECOND_MS;

/**
 * The sleep between two readings taken `periodMs` apart, or null. Told from a set clock, which moves the wall alone, and
 * from a program that was merely slow, which moves all three. Windows' monotonic clock goes on in sleep: there, only a
 * silence far longer than the period can be told, and it is taken for sleep.
 */
export function sleepBetween(before: ClockReading, after: ClockReading, periodMs: DurationMs, monotonicStopsInSleep: boolean): TimeRange | null {
  const bootMs = after.bootMs - before.bootMs;
  const awakeMs = monotonicStopsInSleep ? after.monotonicMs - before.monotonicMs : periodMs;
  const sleptMs = bootMs - awakeMs;
  if (sleptMs < (monotonicStopsInSleep ? SLEEP_AT_LEAST_MS : 10 * periodMs)) return null;
  return { startMs: after.wallMs - sleptMs, endMs: after.wallMs };
}
