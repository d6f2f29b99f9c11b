/**
 * Owns the machine-readable strip at the foot of a picture: a frame number and a clock as black and white blocks.
 *
 * Pure: it touches pixel arrays only, so the same file works in Node and in a page. The strip is 3 rows of 32 blocks
 * over the whole width; together they hold 96 bits, most significant first: 32 bits frame number, 48 bits clock in
 * milliseconds since 1970 (0 where the picture carries no clock), 16 bits CRC-16/CCITT of the ten bytes before.
 */

export const CODE_COLUMNS = 32;
export const CODE_ROWS = 3;
/** The strip's height as a share of the picture's: 1/12, so 30 of 360 lines. */
const STRIP_DIVISOR = 12;
const DATA_BYTES = 10;
const LUMA_BLACK = 16;
const LUMA_WHITE = 235;
/** Two mean block values closer than this are no code at all. */
const MIN_CONTRAST = 60;

export interface FrameCode {
  readonly frameNumber: number;
  /** Milliseconds since 1970; 0 when the picture carries no clock. */
  readonly clockMs: number;
}

/** A planar YUV 4:2:0 picture: one byte per sample, planes without padding. Width and height are even. */
export interface YuvPicture {
  readonly width: number;
  readonly height: number;
  readonly y: Uint8Array;
  readonly u: Uint8Array;
  readonly v: Uint8Array;
}

/** The first line of the strip, even so that chroma lines fall together with it. */
export function stripTop(height: number): number {
  const top = height - Math.floor(height / STRIP_DIVISOR);
  return top - (top % 2);
}

function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

/** The twelve bytes of the code. `frameNumber` is taken modulo 2^32, `clockMs` modulo 2^48. */
export function encodeFrameCode(code: FrameCode): Uint8Array {
  const bytes = new Uint8Array(DATA_BYTES + 2);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, code.frameNumber >>> 0);
  view.setUint16(4, Math.floor(code.clockMs / 2 ** 32) & 0xffff);
  view.setUint32(6, code.clockMs % 2 ** 32 >>> 0);
  view.setUint16(DATA_BYTES, crc16(bytes.subarray(0, DATA_BYTES)));
  return bytes;
}

function decodeFrameCode(bytes: Uint8Array): FrameCode | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(DATA_BYTES) !== crc16(bytes.subarray(0, DATA_BYTES))) return null;
  return { frameNumber: view.getUint32(0), clockMs: view.getUint16(4) * 2 ** 32 + view.getUint32(6) };
}

/** Paints the strip over the foot of a limited-range YUV picture, in place. */
export function drawFrameCode(picture: YuvPicture, code: FrameCode): void {
  const { width, height } = picture;
  const bytes = encodeFrameCode(code);
  const top = stripTop(height);
  const stripHeight = height - top;
  for (let line = top; line < height; line += 1) {
    const row = Math.floor(((line - top) * CODE_ROWS) / stripHeight);
    for (let column = 0; column < CODE_COLUMNS; column += 1) {
      const bit = row * CODE_COLUMNS + column;
      const on = ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1;
      const from = Math.floor((column * width) / CODE_COLUMNS);
      const to = Math.floor(((column + 1) * width) / CODE_COLUMNS);
      picture.y.fill(on ? LUMA_WHITE : LUMA_BLACK, line * width + from, line * width + to);
    }
  }
  const chromaWidth = width >> 1;
  picture.u.fill(128, (top >> 1) * chromaWidth);
  picture.v.fill(128, (top >> 1) * chromaWidth);
}

/** The mean of the middle half of a block, in the first channel but one (green), or the only one (grey). */
function blockMean(pixels: ArrayLike<number>, width: number, channels: number, box: { x0: number; x1: number; y0: number; y1: number }): number {
  const offset = channels >= 3 ? 1 : 0;
  const marginX = Math.floor((box.x1 - box.x0) / 4);
  const marginY = Math.floor((box.y1 - box.y0) / 4);
  let sum = 0;
  let count = 0;
  for (let y = box.y0 + marginY; y < box.y1 - marginY; y += 1) {
    for (let x = box.x0 + marginX; x < box.x1 - marginX; x += 1) {
      sum += pixels[(y * width + x) * channels + offset] ?? 0;
      count += 1;
    }
  }
  return count === 0 ? 0 : sum / count;
}

/**
 * The code at the foot of a decoded picture, or null when there is none or its checksum does not hold.
 * `pixels` holds width × height pixels in rows without padding, as grey (1 byte), RGB (3) or RGBA (4); which one
 * follows from its length. The picture may have been scaled, but must be whole: not cropped, no bars around it.
 */
export function readFrameCode(pixels: ArrayLike<number>, width: number, height: number): FrameCode | null {
  const channels = Math.floor(pixels.length / (width * height));
  if (channels < 1) return null;
  const top = (stripTop(1080) * height) / 1080;
  const stripHeight = height - top;
  const means: number[] = [];
  for (let row = 0; row < CODE_ROWS; row += 1) {
    for (let column = 0; column < CODE_COLUMNS; column += 1) {
      means.push(
        blockMean(pixels, width, channels, {
          x0: Math.floor((column * width) / CODE_COLUMNS),
          x1: Math.floor(((column + 1) * width) / CODE_COLUMNS),
          y0: Math.round(top + (row * stripHeight) / CODE_ROWS),
          y1: Math.round(top + ((row + 1) * stripHeight) / CODE_ROWS),
        }),
      );
    }
  }
  const low = Math.min(...means);
  const high = Math.max(...means);
  if (high - low < MIN_CONTRAST) return null;
  const threshold = (low + high) / 2;
  const bytes = new Uint8Array(DATA_BYTES + 2);
  means.forEach((mean, bit) => {
    if (mean > threshold) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (7 - (bit & 7)));
  });
  return decodeFrameCode(bytes);
}
