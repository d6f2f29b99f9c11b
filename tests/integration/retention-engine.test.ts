/** Rules and locks in a running engine: what is locked stays, much is deleted only when it was confirmed, and a lost index loses no lock (I5). */
import { statSync } from 'node:fs';
import { appendFile, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { EngineInit } from '../../shared/contract/engine-process.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { Span } from '../../shared/model/timeline.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { Mount, whyNoMounts } from '../support/mounts.ts';
import { waitFor } from '../support/wait.ts';

let simulator: Simulator;
let engine: TestEngine;

beforeAll(async () => {
  const size = { width: 320, height: 180, fps: 10, kbps: 400, gopFrames: 10, seconds: 10, constantRate: true };
  simulator = await startSimulator({ cameras: 1, hosts: ['127.0.66.3'], source: 'test', main: size, sub: null, audio: 'none', discovery: false });
});
afterAll(async () => {
  await simulator?.stop();
});
afterEach(async () => {
  await engine?.end();
});

const noMounts = await whyNoMounts();
let mount: Mount | null = null;
afterEach(async () => {
  await mount?.end();
  mount = null;
});

const spansOf = async (id: CameraId): Promise<readonly Span[]> => (await engine.timeline(id)).spans;

/** Footage in so many pieces, each closed, and one that is being recorded. */
async function recordPieces(count: number, init: Partial<EngineInit> = {}): Promise<CameraId> {
  engine = await TestEngine.started({ init });
  const { id } = await engine.add(forceUnwrap('the simulator has one', simulator.cameras[0]));
  for (let piece = 1; piece <= count; piece += 1) {
    await engine.footage(id, 2);
    await engine.ask('cameras.pause', { cameraId: id, untilMs: null });
    // Pieces closer together than the timeline's pixel would be one.
    const pausedMs = Date.now();
    await waitFor('the pause', async () => Date.now() - pausedMs > 2_500 && !(await engine.status(id)).recording);
    await engine.ask('cameras.resume', { cameraId: id });
    await waitFor(`piece ${piece + 1} to begin`, async () => (await spansOf(id)).length > piece);
  }
  return id;
}

test('a lock and a tight quota: asked first, then kept, over a restart and a lost index, until it is taken off', async () => {
  const id = await recordPieces(4);
  const spans = await spansOf(id);
  const kept = forceUnwrap('there is a second piece', spans[1]);
  const root = forceUnwrap('there is a disk', (await engine.ask('storage.summary', {})).roots[0]);

  const lock = await engine.ask('locks.add', { cameraId: id, startMs: kept.startMs, endMs: kept.endMs, note: 'the parcel' });
  expect(lock).toMatchObject({ cameraId: id, note: 'the parcel', sentence: null });
  expect(lock.recordedMs).toBeGreaterThan(kept.endMs - kept.startMs - 50);
  expect(lock.sizeBytes).toBeGreaterThan(10_000);
  const late = await engine.ask('locks.add', { cameraId: id, startMs: kept.startMs - 3_600_000, endMs: kept.startMs - 3_500_000 });
  expect(late).toMatchObject({ recordedMs: 0, sizeBytes: 0, sentence: 'No footage of this time is left: it was deleted before, or never recorded.' });
  await expect(engine.ask('locks.add', { cameraId: id, startMs: Date.now() + 60_000, endMs: Date.now() + 90_000 })).rejects.toMatchObject({ kind: 'invalid-input' });

  // Less than the locked piece alone.
  const quotaBytes = { [root.rootId]: lock.sizeBytes * 0.5 };
  const whatIf = await engine.ask('storage.whatIf', { rules: { quotaBytes } });
  expect(whatIf.asks).toBe(true);
  const rows = (await Promise.all(spans.slice(0, 4).map((span) => engine.ask('footage.locate', { cameraId: id, stream: 'main', atMs: span.startMs + 100 })))).map((found) => statSync(forceUnwrap('a closed piece has a file', found).path).size);
  expect(whatIf.deletedBytes).toBe(rows.reduce((sum, bytes) => sum + bytes, 0) - lock.sizeBytes);
  expect(whatIf.cameras[0]?.oldestAfterMs).toBeCloseTo(kept.startMs, 0);
  expect(whatIf.sentence).toMatch(/^[\d.]+ [kM]B of footage, \d+ % of it, is deleted at once\.$/);
  expect(whatIf.broken.map(({ rule }) => rule)).toEqual(['quota']);
  await expect(engine.ask('storage.setRules', { quotaBytes })).rejects.toMatchObject({ kind: 'conflict', message: expect.stringContaining('is deleted at once') });
  await expect(engine.ask('storage.setRules', { quotaBytes: { [root.rootId]: 1 }, confirmed: whatIf.token })).rejects.toMatchObject({ kind: 'conflict' });
  expect((await engine.ask('storage.rules', {})).quotaBytes).toEqual({});
  expect((await spansOf(id)).length).toBe(spans.length);

  const rules = await engine.ask('storage.setRules', { quotaBytes, confirmed: whatIf.token });
  await waitFor('what is not locked to go', async () => {
    const left = await spansOf(id);
    return left[0]?.startMs === kept.startMs && !left.some((span) => span.startMs === spans[2]?.startMs);
  });
  const broken = await waitFor('the broken rule to be said', async () => (await engine.info()).warnings.find((warning) => warning.kind === 'rule-quota'));
  expect(broken.sentence).toMatch(/^Footage in \S+media takes .* more than its limit: all that is left there is locked or just being recorded\./);
  expect((await engine.ask('storage.summary', {})).broken.map(({ rule }) => rule)).toEqual(['quota']);

  // The index is lost with the program closed.
  const locks = await engine.ask('locks.list', {});
  expect(locks.map(({ id: lockId }) => lockId)).toEqual([lock.id, late.id]);
  engine = await engine.nextLife(async () => {
    for (const name of await readdir(engine.init.dataDir)) if (name.startsWith('porchlight.db')) await rm(path.join(engine.init.dataDir, name));
  });
  await engine.start();
  await engine.footage(id, 1);
  await waitFor('the index to be built anew', async () => !(await engine.info()).warnings.some(({ kind }) => kind === 'rebuilding'));
  expect(await engine.ask('storage.rules', {})).toEqual(rules);
  const again = await engine.ask('locks.list', {});
  expect(again.map(({ id: lockId, note }) => [lockId, note])).toContainEqual([lock.id, 'the parcel']);
  expect(again.find(({ id: lockId }) => lockId === lock.id)).toEqual(lock);
  expect((await spansOf(id))[0]?.startMs).toBe(kept.startMs);

  await engine.ask('locks.remove', { id: lock.id });
  await waitFor('the footage to go once it is not locked', async () => (await spansOf(id)).every((span) => span.startMs > kept.endMs));
  await expect(engine.ask('locks.remove', { id: lock.id })).rejects.toMatchObject({ kind: 'not-found' });
}, 180_000);

test('a full disk on which all is locked: recording pauses and says why, nothing locked goes, and it goes on when a lock is taken off', async (context) => {
  if (noMounts !== null) context.skip(noMounts);
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-locked-'));
  mount = new Mount(path.join(folder, 'disk'));
  try {
    await mount.tmpfs(40);
    const id = await recordPieces(2, { mediaDir: path.join(mount.point, 'media') });
    // From long before to now: all there is, and what is being recorded until then.
    const nowMs = Date.now();
    const lock = await engine.ask('locks.add', { cameraId: id, startMs: nowMs - 3_600_000, endMs: nowMs });
    const locked = await spansOf(id);
    const ballast = path.join(mount.point, 'ballast');
    const fill = async (): Promise<void> => {
      const { bavail, bsize } = await statfs(forceUnwrap('mounted', mount).point);
      await appendFile(ballast, Buffer.alloc(bavail * bsize));
    };
    const filledMs = Date.now();
    await waitFor('the camera to say that it is not recorded', async () => {
      await fill();
      return (await engine.status(id)).problem?.cause === 'disk-full';
    }, 40_000, 1_000);
    const said = await waitFor('the rule that is broken', async () => (await engine.ask('storage.summary', {})).broken.find(({ rule }) => rule === 'keep-free'), 70_000);
    expect(said.sentence).toMatch(/^The disk at \S+ has .* less free than it should: all footage left there is locked or just being recorded\. Once it is full, recording pauses\. Make room on it, or take locks off\.$/);
    expect((await spansOf(id)).slice(0, 2).map(({ startMs }) => startMs)).toEqual(locked.slice(0, 2).map(({ startMs }) => startMs));
    await engine.ask('locks.remove', { id: lock.id });
    const gap = await engine.closedGap(id, 'disk-full', filledMs);
    expect(gap.startMs).toBeGreaterThan(filledMs - 5_000);
    expect((await spansOf(id))[0]?.startMs).toBeGreaterThan(forceUnwrap('a locked piece', locked[0]).startMs);
  } finally {
    await engine.end();
    await mount.end();
    mount = null;
    await rm(folder, { recursive: true, force: true });
  }
}, 180_000);
