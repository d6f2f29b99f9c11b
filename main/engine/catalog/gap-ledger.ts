/**
 * Turns the recorder's outages into gaps with causes (principle 4: every missing second has one). Holds the outages that
 * are still open and knows where footage ended before this life. Pure but for the functions it is handed.
 */
import type { Gap, GapCause } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { WeekSchedule } from '../../../shared/model/recording-mode.ts';
import { type DurationMs, type EpochMs, HOUR_MS, SECOND_MS, type TimeRange } from '../../../shared/time.ts';
import type { StreamKey } from '../ports/ingest.ts';
import { withOffHours } from './off-hours.ts';
import { type DeadTime, explainGap, type ReportedOutage } from './dead-time.ts';

/** When footage came back is known some seconds after it did (recorder/wall-clock.ts). */
const LATE_WORD_MS: DurationMs = 10 * SECOND_MS;

/** An outage that has not ended, or a part of one, as it lies in the life marker. */
export interface OpenOutage extends StreamKey, ReportedOutage {}

export interface GapLedgerStart {
  /** Where the footage of each stream ended before this life. */
  readonly footageEnds: readonly (StreamKey & { readonly endMs: EpochMs })[];
  /** Outages that were open when the last life ended, part by part. */
  readonly openOutages: readonly OpenOutage[];
  /** The time between that life and this one. */
  readonly between: DeadTime;
  /** The hours of the week in which a camera is recorded; null, or not given: all. */
  readonly hoursOf?: (cameraId: CameraId) => WeekSchedule | null;
}

export class GapLedger {
  readonly #footageEnds = new Map<string, EpochMs>();
  /** What is missing, part by part; of streams that had no frame in this life, also what the last life reported. */
  readonly #open = new Map<string, readonly ReportedOutage[]>();
  /** Streams whose pause or the like is over: what the camera does is news again. */
  readonly #released = new Set<string>();
  /** Streams that had a frame in this life: an outage of theirs begins in it. */
  readonly #running = new Set<string>();
  /** Gaps that have ended and have no row yet. */
  readonly #unwritten = new Set<Gap>();
  #deadTimes: DeadTime[];
  readonly #hoursOf: (cameraId: CameraId) => WeekSchedule | null;

  constructor(start: GapLedgerStart) {
    for (const end of start.footageEnds) this.#footageEnds.set(keyOf(end), end.endMs);
    for (const { sinceMs, cause, detail, ...key } of start.openOutages) this.#open.set(keyOf(key), [...this.#parts(key), { sinceMs, cause, detail }]);
    this.#deadTimes = [start.between];
    this.#hoursOf = start.hoursOf ?? (() => null);
  }

  /** The computer slept, or nothing could be recorded for another reason that no stream reports. */
  addDeadTime(time: DeadTime): void {
    this.#deadTimes.push(time);
  }

  /** Footage is on disk up to here: what a later frame with an unknown beginning of its outage is measured from. */
  footageReached(key: StreamKey, endMs: EpochMs): void {
    this.#footageEnds.set(keyOf(key), Math.max(endMs, this.#footageEnds.get(keyOf(key)) ?? Number.NEGATIVE_INFINITY));
  }

  /** An outage begins; or, said again with the same beginning, its cause is known better; or, with a later one, another part of it begins. */
  began({ sinceMs, cause, detail, ...key }: OpenOutage): void {
    const parts = this.#parts(key);
    const last = parts.at(-1);
    // What the owner did explains an outage better than what the camera did because of it.
    if (last !== undefined && OWN_CAUSES.has(last.cause) && !OWN_CAUSES.has(cause) && !this.#released.has(keyOf(key))) return;
    const refines = last !== undefined && (last.cause === cause || sinceMs <= last.sinceMs);
    const said = { sinceMs: refines ? last.sinceMs : sinceMs, cause, detail };
    this.#open.set(keyOf(key), [...(refines ? parts.slice(0, -1) : parts), said]);
    this.#released.delete(keyOf(key));
  }

  /** What the owner did is undone. Footage is missing until it comes, for whatever reason is reported from now on. */
  released(key: StreamKey): void {
    this.#released.add(keyOf(key));
  }

  /**
   * Footage is written again from `atMs` on. Returns the gaps to be written down: none where nothing was missing, several
   * where causes followed each other. They count as open until `written` says that they are in the index.
   */
  ended(key: StreamKey, sinceMs: EpochMs | null, atMs: EpochMs, reported: { readonly cause: GapCause; readonly detail: string } | null): readonly Gap[] {
    const id = keyOf(key);
    // The word that footage came may be late: a pause that began after it came is the next outage.
    const isNext = ({ cause, sinceMs: beganMs }: ReportedOutage): boolean => OWN_CAUSES.has(cause) && beganMs >= atMs && beganMs - atMs < LATE_WORD_MS;
    const parts = this.#parts(key).filter((part) => !isNext(part));
    const next = this.#parts(key).filter(isNext);
    const reachedMs = this.#footageEnds.get(id) ?? null;
    if (next.length > 0) this.#open.set(id, next);
    else {
      this.#open.delete(id);
      this.#released.delete(id);
    }
    this.#footageEnds.set(id, Math.max(atMs, reachedMs ?? atMs));
    // The first frame of a life ends what began with the last footage of an earlier one, whatever was reported since. Where there
    // was no footage before, only what was reported is missing.
    const beganMs = this.#running.has(id) || reachedMs === null ? beginningOf(sinceMs, parts[0]?.sinceMs ?? null, reachedMs) : Math.min(reachedMs, sinceMs ?? reachedMs);
    const fromMs = beganMs === null ? null : afterFootage(beganMs, reachedMs, atMs);
    this.#running.add(id);
    if (fromMs === null || atMs - fromMs < NOT_MISSING_MS) return [];
    const why = parts.length > 0 || reported === null ? parts : [{ sinceMs: fromMs, ...reported }];
    const gaps = this.#explain(key, { startMs: fromMs, endMs: atMs }, why);
    for (const gap of gaps) this.#unwritten.add(gap);
    return gaps;
  }

  /** The index has this gap now. */
  written(gap: Gap): void {
    this.#unwritten.delete(gap);
  }

  /** Outages without an end, part by part, for the life marker. */
  openOutages(): readonly OpenOutage[] {
    return [...this.#open].flatMap(([id, parts]) => parts.map((part) => ({ ...streamOf(id), ...part })));
  }

  /** What is missing and not in the index: outages up to `nowMs`, those of streams not continued since an earlier life too, and gaps on their way to their row. */
  openGaps(nowMs: EpochMs): readonly Gap[] {
    const open = [...this.#open].flatMap(([id, parts]) => {
      const sinceMs = parts[0]?.sinceMs ?? nowMs;
      const startMs = this.#running.has(id) ? sinceMs : Math.min(sinceMs, this.#footageEnds.get(id) ?? nowMs);
      return this.#explain(streamOf(id), { startMs: afterFootage(startMs, this.#footageEnds.get(id) ?? null, nowMs), endMs: nowMs }, parts);
    });
    return [...this.#unwritten, ...open];
  }

  #explain(key: StreamKey, range: TimeRange, reported: readonly ReportedOutage[]): readonly Gap[] {
    return withOffHours(explainGap(key, range, reported, this.#deadTimes), this.#deadTimes, this.#hoursOf(key.cameraId));
  }

  #parts(key: StreamKey): readonly ReportedOutage[] {
    return this.#open.get(keyOf(key)) ?? [];
  }

  /** A camera is gone from the list: nothing of it is missing from now on. */
  forget(cameraId: CameraId): void {
    for (const id of this.#footageEnds.keys()) if (streamOf(id).cameraId === cameraId) this.#running.delete(id);
    for (const id of this.#open.keys()) if (streamOf(id).cameraId === cameraId) this.#open.delete(id);
  }

  /** Dead times that no open outage reaches back to are of no more use. */
  dropOldDeadTimes(nowMs: EpochMs): void {
    const oldestMs = Math.min(nowMs - HOUR_MS, ...this.openOutages().map((outage) => outage.sinceMs));
    const [between, ...others] = this.#deadTimes;
    this.#deadTimes = [...(between === undefined ? [] : [between]), ...others.filter((time) => time.endMs >= oldestMs)];
  }
}

/** Less than this is two segments that touch: the tolerance by which spans are joined (storage/spans.write.ts). */
const NOT_MISSING_MS = 500;

/** When an outage of this life began. One recorder may have ended in it and another begun, which knows of its own time only: then it is what was reported before. */
function beginningOf(sinceMs: EpochMs | null, reportedMs: EpochMs | null, reachedMs: EpochMs | null): EpochMs | null {
  if (sinceMs === null) return reachedMs ?? reportedMs;
  if (reportedMs === null || reportedMs >= sinceMs) return sinceMs;
  return reachedMs !== null && reachedMs <= reportedMs && reportedMs - reachedMs < LATE_WORD_MS ? reachedMs : reportedMs;
}

/** A gap covers no footage: it begins where footage ended, also where that turned out to be later than was thought. What a clock that was set back since has recorded later is no part of it. */
function afterFootage(fromMs: EpochMs, reachedMs: EpochMs | null, untilMs: EpochMs): EpochMs {
  return reachedMs !== null && reachedMs <= untilMs ? Math.max(fromMs, reachedMs) : fromMs;
}

const OWN_CAUSES: ReadonlySet<GapCause> = new Set(['paused-by-you', 'not-scheduled', 'stopped-by-you']);

function keyOf(key: StreamKey): string {
  return `${key.cameraId}/${key.stream}`;
}

function streamOf(id: string): StreamKey {
  const [cameraId, stream] = id.split('/');
  return { cameraId: cameraId as CameraId, stream: stream as StreamKey['stream'] };
}
