/** What is kept of a stream while not everything is: footage around events begins before them, and changes break nothing. */
import { readdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { StreamKeep } from '../../main/engine/ports/ingest.ts';
import { systemClock } from '../../main/engine/core/clock.ts';
import { decodeFrames } from '../support/decoded-frames.ts';
import { type SendLogLine, type SimulatorProcess, startSimulatorProcess } from '../support/simulator-process.ts';
import { CAMERA_ID, KEY, Rig, streamFacts } from './recorder-rig.ts';

/** The simulator's keyframe distance. */
const GROUP_MS = 1_000;
/** Frames come at 15 a second; one may be on its way when a border is met. */
const FRAME_MS = 1_000 / 15;

let simulator: SimulatorProcess;
let rig: Rig;

beforeAll(async () => {
  simulator = await startSimulatorProcess(['--cameras', '1', '--source', 'live', '--discovery-port', '0']);
});
afterAll(async () => {
  await simulator.stop();
});
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(async () => {
  await rig.stop();
});

const events = (preRollMs: number, window: StreamKeep['window'] = null): StreamKeep => ({ preRollMs, window, restsUntilMs: null, detail: 'Nothing happened.' });

async function record(keep: StreamKeep | null): Promise<void> {
  const [camera] = simulator.cameras;
  if (camera === undefined) throw new Error('no camera');
  await rig.record(rig.stream({ url: camera.rtspMain, username: camera.username, password: camera.password, sound: 'copy', keep }));
}

const live = () => rig.until('live pictures', () => rig.all('status').some(({ status }) => status.state === 'live'));
/** Until the recorder has seen this many seconds go by; what is waited for is time itself. */
const pass = (ms: number) => systemClock.sleep(ms);

/** The numbers in the pictures of a file, as decoded, each with the moment it was taken by the simulator's log. */
async function recorded(file: string): Promise<readonly SendLogLine[]> {
  const video = streamFacts(file).find((stream) => stream.codec_type === 'video');
  const log = new Map((await simulator.sendLog(1, 'main')).map((line) => [line.frameIndex, line]));
  return (await decodeFrames(file, video?.width ?? 0, video?.height ?? 0)).map(({ frameNumber }) => {
    const line = log.get(frameNumber);
    if (line === undefined) throw new Error(`picture ${frameNumber} was never sent`);
    return line;
  });
}

function expectUnbroken(lines: readonly SendLogLine[]): void {
  expect(lines.map((line) => line.frameIndex)).toEqual(lines.map((_line, index) => (lines[0]?.frameIndex ?? 0) + index));
}

it('footage of an event begins before it, from memory, and ends after it; nothing is written in between', async () => {
  await record(events(3_000));
  await live();
  await pass(5_500);
  expect(await rig.files()).toEqual([]);
  const atMs = Date.now();
  await rig.ingest.keep(CAMERA_ID, events(3_000, { fromMs: atMs, untilMs: atMs + 1_500 }));
  const first = await rig.until('the event’s footage', () => rig.segments[0]);
  // A second one so soon that its pre-roll reaches into what was written.
  const againMs = Date.now();
  await rig.ingest.keep(CAMERA_ID, events(3_000, { fromMs: againMs, untilMs: againMs + 1_500 }));
  const second = await rig.until('the second event’s footage', () => rig.segments[1]);
  expect(await rig.files()).toHaveLength(2);
  const one = await recorded(rig.closedPath(first));
  const two = await recorded(rig.closedPath(second));
  expectUnbroken(one);
  // The pre-roll of the second begins with the picture after the last one of the first: one chain.
  expectUnbroken([...one, ...two]);
  const startMs = one[0]?.capturedMs ?? Infinity;
  expect(startMs).toBeLessThanOrEqual(atMs - 3_000);
  expect(startMs).toBeGreaterThan(atMs - 3_000 - 2 * GROUP_MS);
  const endMs = one.at(-1)?.capturedMs ?? 0;
  expect(endMs).toBeGreaterThanOrEqual(atMs + 1_500 - 2 * FRAME_MS);
  expect(endMs).toBeLessThan(atMs + 1_500 + 2 * GROUP_MS);
  // Wall times are those of the pictures, not of when they were written.
  expect(Math.abs(first.startMs - startMs)).toBeLessThan(200);
  expect(Math.abs(first.endMs - (endMs + FRAME_MS))).toBeLessThan(200);
  expect([second.session, second.sequence]).toEqual([first.session, first.sequence + 1]);
  expect(Math.abs(second.startMs - first.endMs)).toBeLessThan(50);
  expect([...new Set(rig.all('outage-began').map(({ cause }) => cause))]).toEqual(['not-scheduled']);
  expect(rig.all('outage-ended')[0]).toMatchObject({ cause: 'not-scheduled' });
  expect(Math.abs((rig.all('outage-ended')[0]?.atMs ?? 0) - first.startMs)).toBeLessThan(50);
}, 60_000);

it('an event right after the camera dropped the connection has what came before the drop too, and the time between is a gap with its cause', async () => {
  await record(events(8_000));
  await live();
  await pass(4_000);
  const droppedMs = Date.now();
  await simulator.tell(1, 'quirks/drop', { value: true });
  await simulator.tell(1, 'quirks/drop', { value: false });
  await rig.until('the drop to be noticed', () => rig.all('status').at(-1)?.status.state !== 'live');
  await rig.until('the next session', () => rig.all('status').at(-1)?.status.state === 'live');
  const atMs = Date.now();
  await rig.ingest.keep(CAMERA_ID, events(8_000, { fromMs: atMs, untilMs: atMs + 2_000 }));
  const [first, second] = await rig.until('both pieces of footage', () => (rig.segments.length === 2 ? rig.segments : null));
  if (first === undefined || second === undefined) throw new Error('no footage');
  expect(second.session).toBeGreaterThan(first.session);
  const one = await recorded(rig.closedPath(first));
  const two = await recorded(rig.closedPath(second));
  expectUnbroken(one);
  expectUnbroken(two);
  expect(one[0]?.capturedMs ?? Infinity).toBeLessThan(droppedMs - 2_500);
  // ffmpeg holds two pictures back, which a dropped connection takes along.
  expect(one.at(-1)?.capturedMs ?? 0).toBeGreaterThan(droppedMs - 5 * FRAME_MS);
  expect(two[0]?.capturedMs ?? 0).toBeGreaterThan(droppedMs - FRAME_MS);
  expect(Math.abs(first.startMs - (one[0]?.capturedMs ?? 0))).toBeLessThan(200);
  const ended = rig.all('outage-ended');
  expect(ended.map(({ sinceMs, atMs: endMs }) => [sinceMs, endMs]).slice(1)).toEqual([[first.endMs, second.startMs]]);
  expect(['camera-unreachable', 'stream-stalled']).toContain(ended[1]?.cause);
  expect(ended[0]).toMatchObject({ cause: 'not-scheduled', atMs: first.startMs });
}, 60_000);

it('changing what is wanted ends no session, loses nothing of what is wanted, and a border is met within a second', async () => {
  await record(null);
  await rig.footage(3);
  const offMs = Date.now();
  // As part of the whole wish, as when the owner changes how a camera is recorded.
  await record(events(0));
  const first = await rig.until('the footage before', () => rig.segments[0]);
  await pass(2_300);
  const onMs = Date.now();
  await rig.ingest.keep(CAMERA_ID, null);
  await rig.footage(3);
  // The same wish as part of the whole: nothing ends by it either.
  await record(null);
  await rig.footage(4);
  await rig.ingest.stop();
  const [, second] = rig.segments;
  if (second === undefined) throw new Error('no footage after');
  expect(second.session).toBe(first.session);
  const before = await recorded(rig.closedPath(first));
  const after = await recorded(rig.closedPath(second));
  expectUnbroken(before);
  expectUnbroken(after);
  expect(Math.abs((before.at(-1)?.capturedMs ?? 0) - offMs)).toBeLessThan(GROUP_MS);
  // It begins with the group of pictures that was on its way: no second that is wanted is missing.
  const startMs = after[0]?.capturedMs ?? Infinity;
  expect(startMs).toBeLessThanOrEqual(onMs);
  expect(startMs).toBeGreaterThan(onMs - 2 * GROUP_MS);
  expect(rig.all('outage-began').map(({ cause }) => cause)).toEqual(['not-scheduled']);
}, 60_000);

it('a camera that is away is no reason while nothing is wanted, and the reason once something is', async () => {
  await record(events(1_000));
  await live();
  await simulator.tell(1, 'unplug');
  await rig.until('offline', () => rig.all('status').at(-1)?.status.state === 'offline', 60_000);
  expect([...new Set(rig.all('outage-began').map(({ cause }) => cause))]).toEqual(['not-scheduled']);
  const fromMs = Date.now();
  await rig.ingest.keep(CAMERA_ID, events(1_000, { fromMs, untilMs: fromMs + 2_000 }));
  const missing = await rig.until('a reason', () => rig.all('outage-began').find(({ cause }) => cause !== 'not-scheduled'));
  expect(missing.sinceMs).toBeGreaterThanOrEqual(fromMs);
  // What was wanted is over before the camera is back.
  await rig.until('rest', () => rig.all('outage-began').at(-1)?.cause === 'not-scheduled');
  await simulator.tell(1, 'replug');
  await rig.until('live again', () => rig.all('status').at(-1)?.status.state === 'live', 60_000);
  expect(await readdir(rig.root.path, { recursive: true }).then((names) => names.filter((name) => name.endsWith('.mp4')))).toEqual([]);
}, 90_000);

it('counts what comes in, also of streams that were ended', async () => {
  await record(events(0));
  await live();
  const [open] = await rig.ingest.received();
  expect(open).toMatchObject({ ...KEY, connected: true });
  await rig.record();
  const [ended] = await rig.ingest.received();
  expect(ended).toMatchObject({ ...KEY, connected: false });
  expect(ended?.receivedBytes).toBeGreaterThanOrEqual(open?.receivedBytes ?? Infinity);
});
