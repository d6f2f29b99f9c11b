/** Turns a batch of keyframes into small JPEGs with one short ffmpeg, and knows for each picture which keyframe it is of (docs/design/previews.md, "Decoding"). */
import { MalformedMediaError } from '../../../shared/media/boxes.ts';
import { type FragmentTrack, parseFragment, rebaseFragment } from '../../../shared/media/fragment.ts';
import { FragmentSplitter } from '../../../shared/media/fragment-splitter.ts';
import { type InitSegment, parseInit, videoTrackOf } from '../../../shared/media/init.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { KeyframeBatch } from './preview-queue.ts';

/** Longer side of a preview in pixels: 320 × 180 for 16:9. */
const LONG_SIDE = 320;
/**
 * Keyframes are put this far apart in the decoder's time, so that a picture's time says which keyframe it is of, whatever edit lists and
 * coded order do to it (under a second), and whichever others could not be decoded.
 */
const APART_S = 10;

/** Runs ffmpeg once at low priority: `stdin` is written and closed, everything on its standard output collected. Resolves also when it fails; rejects only when `signal` aborts or it cannot be started. */
export type RunFfmpeg = (job: { readonly args: readonly string[]; readonly stdin: readonly Uint8Array[]; readonly signal: AbortSignal }) => Promise<{ readonly stdout: Uint8Array; readonly exitCode: number | null; readonly stderr: string }>;

export interface DecodedPreview {
  readonly atMs: EpochMs;
  readonly jpeg: Uint8Array;
}

export interface DecodedBatch {
  /** In the order of the keyframes; those that could not be decoded are missing. */
  readonly previews: readonly DecodedPreview[];
  /** What ffmpeg said, where pictures are missing; empty otherwise. */
  readonly problem: string;
}

/** What ffmpeg calls its option not to make up frames in between: the new name from 5.1 on, the old one in 5.0. */
export type FrameMode = 'fps_mode' | 'vsync';

/**
 * ffmpeg's arguments: fMP4 of keyframes on stdin, fMP4 of JPEGs on stdout, whose fragment times tell which is which. The loop filter is left out: at a
 * sixth of the size nobody sees it, and keyframes depend on no other picture. Pixels that are not square become square.
 */
function previewArgs(quality: number, frameMode: FrameMode = 'fps_mode'): readonly string[] {
  const scale = `scale=w='if(gte(dar,1),${LONG_SIDE},max(2,trunc(${LONG_SIDE}*dar/2)*2))':h='if(gte(dar,1),max(2,trunc(${LONG_SIDE}/dar/2)*2),${LONG_SIDE})':flags=area,setsar=1`;
  return [
    ...['-hide_banner', '-loglevel', 'error', '-nostats'],
    ...['-threads', '1', '-filter_threads', '1', '-skip_loop_filter', 'all', '-copyts'],
    ...['-probesize', '32', '-analyzeduration', '0', '-f', 'mp4', '-i', 'pipe:0'],
    ...['-map', '0:v:0', `-${frameMode}`, 'passthrough', '-vf', scale, '-c:v', 'mjpeg', '-threads', '1', '-q:v', String(quality)],
    ...['-avoid_negative_ts', 'disabled', '-movflags', 'frag_every_frame+empty_moov+default_base_moof+frag_discont', '-f', 'mp4', 'pipe:1'],
  ];
}

export class PictureDecoder {
  readonly #run: RunFfmpeg;
  #frameMode: FrameMode = 'fps_mode';

  constructor(run: RunFfmpeg) {
    this.#run = run;
  }

  /** Decodes a batch. Rejects as `run`, or with MalformedMediaError where the batch's own init or fragments cannot be read. */
  async decode(batch: KeyframeBatch, quality: number, signal: AbortSignal): Promise<DecodedBatch> {
    const init = parseInit(batch.init);
    const stdin = [batch.init, ...batch.keyframes.map((keyframe, index) => placed(keyframe.fragment, init, index))];
    let done = await this.#run({ args: previewArgs(quality, this.#frameMode), stdin, signal });
    if (done.exitCode !== 0 && this.#frameMode === 'fps_mode' && /Unrecognized option .?fps_mode/.test(done.stderr)) {
      this.#frameMode = 'vsync';
      done = await this.#run({ args: previewArgs(quality, this.#frameMode), stdin, signal });
    }
    const jpegs = picturesByIndex(done.stdout);
    const previews = batch.keyframes.flatMap(({ atMs }, index) => {
      const jpeg = jpegs.get(index);
      return jpeg === undefined ? [] : [{ atMs, jpeg }];
    });
    return { previews, problem: previews.length === batch.keyframes.length ? '' : `ffmpeg (exit ${done.exitCode}) decoded ${previews.length} of ${batch.keyframes.length} keyframes: ${done.stderr.trim()}` };
  }
}

/** The fragment with its video moved to the `index`-th place in the decoder's time. */
function placed(fragment: Uint8Array, init: InitSegment, index: number): Uint8Array {
  const video = videoTrackOf(init);
  const track = videoOf(parseFragment(fragment, init), init);
  if (video === null || track === null) throw new MalformedMediaError('a keyframe fragment without video');
  const moved = new Uint8Array(fragment);
  rebaseFragment(moved, new Map([[video.id, track.baseDecodeTime - index * APART_S * video.timescale]]));
  return moved;
}

/** The video of a fragment; null where it holds none. */
export function videoOf(tracks: readonly FragmentTrack[], init: InitSegment): FragmentTrack | null {
  const video = videoTrackOf(init);
  return tracks.find((track) => track.trackId === video?.id && track.samples.length > 0) ?? null;
}

/** JPEGs by the index of their keyframe, as far as the output is whole. */
function picturesByIndex(stdout: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const pictures = new Map<number, Uint8Array>();
  const output: { init: InitSegment | null } = { init: null };
  const splitter = new FragmentSplitter((unit) => {
    if (unit.kind === 'init') {
      output.init = parseInit(unit.bytes);
      return;
    }
    if (output.init === null) return;
    const track = videoOf(parseFragment(unit.bytes, output.init), output.init);
    const [sample] = track?.samples ?? [];
    const ticksPerSecond = videoTrackOf(output.init)?.timescale ?? 1;
    if (track === null || sample === undefined) return;
    const index = Math.round((track.baseDecodeTime + sample.compositionOffsetTicks) / ticksPerSecond / APART_S);
    const jpeg = unit.bytes.subarray(sample.offsetBytes, sample.offsetBytes + sample.sizeBytes);
    // A fragment of several frames gives several pictures; the first is the keyframe's.
    if (isJpeg(jpeg) && !pictures.has(index)) pictures.set(index, jpeg);
  });
  try {
    splitter.push(stdout);
  } catch (error) {
    // What came before is whole.
    if (!(error instanceof MalformedMediaError)) throw error;
  }
  return pictures;
}

/** Start and end of image (ITU-T T.81 annex B). */
function isJpeg(bytes: Uint8Array): boolean {
  return bytes.length > 4 && bytes[0] === 0xff && bytes[1] === 0xd8 && bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9;
}
