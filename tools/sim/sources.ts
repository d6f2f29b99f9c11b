/** Owns the choice of what a camera shows: test pictures, painted scenes, a file, or a live clock. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AudioClip, SimAudioCodec } from './media/clip.ts';
import { ClipProducer } from './media/clip-producer.ts';
import { encodeAmbience, encodeFile, encodeSeries, type EncodedSeries, type PictureSeries, type VideoSettings } from './media/encode.ts';
import { LiveProducer } from './media/live-producer.ts';
import type { PictureProducer } from './media/stream-feed.ts';
import { testPictures } from './media/test-pictures.ts';
import { renderScene } from './scenes/render.ts';
import { SCENE_FPS, SCENES } from './scenes/scenes.ts';

/**
 * test: plain pictures with the frame number in each, encoded in a second or two.
 * scenes: porch, drive, garden, hallway, painted.
 * live: the wall clock in each picture, encoded while you watch.
 */
export type SimSource = 'test' | 'scenes' | 'live' | { readonly file: string };

/** What a stream is encoded as; `seconds` is the length of the loop (test pictures only). */
export interface SimVideo extends VideoSettings {
  readonly fps: number;
  readonly seconds: number;
}

export const TEST_MAIN: SimVideo = { codec: 'h264', width: 1280, height: 720, fps: 15, kbps: 1500, gopFrames: 15, bFrames: 0, constantRate: false, seconds: 20 };
export const TEST_SUB: SimVideo = { codec: 'h264', width: 640, height: 360, fps: 15, kbps: 400, gopFrames: 15, bFrames: 0, constantRate: false, seconds: 20 };
/** What a benchmark's camera sends: 1080p30 at exactly 4 Mbit/s with a keyframe each second. */
export const BENCH_MAIN: SimVideo = { codec: 'h264', width: 1920, height: 1080, fps: 30, kbps: 4000, gopFrames: 30, bFrames: 0, constantRate: true, seconds: 20 };
const LIVE_MAIN: SimVideo = { ...TEST_MAIN, width: 640, height: 360, kbps: 600 };
const LIVE_SUB: SimVideo = { ...TEST_SUB, width: 480, height: 270, kbps: 250 };

export interface SourceRequest {
  readonly source: SimSource;
  /** Tells cameras apart: which scene, which colours. */
  readonly seed: number;
  readonly main: Partial<SimVideo>;
  readonly sub: Partial<SimVideo> | null;
}

export interface Footage {
  readonly main: PictureProducer;
  readonly sub: PictureProducer | null;
  readonly snapshot: Buffer;
}

function videoDefaults(source: SimSource): { main: SimVideo; sub: SimVideo } {
  // A keyframe each second, as with the test pictures.
  if (source === 'scenes') return { main: { ...TEST_MAIN, gopFrames: SCENE_FPS }, sub: { ...TEST_SUB, gopFrames: SCENE_FPS } };
  return source === 'live' ? { main: LIVE_MAIN, sub: LIVE_SUB } : { main: TEST_MAIN, sub: TEST_SUB };
}

function pictureSeries(request: SourceRequest, main: SimVideo): PictureSeries {
  const { width, height, fps } = main;
  return testPictures({ width, height, fps, frames: Math.round(fps * main.seconds), seed: request.seed });
}

/** The settings of the encoder alone, which together with the pictures name a cached clip. */
function settingsOf(video: SimVideo): VideoSettings {
  const { codec, width, height, kbps, gopFrames, bFrames, constantRate } = video;
  return { codec, width, height, kbps, gopFrames, bFrames, constantRate };
}

async function encode(request: SourceRequest): Promise<EncodedSeries> {
  const defaults = videoDefaults(request.source);
  const main: SimVideo = { ...defaults.main, ...request.main };
  const sub: SimVideo | null = request.sub === null ? null : { ...defaults.sub, ...request.sub };
  const subSettings = sub === null ? null : settingsOf(sub);
  if (typeof request.source === 'object') {
    const path = resolve(request.source.file);
    const { mtimeMs, size } = await stat(path);
    return encodeFile(path, `${mtimeMs}-${size}`, settingsOf(main), subSettings);
  }
  if (request.source === 'scenes') return renderScene(SCENES[request.seed % SCENES.length] ?? 'porch', settingsOf(main), subSettings);
  return encodeSeries(pictureSeries(request, main), settingsOf(main), subSettings);
}

/** Encodes or finds the footage and gives fresh producers of it. */
export async function openFootage(request: SourceRequest): Promise<Footage> {
  if (request.source === 'live') {
    const defaults = videoDefaults('live');
    const main = { ...defaults.main, ...request.main };
    const still = await encode({ ...request, source: 'test', main: TEST_MAIN, sub: null });
    const live = (video: SimVideo): LiveProducer => {
      const { codec } = video;
      if (codec === 'mjpeg') throw new Error('the live clock comes in H.264 or H.265');
      return new LiveProducer({ ...video, codec, seed: request.seed });
    };
    return { main: live(main), sub: request.sub === null ? null : live({ ...defaults.sub, ...request.sub }), snapshot: still.snapshot };
  }
  const { main, sub, snapshot } = await encode(request);
  return { main: new ClipProducer(main), sub: sub === null ? null : new ClipProducer(sub), snapshot };
}

export async function openSound(codec: SimAudioCodec | 'none'): Promise<AudioClip | null> {
  return codec === 'none' ? null : encodeAmbience(codec);
}
