/** One fragment (moof + mdat) of a fragmented MP4: where its samples are, when they are, and moving them in time (ISO/IEC 14496-12 section 8.8). */
import { type Box, childOf, childrenOf, MalformedMediaError, readI32, readU32, readU64, topBox, writeU32, writeU64 } from './boxes.ts';
import type { InitSegment, SampleDefaults } from './init.ts';

export interface FragmentSample {
  /** From the start of the bytes the fragment was read from. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly durationTicks: number;
  /** Presentation time minus decode time. */
  readonly compositionOffsetTicks: number;
  readonly keyframe: boolean;
}

export interface FragmentTrack {
  readonly trackId: number;
  /** Decode time of the first sample in the track's ticks. */
  readonly baseDecodeTime: number;
  readonly samples: readonly FragmentSample[];
}

/** sample_is_non_sync_sample of sample_flags (section 8.8.3.1). */
const NON_SYNC = 0x10000;
/** More samples than an hour of 60 frames a second has: a count that only hostile bytes hold. */
const MAX_SAMPLES = 216_000;
const NO_DEFAULTS: SampleDefaults = { durationTicks: 0, sizeBytes: 0, flags: 0 };

/** Tracks of the first moof at or after `start`, which must be whole. `init` gives the defaults (trex). Throws MalformedMediaError, also when a sample would lie outside `bytes`. */
export function parseFragment(bytes: Uint8Array, init?: InitSegment, start = 0): FragmentTrack[] {
  const moof = topBox(bytes, 'moof', start);
  if (moof === null) throw new MalformedMediaError('no moof box');
  const tracks: FragmentTrack[] = [];
  for (const traf of childrenOf(bytes, moof)) if (traf.type === 'traf') tracks.push(parseTraf(bytes, moof, traf, init));
  return tracks;
}

/** Decode time at which a track's samples of this fragment end, in ticks. */
export function endDecodeTime(track: FragmentTrack): number {
  let ticks = track.baseDecodeTime;
  for (const sample of track.samples) ticks += sample.durationTicks;
  return ticks;
}

/** Subtracts each track's base from its decode times, in place; tracks without a base stay. Throws MalformedMediaError when a time would fall below zero. */
export function rebaseFragment(bytes: Uint8Array, baseTicks: ReadonlyMap<number, number>): void {
  const moof = topBox(bytes, 'moof');
  if (moof === null) throw new MalformedMediaError('no moof box');
  for (const traf of childrenOf(bytes, moof)) {
    if (traf.type !== 'traf') continue;
    const tfhd = childOf(bytes, traf, 'tfhd');
    const tfdt = childOf(bytes, traf, 'tfdt');
    if (tfhd === null || tfdt === null) continue;
    const base = baseTicks.get(readU32(bytes, tfhd.start + tfhd.headerBytes + 4));
    if (base === undefined) continue;
    const ticks = readTfdt(bytes, tfdt) - base;
    if (ticks < 0) throw new MalformedMediaError('a sample before its file begins');
    writeTfdt(bytes, tfdt, ticks);
  }
}

function readTfdt(bytes: Uint8Array, tfdt: Box): number {
  const at = tfdt.start + tfdt.headerBytes;
  return bytes[at] === 1 ? readU64(bytes, at + 4) : readU32(bytes, at + 4);
}

function writeTfdt(bytes: Uint8Array, tfdt: Box, ticks: number): void {
  const at = tfdt.start + tfdt.headerBytes;
  if (bytes[at] === 1) writeU64(bytes, at + 4, ticks);
  else writeU32(bytes, at + 4, ticks);
}

function parseTraf(bytes: Uint8Array, moof: Box, traf: Box, init: InitSegment | undefined): FragmentTrack {
  const tfhd = childOf(bytes, traf, 'tfhd');
  if (tfhd === null) throw new MalformedMediaError('a traf without tfhd');
  const at = tfhd.start + tfhd.headerBytes;
  const flags = readU32(bytes, at) & 0xffffff;
  const trackId = readU32(bytes, at + 4);
  // A base offset counts from the start of a file we do not have; every muxer of ours writes default-base-is-moof.
  if (flags & 0x1) throw new MalformedMediaError('a fragment that names file offsets');
  const trex = init?.tracks.find((track) => track.id === trackId)?.defaults ?? NO_DEFAULTS;
  let field = at + 8 + (flags & 0x2 ? 4 : 0);
  const next = (present: number, otherwise: number): number => {
    if (!(flags & present)) return otherwise;
    field += 4;
    return readU32(bytes, field - 4);
  };
  const durationTicks = next(0x8, trex.durationTicks);
  const sizeBytes = next(0x10, trex.sizeBytes);
  const sampleFlags = next(0x20, trex.flags);
  const tfdt = childOf(bytes, traf, 'tfdt');
  const samples: FragmentSample[] = [];
  let dataAt = moof.start;
  for (const trun of childrenOf(bytes, traf)) {
    if (trun.type === 'trun') dataAt = parseTrun(bytes, moof, trun, { durationTicks, sizeBytes, flags: sampleFlags }, dataAt, samples);
  }
  return { trackId, baseDecodeTime: tfdt === null ? 0 : readTfdt(bytes, tfdt), samples };
}

/** Adds a run's samples to `samples`; returns where its data ends, which is where a next run without an offset goes on. */
function parseTrun(bytes: Uint8Array, moof: Box, trun: Box, defaults: SampleDefaults, goesOnAt: number, samples: FragmentSample[]): number {
  const head = trun.start + trun.headerBytes;
  const end = trun.start + trun.sizeBytes;
  const flags = readU32(bytes, head) & 0xffffff;
  const version = bytes[head] ?? 0;
  const count = readU32(bytes, head + 4);
  let at = head + 8;
  let dataAt = goesOnAt;
  if (flags & 0x1) {
    dataAt = moof.start + readI32(bytes, at);
    at += 4;
  }
  const firstFlags = flags & 0x4 ? readU32(bytes, at) : null;
  if (firstFlags !== null) at += 4;
  const entryBytes = 4 * ((flags & 0x100 ? 1 : 0) + (flags & 0x200 ? 1 : 0) + (flags & 0x400 ? 1 : 0) + (flags & 0x800 ? 1 : 0));
  if (at + count * entryBytes > end || samples.length + count > MAX_SAMPLES) throw new MalformedMediaError(`a run of ${count} samples that is not there`);
  for (let i = 0; i < count; i += 1) {
    const durationTicks = flags & 0x100 ? readU32(bytes, (at += 4) - 4) : defaults.durationTicks;
    const sizeBytes = flags & 0x200 ? readU32(bytes, (at += 4) - 4) : defaults.sizeBytes;
    const sampleFlags = flags & 0x400 ? readU32(bytes, (at += 4) - 4) : i === 0 && firstFlags !== null ? firstFlags : defaults.flags;
    const compositionOffsetTicks = flags & 0x800 ? (version === 0 ? readU32(bytes, (at += 4) - 4) : readI32(bytes, (at += 4) - 4)) : 0;
    if (dataAt < 0 || dataAt + sizeBytes > bytes.length) throw new MalformedMediaError('a sample outside its fragment');
    samples.push({ offsetBytes: dataAt, sizeBytes, durationTicks, compositionOffsetTicks, keyframe: (sampleFlags & NON_SYNC) === 0 });
    dataAt += sizeBytes;
  }
  return dataAt;
}
