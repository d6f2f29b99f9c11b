/**
 * Packs pictures for MediaSource: the video track alone, on a time line of the player's choice. Sound would hold pictures
 * back wherever it is missing, because an element plays only what all its tracks have (Media Source Extensions, "buffered").
 */
import { childOf, childrenOf, concatBytes, makeBox, MalformedMediaError, payloadOf, readU32, topBox, words } from '../../shared/media/boxes.ts';
import type { InitTrack } from '../../shared/media/init.ts';
import type { DurationMs, EpochMs } from '../../shared/time.ts';
import type { EncodedUnit } from './demux.ts';

/** sample_depends_on of a keyframe, and of any other picture with sample_is_non_sync_sample (ISO/IEC 14496-12 section 8.8.3.1). */
const KEYFRAME_FLAGS = 0x02000000;
const DELTA_FLAGS = 0x01010000;

/** ftyp + moov with only that video track and without its edit list. Throws MalformedMediaError. */
export function videoInit(bytes: Uint8Array, track: InitTrack): Uint8Array {
  const ftyp = topBox(bytes, 'ftyp');
  const moov = topBox(bytes, 'moov');
  if (ftyp === null || moov === null) throw new MalformedMediaError('no ftyp and moov');
  const children: Uint8Array[] = [];
  for (const box of childrenOf(bytes, moov)) {
    if (box.type === 'mvhd') children.push(bytes.subarray(box.start, box.start + box.sizeBytes));
    else if (box.type === 'trak') {
      const tkhd = childOf(bytes, box, 'tkhd');
      if (tkhd === null) continue;
      const at = tkhd.start + tkhd.headerBytes;
      if (readU32(bytes, at + (bytes[at] === 1 ? 20 : 12)) !== track.id) continue;
      const parts = [...childrenOf(bytes, box)].filter(({ type }) => type !== 'edts');
      children.push(makeBox('trak', ...parts.map((part) => bytes.subarray(part.start, part.start + part.sizeBytes))));
    } else if (box.type === 'mvex') {
      const trex = [...childrenOf(bytes, box)].filter((part) => part.type === 'trex' && readU32(bytes, part.start + part.headerBytes + 4) === track.id);
      children.push(makeBox('mvex', ...trex.map((part) => bytes.subarray(part.start, part.start + part.sizeBytes))));
    }
  }
  return concatBytes([makeBox('ftyp', payloadOf(bytes, ftyp)), makeBox('moov', ...children)]);
}

export interface PackedPicture {
  readonly unit: EncodedUnit;
  /** Decode time on the new time line, ms from its beginning. */
  readonly decodeMs: DurationMs;
  readonly durationMs: DurationMs;
}

/** One moof + mdat of pictures in decoding order. */
export function packFragment(track: InitTrack, sequence: number, pictures: readonly PackedPicture[]): Uint8Array {
  const ticks = (ms: number): number => Math.round((ms * track.timescale) / 1000);
  const [first] = pictures;
  const base = Math.max(0, ticks(first?.decodeMs ?? 0));
  const rows: number[] = [];
  pictures.forEach(({ unit, decodeMs, durationMs }, index) => {
    const next = pictures[index + 1];
    const length = Math.max(1, next === undefined ? ticks(durationMs) : ticks(next.decodeMs) - ticks(decodeMs));
    rows.push(length, unit.data.length, unit.keyframe ? KEYFRAME_FLAGS : DELTA_FLAGS, ticks(unit.wallMs - unit.decodeMs));
  });
  const tfhd = makeBox('tfhd', words(0x020000, track.id));
  const tfdt = makeBox('tfdt', words(0x01000000, Math.floor(base / 2 ** 32), base % 2 ** 32));
  const moofWith = (dataOffset: number): Uint8Array =>
    makeBox('moof', makeBox('mfhd', words(0, sequence)), makeBox('traf', tfhd, tfdt, makeBox('trun', words(0x01000f01, pictures.length, dataOffset, ...rows))));
  const moof = moofWith(moofWith(0).length + 8);
  return concatBytes([moof, makeBox('mdat', ...pictures.map(({ unit }) => unit.data))]);
}

/** The type to ask a MediaSource for. */
export function mediaTypeOf(codec: string): string {
  return `video/mp4; codecs="${codec}"`;
}


/** Wall time at which a player's time line begins: long enough before its first picture that nobody goes back beyond it. */
export function epochFor(firstMs: EpochMs): EpochMs {
  const TEN_YEARS_MS = 10 * 366 * 86_400_000;
  return Math.floor((firstMs - TEN_YEARS_MS) / 1000) * 1000;
}
