/** When a camera is recorded, asked of a running engine: pauses that close the connection, footage around events, hours of the week; over restarts. */
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Camera } from '../../shared/model/camera.ts';
import type { MinuteRange } from '../../shared/model/recording-mode.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { DAY_MS, MINUTE_MS } from '../../shared/time.ts';
import type { SimCamera } from '../../tools/sim/camera.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';

let simulator: Simulator;
let engine: TestEngine;
/** How long an engine takes to start on this machine as it is loaded now. */
let startMs = 0;

beforeAll(async () => {
  const size = { width: 640, height: 360, fps: 10, kbps: 200, gopFrames: 10, seconds: 20 };
  simulator = await startSimulator({ cameras: 2, hosts: ['127.0.71.2', '127.0.71.3'], source: 'test', main: size, sub: { ...size, width: 352, height: 198 }, audio: ['none'], discovery: false });
  const beganMs = Date.now();
  engine = await TestEngine.started({ init: { demo: true } });
  startMs = Date.now() - beganMs;
});
afterAll(async () => {
  await engine?.end();
  await simulator?.stop();
});

const simulated = (index: number): SimCamera => forceUnwrap('it is simulated', simulator.cameras[index]);

/** Open TCP connections to an address, by the kernel: of whatever program and port. */
async function connectionsTo(host: string): Promise<number> {
  const address = host.split('.').map((part) => Number(part).toString(16).padStart(2, '0').toUpperCase()).reverse().join('');
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n');
  return lines.filter((line) => line.trim().split(/\s+/)[2]?.startsWith(`${address}:`) === true && line.trim().split(/\s+/)[3] === '01').length;
}

const minuteOfDay = (atMs: number): number => Math.floor((atMs % DAY_MS) / MINUTE_MS);
const everyDay = (...ranges: readonly MinuteRange[]) => ({ timeZone: 'UTC', days: Array.from({ length: 7 }, () => [...ranges]) });

test('a paused camera is not connected to at all, over a restart too, and resumes by itself', async () => {
  const sim = simulated(0);
  const { id } = await engine.add(sim);
  await engine.footage(id, 2, 90_000);
  await waitFor('both streams', () => sim.traffic.open >= 2);
  const pressedMs = Date.now();
  // Long enough for a restart in the middle of it.
  const untilMs = pressedMs + 10_000 + 2 * startMs;
  await engine.ask('cameras.pause', { cameraId: id, untilMs });
  await waitFor('closed connections', async () => sim.traffic.open === 0 && sim.sessionCount === 0 && (await connectionsTo(sim.host)) === 0, 5_000, 20);
  expect(Date.now() - pressedMs).toBeLessThan(1_000);
  const silent = sim.traffic;
  const received = await waitFor('everything that came in to be counted', async () => {
    const mine = (await engine.ask('cameras.received', {})).filter((one) => one.cameraId === id).toSorted((a, b) => a.stream.localeCompare(b.stream));
    return mine.every(({ connected }) => !connected) && mine;
  });
  expect(received.map(({ stream, connected, receivedBytes }) => [stream, connected, receivedBytes > 10_000])).toEqual([['main', false, true], ['sub', false, true]]);
  // Whoever watches, or looks at pictures, opens nothing.
  const chunks: unknown[] = [];
  const watching = engine.client.openMedia('live', { cameraId: id, stream: 'main' }, 100, { onChunk: (head) => void chunks.push(head), onClosed: () => undefined });
  await engine.ask('previews.latest', { cameraId: id });
  await waitFor('an answer to who watches', () => chunks.length > 0);
  expect(chunks[0]).toMatchObject({ kind: 'wait' });
  expect(await engine.status(id)).toMatchObject({ state: 'paused', recording: false, problem: { cause: 'paused-by-you' } });
  watching.close();
  await expect(engine.ask('recording.now', { cameraId: id })).rejects.toThrow(/paused/);
  expect(await engine.ask('cameras.received', {})).toEqual(expect.arrayContaining(received));
  engine = await engine.nextLife();
  await engine.start();
  expect(await engine.status(id)).toMatchObject({ state: 'paused' });
  while (Date.now() < untilMs - 300) {
    expect([sim.traffic, await connectionsTo(sim.host)]).toEqual([silent, 0]);
    await waitFor('the next look', () => true, 1_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const gap = await engine.closedGap(id, 'paused-by-you', pressedMs);
  expect(Date.now()).toBeGreaterThan(untilMs);
  expect((await engine.timeline(id)).gaps.map(({ cause }) => cause)).toContain('paused-by-you');
  expect(gap.endMs).toBeLessThan(Date.now());
  expect((await engine.ask('cameras.list', {})).map(({ camera }) => camera.paused)).toEqual([null]);
}, 240_000);

test('around events: from before the press to after its end, in the journal, and nothing that counts as missing between; hours begin within a second', async () => {
  const sim = simulated(1);
  const { id } = await engine.add(sim);
  await engine.footage(id, 2, 90_000);
  const changedMs = Date.now();
  const camera: Camera = await engine.ask('cameras.setRecording', { cameraId: id, kind: 'events', preRollMs: 4_000, postRollMs: 2_000 });
  expect(camera.recording).toMatchObject({ kind: 'events', schedule: null });
  await waitFor('rest', async () => !(await engine.status(id)).recording);
  expect(sim.traffic.open).toBeGreaterThanOrEqual(2);
  expect((await engine.status(id)).keeping).toEqual({ kind: 'events', untilMs: null });
  // Over a restart the mode stays, and nothing is written down by it.
  engine = await engine.nextLife();
  await engine.start();
  await waitFor('pictures', async () => (await engine.status(id)).state === 'live', 30_000);
  const liveMs = Date.now();
  await waitFor('enough seconds in memory', () => Date.now() - liveMs > 7_000);
  const pressedMs = Date.now();
  const { untilMs } = await engine.ask('recording.now', { cameraId: id, seconds: 2 });
  expect(Math.abs(untilMs - pressedMs - 2_000)).toBeLessThan(500);
  expect(await engine.status(id)).toMatchObject({ recordNowUntilMs: untilMs, keeping: { kind: 'events', untilMs: untilMs + 2_000 } });
  const more = await engine.ask('recording.now', { cameraId: id, seconds: 1 });
  expect(more.untilMs).toBe(untilMs + 1_000);
  const span = await waitFor('its footage', async () => (await engine.timeline(id)).spans.find((one) => one.endMs > pressedMs && one.endMs < Date.now() - 2_000), 30_000);
  expect(span.startMs).toBeLessThanOrEqual(pressedMs - 4_000);
  expect(span.startMs).toBeGreaterThan(pressedMs - 4_000 - 2_500);
  expect(span.endMs).toBeGreaterThanOrEqual(more.untilMs + 2_000 - 200);
  expect(span.endMs).toBeLessThan(more.untilMs + 2_000 + 2_000);
  const events = await engine.ask('events.list', { cameraIds: [id], startMs: changedMs, endMs: Date.now() });
  expect(events.map(({ kind, label, endMs }) => [kind, label, endMs])).toEqual([['note', 'Recorded by you', untilMs], ['note', 'Recorded by you', more.untilMs]]);

  // The hours begin with the next minute.
  const borderMs = Math.floor(Date.now() / MINUTE_MS + 1) * MINUTE_MS;
  await engine.ask('cameras.setRecording', { cameraId: id, kind: 'continuous', schedule: everyDay({ startMinute: minuteOfDay(borderMs), endMinute: minuteOfDay(borderMs) + 60 }) });
  await waitFor('the hours to be known', async () => (await engine.status(id)).keeping?.kind === 'not-scheduled');
  expect((await engine.status(id)).keeping).toEqual({ kind: 'not-scheduled', untilMs: borderMs });
  const askedMs = Date.now();
  const { gaps } = await engine.timeline(id);
  expect(gaps.filter(({ startMs }) => startMs > changedMs - 2_000).every(({ cause }) => ['not-scheduled', 'stopped-by-you'].includes(cause))).toBe(true);
  const [coverage] = (await engine.ask('coverage.days', { cameraIds: [id], days: 1 })).cameras;
  const day = forceUnwrap('today', coverage?.days.at(-1));
  // What the timeline shows as such; the last of it still grows.
  const outsideMs = gaps.filter(({ cause }) => cause === 'not-scheduled').reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  expect(Math.abs(day.notScheduledMs - outsideMs)).toBeLessThan(Date.now() - askedMs + 500);
  // Seven seconds of rest before the press, less what was kept from before it.
  expect(day.notScheduledMs).toBeGreaterThan(7_000 - 4_000 - 2_500);
  expect(day.missing.map(({ cause }) => cause)).not.toContain('not-scheduled');
  const begun = await waitFor('footage of the hours', async () => (await engine.timeline(id)).spans.find(({ endMs }) => endMs > borderMs + 2_000), 90_000);
  expect(begun.startMs).toBeLessThanOrEqual(borderMs + 200);
  expect(begun.startMs).toBeGreaterThan(borderMs - 1_300);
  await waitFor('the word for it', async () => (await engine.status(id)).keeping?.kind === 'everything');
}, 360_000);

test('events and the gaps between them are back when the database is gone', async () => {
  const [entry] = (await engine.ask('cameras.list', {})).filter(({ camera }) => camera.recording !== undefined);
  const { id } = forceUnwrap('the second camera', entry).camera;
  const beforeMs = Date.now() - 2_000;
  const known = async () => {
    const { gaps, events } = await engine.timeline(id);
    const old = gaps.filter(({ endMs }) => endMs < beforeMs).map(({ cause, startMs, endMs }) => [cause, Math.round(startMs), Math.round(endMs)]);
    return { old, events: events.filter(({ kind }) => kind === 'note') };
  };
  const before = await known();
  expect(before.events).toHaveLength(2);
  expect(before.old.map(([cause]) => cause)).toContain('not-scheduled');
  engine = await engine.nextLife(async () => {
    for (const ending of ['', '-wal', '-shm']) await rm(path.join(engine.init.dataDir, `porchlight.db${ending}`), { force: true });
  });
  await engine.start();
  await waitFor('all of it', async () => JSON.stringify(await known()) === JSON.stringify(before), 30_000);
  expect(forceUnwrap('it is on the list', (await engine.ask('cameras.list', {})).find(({ camera }) => camera.id === id)).camera.recording).toMatchObject({ kind: 'continuous', preRollMs: 4_000 });
}, 90_000);

test('what lies outside a day, or in no known zone, is refused', async () => {
  const [first] = await engine.ask('cameras.list', {});
  const cameraId = forceUnwrap('there is one', first).camera.id;
  await expect(engine.ask('cameras.setRecording', { cameraId, schedule: { timeZone: 'Moon/Base', days: Array.from({ length: 7 }, () => []) } })).rejects.toThrow();
  await expect(engine.ask('cameras.setRecording', { cameraId, preRollMs: 61_000 })).rejects.toThrow();
  await expect(engine.ask('recording.now', { cameraId, seconds: 0 })).rejects.toThrow();
});
