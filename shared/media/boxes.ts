/** The box structure of ISO/IEC 14496-12 section 4.2: reading sizes and types from bytes nobody vouches for, and building boxes. */

/** Bytes that are not the media they claim to be. `message` is for the log. */
export class MalformedMediaError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedMediaError';
  }
}

export interface Box {
  /** Four characters, Latin-1. */
  readonly type: string;
  /** Where the box begins in the bytes it was read from. */
  readonly start: number;
  /** 8, or 16 with a 64-bit size. */
  readonly headerBytes: number;
  /** Whole size with its header; may reach beyond the bytes at hand. A size of 0 ("to the end") counts what is at hand. */
  readonly sizeBytes: number;
}

export function readU16(bytes: Uint8Array, at: number): number {
  if (at < 0 || at + 2 > bytes.length) throw new MalformedMediaError(`two bytes wanted at ${at} of ${bytes.length}`);
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

export function readU32(bytes: Uint8Array, at: number): number {
  if (at < 0 || at + 4 > bytes.length) throw new MalformedMediaError(`four bytes wanted at ${at} of ${bytes.length}`);
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}

export function readI32(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) | 0;
}

/** An unsigned 64-bit number that fits a JavaScript number; larger ones are malformed. */
export function readU64(bytes: Uint8Array, at: number): number {
  const value = readU32(bytes, at) * 2 ** 32 + readU32(bytes, at + 4);
  if (value > Number.MAX_SAFE_INTEGER) throw new MalformedMediaError(`a 64-bit number beyond 2^53 at ${at}`);
  return value;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = (value >>> 24) & 255;
  bytes[at + 1] = (value >>> 16) & 255;
  bytes[at + 2] = (value >>> 8) & 255;
  bytes[at + 3] = value & 255;
}

export function writeU64(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, Math.floor(value / 2 ** 32));
  writeU32(bytes, at + 4, value >>> 0);
}

/** Four characters as a big-endian number, for comparisons without making strings. */
export function fourcc(type: string): number {
  return ((type.charCodeAt(0) << 24) | (type.charCodeAt(1) << 16) | (type.charCodeAt(2) << 8) | type.charCodeAt(3)) >>> 0;
}

/** The box whose header begins at `offset`, or null when its header is cut off or its size cannot be (smaller than its header). */
export function readBox(bytes: Uint8Array, offset: number, limit: number = bytes.length): Box | null {
  if (offset < 0 || offset + 8 > limit) return null;
  const small = readU32(bytes, offset);
  const type = String.fromCharCode(bytes[offset + 4] ?? 0, bytes[offset + 5] ?? 0, bytes[offset + 6] ?? 0, bytes[offset + 7] ?? 0);
  if (small === 0) return { type, start: offset, headerBytes: 8, sizeBytes: limit - offset };
  if (small !== 1) return small < 8 ? null : { type, start: offset, headerBytes: 8, sizeBytes: small };
  if (offset + 16 > limit) return null;
  const sizeBytes = readU32(bytes, offset + 8) * 2 ** 32 + readU32(bytes, offset + 12);
  if (sizeBytes < 16 || sizeBytes > Number.MAX_SAFE_INTEGER) return null;
  return { type, start: offset, headerBytes: 16, sizeBytes };
}

/** Where the box ends. */
export function boxEnd(box: Box): number {
  return box.start + box.sizeBytes;
}

/** Whole boxes from `start` to `end`; stops at the first that is cut off or malformed. */
export function* boxesIn(bytes: Uint8Array, start = 0, end: number = bytes.length): Generator<Box> {
  for (let at = start; at < end; ) {
    const box = readBox(bytes, at, end);
    if (box === null || boxEnd(box) > end) return;
    yield box;
    at = boxEnd(box);
  }
}

/** Children of a box; `skipBytes` passes over fields between its header and its first child (a full box has 4). */
export function childrenOf(bytes: Uint8Array, parent: Box, skipBytes = 0): Generator<Box> {
  return boxesIn(bytes, parent.start + parent.headerBytes + skipBytes, Math.min(boxEnd(parent), bytes.length));
}

/** Where the first whole box of that type begins between `start` and `end`, or -1. Makes no objects: every fragment of every camera comes through here. */
function findBox(bytes: Uint8Array, type: number, start: number, end: number): number {
  for (let at = start; at + 8 <= end; ) {
    let size = readU32(bytes, at);
    if (size === 1) size = at + 16 <= end ? readU32(bytes, at + 8) * 2 ** 32 + readU32(bytes, at + 12) : 0;
    else if (size === 0) size = end - at;
    if (size < 8 || at + size > end) return -1;
    if (readU32(bytes, at + 4) === type) return at;
    at += size;
  }
  return -1;
}

/** The first child of that type, or null. */
export function childOf(bytes: Uint8Array, parent: Box, type: string, skipBytes = 0): Box | null {
  const end = Math.min(boxEnd(parent), bytes.length);
  const at = findBox(bytes, fourcc(type), parent.start + parent.headerBytes + skipBytes, end);
  return at < 0 ? null : readBox(bytes, at, end);
}

/** The first whole box of that type among the outermost ones, or null. */
export function topBox(bytes: Uint8Array, type: string, start = 0): Box | null {
  const at = findBox(bytes, fourcc(type), start, bytes.length);
  return at < 0 ? null : readBox(bytes, at);
}

/** What a box holds, without its header; a view, not a copy. */
export function payloadOf(bytes: Uint8Array, box: Box): Uint8Array {
  return bytes.subarray(box.start + box.headerBytes, boxEnd(box));
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A box of that type around `parts`. */
export function makeBox(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const header = new Uint8Array(8);
  const box = concatBytes([header, ...parts]);
  writeU32(box, 0, box.length);
  writeU32(box, 4, fourcc(type));
  return box;
}

/** Numbers as big-endian 32-bit words, for building boxes. */
export function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  values.forEach((value, index) => writeU32(bytes, index * 4, value));
  return bytes;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
