/** Owns the verdict on a round: what was lost and for how long, whether each missing second has its cause, what was left behind. Pure but for what it is given. */
import type { GapCause } from '../../shared/model/gap.ts';
import type { CameraTimeline } from '../../shared/model/timeline.ts';
import type { DurationMs, EpochMs, TimeRange } from '../../shared/time.ts';
import { FRAME_MS, KEYFRAME_MS } from './cameras-main.ts';
import { type FaultMade, GAP_NEEDED_MS } from './fault-kind.ts';
import type { Holdings } from './processes.ts';
import { recordedBounds, type SentPicture, type StreamTruth } from './truth.ts';

/** Until the next recorded picture after a crash (DESIGN.md, I4). */
export const OUTAGE_BOUND_MS: DurationMs = 3_000 + KEYFRAME_MS;
/** On a machine that is busier than this share, how long a start takes says nothing of Porchlight; what is lost does. */
export const BUSY_SHARE = 0.8;
/** An orderly stop asks every ffmpeg for what it still holds. */
const STOP_LOSS_MS: DurationMs = 1_000;
/** The timeline's edges are where pictures begin and end; estimates of wall time are right to 200 ms (docs/design/time.md). */
const EDGE_MS: DurationMs = 500;

export interface StreamVerdict {
  readonly camera: number;
  /** From the first lost picture to the last that had been sent before the fault. */
  readonly lostMs: DurationMs;
  /** From the fault to the next recorded picture; null where the camera noticed nothing, or nothing died. */
  readonly outageMs: DurationMs | null;
  readonly violations: readonly string[];
}

/** Judges one stream by its pictures. `stoppedMs`: when the product was asked to end. */
export function judgePictures(truth: StreamTruth, fault: FaultMade, stoppedMs: EpochMs, busyShare: number): StreamVerdict {
  const name = `camera ${truth.camera}`;
  const violations = truth.problems.map((problem) => `${name}: ${problem}`);
  let bounds: readonly [number, number];
  try {
    bounds = recordedBounds(truth);
  } catch (error) {
    return { camera: truth.camera, lostMs: 0, outageMs: null, violations: [...violations, error instanceof Error ? error.message : String(error)] };
  }
  const met = fault.cameras === null || fault.cameras.includes(truth.camera);
  const [first, last] = bounds;
  const missing = truth.pictures.slice(first, last + 1).filter((picture) => !picture.recorded);
  const back = truth.pictures.find((picture) => picture.recorded && picture.sentMs >= fault.healedMs);
  if (back === undefined) return { camera: truth.camera, lostMs: 0, outageMs: null, violations: [...violations, `${name}: no picture was recorded after the fault`] };
  const before = missing.find((picture) => picture.sentMs < fault.faultMs);
  const arrived = truth.pictures.findLast((picture) => picture.sentMs < fault.faultMs);
  const lostMs = before === undefined || arrived === undefined ? 0 : arrived.sentMs - before.sentMs + FRAME_MS;
  const bound = met ? fault.lossBoundMs : 0;
  if (lostMs > bound) violations.push(`${name}: ${Math.round(lostMs)} ms of pictures were lost that had come before the fault (at most ${bound})`);
  const after = missing.filter((picture) => picture.sentMs >= (met && fault.causes.length > 0 ? back.sentMs : fault.faultMs));
  if (after.length > 0) violations.push(`${name}: ${after.length} pictures are missing ${met ? 'after recording was back' : 'though the fault was elsewhere'}, the first ${Math.round((after[0]?.sentMs ?? 0) - fault.faultMs)} ms after the fault`);
  const tailMs = stoppedMs - (truth.pictures[last]?.sentMs ?? 0);
  if (tailMs > STOP_LOSS_MS + FRAME_MS && (truth.pictures[last + 1]?.sentMs ?? Number.POSITIVE_INFINITY) < stoppedMs - STOP_LOSS_MS) violations.push(`${name}: an orderly stop lost ${Math.round(tailMs)} ms`);
  const outageMs = fault.crash && met ? back.sentMs - fault.faultMs : null;
  if (outageMs !== null && outageMs > OUTAGE_BOUND_MS && busyShare < BUSY_SHARE) violations.push(`${name}: recorded again after ${Math.round(outageMs)} ms (at most ${OUTAGE_BOUND_MS})`);
  return { camera: truth.camera, lostMs, outageMs, violations };
}

/** Stretches of real time in which nothing was recorded, between the first and the last recorded picture. */
export function holesOf(pictures: readonly SentPicture[]): readonly TimeRange[] {
  const recorded = pictures.filter((picture) => picture.recorded);
  return recorded.slice(1).flatMap((picture, index) => {
    const startMs = (recorded[index]?.capturedMs ?? 0) + FRAME_MS;
    return picture.capturedMs - startMs > GAP_NEEDED_MS ? [{ startMs, endMs: picture.capturedMs }] : [];
  });
}

/** Judges what the product tells of a stream against the pictures: each hole is a gap, with a cause of this fault. */
export function judgeTimeline(truth: StreamTruth, timeline: CameraTimeline, fault: FaultMade): readonly string[] {
  const name = `camera ${truth.camera}`;
  const violations: string[] = [];
  const aheadMs = fault.clockAheadMs === undefined ? 0 : fault.clockAheadMs;
  const met = fault.cameras === null || fault.cameras.includes(truth.camera);
  const allowed: readonly GapCause[] = met ? fault.causes : [];
  violations.push(...untold(timeline).map((hole) => `${name}: ${Math.round(hole.endMs - hole.startMs)} ms of the timeline are neither footage nor a gap`));
  if (aheadMs === null) return violations;
  const firstMs = truth.pictures.find((picture) => picture.recorded)?.capturedMs ?? 0;
  const gaps = timeline.gaps.filter((gap) => gap.endMs - aheadMs > firstMs + EDGE_MS).map((gap) => ({ ...gap, startMs: gap.startMs - aheadMs, endMs: gap.endMs - aheadMs }));
  for (const gap of gaps) if (!allowed.includes(gap.cause)) violations.push(`${name}: a gap of ${Math.round(gap.endMs - gap.startMs)} ms has the cause ${gap.cause}, not ${allowed.join(' or ') || 'none at all'}`);
  for (const hole of holesOf(truth.pictures)) {
    const inside = gaps.filter((gap) => gap.startMs < hole.endMs && gap.endMs > hole.startMs);
    const toldMs = inside.reduce((sum, gap) => sum + Math.min(gap.endMs, hole.endMs) - Math.max(gap.startMs, hole.startMs), 0);
    if (hole.endMs - hole.startMs - toldMs > 2 * EDGE_MS) violations.push(`${name}: of ${Math.round(hole.endMs - hole.startMs)} ms without a picture the timeline explains ${Math.round(toldMs)}`);
    else if (allowed[0] !== undefined && fault.either !== true && !inside.some((gap) => gap.cause === allowed[0])) violations.push(`${name}: ${Math.round(hole.endMs - hole.startMs)} ms are missing and not called ${allowed[0]}`);
  }
  return violations;
}

/** Where a timeline says nothing, from the oldest footage on: of what a full disk recycled, the gaps may stay. */
function untold({ spans, gaps }: CameraTimeline): readonly TimeRange[] {
  const oldestMs = spans[0]?.startMs ?? 0;
  const told = [...spans, ...gaps].filter(({ endMs }) => endMs >= oldestMs).toSorted((a, b) => a.startMs - b.startMs);
  const holes: TimeRange[] = [];
  let endMs = told[0]?.endMs ?? 0;
  for (const range of told) {
    if (range.startMs - endMs > EDGE_MS) holes.push({ startMs: endMs, endMs: range.startMs });
    endMs = Math.max(endMs, range.endMs);
  }
  return holes;
}

/** Of descriptors there may be no more than before, by a tenth and a few for questions under way; nor of memory, where the process lived through it and was warm before. */
export function judgeHoldings(before: Holdings, after: Holdings, warm: boolean): readonly string[] {
  const violations: string[] = [];
  if (after.descriptors - before.descriptors > Math.max(4, before.descriptors / 10)) violations.push(`the engine held ${before.descriptors} descriptors before and ${after.descriptors} after`);
  if (warm && before.pid === after.pid && after.residentBytes > before.residentBytes * 1.1) violations.push(`the engine held ${megabytes(before.residentBytes)} before and ${megabytes(after.residentBytes)} after`);
  return violations;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
