/** Times held against the camera's own: media time to the tick, wall time against when each picture was taken, and gaps that end where footage begins. */
import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { wallOfMediaMs } from '../../shared/model/segment.ts';
import { type SimulatedCamera, type SimulatorProcess, startSimulatorProcess } from '../support/simulator-process.ts';
import { decodeErrors, KEY, Rig } from './recorder-rig.ts';

let live: SimulatorProcess;
let looped: SimulatorProcess;
let rig: Rig;

beforeAll(async () => {
  live = await startSimulatorProcess(['--cameras', '1', '--source', 'live', '--discovery-port', '0']);
  looped = await startSimulatorProcess(['--cameras', '2', '--source', 'test', '--audio', 'aac', '--discovery-port', '0', '--quirk', '2:b-frames']);
});
afterAll(async () => {
  await live?.stop();
  await looped?.stop();
});
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(async () => {
  for (const quirk of ['jitter', 'burst-start']) await live.tell(1, `quirks/${quirk}`, { value: 0 });
  await rig.stop();
});

const wanted = (camera: SimulatedCamera | undefined, sound: 'none' | 'copy') => rig.stream({ url: camera?.rtspMain ?? '', username: camera?.username ?? null, password: camera?.password ?? null, sound });

/** Presentation times of a file's pictures, in decode order, in the video track's ticks of 90 kHz. */
function presentationTicks(file: string): number[] {
  const { stdout } = spawnSync('ffprobe', ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'packet=pts', '-of', 'csv=p=0', file]);
  return String(stdout).split('\n').filter((line) => /^\d/.test(line)).map((line) => Number.parseInt(line, 10));
}

/** How much longer one picture lasts than another among a camera's first, in ticks. */
async function unevenness(simulator: SimulatorProcess, camera: number, sinceMs: number): Promise<number> {
  const sent = (await simulator.sendLog(camera, 'main', sinceMs)).filter((entry) => entry.clients > 0).map((entry) => entry.rtpTimestamp);
  const steps = sent.slice(1, 8).map((ticks, index) => (ticks - (sent[index] ?? 0)) | 0);
  return Math.max(...steps) - Math.min(...steps);
}

/** How far each picture's time is from the camera's own, in ticks, measured from the tenth picture on. */
async function tickErrors(simulator: SimulatorProcess, camera: number, sinceMs: number): Promise<number[]> {
  const sent = (await simulator.sendLog(camera, 'main', sinceMs)).filter((entry) => entry.clients > 0).map((entry) => entry.rtpTimestamp);
  const recorded = (await rig.files()).flatMap(presentationTicks);
  const [fromSent = 0, fromRecorded = 0] = [sent[9], recorded[9]];
  return recorded.map((ticks, index) => ticks - fromRecorded - (((sent[index] ?? 0) - fromSent) | 0));
}

describe('media time', () => {
  it.each([
    ['an even camera', 0, 'none', 0],
    ['an even camera with sound', 0, 'copy', 0],
    ['a camera with B-frames', 1, 'none', 0],
    ['a camera with B-frames and sound', 1, 'copy', 0],
  ] as const)('of %s is the camera’s own from the first picture on', async (_name, index, sound, tolerance) => {
    const sinceMs = Date.now();
    await rig.record(wanted(looped.cameras[index], sound));
    await rig.footage(3);
    await rig.ingest.stop();
    const errors = await tickErrors(looped, index + 1, sinceMs);
    expect(errors.length).toBeGreaterThan(30);
    expect(errors.filter((error) => Math.abs(error) > tolerance)).toEqual([]);
    for (const file of await rig.files()) expect(decodeErrors(file)).toBe('');
  });

  it('of an uneven camera is its own but for the very first picture, which ffmpeg gives no time', async () => {
    const sinceMs = Date.now();
    await rig.record(wanted(live.cameras[0], 'none'));
    await rig.footage(3);
    await rig.ingest.stop();
    const [first = Number.NaN, ...others] = await tickErrors(live, 1, sinceMs);
    expect(others.length).toBeGreaterThan(30);
    expect(others.filter((error) => error !== 0)).toEqual([]);
    expect(Math.abs(first)).toBeLessThanOrEqual(await unevenness(live, 1, sinceMs));
  });
});

/**
 * Wall time of each recorded picture minus when the camera took it, oldest first. The camera's own clock is its RTP time, set by
 * the median picture: a busy machine wakes the simulator late for some, which are then stamped late in its log and in the picture.
 */
async function wallErrors(sinceMs: number): Promise<number[]> {
  const sent = (await live.sendLog(1, 'main', sinceMs)).filter((entry) => entry.clients > 0);
  const [first] = sent;
  if (first === undefined) return [];
  const mediaMs = sent.map((entry) => ((entry.rtpTimestamp - first.rtpTimestamp) | 0) / 90);
  const takenAt = sent.map((entry, index) => entry.capturedMs - (mediaMs[index] ?? 0)).sort((a, b) => a - b)[Math.floor(sent.length / 2)] ?? 0;
  // Encoding takes its time, and nothing can be sent before it is over.
  const encodingMs = Math.min(...sent.map((entry) => entry.sentMs - entry.capturedMs));
  const recorded = rig.segments.flatMap((segment) => presentationTicks(rig.closedPath(segment)).map((ticks) => wallOfMediaMs(segment, ticks / 90)));
  return recorded.map((wallMs, index) => wallMs - takenAt - encodingMs - (mediaMs[index] ?? Number.NaN));
}

describe('wall time', () => {
  it.each([
    ['an even network', {}],
    ['packets up to 60 ms late', { jitter: 60 }],
    ['packets up to 250 ms late', { jitter: 250 }],
    ['a camera that sends its first two seconds at once', { 'burst-start': 2_000 }],
    ['such a camera behind such a network', { 'burst-start': 1_500, jitter: 100 }],
  ])('with %s is true within 200 ms from the first picture on, and a gap ends where footage begins', async (_name, quirks) => {
    for (const [quirk, value] of Object.entries(quirks)) await live.tell(1, `quirks/${quirk}`, { value });
    const startedMs = Date.now();
    await rig.record(wanted(live.cameras[0], 'copy'));
    await rig.footage(3);
    const ended = await rig.until('footage to be told', () => rig.all('outage-ended')[0]);
    await rig.ingest.stop();
    expect(ended.atMs).toBe(rig.segments[0]?.startMs);
    const errors = await wallErrors(startedMs);
    expect(errors.length).toBeGreaterThan(30);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(200);
  });
});

describe('a camera whose clock is set', () => {
  it.each([
    ['back by less than is worth a new connection', -0.6, 1],
    ['back by three hours', -10_000, 2],
    ['forward by three hours', 10_000, 1],
  ])('%s: what comes afterwards has the time it came at, and what is missing between has a cause', async (_name, seconds, sessions) => {
    await rig.record(wanted(live.cameras[0], 'none'));
    await rig.footage(6);
    await live.tell(1, 'quirks/timestamp-jump', { value: seconds });
    const ended = await rig.until('footage after the jump', () => rig.all('outage-ended').find(({ cause }) => cause === 'stream-stalled'), 30_000);
    expect(ended.detail).toBe('the camera’s timestamps jumped');
    await rig.footage(2);
    const open = await rig.ingest.openSegment(KEY);
    expect(Math.abs(Date.now() - (open?.endMs ?? 0))).toBeLessThan(1_500);
    await rig.ingest.stop();
    const ends = rig.segments.map(({ startMs, endMs }) => [startMs, endMs] as const).sort((a, b) => a[0] - b[0]);
    for (const [index, [startMs]] of ends.slice(1).entries()) expect(startMs).toBeGreaterThan((ends[index]?.[1] ?? 0) - 250);
    expect(new Set(rig.segments.map(({ session }) => session)).size).toBe(sessions);
  });
});
