/**
 * One preview inside a pack: a header that delimits, dates and owns the JPEG behind it (docs/design/previews.md).
 * Each record names its camera, so that a pack that lands in another camera's folder is refused, never shown.
 */
import { crc32 } from 'node:zlib';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { EpochMs } from '../../../shared/time.ts';

/** "PLPV". */
const MAGIC = 0x504c5056;
const VERSION = 1;
/**
 * magic u32, version u8, header length u8, u16 of 0, camera id 16 bytes of ASCII, time f64 (ms since 1970), JPEG length u32,
 * CRC-32 of the JPEG u32, u32 of 0, CRC-32 of all before u32; big-endian.
 */
export const RECORD_HEADER_BYTES = 48;
const CAMERA_ID_BYTES = 16;
/** No 320-pixel JPEG comes near it; a larger length is a damaged header. */
const MAX_JPEG_BYTES = 1 << 20;

export interface RecordHeader {
  readonly cameraId: string;
  readonly atMs: EpochMs;
  readonly sizeBytes: number;
  readonly jpegCrc: number;
}

/** A whole record, header and JPEG, in a buffer of its own. Throws where the JPEG is empty or longer than a record may hold. */
export function encodeRecord(cameraId: CameraId, atMs: EpochMs, jpeg: Uint8Array): Buffer {
  if (jpeg.length === 0 || jpeg.length > MAX_JPEG_BYTES) throw new RangeError(`a preview of ${jpeg.length} bytes`);
  if (cameraId.length !== CAMERA_ID_BYTES) throw new RangeError('a camera id of another length');
  const record = Buffer.alloc(RECORD_HEADER_BYTES + jpeg.length);
  record.writeUInt32BE(MAGIC, 0);
  record.writeUInt8(VERSION, 4);
  record.writeUInt8(RECORD_HEADER_BYTES, 5);
  record.write(cameraId, 8, 'ascii');
  record.writeDoubleBE(atMs, 24);
  record.writeUInt32BE(jpeg.length, 32);
  record.writeUInt32BE(crc32(jpeg), 36);
  record.writeUInt32BE(crc32(record.subarray(0, 44)), 44);
  record.set(jpeg, RECORD_HEADER_BYTES);
  return record;
}

/** The header at the start of `bytes` (at least RECORD_HEADER_BYTES of them), or null where there is none that is whole. */
export function decodeHeader(bytes: Buffer): RecordHeader | null {
  if (bytes.length < RECORD_HEADER_BYTES || bytes.readUInt32BE(0) !== MAGIC || bytes.readUInt8(4) !== VERSION) return null;
  if (bytes.readUInt8(5) !== RECORD_HEADER_BYTES || bytes.readUInt32BE(44) !== crc32(bytes.subarray(0, 44))) return null;
  const sizeBytes = bytes.readUInt32BE(32);
  if (sizeBytes === 0 || sizeBytes > MAX_JPEG_BYTES) return null;
  return { cameraId: bytes.toString('ascii', 8, 8 + CAMERA_ID_BYTES), atMs: bytes.readDoubleBE(24), sizeBytes, jpegCrc: bytes.readUInt32BE(36) };
}

/** The JPEG of a whole record, or null where it is not `cameraId`'s picture of `atMs`, or is damaged. */
export function pictureOf(record: Buffer, cameraId: CameraId, atMs: EpochMs): Uint8Array | null {
  const header = decodeHeader(record);
  if (header === null || header.cameraId !== cameraId || header.atMs !== atMs || record.length !== RECORD_HEADER_BYTES + header.sizeBytes) return null;
  const jpeg = record.subarray(RECORD_HEADER_BYTES);
  return crc32(jpeg) === header.jpegCrc ? jpeg : null;
}

/** Where the next header could begin in `bytes`, looking from `from`; -1 where its first byte cannot be there. */
export function findMagic(bytes: Buffer, from: number): number {
  return bytes.indexOf('PLPV', from, 'latin1');
}
