import { mkdtemp, rm, truncate, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { FootageStreams } from '../../main/engine/playback/footage-streams.ts';
import type { MediaStream } from '../../main/engine/ports/media.ts';
import type { ChunkHead, GapChunk, MediaChunk, MediaControlParsed } from '../../shared/contract/media.ts';
import { concatBytes } from '../../shared/media/boxes.ts';
import { parseFragment } from '../../shared/media/fragment.ts';
import { FragmentSplitter } from '../../shared/media/fragment-splitter.ts';
import { type InitSegment, parseInit, videoTrackOf } from '../../shared/media/init.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { CAMERA, type Clip, fragmentOfKeyframe, makeClip, pictureHashes, TestArchive } from './playback-fixture.ts';

/** 23:59:52 UTC: the recordings of these tests run over midnight. */
const T0 = Date.parse('2026-11-21T23:59:52Z');
const FPS = 10;
let folder = '';
let main: Clip;
let small: Clip;
let archive: TestArchive;
let streams: FootageStreams;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'playback-'));
  const video = (size: string): string[] => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${FPS}`];
  const h264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', String(FPS), '-keyint_min', String(FPS), '-sc_threshold', '0'];
  // B-frames and sound, so that chunks hold pictures in coded order and fragments of two tracks.
  main = makeClip(folder, 'main.mp4', [...video('320x180'), '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=16000'], [...h264, '-bf', '2', '-c:a', 'aac', '-t', '12']);
  small = makeClip(folder, 'small.mp4', video('160x90'), [...h264, '-bf', '0', '-t', '6']);
});
afterAll(async () => await rm(folder, { recursive: true }));

beforeEach(async () => {
  archive = new TestArchive(await mkdtemp(path.join(folder, 'archive-')));
  streams = new FootageStreams({ reader: archive.reader, ingest: { ...archive.ingest, subscribe: () => { throw new Error('not live'); } }, clock: systemClock, log: silentLogger, chooseStream: () => 'main' });
});
afterEach(async () => await streams.close());

type Seen = { readonly head: ChunkHead; readonly payload: Uint8Array | null };

/** Somebody who watches: keeps what comes, grants credits as told. */
class Viewer {
  readonly seen: Seen[] = [];
  readonly closed: (Error | null)[] = [];
  readonly stream: MediaStream;
  #look: (() => void) | null = null;

  constructor(fromMs: number, credits = 1_000, seekId = 1) {
    this.stream = streams.open('playback', { cameraId: CAMERA, stream: 'main', fromMs, seekId }, credits, {
      chunk: (head, payload) => {
        this.seen.push({ head, payload });
        this.#look?.();
      },
      closed: (error) => {
        this.closed.push(error);
        this.#look?.();
      },
    });
  }

  seek(toMs: number, seekId: number, one = false): void {
    this.stream.control({ kind: 'seek', toMs, seekId, one });
  }

  async until(condition: (viewer: this) => boolean): Promise<void> {
    const limit = AbortSignal.timeout(10_000);
    while (!condition(this)) {
      await new Promise<void>((resolve, reject) => {
        this.#look = resolve;
        limit.addEventListener('abort', () => reject(new Error(`waited in vain; seen: ${JSON.stringify(this.seen.map(({ head }) => head))}`)), { once: true });
      });
    }
  }

  async end(seekId = 1): Promise<void> {
    await this.until(() => this.seen.some(({ head }) => head.kind === 'end' && head.seekId === seekId));
  }

  media(seekId = 1): { head: MediaChunk; payload: Uint8Array }[] {
    return this.seen.flatMap(({ head, payload }) => (head.kind === 'media' && head.seekId === seekId && payload !== null ? [{ head, payload }] : []));
  }

  gaps(): GapChunk[] {
    return this.seen.flatMap(({ head }) => (head.kind === 'gap' ? [head] : []));
  }

  init(initId: number): Uint8Array {
    return forceUnwrap('an init comes before its media', this.seen.find(({ head }) => head.kind === 'init' && head.initId === initId)?.payload);
  }

  /** Hashes of every picture in the chunks, file by file, as a decoder shows them. */
  pictures(chunks = this.media()): string[] {
    const runs: { key: string; parts: Uint8Array[] }[] = [];
    for (const { head, payload } of chunks) {
      const key = `${head.initId} ${head.baseWallMs}`;
      if (runs.at(-1)?.key !== key) runs.push({ key, parts: [this.init(head.initId)] });
      runs.at(-1)?.parts.push(payload);
    }
    return runs.flatMap((run) => pictureHashes(concatBytes(run.parts)));
  }
}

/** Wall times of the pictures in a chunk, in the order of showing. */
function wallTimes(viewer: Viewer, { head, payload }: { head: MediaChunk; payload: Uint8Array }): number[] {
  const init: InitSegment = parseInit(viewer.init(head.initId));
  const video = forceUnwrap('footage has video', videoTrackOf(init));
  const times: number[] = [];
  new FragmentSplitter((unit) => {
    for (const track of parseFragment(unit.bytes, init)) {
      if (track.trackId === video.id) times.push(head.baseWallMs + ((track.baseDecodeTime + (track.samples[0]?.compositionOffsetTicks ?? 0)) * 1000) / video.timescale - head.baseMediaMs);
    }
  }).push(payload);
  return times.sort((a, b) => a - b);
}

/** Samples of sound in whole fragments of the main clip. */
function soundSamples(bytes: Uint8Array): number {
  let samples = 0;
  new FragmentSplitter((unit) => {
    for (const track of parseFragment(unit.bytes, main.init)) if (track.trackId !== videoTrackOf(main.init)?.id) samples += track.samples.length;
  }).push(bytes);
  return samples;
}

test('playback runs over segment, day, session and parameter borders without losing a picture', async () => {
  await archive.record(main, 0, 4, 100, 0, T0);
  await archive.record(main, 4, 8, 100, 1, T0 + 4_000);
  const c = await archive.record(main, 8, 12, 100, 2, T0 + 8_000);
  await archive.record(small, 0, 6, 200, 0, c.segment.endMs + 50);
  const viewer = new Viewer(T0 + 100);
  await viewer.end();

  expect(viewer.pictures()).toEqual([...main.pictures, ...small.pictures]);
  expect(viewer.gaps()).toEqual([]);
  expect(viewer.seen.filter(({ head }) => head.kind === 'init')).toHaveLength(2);
  const chunks = viewer.media();
  // A chunk per group, but for the first: what shows the sought picture comes before the rest of its group.
  expect(chunks.map(({ head }) => head.keyframe)).toEqual([true, false, ...Array.from({ length: 17 }, () => true)]);
  for (const [index, { head }] of chunks.entries()) {
    const next = chunks[index + 1];
    if (next?.head.keyframe === true) expect(Math.abs(head.endMs - (wallTimes(viewer, next)[0] ?? 0)), `chunk ${index}`).toBeLessThan(60);
  }
  const samples = (bytes: Uint8Array[]): number => bytes.reduce((sum, fragment) => sum + soundSamples(fragment), 0);
  expect(samples(chunks.slice(0, 13).map(({ payload }) => payload))).toBe(samples(main.fragments.map(({ bytes }) => bytes)));
});

test('a seek begins with the group that covers the moment, and every chunk names its seek', async () => {
  await archive.record(main, 0, 6, 100, 0, T0);
  await archive.record(main, 6, 12, 100, 1, T0 + 6_000);
  const viewer = new Viewer(T0);
  await viewer.end();
  for (const [seekId, offsetMs] of [2_250, 8_990, 0, 11_950, 5_000].entries()) {
    viewer.seek(T0 + offsetMs, seekId + 2);
    await viewer.end(seekId + 2);
    const [first] = viewer.media(seekId + 2);
    const times = wallTimes(viewer, forceUnwrap('the seek was answered', first));
    expect(times[0] ?? Infinity, `seek to ${offsetMs}`).toBeLessThanOrEqual(T0 + offsetMs + 200);
    expect(times.at(-1) ?? 0, `seek to ${offsetMs}`).toBeGreaterThan(T0 + offsetMs - 101);
  }
  expect(viewer.seen.filter(({ head }) => head.kind === 'init')).toHaveLength(1);
});

test('a scrubbing seek sends the group up to the wanted picture and a few past it, and nothing else', async () => {
  await archive.record(main, 0, 12, 100, 0, T0);
  const viewer = new Viewer(T0);
  await viewer.end();
  viewer.seek(T0 + 3_020, 2, true);
  await viewer.until(() => viewer.media(2).length > 0);
  const [chunk, ...others] = viewer.media(2);
  expect(others).toEqual([]);
  const early = wallTimes(viewer, forceUnwrap('the seek was answered', chunk));
  expect(early.length).toBeGreaterThanOrEqual(9);
  expect(early.length).toBeLessThanOrEqual(10);

  // In a clip of one long group, the end of the group stays on the disk.
  const long = makeClip(folder, 'long.mp4', ['-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=${FPS}`], ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '1000', '-bf', '0', '-pix_fmt', 'yuv420p', '-t', '10']);
  const later = T0 + 3_600_000;
  await archive.record(long, 0, 1, 300, 0, later);
  viewer.seek(later + 4_050, 3, true);
  await viewer.until(() => viewer.media(3).length > 0);
  const pictures = viewer.pictures(viewer.media(3));
  expect(pictures).toEqual(long.pictures.slice(0, 49));
});

test('a gap is jumped over and told with its cause; a seek into it too', async () => {
  const a = await archive.record(main, 0, 4, 100, 0, T0);
  const resumeMs = a.segment.endMs + 21_000;
  await archive.record(main, 4, 8, 200, 0, resumeMs);
  archive.gaps.push({ cameraId: CAMERA, stream: 'main', startMs: a.segment.endMs, endMs: resumeMs, cause: 'camera-unreachable', detail: '' });
  const viewer = new Viewer(T0);
  await viewer.end();
  // Its first picture is shown two frames after the start of the file: pictures are coded out of order.
  expect(viewer.gaps()).toEqual([{ kind: 'gap', seekId: 1, startMs: a.segment.endMs, endMs: resumeMs + 200, cause: 'camera-unreachable' }]);
  expect(viewer.pictures()).toEqual(main.pictures.slice(0, 80));
  const kinds = viewer.seen.map(({ head }) => head.kind);
  expect(kinds.indexOf('gap')).toBe(kinds.lastIndexOf('media') - 4);

  viewer.seek(a.segment.endMs + 5_000, 2);
  await viewer.end(2);
  expect(viewer.gaps().at(-1)).toMatchObject({ seekId: 2, startMs: a.segment.endMs + 5_000, endMs: resumeMs + 200, cause: 'camera-unreachable' });
  expect(viewer.media(2).filter(({ head }) => head.keyframe)).toHaveLength(4);

  viewer.seek(a.segment.endMs + 6_000, 3, true);
  await viewer.until(() => viewer.gaps().at(-1)?.seekId === 3);
  viewer.seek(resumeMs + 20_000, 4);
  await viewer.end(4);
  expect(viewer.media(3)).toEqual([]);
  expect(viewer.media(4)).toEqual([]);
});

test('files that were deleted, cut off or spoiled, and disks that are gone, are jumped over and told', async () => {
  const located = [];
  for (let sequence = 0; sequence < 6; sequence += 1) {
    located.push(await archive.record(main, sequence * 2, sequence * 2 + 2, 100, sequence, T0 + sequence * 2_000));
  }
  const [, deleted, , absent, cut] = located;
  await unlink(forceUnwrap('it was recorded', deleted?.path));
  archive.segments[3] = { segment: forceUnwrap('it was recorded', absent).segment, path: null };
  // The last group of the fifth segment is cut in the middle of a fragment.
  const { segment } = forceUnwrap('it was recorded', cut);
  await truncate(forceUnwrap('it was recorded', cut?.path), forceUnwrap('it has two keyframes', segment.keyframes[1]).offsetBytes + 30);
  const viewer = new Viewer(T0);
  await viewer.end();
  expect(viewer.closed).toEqual([]);
  expect(viewer.pictures()).toEqual([0, 1, 4, 5, 8, 10, 11].flatMap((second) => main.pictures.slice(second * 10, second * 10 + 10)));
  expect(viewer.gaps().map(({ startMs, endMs, cause }) => [Math.round((startMs - T0) / 1000), Math.round((endMs - T0) / 1000), cause])).toEqual([
    [2, 4, null],
    [6, 8, 'disk-missing'],
    [9, 10, null],
  ]);
});

test('garbage in a segment costs its own group of pictures only', async () => {
  const a = await archive.record(main, 0, 6, 100, 0, T0);
  const keyframe = forceUnwrap('six keyframes', a.segment.keyframes[2]);
  const { open } = await import('node:fs/promises');
  const handle = await open(forceUnwrap('recorded', a.path), 'r+');
  await handle.write(Buffer.alloc(200, 0xee), 0, 200, keyframe.offsetBytes);
  await handle.close();
  const viewer = new Viewer(T0);
  await viewer.end();
  expect(viewer.pictures()).toEqual([0, 1, 3, 4, 5].flatMap((second) => main.pictures.slice(second * 10, second * 10 + 10)));
  expect(viewer.gaps()).toHaveLength(1);
});

test('no more chunks than credits, and a seek while waiting takes the place of what was queued', async () => {
  await archive.record(main, 0, 12, 100, 0, T0);
  const viewer = new Viewer(T0, 3);
  await viewer.until(() => viewer.media().length === 2);
  viewer.seek(T0 + 5_500, 2);
  viewer.seek(T0 + 8_500, 3);
  viewer.stream.addCredits(2);
  await viewer.until(() => viewer.media(3).length === 2);
  expect(viewer.seen).toHaveLength(5);
  expect(viewer.media(2)).toEqual([]);
  expect(viewer.pictures(viewer.media(3)).slice(0, 10)).toEqual(main.pictures.slice(80, 90));
});

test('the segment being written is played as far as it goes, and on as it grows and closes', async () => {
  await archive.record(main, 0, 4, 100, 0, T0);
  const half = fragmentOfKeyframe(main, 6) - fragmentOfKeyframe(main, 4) + 9;
  await archive.recordOpen(main, 4, half, 100, 1, T0 + 4_000);
  const viewer = new Viewer(T0 + 3_700, 5);
  await viewer.until(() => viewer.media().length === 4);
  // It closes while the viewer waits for credit; its row is there at once, and the next one is open.
  await archive.record(main, 4, 8, 100, 1, T0 + 4_000);
  await archive.recordOpen(main, 8, fragmentOfKeyframe(main, 10) - fragmentOfKeyframe(main, 8), 100, 2, T0 + 8_000);
  viewer.stream.addCredits(100);
  await viewer.end();
  const shown = viewer.pictures();
  expect(shown).toEqual(main.pictures.slice(30, 100));
  expect(viewer.gaps()).toEqual([]);
});

test('a session that begins before the last one ended is not left out', async () => {
  await archive.record(small, 0, 3, 100, 0, T0);
  await archive.record(small, 3, 5, 200, 0, T0 + 2_600);
  await archive.record(small, 5, 6, 200, 1, T0 + 4_600);
  const viewer = new Viewer(T0);
  await viewer.end();
  expect(viewer.pictures()).toEqual(small.pictures);
  expect(viewer.gaps()).toEqual([]);
});

test('a segment whose row is still on its way is waited for, not told as a gap', async () => {
  await archive.record(main, 0, 4, 100, 0, T0);
  const late = await archive.record(main, 4, 8, 100, 1, T0 + 4_000);
  await archive.recordOpen(main, 8, fragmentOfKeyframe(main, 10) - fragmentOfKeyframe(main, 8), 100, 2, T0 + 8_000);
  archive.segments.pop();
  const playing = new Viewer(T0);
  const seeking = new Viewer(T0 + 5_500);
  const asked = archive.roundTrips;
  await expect.poll(() => archive.roundTrips).toBeGreaterThan(asked + 8);
  archive.segments.push(late);
  await Promise.all([playing.end(), seeking.end()]);
  expect(playing.pictures()).toEqual(main.pictures.slice(0, 100));
  expect(seeking.pictures()).toEqual(main.pictures.slice(50, 100));
  expect([...playing.gaps(), ...seeking.gaps()]).toEqual([]);
});

test('a seek beyond the newest footage says where footage ends', async () => {
  const a = await archive.record(main, 0, 4, 100, 0, T0);
  const viewer = new Viewer(a.segment.endMs + 60_000);
  await viewer.end();
  expect(viewer.seen).toHaveLength(1);
  expect(viewer.closed).toEqual([]);
});

test('fast forward sends keyframes alone, as far apart as the viewer asks, over borders', async () => {
  for (const third of [0, 1, 2]) await archive.record(main, third * 4, third * 4 + 4, 100, third, T0 + third * 4_000);
  const viewer = new Viewer(T0, 0);
  const pictures = (which: 'all' | 'keyframes', stepMs = 0): MediaControlParsed => ({ kind: 'pictures', which, stepMs });
  viewer.stream.control(pictures('keyframes'));
  viewer.seek(T0, 2);
  viewer.stream.addCredits(1_000);
  await viewer.end(2);
  const each = viewer.media(2).map((chunk) => wallTimes(viewer, chunk));
  expect(each.map((times) => times.length)).toEqual(Array.from({ length: 12 }, () => 1));
  expect(each.map(([time]) => Math.round(((time ?? 0) - T0) / 1000))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(viewer.pictures(viewer.media(2).slice(0, 1))).toEqual(main.pictures.slice(0, 1));

  for (const [seekId, stepMs, expected] of [[3, 2_500, 4], [4, 6_000, 2], [5, 60_000, 1]] as const) {
    viewer.stream.control(pictures('keyframes', stepMs));
    viewer.seek(T0, seekId);
    await viewer.end(seekId);
    expect(viewer.media(seekId), `a keyframe each ${stepMs} ms`).toHaveLength(expected);
  }
  expect(viewer.gaps()).toEqual([]);
});

test('a seek within the segment that was played last asks the index nothing', async () => {
  await archive.record(main, 0, 12, 100, 0, T0 - 3_600_000);
  const viewer = new Viewer(T0 - 3_600_000);
  await viewer.until(() => viewer.media().length > 0);
  await viewer.end();
  archive.roundTrips = 0;
  for (let seekId = 2; seekId < 30; seekId += 1) {
    viewer.seek(T0 - 3_600_000 + seekId * 300, seekId, true);
    await viewer.until(() => viewer.media(seekId).length > 0);
  }
  expect(archive.roundTrips).toBe(0);
});

test('a very long group of pictures comes in several chunks, whole', async () => {
  const large = makeClip(folder, 'large.mp4', ['-f', 'lavfi', '-i', `testsrc2=size=1280x720:rate=${FPS},noise=alls=60:allf=t`], ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '1000', '-pix_fmt', 'yuv420p', '-b:v', '30M', '-t', '2']);
  await archive.record(large, 0, 1, 100, 0, T0);
  const viewer = new Viewer(T0);
  await viewer.end();
  expect(viewer.media().length).toBeGreaterThan(2);
  expect(viewer.media().map(({ head }) => head.keyframe)).toEqual([true, ...viewer.media().slice(1).map(() => false)]);
  expect(viewer.pictures()).toEqual(large.pictures);
  for (const { payload } of viewer.media()) expect(payload.length).toBeLessThanOrEqual(2 * 1024 * 1024);
});

test('footage.locate names the file and the keyframe, and nothing where there is none', async () => {
  const a = await archive.record(main, 0, 4, 100, 0, T0);
  const located = await streams.locate({ cameraId: CAMERA, stream: 'main', atMs: T0 + 2_600 });
  const keyframe = forceUnwrap('four keyframes', a.segment.keyframes[2]);
  expect(located).toEqual({ path: a.path, segmentStartMs: T0, keyframeOffsetBytes: keyframe.offsetBytes, keyframeMs: T0 + keyframe.mediaMs });
  expect(await streams.locate({ cameraId: CAMERA, stream: 'main', atMs: T0 - 1 })).toBeNull();
  expect(await streams.locate({ cameraId: CAMERA, stream: 'main', atMs: a.segment.endMs + 1_000 })).toBeNull();
});

test('an index that fails closes the stream with a sentence, once', async () => {
  archive.reader.segmentAt = async () => await Promise.reject(new Error('SQLITE_CORRUPT'));
  const viewer = new Viewer(T0);
  await viewer.until(() => viewer.closed.length > 0);
  expect(viewer.closed).toHaveLength(1);
  expect(viewer.closed[0]).toMatchObject({ kind: 'internal' });
});
