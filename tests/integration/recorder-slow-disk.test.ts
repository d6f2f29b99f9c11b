/** A disk that takes its time, through real files: writes and syncs of this process are made to last. What fits into memory is kept; beyond that footage is missing with its cause, and never half a picture (R3). */
import { type FileHandle, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import type { IngestNotice, IngestStream } from '../../main/engine/ports/ingest.ts';
import { GapLedger } from '../../main/engine/catalog/gap-ledger.ts';
import { Indexer } from '../../main/engine/catalog/indexer.ts';
import { createLogger } from '../../main/engine/core/logger.ts';
import { IngestStreams } from '../../main/engine/recorder/ingest.ts';
import { createRoot, type OpenRoot } from '../../main/engine/storage/root.ts';
import { encodeSegmentName } from '../../main/engine/storage/segment-name.ts';
import type { Gap } from '../../shared/model/gap.ts';
import type { Segment } from '../../shared/model/segment.ts';
import { MINUTE_MS } from '../../shared/time.ts';
import { readFrameCode } from '../../tools/sim/frame-code.ts';
import { type SimulatorProcess, startSimulatorProcess } from '../support/simulator-process.ts';
import { decodeErrors, KEY, pictures, streamFacts, until } from './recorder-rig.ts';

const SLOWED = ['writev', 'datasync', 'sync'] as const;

let simulator: SimulatorProcess;
let folder: string;
let root: OpenRoot;
let notices: IngestNotice[];
let ingest: IngestStreams;
/** What each write and each sync lasts beyond what it needs. */
let lastsMs = 0;
/** Every write and sync is answered EIO. */
let fails = false;
let undo: () => void = () => undefined;

/** Makes the writes of every open file of this process last. */
async function slowDown(): Promise<() => void> {
  const handle = await open(path.join(folder, 'any'), 'w');
  const methods = Object.getPrototypeOf(handle) as Record<(typeof SLOWED)[number], (this: FileHandle, ...args: unknown[]) => Promise<unknown>>;
  await handle.close();
  const real = Object.fromEntries(SLOWED.map((name) => [name, methods[name]] as const));
  for (const name of SLOWED) {
    const method = methods[name];
    methods[name] = async function slowly(...args) {
      if (lastsMs > 0) await systemClock.sleep(lastsMs);
      if (fails) throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' });
      return await method.apply(this, args);
    };
  }
  return () => void Object.assign(methods, real);
}

beforeAll(async () => {
  simulator = await startSimulatorProcess(['--cameras', '1', '--source', 'test', '--audio', 'none', '--discovery-port', '0']);
});
afterAll(async () => {
  await simulator?.stop();
});
beforeEach(async () => {
  lastsMs = 0;
  fails = false;
  notices = [];
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-slow-'));
  root = await createRoot(path.join(folder, 'media'), systemClock.nowMs());
  undo = await slowDown();
  ingest = new IngestStreams(systemClock, (notice) => notices.push(notice), () => true);
});
afterEach(async () => {
  lastsMs = 0;
  fails = false;
  await ingest.stop();
  undo();
  await rm(folder, { recursive: true, force: true });
});

/** What the index is given of the outages that were told. */
async function gapsOf(told: readonly IngestNotice[]): Promise<readonly Gap[]> {
  const gaps: Gap[] = [];
  const ledger = new GapLedger({ footageEnds: [], openOutages: [], between: { startMs: 0, endMs: 0, cause: 'stopped-by-you', detail: '' } });
  const write = { insertSegment: () => Promise.resolve(), insertEvent: () => Promise.resolve(), insertGap: (gap: Gap) => Promise.resolve(void gaps.push(gap)) };
  const indexer = new Indexer({ write, ledger, lookForSleep: () => undefined, clock: systemClock, logger: createLogger(() => undefined) });
  for (const notice of told) indexer.take(notice);
  await indexer.stop();
  return gaps;
}

/** With another transport a recorder is replaced by another; `null` records nothing. */
async function record(transport: IngestStream['transport'] | null = 'tcp'): Promise<void> {
  const camera = simulator.cameras[0];
  const stream: IngestStream = {
    ...KEY, kind: 'main', url: camera?.rtspMain ?? '', username: camera?.username ?? null, password: camera?.password ?? null, transport: transport ?? 'tcp', videoCodec: 'h264', sound: 'none',
    record: { rootId: root.rootId, rootPath: root.path }, rotationOffsetMs: (systemClock.nowMs() + MINUTE_MS / 2) % MINUTE_MS, afterSession: 0,
  };
  await ingest.configure(transport === null ? [] : [stream], { ffmpegPath: 'ffmpeg', dataDir: folder });
}

/** Live fragments from now on, by their time. */
function watch(): { readonly times: number[]; readonly port: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  const times: number[] = [];
  port1.on('message', (message: { readonly type: string; readonly baseMediaMs?: number }) => {
    if (message.type === 'fragment') times.push(message.baseMediaMs ?? 0);
  });
  ingest.subscribe({ ...KEY, keyframesOnly: false }, port2);
  return { times, port: port1 };
}

const all = <Type extends IngestNotice['type']>(type: Type): Extract<IngestNotice, { type: Type }>[] => notices.filter((notice): notice is Extract<IngestNotice, { type: Type }> => notice.type === type);
const segments = (): Segment[] => all('segment-closed').map((notice) => notice.segment);
const fileOf = (segment: Segment): string => path.join(root.path, ...encodeSegmentName({ ...segment, startMs: segment.nameMs }).split('/'));
const say = (): string => JSON.stringify(notices.filter((notice) => notice.type !== 'status').slice(-6));

/** Numbers burnt into a file's pictures, in order of presentation. */
function framesOf(segment: Segment): number[] {
  const { width = 0, height = 0 } = streamFacts(fileOf(segment))[0] ?? {};
  return pictures(fileOf(segment), width, height).map(({ pixels }) => readFrameCode(pixels, width, height)?.frameNumber ?? -1);
}

/** How many pictures are missing before each picture of a list, in a loop of this many. */
const holes = (frames: readonly number[], loop: number): number[] => frames.slice(1).flatMap((frame, index) => {
  const missing = (frame - (frames[index] ?? 0) - 1 + loop) % loop;
  return missing === 0 ? [] : [missing];
});

/** Pictures in the simulator's loop, by its log. */
async function loopFrames(): Promise<number> {
  return Math.max(...(await simulator.sendLog(1, 'main')).map((entry) => entry.frameIndex)) + 1;
}

describe('a disk whose every write and sync lasts', () => {
  it('half a second costs no picture', async () => {
    lastsMs = 500;
    await record();
    await until('twelve seconds of pictures', async () => (await ingest.openSegment(KEY).then((open) => (open === null ? 0 : open.endMs - open.startMs))) > 12_000, 60_000, say);
    lastsMs = 0;
    await ingest.stop();
    expect(all('outage-began')).toEqual([]);
    const [segment, ...more] = segments();
    expect(more).toEqual([]);
    if (segment === undefined) throw new Error('one segment was expected');
    const frames = framesOf(segment);
    expect(frames.length).toBeGreaterThan(150);
    expect(holes(frames, await loopFrames())).toEqual([]);
    expect(decodeErrors(fileOf(segment))).toBe('');
  });

  it('from the first picture on ends a segment before its beginning was said, and what is missing behind it has its cause too', async () => {
    lastsMs = 8_000;
    await record();
    await until('the disk to be too slow', () => all('root-problem')[0], 60_000, say);
    lastsMs = 0;
    await until('two segments', async () => segments().length > 0 && (await ingest.openSegment(KEY).then((open) => (open === null ? 0 : open.endMs - open.startMs))) > 2_000, 60_000, say);
    await ingest.stop();
    const [before, after, ...more] = segments();
    if (before === undefined || after === undefined) throw new Error(say());
    expect(more).toEqual([]);
    expect(after.startMs - before.endMs).toBeGreaterThan(500);
    expect(all('outage-ended').map(({ sinceMs, atMs, cause }) => [sinceMs, atMs, cause]).at(-1)).toEqual([before.endMs, after.startMs, 'disk-too-slow']);
  });

  it('and that fails for a while keeps what was synced: the file is made whole when the disk is well, and the gap begins no later than it ends', async () => {
    await record();
    await until('footage', async () => (await ingest.openSegment(KEY).then((open) => (open === null ? 0 : open.endMs - open.startMs))) > 3_000, 30_000, say);
    fails = true;
    const began = await until('the disk to fail', () => all('outage-began')[0], 20_000, say);
    expect(began.cause).toBe('disk-failing');
    fails = false;
    await until('footage again, and the old file', async () => segments().length > 0 && (await ingest.openSegment(KEY).then((open) => (open === null ? 0 : open.endMs - open.startMs))) > 2_000, 30_000, say);
    await ingest.stop();
    const [before, after, ...more] = segments().toSorted((a, b) => a.sequence - b.sequence);
    if (before === undefined || after === undefined) throw new Error(say());
    expect(more).toEqual([]);
    // Every file that is there was told of, each whole.
    const names = (await readdir(root.path, { recursive: true })).filter((name) => name.endsWith('.mp4'));
    expect(names.map((name) => path.join(root.path, name)).toSorted()).toEqual([before, after].map(fileOf).toSorted());
    for (const segment of [before, after]) expect(decodeErrors(fileOf(segment))).toBe('');
    expect(before.endMs - before.startMs).toBeGreaterThan(2_000);
    expect(began.sinceMs).toBeLessThanOrEqual(before.endMs);
    expect(before.endMs - began.sinceMs).toBeLessThan(2_000);
    expect(all('outage-ended').map(({ atMs, cause }) => [atMs, cause]).at(-1)).toEqual([after.startMs, 'disk-failing']);
  });

  it('and that fails while the camera’s settings are changed: no gap covers what it held, whoever records when it is well', async () => {
    await record();
    // A segment that is closed, and then the one that the disk fails in.
    await until('footage', async () => (await ingest.openSegment(KEY).then((open) => (open === null ? 0 : open.endMs - open.startMs))) > 2_000, 30_000, say);
    await record(null);
    await record();
    await until('footage of the next segment', async () => segments().length === 1 && (await ingest.openSegment(KEY).then((open) => (open === null ? 0 : open.endMs - open.startMs))) > 4_000, 30_000, say);
    fails = true;
    await until('the disk to fail', () => all('root-problem')[0], 20_000, say);
    await record('udp');
    await until('the new recorder to meet the failing disk', () => all('root-problem').length > 1, 30_000, say);
    fails = false;
    await until('footage again, and the old file', async () => segments().length > 1 && (await ingest.openSegment(KEY).then((open) => (open === null ? 0 : open.endMs - open.startMs))) > 2_000, 30_000, say);
    await ingest.stop();
    const gaps = await gapsOf(notices);
    expect(gaps.at(-1)?.cause).toBe('disk-failing');
    for (const gap of gaps) for (const { startMs, endMs } of segments()) expect(Math.min(gap.endMs, endMs) - Math.max(gap.startMs, startMs), `gap ${gap.startMs}-${gap.endMs} over ${startMs}-${endMs}`).toBeLessThan(1);
    const told = [...gaps, ...segments()].toSorted((a, b) => a.startMs - b.startMs);
    const holes = told.slice(1).map(({ startMs }, index) => startMs - (told[index]?.endMs ?? 0));
    expect(Math.max(...holes)).toBeLessThan(500);
  });

  it('many seconds costs footage from a picture to a keyframe, with its cause, while live goes on; then all is as before', async () => {
    await record();
    await until('footage', async () => (await ingest.openSegment(KEY)) !== null, 30_000, say);
    const live = watch();
    lastsMs = 9_000;
    const began = await until('the disk to be too slow', () => all('outage-began')[0], 60_000, say);
    expect(began.cause).toBe('disk-too-slow');
    expect(all('root-problem')[0]).toMatchObject({ rootId: root.rootId, cause: 'disk-too-slow' });
    lastsMs = 0;
    const ended = await until('footage again', () => all('outage-ended').find((notice) => notice.cause === 'disk-too-slow'), 60_000, say);
    await until('more footage', async () => (await ingest.openSegment(KEY).then((open) => (open === null ? 0 : open.endMs - open.startMs))) > 3_000, 30_000, say);
    live.port.close();
    await ingest.stop();
    const [before, after, ...more] = segments();
    if (before === undefined || after === undefined) throw new Error(say());
    expect(more).toEqual([]);
    // One session throughout: the camera noticed nothing, and the live picture neither.
    expect(after.session).toBe(before.session);
    const steps = live.times.slice(1).map((mediaMs, index) => mediaMs - (live.times[index] ?? 0));
    expect(steps.length).toBeGreaterThan(60);
    expect(Math.max(...steps)).toBeLessThan(1.5 * Math.min(...steps));
    // The gap is what lies between the two files.
    expect([ended.sinceMs, ended.atMs]).toEqual([before.endMs, after.startMs]);
    // What memory held when the disk stopped was kept for it.
    expect(before.videoFrames).toBeGreaterThan(60);
    const loop = await loopFrames();
    for (const segment of [before, after]) {
      expect(segment.keyframes[0]?.mediaMs).toBe(0);
      expect(holes(framesOf(segment), loop)).toEqual([]);
      expect(decodeErrors(fileOf(segment))).toBe('');
    }
  });
});
