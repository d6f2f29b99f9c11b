import { describe, expect, it } from 'vitest';
import type { CameraId } from '../../../shared/model/ids.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/time.ts';
import { type DeadTime, explainGap, type LastLife, sleepBetween, timeBetweenLives } from './dead-time.ts';
import { GapLedger, type GapLedgerStart } from './gap-ledger.ts';

const key = { cameraId: 'cam-aaaaaaaaaaaa' as CameraId, stream: 'main' } as const;
/** Everything here happens on a day, in milliseconds from its start. */
const START_MS = 6 * HOUR_MS;
const closed: DeadTime = { startMs: START_MS - 2 * HOUR_MS, endMs: START_MS, cause: 'stopped-by-you', detail: 'Porchlight was closed.' };
const ledger = (over: Partial<GapLedgerStart> = {}) => new GapLedger({ footageEnds: [{ ...key, endMs: closed.startMs - 300 }], openOutages: [], between: closed, ...over });
const brief = (gaps: readonly { startMs: number; endMs: number; cause: string }[]) => gaps.map(({ startMs, endMs, cause }) => [startMs, endMs, cause]);
const unreachable = { cause: 'camera-unreachable', detail: 'no answer' } as const;

describe('the time between two lives', () => {
  const last: LastLife = { bootId: 'a', aliveMs: 1_000, stopped: null };
  it.each([
    ['killed', last, 'a', 'porchlight-failed', 1_000],
    ['killed with the computer', last, 'b', 'power-lost', 1_000],
    ['closed by its owner', { ...last, stopped: { atMs: 1_500, reason: 'owner' as const } }, 'a', 'stopped-by-you', 1_500],
    ['closed by its owner before a restart', { ...last, stopped: { atMs: 1_500, reason: 'owner' as const } }, 'b', 'stopped-by-you', 1_500],
    ['closed with the computer', { ...last, stopped: { atMs: 1_500, reason: 'computer' as const } }, 'b', 'computer-off', 1_500],
    ['ended because its supervisor was gone', { ...last, stopped: { atMs: 1_500, reason: 'orphaned' as const } }, 'a', 'porchlight-failed', 1_500],
    ['of a clock that has gone back since', { ...last, aliveMs: 90_000 }, 'a', 'porchlight-failed', 9_000],
    ['in a start of the computer told by its moment', { ...last, bootId: 'booted-100000' }, 'booted-101000', 'porchlight-failed', 1_000],
    ['before another start told by its moment', { ...last, bootId: 'booted-100000' }, 'booted-900000', 'power-lost', 1_000],
  ])('%s', (_, life, bootId, cause, startMs) => {
    expect(timeBetweenLives(life, bootId, 9_000)).toMatchObject({ startMs, endMs: 9_000, cause });
  });

  it('that left no marker has a cause too', () => {
    expect(timeBetweenLives(null, 'a', 9_000)).toMatchObject({ endMs: 9_000, cause: 'porchlight-failed' });
  });
});

describe('sleep', () => {
  const at = (wallMs: number, monotonicMs: number, bootMs: number) => ({ wallMs, monotonicMs, bootMs });
  it.each([
    ['nothing happened', at(5_000, 5_000, 5_000), true, null],
    ['the program was slow', at(65_000, 65_000, 65_000), true, null],
    ['the clock was set forward an hour', at(5_000 + HOUR_MS, 5_000, 5_000), true, null],
    ['the clock was set back an hour', at(5_000 - HOUR_MS, 5_000, 5_000), true, null],
    ['the computer slept an hour', at(5_000 + HOUR_MS, 5_000, 5_000 + HOUR_MS), true, { startMs: 5_000, endMs: 5_000 + HOUR_MS }],
    ['the computer slept where the monotonic clock goes on', at(5_000 + HOUR_MS, 5_000 + HOUR_MS, 5_000 + HOUR_MS), false, { startMs: 5_000, endMs: 5_000 + HOUR_MS }],
    ['the program was slow where the monotonic clock goes on', at(20_000, 20_000, 20_000), false, null],
  ])('%s', (_, after, stops, slept) => {
    expect(sleepBetween(at(0, 0, 0), after, 5_000, stops)).toEqual(slept);
  });
});

describe('a gap', () => {
  const asleep: DeadTime = { startMs: 10_000, endMs: 500_000, cause: 'computer-asleep', detail: '' };
  it('without dead times has the reported cause', () => {
    expect(brief(explainGap(key, { startMs: 0, endMs: 90_000 }, [{ sinceMs: 0, ...unreachable }], []))).toEqual([[0, 90_000, 'camera-unreachable']]);
  });
  it('around a sleep is the sleep, connecting included', () => {
    expect(brief(explainGap(key, { startMs: 9_000, endMs: 508_000 }, [{ sinceMs: 9_000, cause: 'stream-stalled', detail: '' }], [asleep]))).toEqual([[9_000, 508_000, 'computer-asleep']]);
  });
  it('that goes on long after a sleep is the camera from then on', () => {
    expect(brief(explainGap(key, { startMs: 9_000, endMs: 900_000 }, [{ sinceMs: 9_000, ...unreachable }], [asleep]))).toEqual([[9_000, 500_000, 'computer-asleep'], [500_000, 900_000, 'camera-unreachable']]);
  });
  it('that began long before a sleep was the camera until then', () => {
    expect(brief(explainGap(key, { startMs: -90_000, endMs: 505_000 }, [{ sinceMs: -90_000, ...unreachable }], [asleep]))).toEqual([[-90_000, 10_000, 'camera-unreachable'], [10_000, 505_000, 'computer-asleep']]);
  });
  it('over two sleeps close together has no hole', () => {
    const gaps = explainGap(key, { startMs: 0, endMs: 900_000 }, [], [{ ...asleep, startMs: 600_000, endMs: 900_000 }, asleep]);
    expect(brief(gaps)).toEqual([[0, 500_000, 'computer-asleep'], [500_000, 900_000, 'computer-asleep']]);
  });
  it('has a part for each cause, without the moments between them', () => {
    const parts = [{ sinceMs: 200, cause: 'stream-stalled', detail: '' }, { sinceMs: 20_000, ...unreachable }, { sinceMs: 60_000, cause: 'camera-refused', detail: '503' }, { sinceMs: 62_000, cause: 'camera-refused', detail: '401' }] as const;
    expect(brief(explainGap(key, { startMs: 0, endMs: 90_000 }, parts, []))).toEqual([[0, 20_000, 'stream-stalled'], [20_000, 60_000, 'camera-unreachable'], [60_000, 90_000, 'camera-refused']]);
    expect(brief(explainGap(key, { startMs: 19_000, endMs: 62_000 }, parts, []))).toEqual([[19_000, 62_000, 'camera-unreachable']]);
  });
  it('without a disk after a start is the disk at once, while a camera may take its time to connect', () => {
    const off: DeadTime = { startMs: 0, endMs: 50_000, cause: 'stopped-by-you', detail: '' };
    expect(brief(explainGap(key, { startMs: 0, endMs: 58_000 }, [{ sinceMs: 50_100, cause: 'disk-missing', detail: '' }], [off]))).toEqual([[0, 50_000, 'stopped-by-you'], [50_000, 58_000, 'disk-missing']]);
    expect(brief(explainGap(key, { startMs: 0, endMs: 58_000 }, [{ sinceMs: 50_100, ...unreachable }], [off]))).toEqual([[0, 58_000, 'stopped-by-you']]);
  });
});

describe('the ledger', () => {
  it('explains the time before this life when the first frame comes', () => {
    expect(brief(ledger().ended(key, null, START_MS + 4_000, null))).toEqual([[closed.startMs - 300, START_MS + 4_000, 'stopped-by-you']]);
  });

  it('splits it where the camera was away after the start', () => {
    const book = ledger();
    book.began({ ...key, sinceMs: START_MS, ...unreachable });
    expect(brief(book.openGaps(START_MS + 5 * MINUTE_MS))).toEqual([[closed.startMs - 300, START_MS, 'stopped-by-you'], [START_MS, START_MS + 5 * MINUTE_MS, 'camera-unreachable']]);
    const gaps = book.ended(key, START_MS, START_MS + 5 * MINUTE_MS, unreachable);
    expect(brief(gaps)).toEqual([[closed.startMs - 300, START_MS, 'stopped-by-you'], [START_MS, START_MS + 5 * MINUTE_MS, 'camera-unreachable']]);
    // Until its row is durable a gap is told by the ledger.
    expect(book.openGaps(START_MS + 6 * MINUTE_MS)).toEqual(gaps);
    for (const gap of gaps) book.written(gap);
    expect(book.openGaps(START_MS + 6 * MINUTE_MS)).toEqual([]);
  });

  it('remembers a camera that was away before this life', () => {
    const sinceMs = closed.startMs - HOUR_MS;
    const book = ledger({ footageEnds: [{ ...key, endMs: sinceMs }], openOutages: [{ ...key, sinceMs, ...unreachable }] });
    expect(brief(book.openGaps(START_MS + 1_000))).toEqual([[sinceMs, closed.startMs, 'camera-unreachable'], [closed.startMs, START_MS + 1_000, 'stopped-by-you']]);
    expect(brief(book.ended(key, null, START_MS + 4_000, null))).toEqual([[sinceMs, closed.startMs, 'camera-unreachable'], [closed.startMs, START_MS + 4_000, 'stopped-by-you']]);
  });

  it('writes down each outage of this life once, in parts where causes followed each other', () => {
    const book = ledger();
    for (const gap of book.ended(key, null, START_MS + 1_000, null)) book.written(gap);
    book.began({ ...key, sinceMs: START_MS + 60_000, cause: 'stream-stalled', detail: '' });
    book.began({ ...key, sinceMs: START_MS + 62_000, ...unreachable });
    expect(brief(book.openGaps(START_MS + 70_000))).toEqual([[START_MS + 60_000, START_MS + 70_000, 'camera-unreachable']]);
    book.began({ ...key, sinceMs: START_MS + 75_000, cause: 'stream-stalled', detail: 'connected' });
    expect(book.openOutages().map((outage) => outage.sinceMs - START_MS)).toEqual([60_000, 62_000, 75_000]);
    expect(brief(book.ended(key, START_MS + 60_000, START_MS + 90_000, { cause: 'stream-stalled', detail: '' }))).toEqual([[START_MS + 60_000, START_MS + 75_000, 'camera-unreachable'], [START_MS + 75_000, START_MS + 90_000, 'stream-stalled']]);
    expect(book.openOutages()).toEqual([]);
  });

  it('keeps the owner\'s pause the cause, whatever the camera does meanwhile, measured from the last footage', () => {
    const book = ledger();
    book.ended(key, null, START_MS + 1_000, null);
    book.footageReached(key, START_MS + 100_000);
    book.began({ ...key, sinceMs: START_MS + 100_500, cause: 'paused-by-you', detail: '' });
    book.began({ ...key, sinceMs: START_MS + 101_000, ...unreachable });
    // Resumed, but the camera is away: no longer the owner's doing.
    book.released(key);
    book.began({ ...key, sinceMs: START_MS + 200_000, ...unreachable });
    expect(brief(book.ended(key, null, START_MS + 300_000, null))).toEqual([[START_MS + 100_000, START_MS + 200_000, 'paused-by-you'], [START_MS + 200_000, START_MS + 300_000, 'camera-unreachable']]);
  });

  it('finds nothing missing before the first footage of a new camera, nor where segments touch', () => {
    const fresh = ledger({ footageEnds: [] });
    expect(fresh.ended(key, null, START_MS + 1_000, null)).toEqual([]);
    fresh.footageReached(key, START_MS + 60_000);
    expect(fresh.ended(key, null, START_MS + 60_040, null)).toEqual([]);
  });

  it('counts a new camera that could not be reached as missing from then on', () => {
    const fresh = ledger({ footageEnds: [] });
    fresh.began({ ...key, sinceMs: START_MS + 1_000, ...unreachable });
    expect(brief(fresh.ended(key, START_MS + 1_000, START_MS + 60_000, unreachable))).toEqual([[START_MS + 1_000, START_MS + 60_000, 'camera-unreachable']]);
  });

  it('counts a new camera that nothing could record as missing from then on', () => {
    const fresh = ledger({ footageEnds: [] });
    fresh.began({ ...key, sinceMs: START_MS + 1_000, cause: 'porchlight-failed', detail: 'no ffmpeg' });
    expect(brief(fresh.ended(key, null, START_MS + 60_000, null))).toEqual([[START_MS + 1_000, START_MS + 60_000, 'porchlight-failed']]);
  });

  it('takes a sleep for the cause of what the cameras did in it', () => {
    const book = ledger();
    book.ended(key, null, START_MS + 1_000, null);
    book.addDeadTime({ startMs: START_MS + 10_000, endMs: START_MS + HOUR_MS, cause: 'computer-asleep', detail: '' });
    expect(brief(book.ended(key, START_MS + 9_900, START_MS + HOUR_MS + 3_000, { cause: 'stream-stalled', detail: '' }))).toEqual([[START_MS + 9_900, START_MS + HOUR_MS + 3_000, 'computer-asleep']]);
  });

  it('covers no footage that a failing disk holds, whoever records when footage is back', () => {
    const book = ledger();
    for (const gap of book.ended(key, null, START_MS + 1_000, null)) book.written(gap);
    book.footageReached(key, START_MS + 60_000);
    // The file after that failed with twenty seconds in it; its recorder was replaced by one that knows nothing of it.
    book.footageReached(key, START_MS + 80_000);
    book.began({ ...key, sinceMs: START_MS + 80_000, cause: 'disk-failing', detail: '' });
    expect(brief(book.ended(key, null, START_MS + 100_000, null))).toEqual([[START_MS + 80_000, START_MS + 100_000, 'disk-failing']]);
  });

  it('covers no footage that turned out to be longer than was promised', () => {
    const book = ledger();
    for (const gap of book.ended(key, null, START_MS + 1_000, null)) book.written(gap);
    book.began({ ...key, sinceMs: START_MS + 80_000, cause: 'disk-failing', detail: '' });
    book.footageReached(key, START_MS + 80_900);
    expect(brief(book.openGaps(START_MS + 90_000))).toEqual([[START_MS + 80_900, START_MS + 90_000, 'disk-failing']]);
    expect(brief(book.ended(key, START_MS + 80_000, START_MS + 100_000, { cause: 'disk-failing', detail: '' }))).toEqual([[START_MS + 80_900, START_MS + 100_000, 'disk-failing']]);
  });

  it('covers what is missing since a recorder ended whose place another took', () => {
    const book = ledger();
    book.ended(key, null, START_MS + 1_000, null);
    book.footageReached(key, START_MS + 60_000);
    book.began({ ...key, sinceMs: START_MS + 60_000, ...unreachable });
    book.began({ ...key, sinceMs: START_MS + 75_000, ...unreachable });
    expect(brief(book.ended(key, START_MS + 75_000, START_MS + 90_000, unreachable))).toEqual([[START_MS + 60_000, START_MS + 90_000, 'camera-unreachable']]);
  });

  it('covers footage of the same hour by a clock that was set back since: what was recorded then is another hour', () => {
    const book = ledger();
    book.ended(key, null, START_MS + 1_000, null);
    book.footageReached(key, START_MS + HOUR_MS);
    book.began({ ...key, sinceMs: START_MS + 10_000, ...unreachable });
    expect(brief(book.ended(key, START_MS + 10_000, START_MS + 40_000, unreachable))).toEqual([[START_MS + 10_000, START_MS + 40_000, 'camera-unreachable']]);
  });

  it('forgets a camera that is gone', () => {
    const book = ledger();
    book.began({ ...key, sinceMs: START_MS, ...unreachable });
    book.forget(key.cameraId);
    expect(book.openGaps(START_MS + HOUR_MS)).toEqual([]);
  });
});

describe('a pause right after footage came', () => {
  const camera = { ...key } as const;
  it('is an outage of its own, though the word that footage came is the later one', () => {
    const held = ledger({ footageEnds: [] });
    held.began({ ...camera, sinceMs: START_MS + 2_000, cause: 'paused-by-you', detail: '' });
    expect(brief(held.ended(camera, null, START_MS + 1_000, null))).toEqual([]);
    held.footageReached(camera, START_MS + 2_000);
    expect(brief(held.ended(camera, null, START_MS + 60_000, null))).toEqual([[START_MS + 2_000, START_MS + 60_000, 'paused-by-you']]);
  });

  it('is not taken for the next one where the clock went back an hour', () => {
    const held = ledger({ footageEnds: [] });
    held.ended(camera, null, START_MS, null);
    held.footageReached(camera, START_MS + 60_000);
    held.began({ ...camera, sinceMs: START_MS + HOUR_MS, cause: 'paused-by-you', detail: '' });
    held.ended(camera, null, START_MS + 90_000, null);
    expect(held.openOutages()).toEqual([]);
  });
});
