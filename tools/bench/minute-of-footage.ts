/** A minute of footage with a number in each picture, encoded once and kept: what generated archives are made of. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { concatBytes } from '../../shared/media/boxes.ts';
import { parseFragment } from '../../shared/media/fragment.ts';
import { FragmentSplitter } from '../../shared/media/fragment-splitter.ts';
import { parseInit, videoTrackOf } from '../../shared/media/init.ts';
import { makePrft } from '../../shared/media/prft.ts';
import { scanSegment } from '../../shared/media/scan.ts';
import type { Keyframe } from '../../shared/model/segment.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { blankPicture } from '../sim/media/encode.ts';
import { runTool, writeAll } from '../sim/media/ffmpeg.ts';
import { testPictures } from '../sim/media/test-pictures.ts';

export const MINUTE_SECONDS = 60;

/** `main`: 1080p30 at 4 Mbit/s, a keyframe each second. `sub`: 640 × 360 at 15 frames and 400 kbit/s. */
export type MinuteSize = 'main' | 'sub';

const SIZES = {
  main: { width: 1920, height: 1080, fps: 30, kbps: 4000 },
  sub: { width: 640, height: 360, fps: 15, kbps: 400 },
} as const;
/** Raised when the content changes. */
const VERSION = 1;

export interface Minute {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly init: Uint8Array;
  /** One per picture; the frame number in picture n is n. */
  readonly fragments: readonly Uint8Array[];
}

/** From the cache in the system's temporary folder, or encoded now (half a minute for the main stream). */
export async function minuteOfFootage(size: MinuteSize): Promise<Minute> {
  const { width, height, fps } = SIZES[size];
  const file = keptPath(`${size}-v${VERSION}.mp4`);
  if (!existsSync(file)) await makeKept(file, (making) => encode(size, making));
  let init: Uint8Array | null = null;
  const fragments: Uint8Array[] = [];
  const splitter = new FragmentSplitter((unit) => {
    if (unit.kind === 'init') init = unit.bytes;
    else fragments.push(unit.bytes);
  });
  splitter.push(new Uint8Array(await readFile(file)));
  return { width, height, fps, init: forceUnwrap('a fragmented file begins with its init', init as Uint8Array | null), fragments };
}

/** Where a benchmark keeps what takes long to make, for its next run; all of it may be deleted. */
export function keptPath(name: string): string {
  return path.join(tmpdir(), `porchlight-bench-kept-${process.getuid?.() ?? 'all'}`, name);
}

/** Makes a file or folder under another name and gives it its own when it is whole. */
export async function makeKept(kept: string, make: (making: string) => Promise<void>): Promise<void> {
  const making = `${kept}.${process.pid}`;
  await mkdir(path.dirname(kept), { recursive: true });
  try {
    await make(making);
    await rename(making, kept);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

async function encode(size: MinuteSize, making: string): Promise<void> {
  const { width, height, fps, kbps } = SIZES[size];
  const series = testPictures({ width, height, fps, frames: fps * MINUTE_SECONDS, seed: 1 });
  const input = ['-v', 'error', '-y', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`, '-r', String(fps), '-i', 'pipe:0'];
  const rate = ['-b:v', `${kbps}k`, '-maxrate', `${kbps}k`, '-bufsize', `${kbps}k`, '-g', String(fps), '-bf', '0', '-x264-params', `keyint=${fps}:min-keyint=${fps}:scenecut=0:nal-hrd=cbr:filler=1`];
  const output = ['-c:v', 'libx264', '-preset', 'superfast', '-profile:v', 'main', ...rate, '-video_track_timescale', '90000', '-f', 'mp4', '-movflags', 'frag_every_frame+empty_moov+default_base_moof', making];
  await runTool('ffmpeg', [...input, ...output], async (stdin) => {
    const paint = series.createPainter();
    for (let index = 0; index < series.frames && !stdin.destroyed; index += 1) {
      const picture = blankPicture(width, height);
      paint(index, picture);
      await writeAll(stdin, [picture.whole]);
    }
  });
}

export interface KeyframeFragment {
  /** The number in the picture. */
  readonly frameNumber: number;
  readonly fragment: Uint8Array;
}

export function keyframesOf(minute: Minute): readonly KeyframeFragment[] {
  const init = parseInit(minute.init);
  return minute.fragments.flatMap((fragment, frameNumber) => (parseFragment(fragment, init)[0]?.samples[0]?.keyframe === true ? [{ frameNumber, fragment }] : []));
}

/** A segment's bytes before its tail, and what the tail has to say of them. */
export interface SegmentBody {
  readonly bytes: Uint8Array;
  readonly initBytes: number;
  readonly videoFrames: number;
  readonly keyframes: readonly Keyframe[];
  readonly track: { readonly id: number; readonly timescale: number };
}

/** The minute as the recorder writes it: each keyframe's fragment behind a prft with its wall time. */
export async function segmentBody(minute: Minute, startMs: number): Promise<SegmentBody> {
  const init = parseInit(minute.init);
  const track = forceUnwrap('the minute is video', videoTrackOf(init));
  const parts = minute.fragments.flatMap((fragment) => {
    const found = forceUnwrap('a fragment has a track', parseFragment(fragment, init)[0]);
    if (found.samples[0]?.keyframe !== true) return [fragment];
    return [makePrft({ trackId: track.id, wallMs: startMs + (found.baseDecodeTime * 1_000) / track.timescale, mediaTicks: found.baseDecodeTime }), fragment];
  });
  const bytes = concatBytes([minute.init, ...parts]);
  const scan = forceUnwrap('the minute is whole', await scanSegment((from, to) => Promise.resolve(bytes.subarray(from, to)), bytes.length));
  return { bytes, initBytes: scan.initBytes, videoFrames: scan.videoFrames, keyframes: scan.keyframes, track: { id: track.id, timescale: track.timescale } };
}
