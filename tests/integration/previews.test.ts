import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { runBatch } from '../../main/engine/ffmpeg/jobs.ts';
import type { LiveMessage } from '../../main/engine/ports/ingest.ts';
import { PictureDecoder, type RunFfmpeg } from '../../main/engine/previews/picture-decoder.ts';
import { PreviewMaker } from '../../main/engine/previews/preview-maker.ts';
import type { KeyframeBatch } from '../../main/engine/previews/preview-queue.ts';
import { PreviewStore } from '../../main/engine/previews/preview-store.ts';
import { packPath } from '../../main/engine/storage/preview-name.ts';
import { PreviewPacks } from '../../main/engine/storage/preview-pack.ts';
import { createRoot } from '../../main/engine/storage/root.ts';
import { parseFragment } from '../../shared/media/fragment.ts';
import { ticksToMs } from '../../shared/media/keyframe-index.ts';
import { videoTrackOf } from '../../shared/media/init.ts';
import { type CameraId, cameraIdFrom } from '../../shared/model/ids.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { HOUR_MS } from '../../shared/time.ts';
import { type Clip, makeClip } from './playback-fixture.ts';

const FOOTAGE = path.join(process.env['PORCHLIGHT_FOOTAGE'] ?? path.resolve(import.meta.dirname, '../../../shared/footage'), 'people.avi');
const MISSING = existsSync(FOOTAGE) ? '' : `the test footage is not at ${FOOTAGE}`;
/** Ten minutes before a full hour. */
const T0 = Date.parse('2026-11-21T14:50:00Z');
const SECONDS = 40;

let folder = '';
let root = '';
let clip: Clip;
const maker: { current: PreviewMaker | null } = { current: null };
const ports: MessagePort[] = [];

/** A scene whose grey says which second it is: 40 + 5 × second, so that a picture out of place is seen. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'previews-'));
  clip = makeClip(folder, 'grey.mp4', ['-f', 'lavfi', '-i', `color=black:size=32x18:rate=10,format=gray,geq=lum='40+5*floor(T)',scale=640:360:flags=neighbor,format=yuv420p`], ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-keyint_min', '10', '-sc_threshold', '0', '-bf', '2', '-t', String(SECONDS)]);
});
afterAll(async () => await rm(folder, { recursive: true }));
beforeEach(async () => {
  root = (await createRoot(await mkdtemp(path.join(folder, 'root-')), T0)).path;
});
afterEach(async () => {
  await maker.current?.stop();
  maker.current = null;
  for (const port of ports.splice(0)) port.close();
});

const running = { now: 0, most: 0 };

const runFfmpeg: RunFfmpeg = async (job) => {
  running.now += 1;
  running.most = Math.max(running.most, running.now);
  try {
    return await runBatch('ffmpeg', job, systemClock);
  } finally {
    running.now -= 1;
  }
};

/** Every keyframe of a clip with its second. */
function keyframesOf(of: Clip): { second: number; bytes: Uint8Array; mediaMs: number }[] {
  const video = forceUnwrap('the clip has video', videoTrackOf(of.init));
  return of.fragments
    .filter((fragment) => fragment.keyframe)
    .map((fragment, second) => {
      const track = forceUnwrap('it has video', parseFragment(fragment.bytes, of.init)[0]);
      return { second, bytes: new Uint8Array(fragment.bytes), mediaMs: ticksToMs(track.baseDecodeTime + (track.samples[0]?.compositionOffsetTicks ?? 0), video.timescale) };
    });
}

function batchOf(of: Clip, keyframes = keyframesOf(of)): KeyframeBatch {
  return { init: of.initBytes, keyframes: keyframes.map(({ second, bytes }) => ({ atMs: T0 + second * 1_000, fragment: bytes })) };
}

/** Pixels of a JPEG, from its frame header (ITU-T T.81 section B.2.2). */
function pixels(jpeg: Uint8Array): { width: number; height: number } {
  const bytes = Buffer.from(jpeg);
  for (let at = 2; at < bytes.length; at += 2 + bytes.readUInt16BE(at + 2)) {
    if (bytes[at + 1] === 0xc0) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
  }
  throw new Error('a JPEG without a frame header');
}

/** The seconds whose grey the pictures have: a JPEG's luma runs from 0 to 255, the scene's from 16 to 235. */
function secondsOf(jpegs: readonly Uint8Array[]): number[] {
  const greys = execFileSync('ffmpeg', ['-v', 'error', '-f', 'mjpeg', '-i', 'pipe:0', '-fps_mode', 'passthrough', '-vf', 'format=yuvj420p,extractplanes=y,scale=1:1:flags=area:in_range=full:out_range=full', '-f', 'rawvideo', 'pipe:1'], { input: Buffer.concat(jpegs) });
  return Array.from(greys, (grey) => Math.round(((grey * 219) / 255 + 16 - 40) / 5));
}

const alive = new AbortController().signal;

test('every picture is of its own keyframe, 320 pixels wide', async () => {
  const { previews, problem } = await new PictureDecoder(runFfmpeg).decode(batchOf(clip), 6, alive);
  expect(problem).toBe('');
  expect(previews).toHaveLength(SECONDS);
  expect(secondsOf(previews.map(({ jpeg }) => jpeg))).toEqual(Array.from({ length: SECONDS }, (_, second) => second));
  expect(pixels(forceUnwrap('there are forty', previews[0]).jpeg)).toEqual({ width: 320, height: 180 });
});

test('keyframes that cannot be decoded are missing, and no other picture takes their place', async () => {
  const spoiled = new Set([0, 7, 8, SECONDS - 1]);
  const keyframes = keyframesOf(clip).map((keyframe) => {
    if (!spoiled.has(keyframe.second)) return keyframe;
    const sample = forceUnwrap('it has a sample', parseFragment(keyframe.bytes, clip.init)[0]?.samples[0]);
    keyframe.bytes.fill(0xff, sample.offsetBytes, sample.offsetBytes + sample.sizeBytes);
    return keyframe;
  });
  const { previews, problem } = await new PictureDecoder(runFfmpeg).decode(batchOf(clip, keyframes), 6, alive);
  expect(problem).toContain('decoded 36 of 40');
  expect(previews.map(({ atMs }) => (atMs - T0) / 1_000)).toEqual(keyframes.map(({ second }) => second).filter((second) => !spoiled.has(second)));
  expect(secondsOf(previews.map(({ jpeg }) => jpeg))).toEqual(previews.map(({ atMs }) => (atMs - T0) / 1_000));
});

test('shapes are kept: upright cameras, 4:3, pixels that are not square; H.265 too', async () => {
  const shapes = [
    { size: '360x640', filter: 'null', codec: 'libx264', width: 180, height: 320 },
    { size: '640x480', filter: 'null', codec: 'libx265', width: 320, height: 240 },
    { size: '352x576', filter: 'setsar=24/11', codec: 'libx264', width: 320, height: 240 },
  ];
  for (const shape of shapes) {
    const extra = shape.codec === 'libx265' ? ['-x265-params', 'log-level=none:keyint=10:pools=1', '-tag:v', 'hvc1'] : ['-g', '10'];
    const other = makeClip(folder, `shape-${shape.size}.mp4`, ['-f', 'lavfi', '-i', `testsrc2=size=${shape.size}:rate=10,${shape.filter}`], ['-c:v', shape.codec, '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', ...extra, '-t', '2']);
    const { previews, problem } = await new PictureDecoder(runFfmpeg).decode(batchOf(other), 6, alive);
    expect(problem, shape.size).toBe('');
    expect(pixels(forceUnwrap('it was decoded', previews[0]).jpeg), shape.size).toEqual({ width: shape.width, height: shape.height });
  }
});

interface Fed {
  readonly maker: PreviewMaker;
  readonly store: PreviewStore;
  readonly tell: (cameraId: CameraId, message: LiveMessage) => void;
}

/** A maker over real message ports, the other ends of which are the test's. */
function fed(cameras: readonly CameraId[], packs = new PreviewPacks(), run = runFfmpeg): Fed {
  const feeds = new Map<CameraId, MessagePort>();
  const made = new PreviewMaker({
    subscribe: ({ cameraId }) => {
      const { port1, port2 } = new MessageChannel();
      feeds.set(cameraId, port1);
      ports.push(port1);
      return port2;
    },
    runFfmpeg: run,
    packs,
    rootOf: () => root,
    footageBytesPerSecond: () => 500_000,
    clock: systemClock,
    log: silentLogger,
  });
  maker.current = made;
  made.configure(cameras.map((cameraId) => ({ cameraId, stream: 'sub' as const })));
  const store = new PreviewStore({ packs, roots: () => [root], flush: async (cameraId) => await made.flush(cameraId), clock: systemClock, log: silentLogger });
  return { maker: made, store, tell: (cameraId, message) => forceUnwrap('it is subscribed', feeds.get(cameraId)).postMessage(message) };
}

/** Sends a clip's keyframes as the ingest thread does, media time 0 at `startMs`, in the order of `from` to `to`. */
function feed({ tell }: Fed, cameraId: CameraId, of: Clip, startMs: number): void {
  tell(cameraId, { type: 'init', initId: 1, bytes: new Uint8Array(of.initBytes) });
  for (const { bytes, mediaMs } of keyframesOf(of)) tell(cameraId, { type: 'fragment', initId: 1, bytes, keyframe: true, video: true, baseWallMs: startMs, baseMediaMs: 0, endMs: startMs + mediaMs });
}

test('from keyframes of two cameras to their pictures: each second second, over the full hour, one decoder at a time', async () => {
  const [porch, drive] = [cameraIdFrom(randomBytes(12)), cameraIdFrom(randomBytes(12))];
  running.most = 0;
  const both = fed([porch, drive]);
  const startMs = T0 + 600_000 - 20_000;
  feed(both, porch, clip, startMs);
  feed(both, drive, clip, startMs + 500);
  both.tell(porch, { type: 'wait', sinceMs: 0 });
  both.tell(drive, { type: 'wait', sinceMs: 0 });
  await expect.poll(() => both.maker.counts, { timeout: 20_000 }).toEqual({ made: 40, undecoded: 0, dropped: 0 });
  expect(running.most).toBe(1);

  for (const [cameraId, offsetMs] of [[porch, 0], [drive, 500]] as const) {
    const sheet = await both.store.sheet({ cameraId, startMs, endMs: startMs + 41_000, count: 41 });
    expect(sheet.items).toHaveLength(20);
    const jpegs = sheet.items.map((item) => sheet.bytes.subarray(item.offsetBytes, item.offsetBytes + item.sizeBytes));
    expect(secondsOf(jpegs)).toEqual(sheet.items.map((item) => Math.floor((item.atMs - startMs - offsetMs) / 1_000)));
  }
  expect(existsSync(packPath(root, porch, T0 - 50 * 60_000))).toBe(true);
  expect(existsSync(packPath(root, porch, T0 + 600_000))).toBe(true);
});

test('the picture under the pointer is the nearest one, also across the full hour, and none where none is near', async () => {
  const cameraId = cameraIdFrom(randomBytes(12));
  const one = fed([cameraId]);
  const startMs = T0 + 600_000 - 20_000;
  feed(one, cameraId, clip, startMs);
  await expect.poll(async () => (await one.maker.flush(cameraId), one.maker.counts.made), { timeout: 20_000 }).toBe(20);
  const at = async (atMs: number, toleranceMs = 30_000): Promise<number | null> => (await one.store.at({ cameraId, atMs, toleranceMs })).item?.atMs ?? null;
  const all = (await one.store.sheet({ cameraId, startMs, endMs: startMs + 60_000, count: 60 })).items.map((item) => item.atMs);
  expect(all).toHaveLength(20);
  for (const atMs of [startMs + 7_300, startMs + 19_900, startMs + 20_100, startMs - 5_000, startMs + 60_000]) {
    const nearest = all.toSorted((a, b) => Math.abs(a - atMs) - Math.abs(b - atMs))[0];
    expect(await at(atMs)).toBe(nearest);
  }
  expect(await at(startMs - 31_000)).toBeNull();
  expect(await at(startMs + 2 * HOUR_MS, 3 * HOUR_MS)).toBe(all.at(-1));
  expect((await one.store.at({ cameraId: cameraIdFrom(randomBytes(12)), atMs: startMs, toleranceMs: HOUR_MS })).item).toBeNull();
});

test('a look for a picture of the last minute hurries those that wait', async () => {
  const cameraId = cameraIdFrom(randomBytes(12));
  const one = fed([cameraId]);
  const startMs = Math.floor(Date.now() / 2_000) * 2_000 - 50_000;
  feed(one, cameraId, clip, startMs);
  await expect.poll(async () => (await one.store.at({ cameraId, atMs: startMs + 38_000, toleranceMs: 1_000 })).item, { timeout: 20_000 }).not.toBeNull();
});

test('asking for the newest picture makes it at once; an offline camera keeps its last one, also after a restart', async () => {
  const cameraId = cameraIdFrom(randomBytes(12));
  const one = fed([cameraId]);
  expect((await one.store.latest({ cameraId })).item).toBeNull();
  feed(one, cameraId, clip, Math.floor(Date.now() / 2_000) * 2_000 - 60_000);
  await expect.poll(async () => (await one.store.latest({ cameraId }), one.maker.counts.made), { timeout: 20_000 }).toBe(20);
  const newest = await one.store.latest({ cameraId });
  expect([[38], [39]]).toContainEqual(secondsOf([newest.bytes]));
  await one.maker.stop();
  const later = new PreviewStore({ packs: new PreviewPacks(), roots: () => [root, path.join(root, 'not-there')], flush: async () => await Promise.resolve(), clock: { ...systemClock, nowMs: () => Date.now() + 90 * 24 * HOUR_MS }, log: silentLogger });
  expect((await later.latest({ cameraId })).item?.atMs).toBe(newest.item?.atMs);
});

test('pictures that lie in another camera’s folder are shown to nobody', async () => {
  const [mine, theirs] = [cameraIdFrom(randomBytes(12)), cameraIdFrom(randomBytes(12))];
  const both = fed([mine, theirs]);
  feed(both, theirs, clip, T0);
  await expect.poll(async () => (await both.maker.flush(theirs), both.maker.counts.made), { timeout: 20_000 }).toBe(20);
  await mkdir(path.dirname(packPath(root, mine, T0)), { recursive: true });
  await rename(packPath(root, theirs, T0), packPath(root, mine, T0));
  for (const packs of [new PreviewPacks(), undefined]) {
    const store = packs === undefined ? both.store : new PreviewStore({ packs, roots: () => [root], flush: async () => await Promise.resolve(), clock: systemClock, log: silentLogger });
    for (const cameraId of [mine, theirs]) {
      expect(await store.at({ cameraId, atMs: T0 + 5_000, toleranceMs: HOUR_MS })).toMatchObject({ item: null, bytes: new Uint8Array(0) });
      expect(await store.sheet({ cameraId, startMs: T0, endMs: T0 + 60_000, count: 10 })).toMatchObject({ items: [], bytes: new Uint8Array(0) });
      expect((await store.latest({ cameraId })).item).toBeNull();
    }
  }
});

test('a decoder that cannot be started or hangs costs pictures, nothing else; stopping waits for nobody', async () => {
  const cameraId = cameraIdFrom(randomBytes(12));
  let fails = true;
  const one = fed([cameraId], new PreviewPacks(), async (job) => (fails ? await Promise.reject(new Error('ENOENT')) : await runFfmpeg(job)));
  feed(one, cameraId, clip, T0);
  await expect.poll(async () => (await one.maker.flush(cameraId), one.maker.counts.dropped), { timeout: 20_000 }).toBe(20);
  fails = false;
  feed(one, cameraId, clip, T0 + 60_000);
  await expect.poll(async () => (await one.maker.flush(cameraId), one.maker.counts.made), { timeout: 20_000 }).toBe(20);
  await one.maker.stop();

  let started = false;
  const hanging = fed([cameraId], new PreviewPacks(), async ({ signal }) => {
    started = true;
    return await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }));
  });
  feed(hanging, cameraId, clip, T0 + 120_000);
  hanging.tell(cameraId, { type: 'wait', sinceMs: 0 });
  await expect.poll(() => started).toBe(true);
  await hanging.maker.stop();
});

test('real motion: previews stay within one percent of the footage', async ({ skip }) => {
  skip(MISSING !== '' && process.env['PORCHLIGHT_REQUIRE_DATA'] !== '1', MISSING);
  expect(MISSING).toBe('');
  const scene = makeClip(folder, 'people.mp4', ['-i', FOOTAGE], ['-vf', 'scale=640:-2', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '10', '-keyint_min', '10', '-bf', '0', '-t', '38']);
  const cameraId = cameraIdFrom(randomBytes(12));
  // A main stream of 4 Mbit/s, three times over the scene: the first batches find out how good the pictures may be.
  const one = fed([cameraId]);
  for (const round of [0, 1, 2]) {
    feed(one, cameraId, scene, T0 + round * 38_000);
    await expect.poll(async () => (await one.maker.flush(cameraId), one.maker.counts.made), { timeout: 30_000 }).toBe((round + 1) * 19);
  }
  expect(one.maker.counts).toEqual({ made: 57, undecoded: 0, dropped: 0 });
  const bytes = readFileSync(packPath(root, cameraId, T0 - 50 * 60_000)).length;
  expect(bytes / (500_000 * 114)).toBeLessThanOrEqual(0.01);
});
