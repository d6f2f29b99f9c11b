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

/** `computer`: the system is shutting down or the user logs out. `orphaned`: the program that had started the engine was gone. */
export type StopReason = 'owner' | 'computer' | 'orphaned';

export function isStopReason(text: unknown): text is StopReason {
  return typeof text === 'string' && Object.hasOwn(STOPPED, text);
}

const STOPPED: Readonly<Record<StopReason, Pick<DeadTime, 'cause' | 'detail'>>> = {
  owner: { cause: 'stopped-by-you', detail: 'Porchlight was closed.' },
  computer: { cause: 'computer-off', detail: 'The computer was shut down or the user logged out.' },
  orphaned: { cause: 'porchlight-failed', detail: 'The program that kept Porchlight running ended without closing it.' },
};

/** Connecting takes a while after a computer woke or a program started: a remainder this short has the same cause as what it follows. */
const CONNECTING_MS: DurationMs = 15 * SECOND_MS;

/** The time between two lives, by the facts: boot id and marker. */
export function timeBetweenLives(last: LastLife | null, bootId: string, startedMs: EpochMs): DeadTime {
  const endMs = startedMs;
  if (last === null) return { startMs: Number.NEGATIVE_INFINITY, endMs, cause: 'porchlight-failed', detail: 'Nothing is known of how Porchlight ended before.' };
  const startMs = Math.min(last.stopped?.atMs ?? last.aliveMs, endMs);
  if (last.stopped !== null) return { startMs, endMs, ...STOPPED[last.stopped.reason] };
  return sameBoot(last.bootId, bootId)
    ? { startMs, endMs, cause: 'porchlight-failed', detail: 'Porchlight ended without being closed.' }
    : { startMs, endMs, cause: 'power-lost', detail: 'The computer went off without being shut down.' };
}

/** What the recorder says of an outage, or of a part of one: from here on it was this. */
export interface ReportedOutage {
  readonly sinceMs: EpochMs;
  readonly cause: GapCause;
  readonly detail: string;
}

/** A stretch of missing footage with one reason. */
type Piece = DeadTime;

/** A part this short between others is the way from one to the next: a connection that ends before the next attempt says why. */
const SHORT_PART_MS: DurationMs = 5 * SECOND_MS;

/**
 * The gaps that make up one stretch of missing footage: dead times where there are any, what was reported elsewhere, part
 * by part. Times without a report, and a camera that takes its seconds to connect, take the cause of the dead time beside
 * them. `reported`: in order; each holds until the next begins.
 */
export function explainGap(key: StreamKey, range: TimeRange, reported: readonly ReportedOutage[], deadTimes: readonly DeadTime[]): readonly Gap[] {
  if (range.endMs <= range.startMs) return [];
  const dead = apart(deadTimes, range);
  const pieces: Piece[] = [];
  for (let index = 0; index <= dead.length; index += 1) {
    const [before, after] = [dead[index - 1], dead[index]];
    const hole = { startMs: before?.endMs ?? range.startMs, endMs: after?.startMs ?? range.endMs };
    const parts = partsOf(hole, reported);
    const absorbed = (before ?? after) !== undefined && (parts.length === 0 || (hole.endMs - hole.startMs <= CONNECTING_MS && parts.every((part) => OF_THE_CAMERA.has(part.cause))));
    if (!absorbed) pieces.push(...(parts.length === 0 && hole.endMs > hole.startMs ? [{ ...hole, ...UNREPORTED }] : parts));
    // What lies before a dead time is the last footage's way to the disk, cut off by the same fault; what lies after it, connecting.
    else if (after === undefined) pieces.push(...pieces.splice(-1).map((last) => ({ ...last, endMs: hole.endMs })));
    if (after !== undefined) pieces.push(absorbed ? { ...after, startMs: hole.startMs } : after);
  }
  return pieces.map(({ startMs, endMs, cause, detail }) => ({ cameraId: key.cameraId, stream: key.stream, startMs, endMs, cause, detail }));
}

/** The dead times within a range, in order; of two at one moment, the one that began first. */
function apart(deadTimes: readonly DeadTime[], range: TimeRange): readonly Piece[] {
  const pieces: Piece[] = [];
  for (const time of deadTimes.toSorted((a, b) => a.startMs - b.startMs)) {
    const part = intersectRanges(time, { startMs: pieces.at(-1)?.endMs ?? range.startMs, endMs: range.endMs });
    if (part !== null) pieces.push({ ...part, cause: time.cause, detail: time.detail });
  }
  return pieces;
}

/** What was reported of a hole between dead times. The first report reaches back to its beginning. */
function partsOf(hole: TimeRange, reported: readonly ReportedOutage[]): readonly Piece[] {
  const pieces: Piece[] = [];
  reported.forEach(({ sinceMs, cause, detail }, index) => {
    const endMs = Math.min(hole.endMs, reported[index + 1]?.sinceMs ?? hole.endMs);
    const startMs = pieces.at(-1)?.endMs ?? hole.startMs;
    if (sinceMs >= hole.endMs || endMs <= startMs) return;
    const last = pieces.at(-1);
    if (last?.cause === cause) pieces[pieces.length - 1] = { ...last, endMs, detail };
    else pieces.push({ startMs, endMs, cause, detail });
  });
  return withoutMoments(pieces);
}

/** Gives short parts to their neighbour: the one before, or the one after where there is none. */
function withoutMoments(parts: readonly Piece[]): readonly Piece[] {
  const kept: Piece[] = [];
  for (const part of parts) {
    const last = kept.at(-1);
    if (last === undefined) kept.push(part);
    else if (part.endMs - part.startMs < SHORT_PART_MS || last.cause === part.cause) kept[kept.length - 1] = { ...last, endMs: part.endMs };
    else if (last.endMs - last.startMs < SHORT_PART_MS) kept[kept.length - 1] = { ...part, startMs: last.startMs };
    else kept.push(part);
  }
  return kept;
}

/** What lies with the camera or the way to it. */
export const OF_THE_CAMERA: ReadonlySet<GapCause> = new Set(['camera-unreachable', 'camera-refused', 'stream-stalled']);

/** Footage ended and nobody said why: the recorder reports every outage it sees, so the program itself is to blame. */
const UNREPORTED = { cause: 'porchlight-failed', detail: 'Porchlight did not record and did not note why.' } as const;

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
