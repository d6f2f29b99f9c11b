/** The check of the archive as the interface asks for it, beside a recorder that records, and an index that is damaged meanwhile. */
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatLine } from '../../main/engine/storage/journal.ts';
import { createRoot } from '../../main/engine/storage/root.ts';
import { encodeSegmentName } from '../../main/engine/storage/segment-name.ts';
import { CLIP_MS, writeClosed, writeUnder } from '../../main/engine/storage/testing/footage.ts';
import { type CheckReport, type CheckState, wrongIn } from '../../shared/model/check.ts';
import type { Gap } from '../../shared/model/gap.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { Segment } from '../../shared/model/segment.ts';
import type { Timeline } from '../../shared/model/timeline.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';

const OLD = 'cam-aaaaaaaaaaaa' as CameraId;
const START_MS = Date.UTC(2026, 10, 2, 14);
const FILES = 400;
let simulator: Simulator;
let engine: TestEngine;
let cameraId: CameraId;
let old: Segment[];

const gap = (second: number, detail: string): Gap => ({ cameraId: OLD, stream: 'main', startMs: START_MS + second * 1_000, endMs: START_MS + second * 1_000 + 500, cause: 'camera-unreachable', detail });
const journalOf = (): string => path.join(engine.init.mediaDir, OLD, 'journal', '2026-11-02.jsonl');
const fileOf = (at: number): string => path.join(engine.init.mediaDir, encodeSegmentName({ ...forceUnwrap('it was written', old[at]), startMs: forceUnwrap('it was written', old[at]).nameMs }));
const databaseFile = (): string => path.join(engine.init.dataDir, 'porchlight.db');
const asides = (): string[] => readdirSync(engine.init.dataDir).filter((name) => /^porchlight\.db\.corrupt-[\dTZ.]+$/.test(name));
const oldTimeline = async (): Promise<Timeline['cameras'][number]> => {
  const endMs = START_MS + FILES * CLIP_MS + 60_000;
  return forceUnwrap('one camera was asked for', (await engine.ask('timeline.get', { cameraIds: [OLD], startMs: START_MS - 60_000, endMs, maxItems: 8_192 })).cameras[0]);
};
const idle = async (): Promise<CheckState> => await waitFor('nothing to go on', async () => {
  const state = await engine.ask('check.state', {});
  return state.running === null ? state : null;
}, 60_000);
const report = (state: CheckState): CheckReport => forceUnwrap('there was a check', state.last);

/** Pages of the index become random bytes, while three threads have it open. */
async function damage(from: number, to: number): Promise<void> {
  const database = new Database(databaseFile());
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
  const pages = Math.floor(statSync(databaseFile()).size / 4_096);
  const [first, last] = [Math.max(1, Math.floor(pages * from)), Math.floor(pages * to)];
  const file = await open(databaseFile(), 'r+');
  await file.write(randomBytes((last - first) * 4_096), 0, undefined, first * 4_096);
  await file.sync();
  await file.close();
}

// A home with some footage from before, on a disk that is new to it, and a camera that is recorded all the time.
beforeAll(async () => {
  const size = { width: 480, height: 270, fps: 10, kbps: 250, gopFrames: 10, seconds: 10 };
  simulator = await startSimulator({ cameras: 1, hosts: ['127.0.64.2'], source: 'test', main: size, sub: null, audio: 'none', discovery: false });
  engine = await TestEngine.make();
  const root = await createRoot(engine.init.mediaDir, START_MS);
  old = [];
  for (let sequence = 0; sequence < FILES; sequence += 1) {
    // A second is missing after every tenth file, and explained.
    const startMs = START_MS + sequence * CLIP_MS + Math.floor(sequence / 10) * 1_000;
    old.push(await writeClosed(root, { cameraId: OLD, stream: 'main', session: 1, sequence, startMs }));
  }
  writeUnder(root, `${OLD}/journal/2026-11-02.jsonl`, [1, 2, 3].map((at) => formatLine({ type: 'gap', gap: gap(at * 41 - 1, `gap ${at}`) })).join(''));
  writeUnder(root, `${OLD}/camera.json`, JSON.stringify({ format: 1, id: OLD, name: 'Old shed', streams: ['main'] }));
  await engine.start();
  cameraId = forceUnwrap('a camera', await engine.add(forceUnwrap('the simulator has one', simulator.cameras[0]))).id;
  await engine.footage(cameraId, 2);
  await waitFor('the old footage to be indexed', async () => (await engine.info()).warnings.length === 0 && (await idle()).atStart !== null, 60_000);
}, 120_000);
afterAll(async () => {
  await engine?.end();
  await simulator?.stop();
});

describe('the check', () => {
  test('finds nothing wrong while the recorder writes, and says how far it is', async () => {
    const told: CheckState[] = [];
    const stop = engine.client.on('check.changed', (state) => void told.push(state));
    expect((await engine.ask('check.run', {})).running).toMatchObject({ what: 'check' });
    await expect(engine.ask('check.run', {})).rejects.toMatchObject({ kind: 'conflict' });
    const state = await idle();
    stop();
    expect(report(state)).toMatchObject({ problem: null, groups: [] });
    expect(report(state).files).toBeGreaterThanOrEqual(FILES);
    expect(report(state).checked.map(({ invariant, wrong }) => [invariant, wrong])).toEqual([['I1', 0], ['I2', 0], ['I3', 0], ['I4', 0], ['I5', 0]]);
    expect(told[0]?.running).toMatchObject({ what: 'check', share: null });
    await expect(engine.ask('check.repair', {})).rejects.toMatchObject({ kind: 'conflict', message: expect.stringContaining('nothing to repair') });
  });

  test('says what it found and what a repair would do, changes nothing, and the repair does that', async () => {
    unlinkSync(fileOf(3));
    truncateSync(fileOf(5), 9_000);
    writeFileSync(path.join(engine.init.mediaDir, OLD, 'main', 'holiday.txt'), 'not ours');
    appendFileSync(journalOf(), formatLine({ type: 'gap', gap: gap(100, 'only on the disk') }));
    // The journal loses a line that the index has.
    writeFileSync(journalOf(), readFileSync(journalOf(), 'utf8').split('\n').filter((line) => !line.includes('gap 2')).join('\n'));
    const database = new Database(databaseFile());
    database.prepare('UPDATE segments SET video_frames = 7 WHERE session = 1 AND sequence = 9').run();
    database.close();
    await engine.ask('check.run', {});
    const found = report(await idle());
    const count = (from: CheckReport): Record<string, number> => Object.fromEntries(from.groups.map(({ kind, count: n }) => [kind, n]));
    expect(count(found)).toEqual({ 'file-gone': 1, 'size-differs': 1, 'tail-differs': 1, 'not-in-index': 1, 'not-in-journal': 1, 'unknown-name': 1 });
    expect(found.groups.find(({ kind }) => kind === 'file-gone')).toMatchObject({ invariant: 'I1', sentence: '1 file in the index is not on the disk any more.', repair: expect.stringContaining('would be taken out'), named: [{ path: encodeSegmentName({ ...forceUnwrap('written', old[3]), startMs: forceUnwrap('written', old[3]).nameMs }) }] });
    expect(found.groups.find(({ kind }) => kind === 'unknown-name')).toMatchObject({ notice: true, repair: null });
    expect(statSync(fileOf(5)).size).toBe(9_000);
    await engine.ask('check.repair', {});
    const state = await idle();
    expect(state.repair).toMatchObject({ left: [] });
    expect(state.repair?.done).toContain('Its entry was taken out of the index. The footage itself is gone.');
    expect(count(report(state))).toEqual({ 'unknown-name': 1 });
    expect(wrongIn(report(state))).toBe(0);
    expect(existsSync(path.join(engine.init.mediaDir, OLD, 'main', 'holiday.txt'))).toBe(true);
    expect(readFileSync(journalOf(), 'utf8')).toContain('gap 2');
    expect((await oldTimeline()).gaps.map((one) => one.detail)).toContain('only on the disk');
    expect((await engine.timeline(cameraId)).spans).toHaveLength(1);
  });

  test('is still told after a restart, with what the start found by itself', async () => {
    const before = report(await engine.ask('check.state', {}));
    engine = await engine.nextLife(() => unlinkSync(fileOf(20)));
    await engine.start();
    const state = await waitFor('the comparison at the start', async () => {
      const now = await engine.ask('check.state', {});
      return now.running === null && (now.atStart?.groups.some(({ kind }) => kind === 'file-gone') ?? false) ? now : null;
    }, 60_000);
    expect(report(state)).toEqual(before);
    expect(state.atStart?.groups.find(({ kind }) => kind === 'file-gone')).toMatchObject({ count: 1, repair: 'Its entry was taken out of the index. The footage itself is gone.' });
    await engine.closedGap(cameraId, 'stopped-by-you', 0, 60_000);
  });
});

describe('an index that is damaged while it is used', () => {
  test('is set aside and rebuilt beside the recorder, with the same timeline and nothing lost; two copies are kept', async () => {
    const before = await oldTimeline();
    const { startMs } = await engine.footage(cameraId, 2);
    for (const [round, [from, to]] of ([[0.25, 0.75], [0.1, 0.5], [0.5, 1]] as const).entries()) {
      const known = new Set(asides());
      await damage(from, to);
      // What a person does: looks around. Any of the questions meets it.
      await waitFor('the damage to be met', async () => {
        for (let at = 0; at < FILES; at += 7) await engine.ask('footage.locate', { cameraId: OLD, stream: 'main', atMs: START_MS + at * CLIP_MS });
        await oldTimeline();
        await engine.ask('storage.summary', {});
        return asides().some((name) => !known.has(name));
      }, 30_000);
      const state = await waitFor('the index to be whole again', async () => ((await engine.info()).warnings.length === 0 ? await idle() : null), 60_000);
      expect(forceUnwrap('it was rebuilt', state.rebuilt).files).toBeGreaterThan(FILES - 10);
      expect(await oldTimeline()).toEqual(before);
      expect(asides().length).toBe(Math.min(2, round + 1));
    }
    // Recorded all along: one span from before the first damage to now.
    const now = Date.now();
    await waitFor('recording to have gone on', async () => ((await engine.timeline(cameraId)).spans.at(-1)?.endMs ?? 0) > now);
    const { spans, gaps } = await engine.timeline(cameraId);
    expect(spans.at(-1)?.startMs, JSON.stringify({ spans, gaps })).toBe(startMs);
    await engine.ask('check.run', {});
    expect(report(await idle()).groups.filter(({ notice }) => !notice)).toEqual([]);
  }, 180_000);

  test('is found by the check too', async () => {
    const before = await oldTimeline();
    const known = new Set(asides());
    await damage(0.3, 0.9);
    await engine.ask('check.run', {}).catch(() => undefined);
    await waitFor('it to be set aside', () => asides().some((name) => !known.has(name)), 30_000);
    await waitFor('the index to be whole again', async () => ((await engine.info()).warnings.length === 0 ? await idle() : null), 60_000);
    expect(await oldTimeline()).toEqual(before);
  }, 120_000);
});
