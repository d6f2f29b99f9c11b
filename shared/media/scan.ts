/** Walks a segment file from its start and says what in it is whole: how a file cut short is trimmed and kept (I4). */
import type { Keyframe } from '../model/segment.ts';
import type { EpochMs } from '../time.ts';
import { type Box, boxEnd, MalformedMediaError, readBox, readU32 } from './boxes.ts';
import { endDecodeTime, type FragmentTrack, parseFragment } from './fragment.ts';
import { type InitSegment, type InitTrack, parseInit, videoTrackOf } from './init.ts';
import { ticksToMs } from './keyframe-index.ts';
import { parsePrft } from './prft.ts';

/** Bytes `start` up to `end` of a file; fewer only where the file ends. */
export type ByteRangeReader = (startBytes: number, endBytes: number) => Promise<Uint8Array>;

export interface SegmentScan {
  /** Length of ftyp + moov. */
  readonly initBytes: number;
  readonly init: InitSegment;
  readonly videoTrack: InitTrack;
  readonly keyframes: readonly Keyframe[];
  readonly videoFrames: number;
  /** Where the last whole fragment ends: what follows is cut off, foreign, or the tail. */
  readonly wholeBytes: number;
  /** Media time from the start of the file at which its video ends, in milliseconds. */
  readonly videoEndMs: number;
  /** Wall time of media time 0 by the last prft before `wholeBytes`; null where there is none. */
  readonly startMs: EpochMs | null;
}

/** No moof of ours is larger: it holds one frame and some sound. */
const MAX_MOOF_BYTES = 1024 * 1024;
const MAX_INIT_BYTES = 1024 * 1024;
/** One read serves the headers of several small fragments. */
const READ_BYTES = 256 * 1024;

class Window {
  readonly #read: ByteRangeReader;
  #start = 0;
  #bytes = new Uint8Array(0);

  constructor(read: ByteRangeReader) {
    this.#read = read;
  }

  /** At least `count` bytes from `at`, or what the file has of them. */
  async at(at: number, count: number): Promise<Uint8Array> {
    if (at < this.#start || at + count > this.#start + this.#bytes.length) {
      this.#bytes = new Uint8Array(await this.#read(at, at + Math.max(count, READ_BYTES)));
      this.#start = at;
    }
    return this.#bytes.subarray(at - this.#start);
  }
}

/** What of the file is whole; null when not even its init is, or it holds no video. Never throws on content. */
export async function scanSegment(read: ByteRangeReader, fileBytes: number): Promise<SegmentScan | null> {
  const window = new Window(read);
  const initBytes = await findInitEnd(window, fileBytes);
  if (initBytes === null) return null;
  try {
    const init = parseInit((await window.at(0, initBytes)).subarray(0, initBytes));
    const videoTrack = videoTrackOf(init);
    if (videoTrack === null) return null;
    return { initBytes, init, videoTrack, ...(await walk(window, fileBytes, initBytes, init, videoTrack)) };
  } catch (error) {
    if (error instanceof MalformedMediaError) return null;
    throw error;
  }
}

async function findInitEnd(window: Window, fileBytes: number): Promise<number | null> {
  for (let at = 0; at < MAX_INIT_BYTES; ) {
    const box = readBox(await window.at(at, 16), 0, Math.min(16, fileBytes - at));
    if (box === null || at + box.sizeBytes > fileBytes) return null;
    at += box.sizeBytes;
    if (box.type === 'moov') return at <= MAX_INIT_BYTES ? at : null;
  }
  return null;
}

type Walk = Pick<SegmentScan, 'keyframes' | 'videoFrames' | 'wholeBytes' | 'videoEndMs' | 'startMs'>;

async function walk(window: Window, fileBytes: number, from: number, init: InitSegment, track: InitTrack): Promise<Walk> {
  const keyframes: Keyframe[] = [];
  let videoFrames = 0;
  let endTicks = 0;
  let wholeBytes = from;
  let startMs: EpochMs | null = null;
  let prftStartMs: EpochMs | null = null;
  for (let at = from; at < fileBytes; ) {
    const head = await boxAt(window, at, fileBytes);
    if (head === null) break;
    if (head.type === 'prft') {
      const bytes = await window.at(at, head.sizeBytes);
      const prft = head.sizeBytes <= 64 ? parsePrft(bytes, head) : null;
      if (prft !== null && prft.trackId === track.id) prftStartMs = prft.wallMs - ticksToMs(prft.mediaTicks, track.timescale);
    }
    if (head.type !== 'moof') {
      if (head.type === 'uuid' || head.type === 'mfra') break;
      at += head.sizeBytes;
      continue;
    }
    const found = await fragmentAt(window, at, head, fileBytes, init, track);
    if (found === null) break;
    for (const fragment of found.tracks) {
      if (fragment.trackId !== track.id) continue;
      const first = fragment.samples[0];
      if (first?.keyframe === true) keyframes.push({ offsetBytes: at, sizeBytes: found.endBytes - at, mediaMs: ticksToMs(fragment.baseDecodeTime + first.compositionOffsetTicks, track.timescale) });
      videoFrames += fragment.samples.length;
      endTicks = Math.max(endTicks, presentationEnd(fragment));
    }
    at = found.endBytes;
    wholeBytes = at;
    startMs = prftStartMs;
  }
  return { keyframes, videoFrames, wholeBytes, videoEndMs: ticksToMs(endTicks, track.timescale), startMs };
}

/** The whole box at `at`, with its start at 0, or null. */
async function boxAt(window: Window, at: number, fileBytes: number): Promise<Box | null> {
  const box = readBox(await window.at(at, 16), 0, Math.min(16, fileBytes - at));
  // A size of 0 would mean "to the end of the file"; here it means that the disk never got the bytes.
  if (box === null || (box.headerBytes === 8 && (await window.at(at, 4)).subarray(0, 4).every((byte) => byte === 0))) return null;
  return at + box.sizeBytes > fileBytes ? null : box;
}

/** The fragment whose moof is at `at`, if its mdat is whole too. */
async function fragmentAt(window: Window, at: number, moof: Box, fileBytes: number, init: InitSegment, video: InitTrack): Promise<{ tracks: FragmentTrack[]; endBytes: number } | null> {
  if (moof.sizeBytes > MAX_MOOF_BYTES) return null;
  const mdat = await boxAt(window, at + boxEnd(moof), fileBytes);
  if (mdat === null || mdat.type !== 'mdat') return null;
  const endBytes = at + boxEnd(moof) + mdat.sizeBytes;
  try {
    const bytes = (await window.at(at, endBytes - at)).subarray(0, endBytes - at);
    const tracks = parseFragment(bytes, init);
    return tracks.every((track) => track.trackId !== video.id || unitsFill(bytes, track, at)) ? { tracks, endBytes } : null;
  } catch (error) {
    if (error instanceof MalformedMediaError) return null;
    throw error;
  }
}

/** After a power cut, a block that never reached the disk reads as zeros; blocks of file systems are no smaller than this. */
const BLOCK_BYTES = 512;

/**
 * The lengths of a picture's NAL units add up to the picture, and no unit holds a block of zeros: four in a row never occur inside
 * one (H.264 section 7.4.1, H.265 section 7.4.2). Some encoders do end a unit with a zero. `bytes` begin at `startBytes` of the file.
 */
function unitsFill(bytes: Uint8Array, track: FragmentTrack, startBytes: number): boolean {
  for (const { offsetBytes, sizeBytes } of track.samples) {
    const end = offsetBytes + sizeBytes;
    let at = offsetBytes;
    while (at + 4 <= end) {
      const size = readU32(bytes, at);
      if (size === 0 || at + 4 + size > end) return false;
      for (let probe = at + 4; probe + 4 < at + size; probe += BLOCK_BYTES / 2) if (readU32(bytes, probe) === 0) return false;
      if (endsInLostBlock(bytes, at + 4, at + 4 + size, startBytes)) return false;
      at += 4 + size;
    }
    if (at !== end) return false;
  }
  return true;
}

/** Whether the file's last block within a unit, which may be too short for a probe, is nothing but zeros. */
function endsInLostBlock(bytes: Uint8Array, from: number, end: number, startBytes: number): boolean {
  const block = end - ((startBytes + end) % BLOCK_BYTES);
  return block > from && end - block >= 4 && bytes.subarray(block, end).every((byte) => byte === 0);
}

/** Ticks at which the last picture of a fragment ends on screen. */
export function presentationEnd(track: FragmentTrack): number {
  let decode = track.baseDecodeTime;
  let end = endDecodeTime(track);
  for (const sample of track.samples) {
    end = Math.max(end, decode + sample.compositionOffsetTicks + sample.durationTicks);
    decode += sample.durationTicks;
  }
  return end;
}
