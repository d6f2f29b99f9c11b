/** What a player must know before the first picture: tracks, codecs and their configuration, read from ftyp + moov (ISO/IEC 14496-12, -14, -15). */
import { type Box, boxEnd, boxesIn, childOf, childrenOf, MalformedMediaError, payloadOf, readU16, readU32, topBox } from './boxes.ts';

/** What samples are when a fragment does not say (trex, ISO/IEC 14496-12 section 8.8.3). */
export interface SampleDefaults {
  readonly durationTicks: number;
  readonly sizeBytes: number;
  readonly flags: number;
}

export interface InitTrack {
  readonly id: number;
  readonly kind: 'video' | 'audio';
  /** Ticks per second of this track's times. */
  readonly timescale: number;
  /** RFC 6381, for MediaSource and WebCodecs: `avc1.64001f`, `hvc1.1.6.L120.B0`, `mp4a.40.2`, `Opus`. */
  readonly codec: string;
  /** The decoder's configuration for WebCodecs: avcC or hvcC record, AudioSpecificConfig, or dOps. Empty where there is none. */
  readonly description: Uint8Array;
  /** Pixels; 0 for audio. */
  readonly width: number;
  readonly height: number;
  /** 0 for video. */
  readonly channels: number;
  readonly sampleRate: number;
  readonly defaults: SampleDefaults;
}

export interface InitSegment {
  readonly tracks: readonly InitTrack[];
}

/** Reads ftyp + moov. Tracks that are neither video nor audio are left out. Throws MalformedMediaError. */
export function parseInit(bytes: Uint8Array): InitSegment {
  const moov = topBox(bytes, 'moov');
  if (moov === null) throw new MalformedMediaError('no moov box');
  const defaults = new Map<number, SampleDefaults>();
  const mvex = childOf(bytes, moov, 'mvex');
  if (mvex !== null) {
    for (const trex of childrenOf(bytes, mvex)) {
      if (trex.type !== 'trex') continue;
      const at = trex.start + trex.headerBytes;
      defaults.set(readU32(bytes, at + 4), { durationTicks: readU32(bytes, at + 12), sizeBytes: readU32(bytes, at + 16), flags: readU32(bytes, at + 20) });
    }
  }
  const tracks: InitTrack[] = [];
  for (const trak of childrenOf(bytes, moov)) {
    if (trak.type !== 'trak') continue;
    const track = parseTrack(bytes, trak, defaults);
    if (track !== null) tracks.push(track);
  }
  return { tracks };
}

export function videoTrackOf(init: InitSegment): InitTrack | null {
  return init.tracks.find((track) => track.kind === 'video') ?? null;
}

export function audioTrackOf(init: InitSegment): InitTrack | null {
  return init.tracks.find((track) => track.kind === 'audio') ?? null;
}

/** H.265 marked `hev1` becomes `hvc1`, which Safari and QuickTime ask for, in place; true when something changed. The parameter sets must be in hvcC, as ffmpeg writes them. */
export function retagHevc(bytes: Uint8Array): boolean {
  let changed = false;
  for (const entry of sampleEntries(bytes)) {
    if (entry.type !== 'hev1') continue;
    bytes.set([0x68, 0x76, 0x63, 0x31], entry.start + 4);
    changed = true;
  }
  return changed;
}

function* sampleEntries(bytes: Uint8Array): Generator<Box> {
  const moov = topBox(bytes, 'moov');
  if (moov === null) return;
  for (const trak of childrenOf(bytes, moov)) {
    const stsd = trak.type === 'trak' ? descend(bytes, trak, ['mdia', 'minf', 'stbl', 'stsd']) : null;
    if (stsd !== null) yield* childrenOf(bytes, stsd, 8);
  }
}

function descend(bytes: Uint8Array, from: Box, path: readonly string[]): Box | null {
  let at: Box | null = from;
  for (const type of path) at = at === null ? null : childOf(bytes, at, type);
  return at;
}

function required(bytes: Uint8Array, from: Box, path: readonly string[]): Box {
  const box = descend(bytes, from, path);
  if (box === null) throw new MalformedMediaError(`no ${path.join('/')} in ${from.type}`);
  return box;
}

function parseTrack(bytes: Uint8Array, trak: Box, defaults: ReadonlyMap<number, SampleDefaults>): InitTrack | null {
  const tkhd = required(bytes, trak, ['tkhd']);
  const mdhd = required(bytes, trak, ['mdia', 'mdhd']);
  const hdlr = required(bytes, trak, ['mdia', 'hdlr']);
  const stsd = required(bytes, trak, ['mdia', 'minf', 'stbl', 'stsd']);
  const handler = String.fromCharCode(...bytes.subarray(hdlr.start + hdlr.headerBytes + 8, hdlr.start + hdlr.headerBytes + 12));
  if (handler !== 'vide' && handler !== 'soun') return null;
  const tkhdAt = tkhd.start + tkhd.headerBytes;
  const mdhdAt = mdhd.start + mdhd.headerBytes;
  const id = readU32(bytes, tkhdAt + (bytes[tkhdAt] === 1 ? 20 : 12));
  const timescale = readU32(bytes, mdhdAt + (bytes[mdhdAt] === 1 ? 20 : 12));
  if (timescale === 0) throw new MalformedMediaError('a track without a timescale');
  const entry = [...childrenOf(bytes, stsd, 8)][0];
  if (entry === undefined) throw new MalformedMediaError('a track without a sample entry');
  const base = { id, timescale, defaults: defaults.get(id) ?? { durationTicks: 0, sizeBytes: 0, flags: 0 } };
  return handler === 'vide' ? { ...base, kind: 'video', ...parseVideoEntry(bytes, entry) } : { ...base, kind: 'audio', ...parseAudioEntry(bytes, entry) };
}

type EntryFacts = Pick<InitTrack, 'codec' | 'description' | 'width' | 'height' | 'channels' | 'sampleRate'>;

/** VisualSampleEntry, ISO/IEC 14496-12 section 12.1.3: 78 bytes of fields before the configuration boxes. */
function parseVideoEntry(bytes: Uint8Array, entry: Box): EntryFacts {
  const at = entry.start + entry.headerBytes;
  const facts = { width: readU16(bytes, at + 24), height: readU16(bytes, at + 26), channels: 0, sampleRate: 0 };
  const config = [...boxesIn(bytes, at + 78, boxEnd(entry))].find((box) => box.type === 'avcC' || box.type === 'hvcC');
  if (config === undefined) return { ...facts, codec: entry.type, description: new Uint8Array(0) };
  const description = payloadOf(bytes, config).slice();
  return { ...facts, codec: config.type === 'avcC' ? avcCodec(entry.type, description) : hevcCodec(entry.type, description), description };
}

/** `avc1.` and profile, constraints and level in hexadecimal (RFC 6381 section 3.3). */
function avcCodec(entryType: string, avcC: Uint8Array): string {
  if (avcC.length < 7) throw new MalformedMediaError('avcC is too short');
  return `${entryType}.${hex(avcC.subarray(1, 4))}`;
}

/** ISO/IEC 14496-15 annex E.3: profile, compatibility flags with their bits reversed, tier and level, constraint bytes without trailing zeros. */
function hevcCodec(entryType: string, hvcC: Uint8Array): string {
  if (hvcC.length < 23) throw new MalformedMediaError('hvcC is too short');
  const profile = hvcC[1] ?? 0;
  let compatibility = 0;
  for (let bit = 0, flags = readU32(hvcC, 2); bit < 32; bit += 1) if ((flags >>> bit) & 1) compatibility = (compatibility | (1 << (31 - bit))) >>> 0;
  const constraints = Array.from(hvcC.subarray(6, 12));
  while (constraints.length > 0 && constraints.at(-1) === 0) constraints.pop();
  const parts = [
    entryType,
    `${['', 'A', 'B', 'C'][profile >> 6] ?? ''}${profile & 31}`,
    compatibility.toString(16).toUpperCase(),
    `${profile & 32 ? 'H' : 'L'}${hvcC[12] ?? 0}`,
    ...constraints.map((value) => value.toString(16).toUpperCase()),
  ];
  return parts.join('.');
}

/** AudioSampleEntry, ISO/IEC 14496-12 section 12.2.3: 28 bytes of fields before the configuration boxes. */
function parseAudioEntry(bytes: Uint8Array, entry: Box): EntryFacts {
  const at = entry.start + entry.headerBytes;
  const facts = { width: 0, height: 0, channels: readU16(bytes, at + 16), sampleRate: readU16(bytes, at + 24) };
  const config = [...boxesIn(bytes, at + 28, boxEnd(entry))].find((box) => box.type === 'esds' || box.type === 'dOps');
  if (config?.type === 'esds') return { ...facts, ...parseEsds(payloadOf(bytes, config)) };
  if (config?.type === 'dOps') return { ...facts, codec: 'Opus', description: payloadOf(bytes, config).slice() };
  return { ...facts, codec: entry.type, description: new Uint8Array(0) };
}

/** ES_Descriptor, ISO/IEC 14496-1 section 7.2.6: object type of the codec, and its DecoderSpecificInfo. */
function parseEsds(esds: Uint8Array): Pick<EntryFacts, 'codec' | 'description'> {
  let objectType = 0;
  let at = 4;
  while (at + 2 <= esds.length) {
    const tag = esds[at] ?? 0;
    let length = 0;
    at += 1;
    for (let i = 0; i < 4 && at < esds.length; i += 1) {
      const byte = esds[at] ?? 0;
      at += 1;
      length = (length << 7) | (byte & 127);
      if ((byte & 128) === 0) break;
    }
    if (tag === 3) at += 3 + esdsExtras(esds[at + 2] ?? 0, esds[at + 3] ?? 0);
    else if (tag === 4) {
      objectType = esds[at] ?? 0;
      at += 13;
    } else if (tag === 5) {
      const description = esds.slice(at, Math.min(at + length, esds.length));
      const first = (description[0] ?? 0) >> 3;
      const audioType = first === 31 ? 32 + (((description[0] ?? 0) & 7) << 3) + ((description[1] ?? 0) >> 5) : first;
      return { codec: objectType === 0x40 ? `mp4a.40.${audioType}` : `mp4a.${objectType.toString(16)}`, description };
    } else at += length;
  }
  return { codec: `mp4a.${objectType.toString(16)}`, description: new Uint8Array(0) };
}

/** Optional fields of an ES_Descriptor that follow its flags: stream dependence, URL, OCR stream. */
function esdsExtras(flags: number, urlBytes: number): number {
  return (flags & 128 ? 2 : 0) + (flags & 64 ? 1 + urlBytes : 0) + (flags & 32 ? 2 : 0);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (value) => value.toString(16).padStart(2, '0')).join('');
}
