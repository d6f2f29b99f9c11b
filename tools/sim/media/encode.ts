/** Owns the encoding of clips and their cache: each piece of footage is encoded once and then replayed from memory. */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { YuvPicture } from '../frame-code.ts';
import { loadAacClip, loadG711Clip, loadVideoClip, type AudioClip, type SimAudioCodec, type SimVideoCodec, type VideoClip } from './clip.ts';
import { runTool, writeAll } from './ffmpeg.ts';
import { synthesizeAmbience } from './ambience.ts';

/** Raised when the way we encode changes, so that old cache entries are not used. */
const ENCODER_VERSION = 3;

export interface VideoSettings {
  readonly codec: SimVideoCodec;
  readonly width: number;
  readonly height: number;
  readonly kbps: number;
  /** Pictures from one keyframe to the next. */
  readonly gopFrames: number;
  readonly bFrames: number;
  /** Padded to exactly `kbps`, for benchmarks. */
  readonly constantRate: boolean;
}

/** Where raw pictures come from. */
export interface PictureSeries {
  /** Names the content: same key, same pictures. */
  readonly key: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly frames: number;
  /** Somebody waits for it: encoded with less care. */
  readonly hurried?: boolean;
  /** A painter made only when the clip is not cached. */
  createPainter(): (index: number, picture: YuvPicture) => void;
}

export interface EncodedSeries {
  readonly main: VideoClip;
  readonly sub: VideoClip | null;
  readonly snapshot: Buffer;
}

function cacheRoot(): string {
  return process.env['PORCHLIGHT_SIM_CACHE'] ?? join(tmpdir(), `porchlight-sim-${process.getuid?.() ?? 'cache'}`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function folderOf(key: unknown): string {
  return join(cacheRoot(), createHash('sha256').update(JSON.stringify([ENCODER_VERSION, key])).digest('hex').slice(0, 24));
}

/** A folder whose content `fill` makes when it is not there yet; two makers at once do no harm. */
async function cachedFolder(key: unknown, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = folderOf(key);
  if (await exists(folder)) return folder;
  const making = `${folder}.${process.pid}-${randomBytes(4).toString('hex')}`;
  await mkdir(making, { recursive: true });
  try {
    await fill(making);
    await rename(making, folder);
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    if (!(await exists(folder))) throw error;
  }
  return folder;
}

/** Removes what this process has begun to encode and not finished, on all its threads; for a process that ends right after. */
export function discardUnfinishedClips(): void {
  const own = `.${process.pid}-`;
  try {
    for (const name of readdirSync(cacheRoot())) if (name.includes(own)) rmSync(join(cacheRoot(), name), { recursive: true, force: true });
  } catch {
    // No cache folder yet: nothing was begun.
  }
}

function videoArguments(settings: VideoSettings, out: string, preset: 'superfast' | 'ultrafast'): string[] {
  const { codec, width, height, kbps, gopFrames, bFrames } = settings;
  const scale = ['-map', '0:v', '-vf', `scale=${width}:${height}:flags=bilinear`, '-an'];
  const rate = ['-b:v', `${kbps}k`, '-maxrate', `${settings.constantRate ? kbps : Math.round(kbps * 1.5)}k`, '-bufsize', `${kbps}k`];
  const gop = ['-g', String(gopFrames), '-bf', String(bFrames)];
  const tail = ['-video_track_timescale', '90000', '-f', 'mp4', out];
  if (codec === 'mjpeg') return [...scale, '-c:v', 'mjpeg', '-huffman', 'default', '-pix_fmt', 'yuvj420p', '-q:v', '6', ...tail];
  if (codec === 'h265') {
    const params = `keyint=${gopFrames}:min-keyint=${gopFrames}:scenecut=0:open-gop=0:bframes=${bFrames}:log-level=error`;
    return [...scale, '-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', ...rate, '-x265-params', params, '-tag:v', 'hvc1', ...tail];
  }
  const constant = settings.constantRate ? ':nal-hrd=cbr:filler=1' : '';
  const params = `keyint=${gopFrames}:min-keyint=${gopFrames}:scenecut=0:open-gop=0${constant}`;
  return [...scale, '-c:v', 'libx264', '-preset', preset, '-profile:v', 'main', '-pix_fmt', 'yuv420p', ...rate, ...gop, '-x264-params', params, ...tail];
}

/** A black picture of this size; the planes share one buffer. */
export function blankPicture(width: number, height: number): YuvPicture & { readonly whole: Uint8Array } {
  const luma = width * height;
  const whole = new Uint8Array((luma * 3) / 2);
  whole.fill(16, 0, luma);
  whole.fill(128, luma);
  return { width, height, whole, y: whole.subarray(0, luma), u: whole.subarray(luma, (luma * 5) / 4), v: whole.subarray((luma * 5) / 4) };
}

async function encodeTo(folder: string, input: readonly string[], main: VideoSettings, sub: VideoSettings | null, series: PictureSeries | null): Promise<void> {
  const preset = series?.hurried === true ? 'ultrafast' : 'superfast';
  const args = ['-v', 'error', '-y', ...input, ...videoArguments(main, join(folder, 'main.mp4'), preset)];
  if (sub !== null) args.push(...videoArguments(sub, join(folder, 'sub.mp4'), preset));
  args.push('-map', '0:v', '-frames:v', '1', '-q:v', '4', '-update', '1', '-f', 'image2', join(folder, 'snapshot.jpg'));
  if (series === null) {
    await runTool('ffmpeg', args);
    return;
  }
  await runTool('ffmpeg', args, async (stdin) => {
    const paint = series.createPainter();
    // Two pictures in turn: one is painted while the other is still being read.
    const pictures = [blankPicture(series.width, series.height), blankPicture(series.width, series.height)];
    let pending: Promise<void> = Promise.resolve();
    for (let index = 0; index < series.frames && !stdin.destroyed; index += 1) {
      const picture = pictures[index % 2];
      if (picture === undefined) return;
      paint(index, picture);
      await pending;
      pending = writeAll(stdin, [Buffer.from(picture.whole)]);
    }
    await pending;
  });
}

const loaded = new Map<string, Promise<EncodedSeries>>();

async function loadFolder(folder: string, withSub: boolean): Promise<EncodedSeries> {
  const [main, sub, snapshot] = await Promise.all([
    loadVideoClip(join(folder, 'main.mp4')),
    withSub ? loadVideoClip(join(folder, 'sub.mp4')) : null,
    readFile(join(folder, 'snapshot.jpg')),
  ]);
  return { main, sub, snapshot };
}

function once<T>(memory: Map<string, Promise<T>>, key: unknown, make: () => Promise<T>): Promise<T> {
  const text = JSON.stringify(key);
  let value = memory.get(text);
  if (value === undefined) {
    value = make();
    memory.set(text, value);
    value.catch(() => memory.delete(text));
  }
  return value;
}

/** Whether the clips of a series are in the cache folder already. */
export function isCached(series: PictureSeries, main: VideoSettings, sub: VideoSettings | null): Promise<boolean> {
  const { key, width, height, fps, frames } = series;
  return exists(folderOf([key, width, height, fps, frames, main, sub]));
}

/** The clips of a painted series, from memory, from the cache folder, or encoded now. */
export function encodeSeries(series: PictureSeries, main: VideoSettings, sub: VideoSettings | null): Promise<EncodedSeries> {
  const { key, width, height, fps, frames } = series;
  const cacheKey = [key, width, height, fps, frames, main, sub];
  return once(loaded, cacheKey, async () => {
    const input = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`, '-r', String(fps), '-i', 'pipe:0'];
    const folder = await cachedFolder(cacheKey, (making) => encodeTo(making, input, main, sub, series));
    return loadFolder(folder, sub !== null);
  });
}

/** The clips of a file of the user's, at most its first minute, at 15 frames per second. */
export function encodeFile(path: string, identity: string, main: VideoSettings, sub: VideoSettings | null): Promise<EncodedSeries> {
  const cacheKey = ['file', path, identity, main, sub];
  return once(loaded, cacheKey, async () => {
    const folder = await cachedFolder(cacheKey, (making) => encodeTo(making, ['-t', '60', '-r', '15', '-i', path], main, sub, null));
    return loadFolder(folder, sub !== null);
  });
}

const AMBIENCE_SECONDS = 24;
const loadedAudio = new Map<string, Promise<AudioClip>>();

/** Garden sounds in this codec: AAC at 16 kHz, G.711 at 8 kHz, mono. */
export function encodeAmbience(codec: SimAudioCodec): Promise<AudioClip> {
  return once(loadedAudio, codec, async () => {
    const file = codec === 'aac' ? 'sound.mp4' : 'sound.raw';
    const folder = await cachedFolder(['ambience', codec, AMBIENCE_SECONDS], async (making) => {
      const output = codec === 'aac' ? ['-c:a', 'aac', '-b:a', '32k', '-f', 'mp4'] : ['-c:a', `pcm_${codec === 'pcma' ? 'alaw' : 'mulaw'}`, '-ar', '8000', '-f', codec === 'pcma' ? 'alaw' : 'mulaw'];
      const args = ['-v', 'error', '-y', '-f', 's16le', '-ar', '16000', '-ac', '1', '-i', 'pipe:0', ...output, join(making, file)];
      await runTool('ffmpeg', args, (stdin) => writeAll(stdin, [synthesizeAmbience(AMBIENCE_SECONDS)]));
    });
    return codec === 'aac' ? loadAacClip(join(folder, file), 16_000) : loadG711Clip(join(folder, file), codec);
  });
}
