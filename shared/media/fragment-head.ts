/** The few numbers the recorder wants of each fragment, read in one pass without making objects for its samples (ISO/IEC 14496-12 section 8.8). */
import { fourcc, MalformedMediaError, readI32, readU32, readU64, writeU32, writeU64 } from './boxes.ts';
import type { SampleDefaults } from './init.ts';

/** Of a fragment with one track. Offsets count from the start of the bytes, ticks are the track's. */
export interface FragmentHead {
  readonly frames: number;
  /** The first sample is a keyframe, and where it lies. */
  readonly keyframe: boolean;
  readonly firstOffsetBytes: number;
  readonly firstSizeBytes: number;
  /** Decode time of the first sample. */
  readonly baseTicks: number;
  /** Presentation time of the first sample, and the latest end on screen of any. */
  readonly startTicks: number;
  readonly endTicks: number;
  /** Where the track's number and its decode time are written, for `renumberTrack` and `writeDecodeTime`. */
  readonly trackIdAt: number;
  readonly decodeTimeAt: number;
  readonly wideDecodeTime: boolean;
}

const MOOF = fourcc('moof');
const TRAF = fourcc('traf');
const TFHD = fourcc('tfhd');
const TFDT = fourcc('tfdt');
const TRUN = fourcc('trun');
/** sample_is_non_sync_sample of sample_flags (section 8.8.3.1). */
const NON_SYNC = 0x10000;

/** Where the first box of a type between `start` and `end` begins; throws where there is none. Our muxer writes no 64-bit sizes inside a moof. */
function find(bytes: Uint8Array, type: number, start: number, end: number): number {
  for (let at = start; at + 8 <= end; ) {
    const size = readU32(bytes, at);
    if (size < 8 || at + size > end) break;
    if (readU32(bytes, at + 4) === type) return at;
    at += size;
  }
  throw new MalformedMediaError('a fragment with a box missing');
}

/** Reads a moof with one track and one run, as our muxer writes them, at or after the start of `bytes`. Throws MalformedMediaError, also when a sample would lie outside `bytes`. */
export function readFragmentHead(bytes: Uint8Array, defaults: SampleDefaults): FragmentHead {
  const moof = find(bytes, MOOF, 0, bytes.length);
  const traf = find(bytes, TRAF, moof + 8, moof + readU32(bytes, moof));
  const end = traf + readU32(bytes, traf);
  const tfhd = find(bytes, TFHD, traf + 8, end);
  const tfdt = find(bytes, TFDT, traf + 8, end);
  const trun = find(bytes, TRUN, traf + 8, end);
  const wide = bytes[tfdt + 8] === 1;
  const baseTicks = wide ? readU64(bytes, tfdt + 12) : readU32(bytes, tfdt + 12);
  const flags = readU32(bytes, tfhd + 8) & 0xffffff;
  // A base offset counts from the start of a file we do not have; every muxer of ours writes default-base-is-moof.
  if (flags & 0x1) throw new MalformedMediaError('a fragment that names file offsets');
  let at = tfhd + 16 + (flags & 0x2 ? 4 : 0);
  const durationTicks = flags & 0x8 ? readU32(bytes, (at += 4) - 4) : defaults.durationTicks;
  const sizeBytes = flags & 0x10 ? readU32(bytes, (at += 4) - 4) : defaults.sizeBytes;
  const sampleFlags = flags & 0x20 ? readU32(bytes, at) : defaults.flags;
  const run = readRun(bytes, moof, trun, { durationTicks, sizeBytes, flags: sampleFlags }, baseTicks);
  return { ...run, baseTicks, trackIdAt: tfhd + 12, decodeTimeAt: tfdt + 12, wideDecodeTime: wide };
}

function readRun(bytes: Uint8Array, moof: number, trun: number, defaults: SampleDefaults, baseTicks: number): Pick<FragmentHead, 'frames' | 'keyframe' | 'firstOffsetBytes' | 'firstSizeBytes' | 'startTicks' | 'endTicks'> {
  const flags = readU32(bytes, trun + 8) & 0xffffff;
  const signed = bytes[trun + 8] !== 0;
  const frames = readU32(bytes, trun + 12);
  let at = trun + 16;
  const firstOffsetBytes = flags & 0x1 ? moof + readI32(bytes, (at += 4) - 4) : moof;
  let firstFlags = flags & 0x4 ? readU32(bytes, (at += 4) - 4) : defaults.flags;
  const entryBytes = (flags & 0x100 ? 4 : 0) + (flags & 0x200 ? 4 : 0) + (flags & 0x400 ? 4 : 0) + (flags & 0x800 ? 4 : 0);
  if (at + frames * entryBytes > trun + readU32(bytes, trun)) throw new MalformedMediaError(`a run of ${frames} samples that is not there`);
  // Without a word for each of them, a hostile count costs nothing but must not be walked.
  if (entryBytes === 0 && frames > bytes.length) throw new MalformedMediaError(`a run of ${frames} samples that is not there`);
  let dataAt = firstOffsetBytes;
  let decodeTicks = baseTicks;
  let startTicks = baseTicks;
  let endTicks = baseTicks;
  let firstSizeBytes = 0;
  for (let i = 0; i < frames; i += 1) {
    const durationTicks = flags & 0x100 ? readU32(bytes, (at += 4) - 4) : defaults.durationTicks;
    const sizeBytes = flags & 0x200 ? readU32(bytes, (at += 4) - 4) : defaults.sizeBytes;
    if (flags & 0x400) {
      if (i === 0 && !(flags & 0x4)) firstFlags = readU32(bytes, at);
      at += 4;
    }
    const offsetTicks = flags & 0x800 ? (signed ? readI32(bytes, (at += 4) - 4) : readU32(bytes, (at += 4) - 4)) : 0;
    if (i === 0) {
      startTicks = decodeTicks + offsetTicks;
      firstSizeBytes = sizeBytes;
    }
    decodeTicks += durationTicks;
    endTicks = Math.max(endTicks, decodeTicks, decodeTicks + offsetTicks);
    dataAt += sizeBytes;
    if (firstOffsetBytes < 0 || dataAt > bytes.length) throw new MalformedMediaError('a sample outside its fragment');
  }
  return { frames, keyframe: frames > 0 && (firstFlags & NON_SYNC) === 0, firstOffsetBytes, firstSizeBytes, startTicks, endTicks };
}

/** Gives the fragment's track another number, in place. */
export function renumberTrack(bytes: Uint8Array, head: Pick<FragmentHead, 'trackIdAt'>, trackId: number): void {
  writeU32(bytes, head.trackIdAt, trackId);
}

/** Moves the fragment to another decode time, in place. Throws MalformedMediaError when it would fall below zero. */
export function writeDecodeTime(bytes: Uint8Array, head: Pick<FragmentHead, 'decodeTimeAt' | 'wideDecodeTime'>, ticks: number): void {
  if (ticks < 0) throw new MalformedMediaError('a sample before its file begins');
  if (head.wideDecodeTime) writeU64(bytes, head.decodeTimeAt, ticks);
  else writeU32(bytes, head.decodeTimeAt, ticks);
}
