/**
 * Owns the truth about received footage: which picture, by the number burnt into it and the simulator's send log, lies in
 * which bytes. It knows nothing of rows, tails or journals: a world is measured by the bytes of whole pictures in it.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decodeFrames } from '../../../tests/support/decoded-frames.ts';
import type { Trace } from './trace-run.ts';
import { MAIN_VIDEO, SUB_VIDEO } from './trace-run.ts';
import type { DiskOperation, Inode } from './disk-operations.ts';

/** A picture that the recorder took. */
export interface ReceivedFrame {
  readonly sentMs: number;
  /** Of its fragment's bytes; null for one that no life of the engine ever wrote. */
  readonly digest: string | null;
  /** When the file that holds it was deleted by the rules; null: never. */
  readonly deletedMs: number | null;
}

export interface ReceivedStream {
  /** `<camera-id>/<stream>`. */
  readonly name: string;
  /** In the order sent. */
  readonly frames: readonly ReceivedFrame[];
}

const VIDEO_TRACK = 1;
/** Within moof (8): mfhd (16), then traf's head (8), tfhd's head (8) and flags (4), then the track (ISO/IEC 14496-12 section 8.8). */
const TRACK_AT = 44;
/** A picture sent this long before the kill and never written was under way: it counts as received. */
const UNDER_WAY_MS = 1_500;

/** Digests of the pictures in a segment file, in order, up to the first bytes that are no box. */
export function fragmentDigests(bytes: Buffer): string[] {
  const digests: string[] = [];
  let track = 0;
  for (let at = 0; at + 8 <= bytes.length; ) {
    const sizeBytes = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (sizeBytes < 8 || at + sizeBytes > bytes.length) break;
    if (type === 'moof') track = at + TRACK_AT + 4 <= bytes.length ? bytes.readUInt32BE(at + TRACK_AT) : 0;
    if (type === 'mdat' && track === VIDEO_TRACK) digests.push(createHash('sha1').update(bytes.subarray(at + 8, at + sizeBytes)).digest('base64'));
    at += sizeBytes;
  }
  return digests;
}

interface SegmentFile {
  readonly inode: Inode;
  readonly stream: string;
  readonly deletedMs: number | null;
}

const SEGMENT = /media\/(cam-[^/]+\/(?:main|sub))\/[^/]+\/[^/]+\/[^/]+\.mp4$/;

/** The segment files of a trace, with the moment in which each lost its name. */
function segmentFiles(operations: readonly DiskOperation[]): readonly SegmentFile[] {
  const folders = new Map<Inode, string>([[0, '']]);
  const files = new Map<Inode, { stream: string; deletedMs: number | null }>();
  const named = new Map<string, Inode>();
  for (const operation of operations) {
    if (operation.kind !== 'name') continue;
    const full = `${folders.get(operation.folder) ?? '?'}/${operation.name}`;
    const stream = SEGMENT.exec(full)?.[1];
    if (operation.inode === null) {
      const gone = files.get(named.get(full) ?? -1);
      if (gone !== undefined) gone.deletedMs = operation.timeMs;
    } else {
      folders.set(operation.inode, full);
      named.set(full, operation.inode);
      if (stream !== undefined) files.set(operation.inode, { stream, deletedMs: null });
    }
  }
  return [...files].map(([inode, file]) => ({ inode, ...file }));
}

/** Which simulated camera a camera id is, by the address in the list of cameras that the engine wrote. */
function cameraIds(trace: Trace): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const operation of trace.operations) {
    if (operation.kind !== 'create' || operation.type !== 'file') continue;
    const text = trace.content(operation.inode).toString('utf8');
    if (!text.startsWith('{') || !text.includes('"removed"')) continue;
    const { cameras = [] } = JSON.parse(text) as { readonly cameras?: readonly { readonly id: string }[] };
    for (const camera of cameras) {
      const sim = trace.sent.find(({ host }) => JSON.stringify(camera).includes(`//${host}`));
      if (sim !== undefined) found.set(camera.id, sim.camera);
    }
  }
  return found;
}

/**
 * Decodes every file that was ever written, reads the numbers in the pictures and joins them with the send log. Throws where
 * a file shows another number of pictures than it has fragments: then bytes would not tell which picture they are.
 */
export async function receivedStreams(trace: Trace): Promise<readonly ReceivedStream[]> {
  const ids = cameraIds(trace);
  const scratch = await mkdtemp(path.join(tmpdir(), 'porchlight-truth-'));
  const written = new Map<string, Map<number, { digest: string; deletedMs: number | null }>>();
  try {
    for (const file of segmentFiles(trace.operations)) {
      const bytes = trace.content(file.inode);
      const digests = fragmentDigests(bytes);
      if (digests.length === 0) continue;
      const place = path.join(scratch, `${file.inode}.mp4`);
      await writeFile(place, bytes);
      const size = file.stream.endsWith('main') ? MAIN_VIDEO : SUB_VIDEO;
      const codes = await decodeFrames(place, size.width, size.height);
      await rm(place);
      if (codes.length !== digests.length) throw new Error(`${file.stream}: ${codes.length} pictures in ${digests.length} fragments`);
      const known = written.get(file.stream) ?? new Map<number, { digest: string; deletedMs: number | null }>();
      codes.forEach((code, index) => known.set(code.frameNumber, { digest: digests[index] ?? '', deletedMs: file.deletedMs }));
      written.set(file.stream, known);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return [...written].map(([name, known]) => {
    const [cameraId = '', stream = ''] = name.split('/');
    const sent = trace.sent.find((one) => one.camera === ids.get(cameraId) && one.stream === stream);
    if (sent === undefined) throw new Error(`nobody sent ${name}`);
    const frames = sent.entries.flatMap((entry): ReceivedFrame[] => {
      const frame = known.get(entry.frameIndex);
      if (frame !== undefined) return [{ sentMs: entry.sentMs, ...frame }];
      const underWay = entry.clients > 0 && entry.sentMs <= trace.killedMs && entry.sentMs > trace.killedMs - UNDER_WAY_MS;
      return underWay ? [{ sentMs: entry.sentMs, digest: null, deletedMs: null }] : [];
    });
    return { name, frames };
  });
}
