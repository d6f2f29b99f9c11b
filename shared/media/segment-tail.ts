/** What closes a segment file: a `uuid` box with everything its row holds, then the standard `mfra` index; written once, read from the end. */
import type { StreamKind } from '../model/camera.ts';
import { isCameraId, type CameraId } from '../model/ids.ts';
import type { Keyframe } from '../model/segment.ts';
import type { EpochMs } from '../time.ts';
import { concatBytes, equalBytes, makeBox, MalformedMediaError, readBox, readU32, readU64, words, writeU32, writeU64 } from './boxes.ts';
import { packKeyframes, unpackKeyframes } from './keyframe-index.ts';

export interface SegmentTail {
  readonly cameraId: CameraId;
  readonly stream: StreamKind;
  readonly session: number;
  readonly sequence: number;
  readonly startMs: EpochMs;
  readonly endMs: EpochMs;
  readonly initBytes: number;
  readonly videoFrames: number;
  readonly keyframes: readonly Keyframe[];
}

/** Of the video track, for `mfra`. */
export interface TailTrack {
  readonly id: number;
  readonly timescale: number;
}

/** Enough for the tail of a segment of a minute with a keyframe each second (2.5 kB), in one read. */
export const SEGMENT_TAIL_READ_BYTES = 8 * 1024;
/** A tail is never larger: 400,000 keyframes would not fit, a minute of pure keyframes does with room to spare. */
const MAX_TAIL_BYTES = 4 * 1024 * 1024;
/** A random UUID of ours: 5b1f4c1e-6d0a-4d0e-9a3c-706f7263686c. */
const USER_TYPE = Uint8Array.of(0x5b, 0x1f, 0x4c, 0x1e, 0x6d, 0x0a, 0x4d, 0x0e, 0x9a, 0x3c, 0x70, 0x6f, 0x72, 0x63, 0x68, 0x6c);
const FORMAT = 1;

/** uuid box, then mfra (tfra + mfro, ISO/IEC 14496-12 section 8.8.9-11). `mediaMs` of the keyframes counts from the start of the file. */
export function makeSegmentTail(tail: SegmentTail, track: TailTrack): Uint8Array {
  const json = asciiBytes(
    JSON.stringify({ format: FORMAT, cameraId: tail.cameraId, stream: tail.stream, session: tail.session, sequence: tail.sequence, startMs: tail.startMs, endMs: tail.endMs, initBytes: tail.initBytes, videoFrames: tail.videoFrames }),
  );
  // The box's own size comes last, as in mfro, so that it is found from the end.
  const size = new Uint8Array(4);
  const uuid = makeBox('uuid', USER_TYPE, words(json.length), json, packKeyframes(tail.keyframes), size);
  writeU32(uuid, uuid.length - 4, uuid.length);
  return concatBytes([uuid, makeMfra(tail.keyframes, track)]);
}

/** Everything in the tail is ASCII, and shared/ has no TextEncoder. */
function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0) & 127);
}

function asciiText(bytes: Uint8Array): string {
  return Reflect.apply(String.fromCharCode, null, bytes.subarray(0, 4096));
}

/** Time and offset of 8 bytes each, then traf, trun and sample number. */
const TFRA_ENTRY_BYTES = 19;

function makeMfra(keyframes: readonly Keyframe[], track: TailTrack): Uint8Array {
  const entries = new Uint8Array(keyframes.length * TFRA_ENTRY_BYTES);
  keyframes.forEach((keyframe, index) => {
    const at = index * TFRA_ENTRY_BYTES;
    writeU64(entries, at, Math.round((keyframe.mediaMs * track.timescale) / 1_000));
    writeU64(entries, at + 8, keyframe.offsetBytes);
    entries.fill(1, at + 16, at + 19);
  });
  const tfra = makeBox('tfra', words(0x01000000, track.id, 0, keyframes.length), entries);
  return makeBox('mfra', tfra, makeBox('mfro', words(0, 8 + tfra.length + 16)));
}

/** What the end of a file shows: its tail and how many bytes that takes; that more bytes must be read; or that there is none (a file cut short, or not ours). */
export type TailFinding = { readonly kind: 'tail'; readonly tail: SegmentTail; readonly tailBytes: number } | { readonly kind: 'more'; readonly bytes: number } | { readonly kind: 'none'; readonly why: string };

/** Reads the tail from the last bytes of a file; `end` reaches to the file's end. Never throws. */
export function parseSegmentTail(end: Uint8Array): TailFinding {
  try {
    return findTail(end);
  } catch (error) {
    if (error instanceof MalformedMediaError || error instanceof SyntaxError) return { kind: 'none', why: error.message };
    throw error;
  }
}

function findTail(end: Uint8Array): TailFinding {
  const mfro = readBox(end, end.length - 16);
  if (mfro === null || mfro.type !== 'mfro' || mfro.sizeBytes !== 16) return { kind: 'none', why: 'no mfro at the end' };
  const mfraBytes = readU32(end, end.length - 4);
  if (mfraBytes < 24 || mfraBytes > MAX_TAIL_BYTES) return { kind: 'none', why: `an mfra of ${mfraBytes} bytes` };
  if (mfraBytes + 4 > end.length) return { kind: 'more', bytes: Math.max(2 * mfraBytes, end.length * 2) };
  const mfraAt = end.length - mfraBytes;
  const uuidBytes = readU32(end, mfraAt - 4);
  if (uuidBytes < 32 || uuidBytes > MAX_TAIL_BYTES) return { kind: 'none', why: `a uuid box of ${uuidBytes} bytes` };
  if (uuidBytes > mfraAt) return { kind: 'more', bytes: mfraBytes + uuidBytes };
  const uuid = readBox(end, mfraAt - uuidBytes);
  if (uuid === null || uuid.type !== 'uuid' || uuid.sizeBytes !== uuidBytes) return { kind: 'none', why: 'no uuid box before mfra' };
  if (!equalBytes(end.subarray(uuid.start + 8, uuid.start + 24), USER_TYPE)) return { kind: 'none', why: 'the uuid box of somebody else' };
  const tail = parseUuid(end.subarray(uuid.start + 24, mfraAt - 4));
  if (!namesKeyframes(end.subarray(mfraAt), tail.keyframes)) return { kind: 'none', why: 'an mfra of other keyframes' };
  return { kind: 'tail', tail, tailBytes: uuidBytes + mfraBytes };
}

/** Of mfra: its own head, tfra's head, version and flags, track, sizes, and the number of entries. */
const TFRA_COUNT_AT = 28;

/** Whether an mfra is the one of these keyframes. A power cut within the writing of a tail may have taken a block out of it. */
function namesKeyframes(mfra: Uint8Array, keyframes: readonly Keyframe[]): boolean {
  if (readU32(mfra, TFRA_COUNT_AT) !== keyframes.length || mfra.length !== TFRA_COUNT_AT + 4 + keyframes.length * TFRA_ENTRY_BYTES + 16) return false;
  return keyframes.every(({ offsetBytes }, index) => {
    const at = TFRA_COUNT_AT + 4 + index * TFRA_ENTRY_BYTES;
    return readU64(mfra, at + 8) === offsetBytes && mfra[at + 18] === 1;
  });
}

function parseUuid(body: Uint8Array): SegmentTail {
  const jsonBytes = readU32(body, 0);
  if (4 + jsonBytes > body.length) throw new MalformedMediaError('the tail is cut off');
  const head: unknown = JSON.parse(asciiText(body.subarray(4, 4 + jsonBytes)));
  if (typeof head !== 'object' || head === null) throw new MalformedMediaError('the tail is no object');
  const fields = head as Record<string, unknown>;
  const number = (name: string): number => {
    const value = fields[name];
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw new MalformedMediaError(`the tail's ${name} is no number`);
    return value;
  };
  const { cameraId, stream } = fields;
  if (number('format') !== FORMAT) throw new MalformedMediaError('a tail of another format');
  if (typeof cameraId !== 'string' || !isCameraId(cameraId)) throw new MalformedMediaError('a tail without a camera');
  if (stream !== 'main' && stream !== 'sub') throw new MalformedMediaError('a tail without a stream');
  return {
    cameraId,
    stream,
    session: number('session'),
    sequence: number('sequence'),
    startMs: number('startMs'),
    endMs: number('endMs'),
    initBytes: number('initBytes'),
    videoFrames: number('videoFrames'),
    keyframes: unpackKeyframes(body.subarray(4 + jsonBytes)),
  };
}
