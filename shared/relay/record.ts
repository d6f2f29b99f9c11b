/** One record inside a session: its header, its payload and the zeros that hide the payload's length (docs/design/relay.md, "Record"). */
import { MAX_RECORD_BYTES } from './protocol.ts';
import type { Bytes } from './suite.ts';

/** What sealing adds (an AES-GCM tag). */
export const RECORD_TAG_BYTES = 16;
export const HEADER_BYTES = 22;
export const MAX_PLAIN_BYTES = MAX_RECORD_BYTES - RECORD_TAG_BYTES;
export const MAX_PAYLOAD_BYTES = MAX_PLAIN_BYTES - HEADER_BYTES;
/** Sealed sizes are whole multiples of the bucket, and every bucket is a multiple of the smallest. */
export const CONTROL_BUCKET_BYTES = 256;

const TYPES = ['message', 'heartbeat', 'credit', 'rekey', 'bye', 'fill', 'pace'] as const;
export type RecordType = (typeof TYPES)[number];

const FIRST = 1;
const LAST = 2;
const U16_END = 2 ** 16;
const U32_END = 2 ** 32;

export interface SessionRecord {
  readonly type: RecordType;
  /** The first, the last part of a message; both false in other types. */
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** The lane's number, 0 is control. */
  readonly stream: number;
  readonly camera: number;
  /** The message's number within its lane, from 0. */
  readonly frame: number;
  /** When the message's first picture was taken, in ms. */
  readonly ptsMs: number;
  readonly payload: Uint8Array;
}

/** A record of a type that has a payload only. */
export function plainRecord(type: Exclude<RecordType, 'message'>, payload: Uint8Array): SessionRecord {
  return { type, isFirst: false, isLast: false, stream: 0, camera: 0, frame: 0, ptsMs: 0, payload };
}

/** How long the record will be once sealed. */
export function sealedBytes(payloadBytes: number, bucketBytes: number): number {
  return Math.min(MAX_RECORD_BYTES, Math.ceil((HEADER_BYTES + payloadBytes + RECORD_TAG_BYTES) / bucketBytes) * bucketBytes);
}

/** The record before sealing, filled up so that its sealed size is a multiple of `bucketBytes`. Throws on what no record can hold. */
export function encodeRecord(record: SessionRecord, bucketBytes: number): Bytes {
  const { type, isFirst, isLast, stream, camera, frame, ptsMs, payload } = record;
  const isWhole = (value: number, end: number): boolean => Number.isInteger(value) && value >= 0 && value < end;
  if (payload.length > MAX_PAYLOAD_BYTES) throw new RangeError(`a record holds at most ${MAX_PAYLOAD_BYTES} bytes`);
  if (!isWhole(stream, U16_END) || !isWhole(camera, U32_END) || !isWhole(frame, U32_END) || !isWhole(ptsMs, Number.MAX_SAFE_INTEGER + 1)) {
    throw new RangeError('a field of a record is out of its range');
  }
  const plain = new Uint8Array(sealedBytes(payload.length, bucketBytes) - RECORD_TAG_BYTES);
  const view = new DataView(plain.buffer);
  view.setUint8(0, TYPES.indexOf(type) + 1);
  view.setUint8(1, (isFirst ? FIRST : 0) | (isLast ? LAST : 0));
  view.setUint16(2, stream);
  view.setUint32(4, camera);
  view.setUint32(8, frame);
  setWhole(view, 12, ptsMs);
  view.setUint16(20, payload.length);
  plain.set(payload, HEADER_BYTES);
  return plain;
}

/** The record that was opened; its payload is a view into `plain`. Null where it is none: an unknown type or flag, a field set that its type has not, a length that does not fit, anything but zeros behind the payload. */
export function decodeRecord(plain: Uint8Array): SessionRecord | null {
  if (plain.length < HEADER_BYTES || plain.length > MAX_PLAIN_BYTES || (plain.length + RECORD_TAG_BYTES) % CONTROL_BUCKET_BYTES !== 0) return null;
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  const type = TYPES[view.getUint8(0) - 1];
  const flags = view.getUint8(1);
  const ptsMs = getWhole(view, 12);
  const end = HEADER_BYTES + view.getUint16(20);
  if (type === undefined || flags > (FIRST | LAST) || ptsMs === null || end > plain.length) return null;
  for (let at = end; at < plain.length; at += 1) if (plain[at] !== 0) return null;
  const record = { type, isFirst: (flags & FIRST) !== 0, isLast: (flags & LAST) !== 0, stream: view.getUint16(2), camera: view.getUint32(4), frame: view.getUint32(8), ptsMs, payload: plain.subarray(HEADER_BYTES, end) };
  const { stream, camera, frame } = record;
  if (type !== 'message' && (flags !== 0 || stream !== 0 || camera !== 0 || frame !== 0 || ptsMs !== 0)) return null;
  return record;
}

/** Whole numbers below 2^53 as u64, big-endian: the payload of heartbeats and credits, and of both handshake messages. */
export function wholeNumbers(...values: readonly number[]): Bytes {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  values.forEach((value, at) => setWhole(view, at * 8, value));
  return bytes;
}

/** Null unless the bytes are exactly `count` of them. */
export function readWholeNumbers(bytes: Uint8Array, count: number): readonly number[] | null {
  if (bytes.length !== count * 8) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const value = getWhole(view, at * 8);
    if (value === null) return null;
    values.push(value);
  }
  return values;
}

function setWhole(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / U32_END));
  view.setUint32(at + 4, value % U32_END);
}

/** Null above what a number holds exactly. */
function getWhole(view: DataView, at: number): number | null {
  const value = view.getUint32(at) * U32_END + view.getUint32(at + 4);
  return Number.isSafeInteger(value) ? value : null;
}
