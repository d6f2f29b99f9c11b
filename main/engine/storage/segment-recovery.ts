/**
 * Turns a segment file that has no row into one: read from its tail where it is whole, trimmed to its last whole
 * fragment where it was cut short, removed where nothing in it is whole (I2, I4).
 */
import { closeSync, constants, fstatSync, open, read } from 'node:fs';
import { lstat, open as openHandle, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { packKeyframes } from '../../../shared/media/keyframe-index.ts';
import { scanSegment, type SegmentScan } from '../../../shared/media/scan.ts';
import { makeSegmentTail, parseSegmentTail, SEGMENT_TAIL_READ_BYTES, type SegmentTail } from '../../../shared/media/segment-tail.ts';
import type { RootId } from '../../../shared/model/ids.ts';
import { syncFolder } from '../core/atomic-file.ts';
import { encodeSegmentName, type SegmentName } from './segment-name.ts';
import type { PackedSegment } from './segments.write.ts';

export type RecoveredFile =
  /** Closed in order. */
  | { readonly kind: 'whole'; readonly segment: PackedSegment }
  /** Cut short; `lostBytes` after its last whole fragment are given up. */
  | { readonly kind: 'cut'; readonly segment: PackedSegment; readonly lostBytes: number }
  /** Not one whole fragment with a keyframe. */
  | { readonly kind: 'empty'; readonly sizeBytes: number }
  /** Its tail says that it is another segment: somebody copied or renamed it. Or what has the name is no file at all. */
  | { readonly kind: 'foreign'; readonly why: string };

/**
 * Looks at one file and, with `repair`, makes it whole: a cut file is trimmed, gets its tail and is synced; an empty one is
 * unlinked. Without, nothing is changed and `cut` says what its row would be. The file must not be being written.
 */
export async function recoverFile(rootPath: string, rootId: RootId, name: SegmentName, repair: boolean): Promise<RecoveredFile> {
  const file = path.join(rootPath, encodeSegmentName(name));
  // A folder, a link into nowhere; a pipe would be waited for without end.
  if (!(await lstat(file)).isFile()) return { kind: 'foreign', why: 'it is no file' };
  const handle = await openHandle(file, repair ? 'r+' : 'r');
  let empty = false;
  try {
    const { size: sizeBytes } = await handle.stat();
    const tail = await readTail(handle, sizeBytes);
    if (tail !== null) return closedAs(tail, rootId, name, sizeBytes);
    const scan = await scanSegment(async (startBytes, endBytes) => await readRange(handle, startBytes, Math.min(endBytes, sizeBytes)), sizeBytes);
    empty = scan === null || scan.keyframes.length === 0 || scan.videoEndMs <= 0;
    if (scan === null || empty) return { kind: 'empty', sizeBytes };
    return await trim(handle, scan, name, rootId, sizeBytes, repair);
  } finally {
    await handle.close();
    if (empty && repair) {
      await unlink(file);
      await syncFolder(path.dirname(file));
    }
  }
}

/** What a file with a tail is: the segment that its name says, or another. */
function closedAs(tail: SegmentTail, rootId: RootId, name: SegmentName, sizeBytes: number): RecoveredFile {
  if (tail.cameraId !== name.cameraId || tail.stream !== name.stream || tail.session !== name.session || tail.sequence !== name.sequence) {
    return { kind: 'foreign', why: `its tail names ${tail.cameraId} ${tail.stream} ${tail.session}-${tail.sequence}` };
  }
  return { kind: 'whole', segment: segmentOf(tail, rootId, name, sizeBytes) };
}

/** Enough for one tail; whoever reads many files one after the other keeps it. */
export function tailBuffer(): Uint8Array {
  return new Uint8Array(SEGMENT_TAIL_READ_BYTES);
}

/**
 * As `recoverFile` for a file that was closed in order, in as few steps as can be: a rebuild asks for hundreds of thousands.
 * Null for everything else; `recoverFile` then says what it is. `buffer` is this call's until it resolves.
 */
export async function readClosedFile(rootPath: string, rootId: RootId, file: { readonly name: SegmentName; readonly path: string }, buffer: Uint8Array): Promise<RecoveredFile | null> {
  let handle: number;
  try {
    handle = await openFile(`${rootPath}/${file.path}`, READ_NOW);
  } catch {
    return null;
  }
  try {
    // Opening has read what this needs: asking again would only be one more way through the thread pool.
    const { size } = fstatSync(handle);
    const want = Math.min(size, buffer.length);
    const { bytesRead } = await readFile(handle, buffer, 0, want, size - want);
    const found = parseSegmentTail(buffer.subarray(0, want));
    return bytesRead === want && found.kind === 'tail' ? closedAs(found.tail, rootId, file.name, size) : null;
  } catch {
    return null;
  } finally {
    closeSync(handle);
  }
}

/** A pipe that somebody put there is not waited for. Windows has neither. */
const READ_NOW = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const openFile = promisify(open);
const readFile = promisify(read);

async function trim(handle: FileHandle, scan: SegmentScan, name: SegmentName, rootId: RootId, sizeBytes: number, repair: boolean): Promise<RecoveredFile> {
  const startMs = scan.startMs ?? name.startMs;
  const tail: SegmentTail = {
    cameraId: name.cameraId,
    stream: name.stream,
    session: name.session,
    sequence: name.sequence,
    startMs,
    endMs: startMs + scan.videoEndMs,
    initBytes: scan.initBytes,
    videoFrames: scan.videoFrames,
    keyframes: scan.keyframes,
  };
  const bytes = makeSegmentTail(tail, { id: scan.videoTrack.id, timescale: scan.videoTrack.timescale });
  if (repair) {
    await handle.truncate(scan.wholeBytes);
    // What a process that died wrote last may be in memory only; the tail must not reach the disk before it.
    await handle.datasync();
    for (let written = 0; written < bytes.length; ) {
      written += (await handle.write(bytes, written, bytes.length - written, scan.wholeBytes + written)).bytesWritten;
    }
    await handle.sync();
  }
  return { kind: 'cut', segment: segmentOf(tail, rootId, name, scan.wholeBytes + bytes.length), lostBytes: sizeBytes - scan.wholeBytes };
}

/** The tail of a closed segment, or null where the file has none. */
async function readTail(handle: FileHandle, sizeBytes: number): Promise<SegmentTail | null> {
  for (let want = SEGMENT_TAIL_READ_BYTES; ; ) {
    const from = Math.max(0, sizeBytes - want);
    const finding = parseSegmentTail(await readRange(handle, from, sizeBytes));
    if (finding.kind === 'tail') return finding.tail;
    if (finding.kind === 'none' || from === 0) return null;
    want = Math.max(want * 2, finding.bytes);
  }
}

/** Bytes `startBytes` up to `endBytes`, fewer where the file ends. */
async function readRange(handle: FileHandle, startBytes: number, endBytes: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(Math.max(0, endBytes - startBytes));
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, startBytes + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function segmentOf(tail: SegmentTail, rootId: RootId, name: SegmentName, sizeBytes: number): PackedSegment {
  return {
    cameraId: tail.cameraId,
    stream: tail.stream,
    rootId,
    session: tail.session,
    sequence: tail.sequence,
    nameMs: name.startMs,
    startMs: tail.startMs,
    endMs: tail.endMs,
    sizeBytes,
    initBytes: tail.initBytes,
    videoFrames: tail.videoFrames,
    packed: packKeyframes(tail.keyframes),
  };
}
