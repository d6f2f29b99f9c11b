/** Parameter sets of H.264 and H.265: found in a keyframe, found in the decoder's configuration, compared, and the picture's size read from the SPS. */
import { equalBytes, MalformedMediaError, readU16 } from './boxes.ts';

export type ParameterCodec = 'h264' | 'h265';

/** The parameter sets' codec for a sample entry's codec string, or null for others. */
export function parameterCodecOf(codec: string): ParameterCodec | null {
  if (codec.startsWith('avc')) return 'h264';
  return codec.startsWith('hvc') || codec.startsWith('hev') ? 'h265' : null;
}

/** SPS and PPS, and VPS of H.265 (Rec. ITU-T H.264 table 7-1, H.265 table 7-1). */
function isParameterSet(codec: ParameterCodec, firstByte: number): boolean {
  if (codec === 'h264') return (firstByte & 31) === 7 || (firstByte & 31) === 8;
  const type = (firstByte >> 1) & 63;
  return type >= 32 && type <= 34;
}

/** Views of the NAL units of a sample whose units are preceded by their length in 4 bytes; stops at the first that is cut off. */
function* nalUnits(sample: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at + 4 < sample.length; ) {
    const size = (sample[at] ?? 0) * 2 ** 24 + (((sample[at + 1] ?? 0) << 16) | ((sample[at + 2] ?? 0) << 8) | (sample[at + 3] ?? 0));
    if (at + 4 + size > sample.length) return;
    if (size > 0) yield sample.subarray(at + 4, at + 4 + size);
    at += 4 + size;
  }
}

/** Views of the parameter sets a keyframe carries; empty where the camera sends them in its SDP only. They precede the picture, so the search ends at the first slice. */
export function parameterSetsOfSample(sample: Uint8Array, codec: ParameterCodec): Uint8Array[] {
  const sets: Uint8Array[] = [];
  for (const unit of nalUnits(sample)) {
    const first = unit[0] ?? 0;
    if (isParameterSet(codec, first)) sets.push(unit);
    else if (codec === 'h264' ? (first & 31) <= 5 : ((first >> 1) & 63) < 32) break;
  }
  return sets;
}

/** Parameter sets in an avcC (ISO/IEC 14496-15 section 5.3.3) or hvcC (section 8.3.3) record. Throws MalformedMediaError. */
export function parameterSetsOfConfig(description: Uint8Array, codec: ParameterCodec): Uint8Array[] {
  const sets: Uint8Array[] = [];
  let at = codec === 'h264' ? 5 : 22;
  const take = (count: number): void => {
    for (let i = 0; i < count; i += 1) {
      const size = readU16(description, at);
      if (at + 2 + size > description.length) throw new MalformedMediaError('a parameter set is cut off');
      // An hvcC may also list SEI messages.
      if (isParameterSet(codec, description[at + 2] ?? 0)) sets.push(description.subarray(at + 2, at + 2 + size));
      at += 2 + size;
    }
  };
  if (codec === 'h264') {
    take((description[at++] ?? 0) & 31);
    take(description[at++] ?? 0);
    return sets;
  }
  const arrays = description[at++] ?? 0;
  for (let i = 0; i < arrays; i += 1) {
    at += 1;
    const count = readU16(description, at);
    at += 2;
    take(count);
  }
  return sets;
}

/** True when `sets` (from a keyframe) holds one that is not among `known`: the camera changed its codec settings or picture size. */
export function parameterSetsChanged(known: readonly Uint8Array[], sets: readonly Uint8Array[]): boolean {
  return sets.some((set) => !known.some((other) => equalBytes(other, set)));
}

/** Picture size in pixels, cropping applied, of an SPS (H.264 section 7.3.2.1.1, H.265 section 7.3.2.2); null when it is not one that can be read. */
export function sizeOfSps(sps: Uint8Array, codec: ParameterCodec): { readonly width: number; readonly height: number } | null {
  const first = sps[0] ?? 0;
  if (codec === 'h264' ? (first & 31) !== 7 : ((first >> 1) & 63) !== 33) return null;
  try {
    const bits = new BitReader(withoutEmulation(sps.subarray(codec === 'h264' ? 1 : 2)));
    return codec === 'h264' ? avcSize(bits) : hevcSize(bits);
  } catch (error) {
    if (error instanceof MalformedMediaError) return null;
    throw error;
  }
}

/** Takes out emulation prevention bytes (H.264 section 7.4.1): 00 00 03 stands for 00 00. */
function withoutEmulation(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out.push(byte);
  }
  return Uint8Array.from(out);
}

class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bit(): number {
    if (this.#at >= this.#bytes.length * 8) throw new MalformedMediaError('a parameter set is cut off');
    const value = ((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1;
    this.#at += 1;
    return value;
  }

  u(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i += 1) value = value * 2 + this.bit();
    return value;
  }

  skip(count: number): void {
    this.#at += count;
  }

  /** ue(v), H.264 section 9.1. */
  ue(): number {
    let zeros = 0;
    while (this.bit() === 0) if ((zeros += 1) > 31) throw new MalformedMediaError('a number without end');
    return 2 ** zeros - 1 + this.u(zeros);
  }

  se(): number {
    const code = this.ue();
    return code % 2 === 0 ? -code / 2 : (code + 1) / 2;
  }
}

const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

function avcSize(bits: BitReader): { width: number; height: number } {
  const profile = bits.u(8);
  bits.skip(16);
  bits.ue();
  let chroma = 1;
  if (HIGH_PROFILES.has(profile)) {
    chroma = bits.ue();
    if (chroma === 3) bits.skip(1);
    bits.ue();
    bits.ue();
    bits.skip(1);
    if (bits.bit() === 1) for (let i = 0; i < (chroma === 3 ? 12 : 8); i += 1) if (bits.bit() === 1) skipScalingList(bits, i < 6 ? 16 : 64);
  }
  bits.ue();
  skipPictureOrder(bits);
  bits.ue();
  bits.skip(1);
  const widthUnits = bits.ue() + 1;
  const heightUnits = bits.ue() + 1;
  const framesOnly = bits.bit();
  if (framesOnly === 0) bits.skip(1);
  bits.skip(1);
  const crop = bits.bit() === 1 ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [0, 0, 0, 0];
  const cropX = chroma === 1 || chroma === 2 ? 2 : 1;
  const cropY = (chroma === 1 ? 2 : 1) * (2 - framesOnly);
  return {
    width: widthUnits * 16 - cropX * ((crop[0] ?? 0) + (crop[1] ?? 0)),
    height: (2 - framesOnly) * heightUnits * 16 - cropY * ((crop[2] ?? 0) + (crop[3] ?? 0)),
  };
}

function skipPictureOrder(bits: BitReader): void {
  const type = bits.ue();
  if (type === 0) bits.ue();
  if (type !== 1) return;
  bits.skip(1);
  bits.se();
  bits.se();
  const count = bits.ue();
  for (let i = 0; i < count && i < 256; i += 1) bits.se();
}

function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size; i += 1) {
    if (next !== 0) next = (last + bits.se() + 256) % 256;
    last = next === 0 ? last : next;
  }
}

function hevcSize(bits: BitReader): { width: number; height: number } {
  bits.skip(4);
  const subLayers = bits.u(3);
  bits.skip(1);
  bits.skip(88);
  bits.skip(8);
  const present: [number, number][] = [];
  for (let i = 0; i < subLayers; i += 1) present.push([bits.bit(), bits.bit()]);
  if (subLayers > 0) bits.skip(2 * (8 - subLayers));
  for (const [profile, level] of present) bits.skip((profile === 1 ? 88 : 0) + (level === 1 ? 8 : 0));
  bits.ue();
  const chroma = bits.ue();
  if (chroma === 3) bits.skip(1);
  const width = bits.ue();
  const height = bits.ue();
  const crop = bits.bit() === 1 ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [0, 0, 0, 0];
  const cropX = chroma === 1 || chroma === 2 ? 2 : 1;
  const cropY = chroma === 1 ? 2 : 1;
  return { width: width - cropX * ((crop[0] ?? 0) + (crop[1] ?? 0)), height: height - cropY * ((crop[2] ?? 0) + (crop[3] ?? 0)) };
}
