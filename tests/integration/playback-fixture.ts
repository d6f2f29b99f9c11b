/** Real recordings for playback tests: ffmpeg's fragmented MP4 cut into segment files with tails, and an index over them that lives in memory. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ArchiveReader, LocatedSegment } from '../../main/engine/ports/archive.ts';
import type { OpenSegment } from '../../main/engine/ports/ingest.ts';
import { concatBytes } from '../../shared/media/boxes.ts';
import { type FragmentTrack, parseFragment, rebaseFragment } from '../../shared/media/fragment.ts';
import { FragmentSplitter } from '../../shared/media/fragment-splitter.ts';
import { type InitSegment, parseInit, videoTrackOf } from '../../shared/media/init.ts';
import { ticksToMs } from '../../shared/media/keyframe-index.ts';
import { makePrft } from '../../shared/media/prft.ts';
import { presentationEnd } from '../../shared/media/scan.ts';
import { makeSegmentTail } from '../../shared/media/segment-tail.ts';
import { cameraIdFrom, rootIdFrom } from '../../shared/model/ids.ts';
import type { Gap } from '../../shared/model/gap.ts';
import type { Keyframe } from '../../shared/model/segment.ts';
import { forceUnwrap } from '../../shared/result.ts';

export const CAMERA = cameraIdFrom(randomBytes(12));
const ROOT = rootIdFrom(randomBytes(12));
const MOVFLAGS = 'frag_every_frame+empty_moov+default_base_moof';

interface ClipFragment {
  readonly bytes: Uint8Array;
  readonly tracks: readonly FragmentTrack[];
  /** Begins with a keyframe. */
  readonly keyframe: boolean;
}

export interface Clip {
  readonly initBytes: Uint8Array;
  readonly init: InitSegment;
  readonly fragments: readonly ClipFragment[];
  /** Hashes of all pictures in the order of showing. */
  readonly pictures: readonly string[];
}

/** Encodes with ffmpeg as a camera does, a fragment per frame. */
export function makeClip(folder: string, name: string, input: readonly string[], output: readonly string[]): Clip {
  const file = path.join(folder, name);
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, ...output, '-movflags', MOVFLAGS, '-f', 'mp4', file]);
  const units: Uint8Array[] = [];
  const fragments: ClipFragment[] = [];
  const inits: InitSegment[] = [];
  new FragmentSplitter((unit) => {
    if (unit.kind === 'init') {
      units.push(unit.bytes);
      inits.push(parseInit(unit.bytes));
      return;
    }
    const parsed: InitSegment = forceUnwrap('an init comes first', inits[0]);
    const tracks = parseFragment(unit.bytes, parsed);
    fragments.push({ bytes: unit.bytes, tracks, keyframe: videoOf(parsed, tracks)?.samples[0]?.keyframe === true });
  }).push(readFileSync(file));
  return { initBytes: forceUnwrap('the clip has an init', units[0]), init: forceUnwrap('the clip has an init', inits[0]), fragments, pictures: pictureHashes(readFileSync(file)) };
}

function videoOf(init: InitSegment, tracks: readonly FragmentTrack[]): FragmentTrack | undefined {
  return tracks.find((track) => track.trackId === videoTrackOf(init)?.id);
}

/** MD5 of every picture in an fMP4, as ffmpeg decodes it. */
export function pictureHashes(fmp4: Uint8Array): string[] {
  const text = execFileSync('ffmpeg', ['-v', 'error', '-f', 'mp4', '-i', 'pipe:0', '-map', '0:v:0', '-fps_mode', 'passthrough', '-f', 'framemd5', 'pipe:1'], { input: fmp4, encoding: 'utf8' });
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => forceUnwrap('a line ends with a hash', line.split(',').at(-1)).trim());
}

interface Written {
  readonly bytes: Uint8Array;
  readonly keyframes: readonly Keyframe[];
  readonly videoFrames: number;
  readonly endMediaMs: number;
}

/** Init and fragments `from` to `to` of the clip, their times counted from the file's start, a prft before each keyframe. */
function segmentBytes(clip: Clip, from: number, to: number, startMs: number): Written {
  const video = forceUnwrap('the clip has video', videoTrackOf(clip.init));
  const wanted = clip.fragments.slice(from, to);
  const bases = new Map<number, number>();
  for (const { tracks } of wanted) for (const track of tracks) if (!bases.has(track.trackId)) bases.set(track.trackId, track.baseDecodeTime);
  const parts: Uint8Array[] = [clip.initBytes];
  const keyframes: Keyframe[] = [];
  let size = clip.initBytes.length;
  let videoFrames = 0;
  let endTicks = 0;
  for (const fragment of wanted) {
    const bytes = new Uint8Array(fragment.bytes);
    rebaseFragment(bytes, bases);
    const track = videoOf(clip.init, parseFragment(bytes, clip.init));
    const [first] = track?.samples ?? [];
    if (track !== undefined && first !== undefined) {
      const ptsTicks = track.baseDecodeTime + first.compositionOffsetTicks;
      const mediaMs = ticksToMs(ptsTicks, video.timescale);
      if (fragment.keyframe) {
        const prft = makePrft({ trackId: video.id, wallMs: startMs + mediaMs, mediaTicks: ptsTicks });
        parts.push(prft);
        size += prft.length;
        keyframes.push({ offsetBytes: size, sizeBytes: bytes.length, mediaMs });
      }
      videoFrames += track.samples.length;
      endTicks = Math.max(endTicks, presentationEnd(track));
    }
    parts.push(bytes);
    size += bytes.length;
  }
  const endMediaMs = ticksToMs(endTicks, video.timescale);
  return { bytes: concatBytes(parts), keyframes, videoFrames, endMediaMs };
}

/** Where the `n`-th keyframe's fragment is in the clip; the clip's end behind the last. */
export function fragmentOfKeyframe(clip: Clip, n: number): number {
  let seen = -1;
  const found = clip.fragments.findIndex((fragment) => fragment.keyframe && ++seen === n);
  return found === -1 ? clip.fragments.length : found;
}

/** An archive of one stream: real files, an index in memory that answers as the database's does. */
export class TestArchive {
  readonly segments: LocatedSegment[] = [];
  readonly gaps: Gap[] = [];
  open: OpenSegment | null = null;
  /** Questions to the index and to the ingest thread, each a round trip between threads. */
  roundTrips = 0;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Writes keyframes `from` up to `to` of the clip as a closed segment that starts at `startMs`. */
  async record(clip: Clip, from: number, to: number, session: number, sequence: number, startMs: number): Promise<LocatedSegment> {
    const written = segmentBytes(clip, fragmentOfKeyframe(clip, from), fragmentOfKeyframe(clip, to), startMs);
    const facts = { cameraId: CAMERA, stream: 'main' as const, session, sequence, startMs, endMs: startMs + written.endMediaMs, initBytes: clip.initBytes.length, videoFrames: written.videoFrames, keyframes: written.keyframes };
    const tail = makeSegmentTail(facts, forceUnwrap('the clip has video', videoTrackOf(clip.init)));
    const file = path.join(this.#folder, `${session}-${sequence}.mp4`);
    await mkdir(this.#folder, { recursive: true });
    await writeFile(file, concatBytes([written.bytes, tail]));
    const located = { segment: { ...facts, rootId: ROOT, nameMs: startMs, sizeBytes: written.bytes.length + tail.length }, path: file };
    this.segments.push(located);
    return located;
  }

  /** Writes the first `fragments` fragments of keyframes `from` on as the segment that is still open. */
  async recordOpen(clip: Clip, from: number, fragments: number, session: number, sequence: number, startMs: number): Promise<OpenSegment> {
    const first = fragmentOfKeyframe(clip, from);
    const written = segmentBytes(clip, first, first + fragments, startMs);
    const file = path.join(this.#folder, `${session}-${sequence}.mp4`);
    await writeFile(file, written.bytes);
    this.open = { path: file, session, sequence, startMs, endMs: startMs + written.endMediaMs, initBytes: clip.initBytes.length, flushedBytes: written.bytes.length, keyframes: written.keyframes };
    return this.open;
  }

  readonly reader: Pick<ArchiveReader, 'segmentAt' | 'segmentAfter' | 'firstSegmentFrom' | 'firstSegmentHere' | 'gapAt'> = {
    segmentAt: async (_key, atMs) => this.#answer(this.#inOrder().findLast(({ segment }) => atMs >= segment.startMs && atMs < segment.endMs)),
    segmentAfter: async (_key, previous) =>
      this.#answer(
        this.#inOrder().find(({ segment }) => segment.session === previous.session && segment.sequence > previous.sequence) ??
          this.#inOrder().toSorted((a, b) => a.segment.startMs - b.segment.startMs).find(({ segment }) => segment.session !== previous.session && segment.startMs >= previous.endMs),
      ),
    firstSegmentHere: async (_key, atMs) => this.#answer(this.#inOrder().toSorted((a, b) => a.segment.startMs - b.segment.startMs).find(({ segment, path: file }) => segment.startMs >= atMs && file !== null)),
    firstSegmentFrom: async (_key, atMs) => this.#answer(this.#inOrder().toSorted((a, b) => a.segment.startMs - b.segment.startMs).find(({ segment }) => segment.startMs >= atMs)),
    gapAt: async (_key, atMs) => this.#answer(this.gaps.find((gap) => atMs >= gap.startMs && atMs < gap.endMs)),
  };

  readonly ingest = { openSegment: async (): Promise<OpenSegment | null> => this.#answer(this.open ?? undefined) };

  #inOrder(): LocatedSegment[] {
    return this.segments.toSorted((a, b) => a.segment.session - b.segment.session || a.segment.sequence - b.segment.sequence);
  }

  async #answer<T>(value: T | undefined): Promise<T | null> {
    this.roundTrips += 1;
    return await Promise.resolve(value ?? null);
  }
}
