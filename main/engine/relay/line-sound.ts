/** Sound of a picture that goes over the line: taken out where the device has no right to it, and noticed where it is still there (ISO/IEC 14496-12). */
import type { ChunkHead } from '../../../shared/contract/media.ts';
import { type Box, boxEnd, boxesIn, childOf, childrenOf, concatBytes, MalformedMediaError, readU32, topBox } from '../../../shared/media/boxes.ts';
import { parseFragment } from '../../../shared/media/fragment.ts';
import { type InitSegment, parseInit } from '../../../shared/media/init.ts';

const HEADER_BYTES = 8;
const FREE = [0x66, 0x72, 0x65, 0x65] as const;

/** A box becomes free space of the same size, so that nothing else in the file moves; what it held is gone. */
function blank(bytes: Uint8Array, box: Box): void {
  bytes.set(FREE, box.start + 4);
  bytes.fill(0, box.start + HEADER_BYTES, boxEnd(box));
}

/** Track number of a traf or trex: its first field behind version and flags. */
function trackIdOf(bytes: Uint8Array, fields: Box): number {
  return readU32(bytes, fields.start + fields.headerBytes + 4);
}

function trafIds(bytes: Uint8Array, moof: Box): { readonly traf: Box; readonly id: number }[] {
  return [...childrenOf(bytes, moof)].flatMap((traf) => {
    if (traf.type !== 'traf') return [];
    const tfhd = childOf(bytes, traf, 'tfhd');
    if (tfhd === null) throw new MalformedMediaError('a traf without tfhd');
    return [{ traf, id: trackIdOf(bytes, tfhd) }];
  });
}

/** Takes the sound out of one media stream: of its parameters first, then of each chunk under them. */
export class SoundFilter {
  #init: InitSegment = { tracks: [] };
  #pictures: ReadonlySet<number> = new Set();

  /** ftyp + moov with the picture's tracks only. `bytes` may be written to. Throws MalformedMediaError. */
  init(bytes: Uint8Array): Uint8Array {
    this.#init = parseInit(bytes);
    this.#pictures = new Set(this.#init.tracks.filter(({ kind }) => kind === 'video').map(({ id }) => id));
    const moov = topBox(bytes, 'moov');
    if (moov === null) throw new MalformedMediaError('no moov box');
    for (const child of [...childrenOf(bytes, moov)]) {
      if (child.type === 'trak') {
        const tkhd = childOf(bytes, child, 'tkhd');
        const at = tkhd === null ? -1 : tkhd.start + tkhd.headerBytes;
        const id = at < 0 ? 0 : readU32(bytes, at + (bytes[at] === 1 ? 20 : 12));
        if (!this.#pictures.has(id)) blank(bytes, child);
      } else if (child.type === 'mvex') {
        for (const trex of [...childrenOf(bytes, child)]) if (trex.type === 'trex' && !this.#pictures.has(trackIdOf(bytes, trex))) blank(bytes, trex);
      }
    }
    return bytes;
  }

  /** Whole moof + mdat boxes with pictures only, null where none is left. `bytes` may be written to. Throws MalformedMediaError. */
  media(bytes: Uint8Array): Uint8Array | null {
    const kept: Uint8Array[] = [];
    let dropMdat = false;
    for (const box of boxesIn(bytes)) {
      if (box.type === 'moof') dropMdat = !this.#keepPictures(bytes, box);
      if (box.type === 'moof' || box.type === 'mdat' ? !dropMdat : false) kept.push(bytes.subarray(box.start, boxEnd(box)));
    }
    if (kept.length === 0) return null;
    return kept.reduce((sum, part) => sum + part.length, 0) === bytes.length ? bytes : concatBytes(kept);
  }

  /** False where the fragment holds no picture. */
  #keepPictures(bytes: Uint8Array, moof: Box): boolean {
    const trafs = trafIds(bytes, moof);
    const others = trafs.filter(({ id }) => !this.#pictures.has(id));
    if (others.length === trafs.length) return false;
    if (others.length === 0) return true;
    for (const track of parseFragment(bytes, this.#init, moof.start)) {
      if (this.#pictures.has(track.trackId)) continue;
      for (const { offsetBytes, sizeBytes } of track.samples) bytes.fill(0, offsetBytes, offsetBytes + sizeBytes);
    }
    for (const { traf } of others) blank(bytes, traf);
    return true;
  }
}

/** How many parameter sets of a stream are remembered; playback goes to and fro between two. */
const REMEMBERED = 16;

/** Notices sound in what should hold none, however it got there: the gate's own look, apart from the filter. */
export class SoundWatch {
  readonly #pictures = new Map<number, ReadonlySet<number>>();

  /** Whether a chunk with bytes holds sound, or cannot be read, or belongs to parameters that were not seen. */
  hears(chunk: ChunkHead, payload: Uint8Array): boolean {
    try {
      if (chunk.kind === 'init') return this.#hearsInit(chunk.initId, payload);
      const pictures = chunk.kind === 'media' ? this.#pictures.get(chunk.initId) : undefined;
      if (pictures === undefined) return true;
      let end = 0;
      for (const box of boxesIn(payload)) {
        end = boxEnd(box);
        if (box.type === 'moof' ? trafIds(payload, box).some(({ id }) => !pictures.has(id)) : box.type !== 'mdat') return true;
      }
      return end !== payload.length;
    } catch (error) {
      if (error instanceof MalformedMediaError) return true;
      throw error;
    }
  }

  #hearsInit(initId: number, payload: Uint8Array): boolean {
    const { tracks } = parseInit(payload);
    if (tracks.some(({ kind }) => kind !== 'video')) return true;
    if (this.#pictures.size >= REMEMBERED) this.#pictures.delete([...this.#pictures.keys()][0] ?? initId);
    this.#pictures.set(initId, new Set(tracks.map(({ id }) => id)));
    return false;
  }
}
