/** The verdicts of the fault suite, held against footage made by hand: what they must find, and what they must not. */
import { describe, expect, it } from 'vitest';
import type { CameraId } from '../../shared/model/ids.ts';
import type { CameraTimeline } from '../../shared/model/timeline.ts';
import { FRAME_MS } from './cameras-main.ts';
import type { FaultKind, FaultMade } from './fault-kind.ts';
import { holesOf, judgeHoldings, judgePictures, judgeTimeline, OUTAGE_BOUND_MS } from './judge.ts';
import { histogramOf, isSound, makeReport, quantile } from './report.ts';
import { chooseKinds } from './suite.ts';
import { matchInOrder, type StreamTruth } from './truth.ts';

const cameraId = 'cam-aaaaaaaaaaaa' as CameraId;
const START_MS = 1_700_000_000_000;
const FAULT_MS = START_MS + 10_000;
const made: FaultMade = { faultMs: FAULT_MS, healedMs: FAULT_MS, cameras: null, causes: ['porchlight-failed'], lossBoundMs: 1_000, crash: true };

/** Twenty seconds of pictures, of which those from `lostFrom` up to `lostTo` were not recorded; milliseconds from the fault. */
function footage(...lost: readonly (readonly [number, number])[]): StreamTruth {
  const pictures = Array.from({ length: 20_000 / FRAME_MS }, (_, index) => {
    const sentMs = START_MS + index * FRAME_MS;
    const fromFault = sentMs - FAULT_MS;
    return { sentMs, capturedMs: sentMs, recorded: !lost.some(([from, to]) => fromFault >= from && fromFault < to) };
  });
  return { cameraId, camera: 1, pictures, problems: [] };
}

const STOPPED_MS = START_MS + 20_000;
const violations = (truth: StreamTruth, fault = made, busy = 0.1): readonly string[] => judgePictures(truth, fault, STOPPED_MS, busy).violations;

describe('the verdict on pictures', () => {
  it('counts what came before the fault as lost and what came after it as outage', () => {
    expect(judgePictures(footage([-600, 2_000]), made, STOPPED_MS, 0.1)).toEqual({ camera: 1, lostMs: 600, outageMs: 2_000, violations: [] });
  });

  it('finds more than the bound lost, an earlier second, and pictures missing after recording was back', () => {
    expect(violations(footage([-1_100, 2_000]))).toEqual(['camera 1: 1100 ms of pictures were lost that had come before the fault (at most 1000)']);
    expect(violations(footage([-5_000, -4_900], [0, 2_000]))).toEqual(['camera 1: 5000 ms of pictures were lost that had come before the fault (at most 1000)']);
    expect(violations(footage([0, 2_000], [3_000, 3_200]))).toEqual(['camera 1: 2 pictures are missing after recording was back, the first 3000 ms after the fault']);
  });

  it('judges the outage where the machine was free, and reports it where it was not', () => {
    expect(violations(footage([0, OUTAGE_BOUND_MS + FRAME_MS]))).toHaveLength(1);
    expect(violations(footage([0, OUTAGE_BOUND_MS + FRAME_MS]), made, 0.95)).toEqual([]);
  });

  it('allows nothing to a camera that the fault did not meet, and nothing where nothing may be missing', () => {
    expect(violations(footage([-100, 2_000]), { ...made, cameras: [2] })).toHaveLength(2);
    expect(violations(footage([200, 500]), { ...made, causes: [], lossBoundMs: 0 })).toHaveLength(1);
  });

  it('finds that recording never came back, and an orderly stop that lost seconds', () => {
    expect(violations(footage([-100, 10_000]))).toEqual(['camera 1: no picture was recorded after the fault']);
    expect(violations(footage([0, 2_000], [7_000, 10_000]))).toEqual(['camera 1: an orderly stop lost 3100 ms']);
  });
});

describe('the verdict on a timeline', () => {
  const timeline = (more: Partial<CameraTimeline> = {}): CameraTimeline => ({
    cameraId, events: [], spans: [{ startMs: START_MS, endMs: FAULT_MS - 500 }, { startMs: FAULT_MS + 2_000, endMs: STOPPED_MS }],
    gaps: [{ startMs: FAULT_MS - 500, endMs: FAULT_MS + 2_000, cause: 'porchlight-failed', detail: '' }], ...more,
  });
  const truth = footage([-500, 2_000]);

  it('is content when each hole is a gap with the right cause', () => {
    expect(holesOf(truth.pictures)).toEqual([{ startMs: FAULT_MS - 500, endMs: FAULT_MS + 2_000 }]);
    expect(judgeTimeline(truth, timeline(), made)).toEqual([]);
  });

  it('finds a hole without a gap, a wrong cause, and footage that is told and not there', () => {
    expect(judgeTimeline(truth, timeline({ gaps: [] }), made)).toHaveLength(2);
    expect(judgeTimeline(truth, timeline({ gaps: [{ startMs: FAULT_MS - 500, endMs: FAULT_MS + 2_000, cause: 'camera-unreachable', detail: '' }] }), made)).toHaveLength(2);
    expect(judgeTimeline(truth, timeline({ spans: [{ startMs: START_MS, endMs: STOPPED_MS }], gaps: [] }), made)).toEqual(['camera 1: of 2500 ms without a picture the timeline explains 0']);
  });

  it('is that of a clock ahead of ours, where it is', () => {
    const aheadMs = 3_600_000;
    const shift = <T extends { readonly startMs: number; readonly endMs: number }>(ranges: readonly T[]): T[] => ranges.map((range) => ({ ...range, startMs: range.startMs + aheadMs, endMs: range.endMs + aheadMs }));
    const { spans, gaps } = timeline();
    expect(judgeTimeline(truth, timeline({ spans: shift(spans), gaps: shift(gaps) }), { ...made, clockAheadMs: aheadMs })).toEqual([]);
  });
});

describe('the verdict on what is held', () => {
  it('allows a tenth more, of memory only where the process lived on', () => {
    const before = { pid: 1, residentBytes: 100e6, descriptors: 60 };
    expect(judgeHoldings(before, { pid: 1, residentBytes: 109e6, descriptors: 66 }, true)).toEqual([]);
    expect(judgeHoldings(before, { pid: 1, residentBytes: 111e6, descriptors: 67 }, true)).toHaveLength(2);
    expect(judgeHoldings(before, { pid: 2, residentBytes: 150e6, descriptors: 60 }, true)).toEqual([]);
  });
});

describe('recorded numbers among those sent', () => {
  it('are found in order, also when the loop begins again', () => {
    const problems: string[] = [];
    expect(matchInOrder([8, 9, 0, 1, 2, 8, 9, 0], [9, 0, 8, 9, 0], problems)).toEqual([1, 2, 5, 6, 7]);
    expect(problems).toEqual([]);
  });

  it('that come twice, too early or from nowhere are a problem', () => {
    const problems: string[] = [];
    expect(matchInOrder([1, 2, 3, 4], [1, 3, 3, 2, 77, 4], problems)).toEqual([0, 2, 3]);
    expect(problems).toEqual(['3 recorded pictures are twice in the files, out of order, or were never sent']);
  });
});

describe('the report', () => {
  const round = { kind: 'engine killed', family: 'kill', lostMs: [0, 600], outageMs: [2_500], violations: [], orphans: 0, busyShare: 0.5, note: '' };
  const controls = [{ name: 'planted', violations: ['found'] }];

  it('sums up, and is sound only with every control found and nothing else', () => {
    const report = makeReport({ rounds: [round], power: null, realDisk: null, moves: null, controls, skipped: [] }, 7, '');
    expect(report).toMatchObject({ rounds: 1, lostMs: { p50: 0, p99: 600, max: 600 }, outageMs: { p50: 2_500, max: 2_500 }, violations: 0, orphans: 0, controlViolations: 1, seed: 7 });
    expect(isSound(report)).toBe(true);
    expect(isSound(makeReport({ rounds: [round], power: null, realDisk: null, moves: null, controls: [...controls, { name: 'another', violations: [] }], skipped: [] }, 7, ''))).toBe(false);
    expect(isSound(makeReport({ rounds: [round], power: null, realDisk: null, moves: null, controls: [], skipped: [] }, 7, ''))).toBe(false);
    expect(isSound(makeReport({ rounds: [{ ...round, violations: ['something'] }], power: null, realDisk: null, moves: null, controls, skipped: [] }, 7, ''))).toBe(false);
    expect(isSound(makeReport({ rounds: [{ ...round, orphans: 1 }], power: null, realDisk: null, moves: null, controls, skipped: [] }, 7, ''))).toBe(false);
  });

  it('puts each value under one bar', () => {
    const histogram = histogramOf([0, 0, 50, 100, 101, 1_000, 5_000]);
    expect(histogram.reduce((sum, { count }) => sum + count, 0)).toBe(7);
    expect(histogram.filter(({ count }) => count > 0).map(({ upToMs, count }) => [upToMs, count])).toEqual([[0, 2], [100, 2], [200, 1], [1_000, 1], [Number.POSITIVE_INFINITY, 1]]);
    expect([quantile([], 0.5), quantile([3, 1, 2], 0.5), quantile([3, 1, 2], 0.99)]).toEqual([0, 2, 3]);
  });
});

describe('the choice of kinds', () => {
  const kind = (name: string, quick: boolean, weight: number): FaultKind => ({ name, quick, weight, family: 'kill', fresh: false, make: () => Promise.resolve(made) });
  const kinds = [kind('a', true, 3), kind('b', false, 1)];

  it('is the quick ones in the short form, and by weight in the long one, each once where there is room', () => {
    const counter = (): (() => number) => {
      let at = 0;
      return () => (at = (at + 0.37) % 1);
    };
    expect(chooseKinds(kinds, { rounds: null, kind: null }, counter()).map(({ name }) => name)).toEqual(['a']);
    const long = chooseKinds(kinds, { rounds: 400, kind: null }, counter()).map(({ name }) => name);
    expect(long).toHaveLength(400);
    expect(long.slice(0, 2)).toEqual(['a', 'b']);
    expect(long.filter((name) => name === 'a').length).toBeGreaterThan(250);
    expect(long).toEqual(chooseKinds(kinds, { rounds: 400, kind: null }, counter()).map(({ name }) => name));
  });
});
