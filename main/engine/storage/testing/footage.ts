/** For tests: real fragmented MP4 from ffmpeg, as segment files that were closed in order or cut short at any byte. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { concatBytes } from '../../../../shared/media/boxes.ts';
import { parseInit, videoTrackOf } from '../../../../shared/media/init.ts';
import { FragmentSplitter, type SplitUnit } from '../../../../shared/media/fragment-splitter.ts';
import { parseFragment } from '../../../../shared/media/fragment.ts';
import { makePrft } from '../../../../shared/media/prft.ts';
import { scanSegment } from '../../../../shared/media/scan.ts';
import { makeSegmentTail, type SegmentTail } from '../../../../shared/media/segment-tail.ts';
import type { Segment } from '../../../../shared/model/segment.ts';
import type { EpochMs } from '../../../../shared/time.ts';
import { forceUnwrap } from '../../../../shared/result.ts';
import type { StreamKey } from '../../ports/ingest.ts';
import type { RootPlace } from '../root-list.ts';
import { encodeSegmentName } from '../segment-name.ts';

/** Ten frames a second, a keyframe each second, for four seconds. */
export const CLIP_MS = 4_000;
export const CLIP_FRAMES = 40;

let clip: { readonly init: Uint8Array; readonly fragments: readonly Uint8Array[] } | null = null;

/** Init and fragments (one per frame) of the clip; made once per process. */
export function clipParts(): { readonly init: Uint8Array; readonly fragments: readonly Uint8Array[] } {
  if (clip !== null) return clip;
  const bytes = execFileSync('ffmpeg', [
    '-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=10:duration=${CLIP_MS / 1_000}`, '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-bf', '0',
    '-f', 'mp4', '-movflags', 'frag_every_frame+empty_moov+default_base_moof', 'pipe:1',
  ], { maxBuffer: 16 * 1024 * 1024 });
  const units: SplitUnit[] = [];
  const splitter = new FragmentSplitter((unit) => void units.push(unit));
  splitter.push(new Uint8Array(bytes));
  const init = forceUnwrap('ffmpeg writes ftyp and moov first', units.find((unit) => unit.kind === 'init')).bytes;
  clip = { init, fragments: units.filter((unit) => unit.kind === 'fragment').map((unit) => unit.bytes) };
  return clip;
}

export interface Take extends StreamKey {
  readonly session: number;
  readonly sequence: number;
  readonly startMs: EpochMs;
  /** In the name, where it is another than the start. */
  readonly nameMs?: EpochMs;
}

/** The bytes of a segment without its tail, each keyframe's fragment behind its prft. */
export function openBytes(startMs: EpochMs): Uint8Array {
  const { init, fragments } = clipParts();
  const parsed = parseInit(init);
  const track = forceUnwrap('the clip is video', videoTrackOf(parsed));
  const parts = fragments.flatMap((fragment) => {
    const found = forceUnwrap('a fragment has a track', parseFragment(fragment, parsed)[0]);
    if (found.samples[0]?.keyframe !== true) return [fragment];
    const mediaMs = (found.baseDecodeTime * 1_000) / track.timescale;
    return [makePrft({ trackId: track.id, wallMs: startMs + mediaMs, mediaTicks: found.baseDecodeTime }), fragment];
  });
  return concatBytes([init, ...parts]);
}

/** Writes a segment that was closed in order, and says what its row must be. */
export async function writeClosed(root: RootPlace, take: Take): Promise<Segment> {
  const body = openBytes(take.startMs);
  const scan = forceUnwrap('the clip is whole', await scanSegment((from, to) => Promise.resolve(body.subarray(from, to)), body.length));
  const tail: SegmentTail = {
    cameraId: take.cameraId, stream: take.stream, session: take.session, sequence: take.sequence, startMs: take.startMs, endMs: take.startMs + CLIP_MS,
    initBytes: scan.initBytes, videoFrames: scan.videoFrames, keyframes: scan.keyframes,
  };
  const bytes = concatBytes([body, makeSegmentTail(tail, { id: scan.videoTrack.id, timescale: scan.videoTrack.timescale })]);
  const nameMs = take.nameMs ?? Math.floor(take.startMs);
  writeUnder(root, encodeSegmentName({ ...take, startMs: nameMs }), bytes);
  return { ...tail, rootId: root.rootId, nameMs, sizeBytes: bytes.length };
}

/** Writes what a fault leaves of a segment: its first `bytes` bytes. Returns its path relative to the root. */
export function writeCut(root: RootPlace, take: Take, bytes: number): string {
  const file = encodeSegmentName({ ...take, startMs: take.nameMs ?? Math.floor(take.startMs) });
  writeUnder(root, file, openBytes(take.startMs).subarray(0, bytes));
  return file;
}

export function writeUnder(root: RootPlace, relative: string, bytes: Uint8Array | string): void {
  mkdirSync(path.dirname(path.join(root.path, relative)), { recursive: true });
  writeFileSync(path.join(root.path, relative), bytes);
}

/** How many frames ffprobe decodes from a file, as a peer that knows nothing of us. */
export function decodedFrames(file: string): number {
  const out = execFileSync('ffprobe', ['-v', 'error', '-count_frames', '-select_streams', 'v', '-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0', file], { encoding: 'utf8' });
  return Number(out.trim());
}

export function sizeOf(root: RootPlace, relative: string): number {
  return statSync(path.join(root.path, relative)).size;
}

export function bytesOf(root: RootPlace, relative: string): Uint8Array {
  return readFileSync(path.join(root.path, relative));
}
