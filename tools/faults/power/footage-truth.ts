/**
 * Owns the truth about received footage: which picture, by the number burnt into it and the simulator's send log, lies in
 * which bytes. It knows nothing of rows, tails or journals: a world is measured by the bytes of whole pictures in it.
 */
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { decodeFrames } from '../../../tests/support/decoded-frames.ts';
import { fragmentDigestsOf } from './fragment-digests.ts';
import { withScratch } from './scratch-folder.ts';
import type { Trace } from './trace-run.ts';
import { MAIN_VIDEO, SUB_VIDEO } from './trace-run.ts';
import type { DiskOperation, Inode } from './disk-operations.ts';

/** A picture that was handed to the engine. */
export interface ReceivedFrame {
  /** When the camera sent it, by the simulator's log. */
  readonly sentMs: number;
  /** When it had come out of ffmpeg, by the trace. */
  readonly arrivedMs: number;
  /** Of its fragment's bytes. */
  readonly digest: string;
  /** When the file that holds it was deleted by the rules; null: never. */
  readonly deletedMs: number | null;
  /** Set for one that was never written: it went with the process that was killed then, and no later cut can take it. */
  readonly killedMs: number | null;
}

export interface ReceivedStream {
  /** `<camera-id>/<stream>`. */
  readonly name: string;
  /** In the order in which they arrived. */
  readonly frames: readonly ReceivedFrame[];
}

/** A picture that came this long before the kill and was never written was still on its way within the engine; one that came before, between two sessions, belongs to none. */
const UNDER_WAY_MS = 1_500;

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

/** Which simulated camera each camera id of an engine's list of cameras (`cameras.json`) is, by its address. */
export function camerasOfList(text: string, simulated: readonly { readonly camera: number; readonly host: string }[]): ReadonlyMap<string, number> {
  const { cameras = [] } = JSON.parse(text) as { readonly cameras?: readonly { readonly id: string }[] };
  return new Map(cameras.flatMap((camera) => {
    const found = simulated.find(({ host }) => JSON.stringify(camera).includes(`//${host}`));
    return found === undefined ? [] : [[camera.id, found.camera] as const];
  }));
}

/** The same of every list that the engine wrote. */
function cameraIds(trace: Trace): ReadonlyMap<string, number> {
  const lists = trace.operations.flatMap((operation) => {
    const text = operation.kind === 'create' && operation.type === 'file' ? trace.content(operation.inode).toString('utf8') : '';
    return text.startsWith('{') && text.includes('"removed"') ? [text] : [];
  });
  return new Map(lists.flatMap((text) => [...camerasOfList(text, trace.sent)]));
}

interface WrittenFrame {
  readonly number: number;
  readonly stream: string;
  readonly deletedMs: number | null;
}

/** Decodes every file that was ever written and reads the numbers in the pictures, by digest. Throws where a file shows another number of pictures than it has fragments: then bytes would not tell which picture they are. */
async function writtenFrames(trace: Trace): Promise<ReadonlyMap<string, WrittenFrame>> {
  return await withScratch('truth', async (scratch) => {
    const written = new Map<string, WrittenFrame>();
    for (const { inode, stream, deletedMs } of segmentFiles(trace.operations)) {
      const bytes = trace.content(inode);
      const fragments = fragmentDigestsOf(bytes);
      if (fragments.length === 0) continue;
      const place = path.join(scratch, `${inode}.mp4`);
      await writeFile(place, bytes);
      const size = stream.endsWith('main') ? MAIN_VIDEO : SUB_VIDEO;
      const codes = await decodeFrames(place, size.width, size.height);
      await rm(place);
      if (codes.length !== fragments.length) throw new Error(`${stream}: ${codes.length} pictures in ${fragments.length} fragments`);
      fragments.forEach(({ digest }, index) => void written.set(digest, { number: codes[index]?.frameNumber ?? -1, stream, deletedMs }));
    }
    return written;
  });
}

/** Joins what arrived with what the pictures show and with what the cameras say they sent. Throws where the three do not fit together. */
export async function receivedStreams(trace: Trace): Promise<readonly ReceivedStream[]> {
  const ids = cameraIds(trace);
  const written = await writtenFrames(trace);
  const streams = new Map<string, ReceivedFrame[]>();
  const seen = new Set<string>();
  for (const output of trace.arrivals) {
    const name = output.map(({ digest }) => written.get(digest)?.stream).find((stream) => stream !== undefined);
    if (name === undefined) continue;
    const [cameraId = '', kind = ''] = name.split('/');
    const sent = new Map(trace.sent.find((one) => one.camera === ids.get(cameraId) && one.stream === kind)?.entries.map((entry) => [entry.frameIndex, entry.sentMs]));
    const frames = streams.get(name) ?? [];
    streams.set(name, frames);
    for (const { digest, arrivedMs } of output) {
      const frame = written.get(digest);
      seen.add(digest);
      if (frame !== undefined) {
        const sentMs = sent.get(frame.number);
        if (sentMs === undefined) throw new Error(`${name}: picture ${frame.number} was recorded and never sent`);
        frames.push({ sentMs, arrivedMs, digest, deletedMs: frame.deletedMs, killedMs: null });
      } else if (arrivedMs <= trace.killedMs && arrivedMs > trace.killedMs - UNDER_WAY_MS) {
        frames.push({ sentMs: arrivedMs, arrivedMs, digest, deletedMs: null, killedMs: trace.killedMs });
      }
    }
  }
  for (const [digest, { stream, number }] of written) if (!seen.has(digest)) throw new Error(`${stream}: picture ${number} was recorded and never came out of ffmpeg`);
  return [...streams].map(([name, frames]) => ({ name, frames: frames.toSorted((a, b) => a.arrivedMs - b.arrivedMs) }));
}
