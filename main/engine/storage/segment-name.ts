/**
 * The grammar of names under a root: where a segment's file lies and what its path says of it. Pure
 * (docs/design/storage.md, "On disk").
 */
import { STREAM_KINDS, type StreamKind } from '../../../shared/model/camera.ts';
import { isCameraId, type CameraId } from '../../../shared/model/ids.ts';
import { type EpochMs, utcDay, utcHour } from '../../../shared/time.ts';

/** What a segment's path says: enough to row a file whose rows are lost, together with its tail. */
export interface SegmentName {
  readonly cameraId: CameraId;
  readonly stream: StreamKind;
  /** Wall time estimated when the file was opened, whole milliseconds; the row's start may differ by a little. */
  readonly startMs: EpochMs;
  readonly session: number;
  readonly sequence: number;
}

/** Names hold years 1970 to 9999; a clock that says something else is not written into names. */
const LAST_NAMEABLE_MS = Date.UTC(10_000, 0, 1) - 1;
const FILE = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})\.(\d{3})Z-s(\d{1,16})-(\d{6,16})\.mp4$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const HOUR = /^(?:[01]\d|2[0-3])$/;

/** `20261121T141500.250Z`: UTC, without the colons that Windows does not allow in names. */
function compactUtc(startMs: EpochMs): string {
  return new Date(startMs).toISOString().replaceAll('-', '').replaceAll(':', '');
}

/** The file's own name: `<UTC start compact>-s<session>-<sequence>.mp4`. Throws on numbers no name can hold. */
export function segmentFileName(name: Pick<SegmentName, 'startMs' | 'session' | 'sequence'>): string {
  const startMs = Math.floor(name.startMs);
  if (!(startMs >= 0 && startMs <= LAST_NAMEABLE_MS)) throw new RangeError(`no file name for a start at ${name.startMs}`);
  if (!Number.isSafeInteger(name.session) || name.session < 0) throw new RangeError(`no file name for session ${name.session}`);
  if (!Number.isSafeInteger(name.sequence) || name.sequence < 0) throw new RangeError(`no file name for sequence ${name.sequence}`);
  return `${compactUtc(startMs)}-s${name.session}-${String(name.sequence).padStart(6, '0')}.mp4`;
}

/** Folder of a segment relative to its root, with `/`: `<camera>/<stream>/<day>/<hour>`. */
export function segmentFolder(name: Pick<SegmentName, 'cameraId' | 'stream' | 'startMs'>): string {
  const startMs = Math.floor(name.startMs);
  return `${streamFolder(name.cameraId, name.stream)}/${utcDay(startMs)}/${utcHour(startMs)}`;
}

/** Folder of a stream relative to its root, with `/`. */
export function streamFolder(cameraId: CameraId, stream: StreamKind): string {
  return `${cameraId}/${stream}`;
}

/** Path of a segment relative to its root, with `/`: `<camera>/<stream>/<day>/<hour>/<UTC start>-s<session>-<sequence>.mp4`. */
export function encodeSegmentName(name: SegmentName): string {
  return `${segmentFolder(name)}/${segmentFileName(name)}`;
}

/** The three facts in a file's own name, or null for any name that `segmentFileName` could not have made. */
export function decodeSegmentFileName(fileName: string): Pick<SegmentName, 'startMs' | 'session' | 'sequence'> | null {
  const match = FILE.exec(fileName);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, milli, session, sequence] = match;
  const startMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milli}Z`);
  if (!(startMs >= 0)) return null;
  const name = { startMs, session: Number(session), sequence: Number(sequence) };
  if (!Number.isSafeInteger(name.session) || !Number.isSafeInteger(name.sequence)) return null;
  // One name per segment: leading zeros beyond the padding, or the 30th of February, would be a second spelling.
  return segmentFileName(name) === fileName ? name : null;
}

/** Inverse of `encodeSegmentName`; null for every path it could not have made, whatever it is. */
export function decodeSegmentName(relativePath: string): SegmentName | null {
  const parts = relativePath.split('/');
  const [cameraId, stream, , , fileName] = parts;
  if (parts.length !== 5 || cameraId === undefined || fileName === undefined || !isCameraId(cameraId) || !isStreamKind(stream)) return null;
  const file = decodeSegmentFileName(fileName);
  if (file === null) return null;
  const name: SegmentName = { cameraId, stream, ...file };
  return encodeSegmentName(name) === relativePath ? name : null;
}

export function isStreamKind(text: string | undefined): text is StreamKind {
  return STREAM_KINDS.some((kind) => kind === text);
}

/** Whether a folder's name is a day: `2026-11-21`, a date that exists. */
export function isDayFolder(name: string): boolean {
  if (!DAY.test(name)) return false;
  const ms = Date.parse(`${name}T00:00:00Z`);
  return ms >= 0 && utcDay(ms) === name;
}

/** Whether a folder's name is an hour: `00` to `23`. */
export function isHourFolder(name: string): boolean {
  return HOUR.test(name);
}

/** Orders the segments of one stream: session, then sequence, never wall time (T1). */
export function compareSegmentOrder(a: Pick<SegmentName, 'session' | 'sequence'>, b: Pick<SegmentName, 'session' | 'sequence'>): number {
  return a.session - b.session || a.sequence - b.sequence;
}
