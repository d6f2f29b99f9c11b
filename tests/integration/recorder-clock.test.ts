/** A system clock that is set, through real files: nothing changes order, no name collides, every file keeps the time it began with (T1). */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../main/engine/core/clock.ts';
import type { IngestNotice, IngestStream } from '../../main/engine/ports/ingest.ts';
import { IngestStreams } from '../../main/engine/recorder/ingest.ts';
import { createRoot, type OpenRoot } from '../../main/engine/storage/root.ts';
import { encodeSegmentName } from '../../main/engine/storage/segment-name.ts';
import type { Segment } from '../../shared/model/segment.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/time.ts';
import { type SimulatorProcess, startSimulatorProcess } from '../support/simulator-process.ts';
import { decodeErrors, KEY, until } from './recorder-rig.ts';

let simulator: SimulatorProcess;
let folder: string;
let root: OpenRoot;
let shiftMs: number;
let notices: IngestNotice[];
let running: IngestStreams | null = null;

/** The system's clock, as somebody sets it. */
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + shiftMs };

beforeAll(async () => {
  simulator = await startSimulatorProcess(['--cameras', '1', '--source', 'test', '--discovery-port', '0']);
});
afterAll(async () => {
  await simulator.stop();
});
beforeEach(async () => {
  shiftMs = 0;
  notices = [];
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-clock-'));
  root = await createRoot(path.join(folder, 'media'), systemClock.nowMs());
});
afterEach(async () => {
  await running?.stop();
  running = null;
  await rm(folder, { recursive: true, force: true });
});

/** One life of the recorder. */
async function record(afterSession: number): Promise<IngestStreams> {
  const camera = simulator.cameras[0];
  if (camera === undefined) throw new Error('no camera');
  const stream: IngestStream = {
    ...KEY, kind: 'main', url: camera.rtspMain, username: camera.username, password: camera.password, transport: 'tcp', videoCodec: 'h264', sound: 'copy',
    record: { rootId: root.rootId, rootPath: root.path }, rotationOffsetMs: (systemClock.nowMs() + MINUTE_MS / 2) % MINUTE_MS, afterSession,
  };
  running = new IngestStreams(clock, (notice) => notices.push(notice), () => true);
  await running.configure([stream], { ffmpegPath: 'ffmpeg', dataDir: folder });
  return running;
}

const segments = (): Segment[] => notices.flatMap((notice) => (notice.type === 'segment-closed' ? [notice.segment] : []));

async function footage(ingest: IngestStreams, seconds: number): Promise<void> {
  await until(`${seconds} s of footage`, async () => {
    const open = await ingest.openSegment(KEY);
    return open !== null && open.endMs - open.startMs >= seconds * 1_000;
  }, 40_000, () => JSON.stringify(notices.slice(-5)));
}

describe('the system clock', () => {
  it.each([['forward', HOUR_MS], ['back', -HOUR_MS]])('set %s by an hour ends a segment with the time it began with, and the next has the new time', async (_way, stepMs) => {
    const ingest = await record(0);
    await footage(ingest, 2);
    shiftMs = stepMs;
    await until('the segment to end', () => segments().length === 1, 20_000);
    await footage(ingest, 2);
    await ingest.stop();
    const [before, after, ...more] = segments();
    if (before === undefined || after === undefined) throw new Error('two segments were expected');
    expect(more).toEqual([]);
    expect([after.session, after.sequence]).toEqual([before.session, before.sequence + 1]);
    const nowMs = systemClock.nowMs();
    expect(Math.abs(before.endMs - nowMs)).toBeLessThan(MINUTE_MS);
    expect(Math.abs(after.endMs - (nowMs + stepMs))).toBeLessThan(MINUTE_MS);
    // Not a frame is missing where they meet: what the first ends with, the second goes on from, but for the step.
    expect(Math.abs(after.startMs - stepMs - before.endMs)).toBeLessThan(250);
    for (const segment of [before, after]) expect(decodeErrors(path.join(root.path, ...encodeSegmentName({ ...segment, startMs: segment.nameMs }).split('/')))).toBe('');
    // The hour that was left out has its cause; an hour that comes twice lacks nothing.
    const began = notices.filter((notice) => notice.type === 'outage-began');
    expect(began).toMatchObject(stepMs > 0 ? [{ cause: 'clock-changed', sinceMs: before.endMs }] : []);
    if (stepMs > 0) expect(notices.findLast((notice) => notice.type === 'outage-ended')).toMatchObject({ cause: 'clock-changed', sinceMs: before.endMs, atMs: after.startMs });
  });

  it('set back between two lives of the recorder leaves the later one with the larger session', async () => {
    const first = await record(0);
    await footage(first, 1);
    await first.stop();
    const last = segments().at(-1);
    shiftMs = -HOUR_MS;
    const second = await record(last?.session ?? 0);
    await footage(second, 1);
    await second.stop();
    const [before, after] = segments();
    expect(after?.session).toBeGreaterThan(before?.session ?? 0);
    expect(after?.startMs).toBeLessThan(before?.startMs ?? 0);
    const files = (await readdir(root.path, { recursive: true })).filter((name) => name.endsWith('.mp4'));
    expect(files.length).toBe(2);
  });
});
