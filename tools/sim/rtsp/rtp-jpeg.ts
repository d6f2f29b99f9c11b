/** Owns the cutting of a JPEG picture into RTP payloads (RFC 2435), for cameras that speak MJPEG only. */
import { MAX_PAYLOAD_BYTES } from './rtp-h264.ts';

interface JpegParts {
  readonly width: number;
  readonly height: number;
  /** 0 for 4:2:2, 1 for 4:2:0 (RFC 2435 section 4.1). */
  readonly type: number;
  readonly tables: readonly Buffer[];
  readonly scan: Buffer;
}

/** Takes a baseline JPEG with standard Huffman tables apart. */
function parseJpeg(jpeg: Buffer): JpegParts {
  let at = 2;
  let width = 0;
  let height = 0;
  let type = 1;
  const tables: Buffer[] = [];
  while (at + 4 <= jpeg.length) {
    const marker = jpeg[at + 1] ?? 0;
    const length = jpeg.readUInt16BE(at + 2);
    const body = jpeg.subarray(at + 4, at + 2 + length);
    if (marker === 0xdb) for (let t = 0; t + 65 <= body.length; t += 65) tables[(body[t] ?? 0) & 0x0f] = body.subarray(t + 1, t + 65);
    if (marker === 0xc0) {
      height = body.readUInt16BE(1);
      width = body.readUInt16BE(3);
      type = body[7] === 0x21 ? 0 : 1;
    }
    if (marker === 0xda) return { width, height, type, tables, scan: jpeg.subarray(at + 2 + length, jpeg.length - 2) };
    at += 2 + length;
  }
  throw new Error('a JPEG without a scan cannot be sent');
}

/** Payloads of one JPEG picture, quantization tables in the first (Q = 255); at most 2040 pixels either way. */
export function packetizeJpeg(jpeg: Buffer): Buffer[] {
  const { width, height, type, tables, scan } = parseJpeg(jpeg);
  const luma = tables[0] ?? Buffer.alloc(64, 16);
  const quantization = Buffer.concat([Buffer.from([0, 0, 0, 128]), luma, tables[1] ?? luma]);
  const payloads: Buffer[] = [];
  for (let at = 0; at < scan.length; ) {
    const tablesHere = at === 0 ? quantization : Buffer.alloc(0);
    const room = MAX_PAYLOAD_BYTES - 8 - tablesHere.length;
    const header = Buffer.from([0, at >> 16, (at >> 8) & 0xff, at & 0xff, type, 255, width >> 3, height >> 3]);
    payloads.push(Buffer.concat([header, tablesHere, scan.subarray(at, at + room)]));
    at += room;
  }
  return payloads;
}
