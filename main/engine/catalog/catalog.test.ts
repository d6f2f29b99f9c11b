import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PorchlightError } from '../../../shared/errors.ts';
import type { Gap } from '../../../shared/model/gap.ts';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { Segment } from '../../../shared/model/segment.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/logger.ts';
import { readBootId } from './boot-id.ts';
import type { DeadTime } from './dead-time.ts';
import { GapLedger } from './gap-ledger.ts';
import { Indexer } from './indexer.ts';
import { LIFE_FILE, LifeMarker, parseLife, readLifeStart } from './life-marker.ts';

const key = { cameraId: 'cam-aaaaaaaaaaaa' as CameraId, stream: 'main' } as const;
const segment: Segment = { ...key, rootId: 'disk-aaaaaaaaaaaa' as RootId, session: 1, sequence: 0, nameMs: 1_000, startMs: 1_000, endMs: 61_000, sizeBytes: 10, initBytes: 1, videoFrames: 1, keyframes: [] };

/** Time that goes only where a test moves it; waits are over at once. */
class HandClock implements Clock {
  wallMs = Date.UTC(2026, 10, 21);
  bootMs = 1_000_000;
  readonly waits: number[] = [];
  #tick: (() => void) | null = null;
  nowMs = () => this.wallMs;
  monotonicMs = () => this.bootMs;
  sleep = (durationMs: number) => {
    this.waits.push(durationMs);
    return Promise.resolve();
  };
  every = (_periodMs: number, tick: () => void) => {
    this.#tick = tick;
    return () => {
      this.#tick = null;
    };
  };
  after: Clock['after'] = () => () => undefined;
  beat = () => this.#tick?.();
}

describe('the indexer', () => {
  const ledger = () => new GapLedger({ footageEnds: [{ ...key, endMs: 1_000 }], openOutages: [], between: { startMs: 1_000, endMs: 5_000, cause: 'power-lost', detail: '' } });

  it('rows segments and gaps, and tells which part of the timeline changed', async () => {
    const rows: unknown[] = [];
    const changes: unknown[] = [];
    const insert = (row: unknown) => Promise.resolve(void rows.push(row));
    const indexer = new Indexer({ write: { insertSegment: insert, insertGap: insert, insertEvent: insert }, ledger: ledger(), lookForSleep: () => undefined, clock: new HandClock(), logger: silentLogger });
    indexer.onChanged((change) => void changes.push(change));
    indexer.take({ type: 'outage-ended', ...key, sinceMs: null, atMs: 6_000, cause: null, detail: '' });
    indexer.take({ type: 'segment-closed', segment });
    await indexer.stop();
    expect(rows).toEqual([{ ...key, startMs: 1_000, endMs: 6_000, cause: 'power-lost', detail: '' }, segment]);
    expect(changes).toHaveLength(2);
    expect(changes).toEqual(expect.arrayContaining([{ cameraIds: [key.cameraId], startMs: 1_000, endMs: 6_000 }, { cameraIds: [key.cameraId], startMs: 1_000, endMs: 61_000 }]));
  });

  it('writes down when a camera was away, and tells once it is away for long', async () => {
    const events: unknown[] = [];
    const changes: unknown[] = [];
    const later: (() => void)[] = [];
    const clock = new HandClock();
    clock.after = (_durationMs, action) => {
      later.push(action);
      return () => void later.splice(later.indexOf(action), 1);
    };
    const write = { insertSegment: () => Promise.resolve(), insertGap: () => Promise.resolve(), insertEvent: (event: unknown) => Promise.resolve(void events.push(event)) };
    const book = ledger();
    const indexer = new Indexer({ write, ledger: book, lookForSleep: () => undefined, clock, logger: silentLogger });
    indexer.take({ type: 'outage-ended', ...key, sinceMs: null, atMs: 6_000, cause: null, detail: '' });
    indexer.take({ type: 'outage-began', ...key, sinceMs: 9_000, cause: 'stream-stalled', detail: '' });
    indexer.take({ type: 'outage-began', ...key, sinceMs: 9_000, cause: 'camera-unreachable', detail: '' });
    indexer.onChanged((change) => void changes.push(change));
    expect(later).toHaveLength(1);
    later[0]?.();
    expect(changes).toEqual([{ cameraIds: [key.cameraId], startMs: 9_000, endMs: clock.wallMs }]);
    indexer.take({ type: 'outage-ended', ...key, sinceMs: 9_000, atMs: 30_000, cause: 'stream-stalled', detail: '' });
    expect(later).toEqual([]);
    expect(book.openGaps(40_000)).toHaveLength(2);
    await indexer.stop();
    expect(events).toEqual([
      expect.objectContaining({ kind: 'camera-offline', label: 'Camera could not be reached', startMs: 9_000, endMs: 30_000 }),
      expect.objectContaining({ kind: 'camera-online', label: 'Back after 21 s', startMs: 30_000 }),
    ]);
    expect(book.openGaps(40_000)).toEqual([]);
  });

  it('tries again until the index takes a row, waiting longer each time', async () => {
    const clock = new HandClock();
    let failures = 3;
    let rowed = 0;
    const insertSegment = () => {
      if (failures-- > 0) return Promise.reject(new PorchlightError('disk-full', 'full'));
      rowed += 1;
      return Promise.resolve();
    };
    const done = Promise.withResolvers<unknown>();
    const indexer = new Indexer({ write: { insertSegment, insertGap: () => Promise.resolve(), insertEvent: () => Promise.resolve() }, ledger: ledger(), lookForSleep: () => undefined, clock, logger: silentLogger });
    indexer.onChanged(done.resolve);
    indexer.take({ type: 'segment-closed', segment });
    await done.promise;
    expect(rowed).toBe(1);
    expect(clock.waits.map((waitMs) => waitMs > 150)).toEqual([true, true, true]);
    expect(clock.waits[2]).toBeGreaterThan((clock.waits[0] ?? 0) * 10);
    await indexer.stop();
  });

  it('gives a row one last attempt when it is stopped, and ends', async () => {
    let attempts = 0;
    const insertSegment = () => {
      attempts += 1;
      return Promise.reject(new PorchlightError('disk-full', 'full'));
    };
    const indexer = new Indexer({ write: { insertSegment, insertGap: () => Promise.resolve(), insertEvent: () => Promise.resolve() }, ledger: ledger(), lookForSleep: () => undefined, clock: systemClock, logger: silentLogger });
    indexer.take({ type: 'segment-closed', segment });
    await indexer.stop();
    expect(attempts).toBe(2);
  });

  it('looks for a sleep before it names a cause', async () => {
    const gaps: Gap[] = [];
    const book = ledger();
    book.ended(key, null, 6_000, null);
    const lookForSleep = () => book.addDeadTime({ startMs: 10_000, endMs: HOUR_MS, cause: 'computer-asleep', detail: '' });
    const indexer = new Indexer({ write: { insertSegment: () => Promise.resolve(), insertGap: (gap) => Promise.resolve(void gaps.push(gap)), insertEvent: () => Promise.resolve() }, ledger: book, lookForSleep, clock: new HandClock(), logger: silentLogger });
    indexer.take({ type: 'outage-ended', ...key, sinceMs: 9_000, atMs: HOUR_MS + 2_000, cause: 'stream-stalled', detail: '' });
    await indexer.stop();
    expect(gaps.map((gap) => gap.cause)).toEqual(['computer-asleep']);
  });
});

describe('the life marker', () => {
  let dataDir: string;
  let clock: HandClock;
  beforeEach(async () => {
    dataDir = await mkdtemp(path.join(os.tmpdir(), 'porchlight-life-'));
    clock = new HandClock();
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));
  const begin = async (dead: DeadTime[] = []) =>
    await LifeMarker.begin({ dataDir, clock, logger: silentLogger, openOutages: () => [{ ...key, sinceMs: 5, cause: 'stream-stalled', detail: 'x' }], onDeadTime: (time) => void dead.push(time), bootClock: () => clock.bootMs }, await readLifeStart(dataDir, clock));

  it('lets the next life know that this one was killed, when, and what was missing', async () => {
    const marker = await begin();
    clock.wallMs += 5_000;
    clock.bootMs += 5_000;
    clock.beat();
    const aliveMs = clock.wallMs;
    await marker.abandon();
    clock.wallMs += 60_000;
    const start = await readLifeStart(dataDir, clock);
    // The heartbeat is written behind the last one; a kill may cost it, no more.
    expect([aliveMs, aliveMs - 5_000]).toContain(start.between.startMs);
    expect(start.between).toMatchObject({ endMs: clock.wallMs, cause: 'porchlight-failed' });
    expect(start.last?.openOutages).toEqual([{ ...key, sinceMs: 5, cause: 'stream-stalled', detail: 'x' }]);
    expect(start.last?.pid).toBe(process.pid);
  });

  it('lets the next life know that this one was closed', async () => {
    const marker = await begin();
    clock.wallMs += 1_000;
    await marker.stop('owner');
    clock.wallMs += HOUR_MS;
    expect((await readLifeStart(dataDir, clock)).between).toEqual({ startMs: clock.wallMs - HOUR_MS, endMs: clock.wallMs, cause: 'stopped-by-you', detail: 'Porchlight was closed.' });
    expect((await readdir(dataDir)).filter((name) => !name.startsWith(LIFE_FILE))).toEqual([]);
  });

  it('tells a sleep from a set clock', async () => {
    const dead: DeadTime[] = [];
    const marker = await begin(dead);
    clock.wallMs += HOUR_MS;
    clock.beat();
    expect(dead).toEqual([]);
    // The boot clock goes on in sleep; this process' monotonic clock did not.
    const before = clock.bootMs;
    clock.monotonicMs = () => before;
    clock.wallMs += HOUR_MS;
    clock.bootMs += HOUR_MS;
    marker.lookForSleep();
    expect(dead).toEqual(process.platform === 'win32' ? expect.anything() : [{ startMs: clock.wallMs - HOUR_MS, endMs: clock.wallMs, cause: 'computer-asleep', detail: 'The computer was asleep.' }]);
    await marker.abandon();
  });

  it('that is damaged is as good as none', async () => {
    await writeFile(path.join(dataDir, LIFE_FILE), '{"bootId":');
    expect((await readLifeStart(dataDir, clock)).last).toBeNull();
    expect(parseLife('{"bootId":"a","aliveMs":5,"pid":1,"stopped":null,"openOutages":[{"cameraId":"../x","stream":"main","sinceMs":1,"cause":"disk-full","detail":""}]}')?.openOutages).toEqual([]);
  });

  it('names this start of the computer the same twice', async () => {
    expect(await readBootId(Date.now())).toBe(await readBootId(Date.now()));
  });
});
