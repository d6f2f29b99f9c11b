/**
 * Turns the recorder's outages into gaps with causes (principle 4: every missing second has one). Holds the outages that
 * are still open and knows where footage ended before this life. Pure but for the functions it is handed.
 */
import type { Gap, GapCause } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { type EpochMs, HOUR_MS } from '../../../shared/time.ts';
import type { StreamKey } from '../ports/ingest.ts';
import { type DeadTime, explainGap, type ReportedOutage } from './dead-time.ts';

/** An outage that has not ended, as it lies in the life marker. */
export interface OpenOutage extends StreamKey, ReportedOutage {}

export interface GapLedgerStart {
  /** Where the footage of each stream ended before this life. */
  readonly footageEnds: readonly (StreamKey & { readonly endMs: EpochMs })[];
  /** Outages that were open when the last life ended. */
  readonly openOutages: readonly OpenOutage[];
  /** The time between that life and this one. */
  readonly between: DeadTime;
}

export class GapLedger {
  readonly #footageEnds = new Map<string, EpochMs>();
  /** Of the last life, until the stream's first frame in this one. */
  readonly #before = new Map<string, ReportedOutage>();
  readonly #open = new Map<string, OpenOutage>();
  /** Streams that had a frame in this life: an outage of theirs begins in it. */
  readonly #running = new Set<string>();
  /** Gaps that have ended and have no row yet. */
  readonly #unwritten = new Set<Gap>();
  #deadTimes: DeadTime[];

  constructor(start: GapLedgerStart) {
    for (const end of start.footageEnds) this.#footageEnds.set(keyOf(end), end.endMs);
    for (const outage of start.openOutages) this.#before.set(keyOf(outage), outage);
    this.#deadTimes = [start.between];
  }

  /** The computer slept, or nothing could be recorded for another reason that no stream reports. */
  addDeadTime(time: DeadTime): void {
    this.#deadTimes.push(time);
  }

  /** Footage is on disk up to here: what a later frame with an unknown beginning of its outage is measured from. */
  footageReached(key: StreamKey, endMs: EpochMs): void {
    this.#footageEnds.set(keyOf(key), Math.max(endMs, this.#footageEnds.get(keyOf(key)) ?? Number.NEGATIVE_INFINITY));
  }

  /** An outage begins, or its cause is known better. The first beginning stays. */
  began(outage: OpenOutage): void {
    const known = this.#open.get(keyOf(outage));
    this.#open.set(keyOf(outage), known === undefined ? outage : { ...outage, sinceMs: Math.min(known.sinceMs, outage.sinceMs), cause: strongerCause(known.cause, outage.cause) });
  }

  /**
   * Footage is written again from `atMs` on. Returns the gaps to be written down: none where nothing was missing, several
   * where causes followed each other. They count as open until `written` says that they are in the index.
   */
  ended(key: StreamKey, sinceMs: EpochMs | null, atMs: EpochMs, reported: { readonly cause: GapCause; readonly detail: string } | null): readonly Gap[] {
    const id = keyOf(key);
    const open = this.#open.get(id) ?? null;
    const before = this.#before.get(id) ?? null;
    const reachedMs = this.#footageEnds.get(id) ?? null;
    this.#open.delete(id);
    this.#before.delete(id);
    this.#footageEnds.set(id, Math.max(atMs, reachedMs ?? atMs));
    // The first frame of a life ends what began with the last footage of an earlier one, whatever was reported since. Where there
    // was no footage before, only what was reported is missing.
    const fromMs = this.#running.has(id) || reachedMs === null ? (sinceMs ?? reachedMs) : Math.min(reachedMs, sinceMs ?? reachedMs);
    this.#running.add(id);
    if (fromMs === null || atMs - fromMs < NOT_MISSING_MS) return [];
    const outage: ReportedOutage | null = open ?? (reported === null ? before : { sinceMs: fromMs, ...reported });
    const gaps = explainGap(key, { startMs: fromMs, endMs: atMs }, outage, this.#deadTimes).flatMap((gap) => this.#withOlderCause(gap, before));
    for (const gap of gaps) this.#unwritten.add(gap);
    return gaps;
  }

  /** The index has this gap now. */
  written(gap: Gap): void {
    this.#unwritten.delete(gap);
  }

  /** The part before this life keeps what was known then: a camera that was offline before the power went was offline. */
  #withOlderCause(gap: Gap, before: ReportedOutage | null): readonly Gap[] {
    const between = this.#deadTimes[0];
    if (before === null || between === undefined || gap.cause !== between.cause || gap.startMs >= between.startMs || before.sinceMs >= between.startMs) return [gap];
    return [{ ...gap, endMs: between.startMs, cause: before.cause, detail: before.detail }, { ...gap, startMs: between.startMs }];
  }

  /** Outages without an end, for the life marker and for the timeline. */
  openOutages(): readonly OpenOutage[] {
    return [...this.#open.values(), ...[...this.#before].flatMap(([id, outage]) => (this.#open.has(id) ? [] : [{ ...streamOf(id), ...outage }]))];
  }

  /** What is missing and not in the index: outages up to `nowMs`, those of streams not continued since an earlier life too, and gaps on their way to their row. */
  openGaps(nowMs: EpochMs): readonly Gap[] {
    const open = [...new Set([...this.#open.keys(), ...this.#before.keys()])].flatMap((id) => {
      const outage = this.#open.get(id) ?? this.#before.get(id) ?? null;
      const reachedMs = this.#footageEnds.get(id);
      const startMs = this.#running.has(id) ? (outage?.sinceMs ?? nowMs) : Math.min(outage?.sinceMs ?? nowMs, reachedMs ?? nowMs);
      return explainGap(streamOf(id), { startMs, endMs: nowMs }, outage, this.#deadTimes);
    });
    return [...this.#unwritten, ...open];
  }

  /** A camera is gone from the list: nothing of it is missing from now on. */
  forget(cameraId: CameraId): void {
    for (const id of this.#footageEnds.keys()) if (streamOf(id).cameraId === cameraId) this.#running.delete(id);
    for (const map of [this.#open, this.#before]) for (const id of map.keys()) if (streamOf(id).cameraId === cameraId) map.delete(id);
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

/** What the owner did explains an outage better than what the camera did because of it. */
const OWN_CAUSES: ReadonlySet<GapCause> = new Set(['paused-by-you', 'not-scheduled', 'stopped-by-you']);

function strongerCause(known: GapCause, said: GapCause): GapCause {
  return OWN_CAUSES.has(known) ? known : said;
}

function keyOf(key: StreamKey): string {
  return `${key.cameraId}/${key.stream}`;
}

function streamOf(id: string): StreamKey {
  const [cameraId, stream] = id.split('/');
  return { cameraId: cameraId as CameraId, stream: stream as StreamKey['stream'] };
}
