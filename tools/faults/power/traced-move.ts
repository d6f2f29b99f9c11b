/**
 * Owns the traced process of cuts while footage moves: an archive on two disks whose oldest segments move from one to the
 * other, and what was confirmed meanwhile. node traced-move.ts ORDER, one JSON object.
 */
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { systemClock } from '../../../main/engine/core/clock.ts';
import { silentLogger } from '../../../main/engine/core/logger.ts';
import { openArchive } from '../../../main/engine/storage/archive.ts';
import type { RootPlace } from '../../../main/engine/storage/root-list.ts';
import { SegmentFile } from '../../../main/engine/storage/segment-file.ts';
import { encodeSegmentName } from '../../../main/engine/storage/segment-name.ts';
import { CLIP_MS, writeClosed } from '../../../main/engine/storage/testing/footage.ts';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { forceUnwrap } from '../../../shared/result.ts';
import { SAID } from './traced-files.ts';

export interface MoveOrder {
  readonly dataDir: string;
  readonly fast: string;
  readonly big: string;
  /** Elsewhere: not part of the disks that are cut off. */
  readonly scratch: string;
  /** Segments that move; as many and one more are recorded. */
  readonly moves: number;
}

/** What was confirmed, in order. */
export type MoveSaid =
  /** A segment has its row; `file` is relative to its disk, `sha1` of its bytes. */
  | { readonly what: 'kept'; readonly file: string; readonly sha1: string }
  | { readonly what: 'gap'; readonly startMs: number }
  /** Everything is there; from now on it moves. */
  | { readonly what: 'ready' }
  | { readonly what: 'moved'; readonly file: string };

const CAMERA = 'cam-aaaaaaaaaaaa' as CameraId;
/** The first segment begins in one day and ends in the next: two journals go along. */
const START_MS = Date.UTC(2026, 10, 22) - CLIP_MS / 2;

function say(said: MoveSaid): void {
  writeSync(1, `${SAID}${JSON.stringify(said)}\n`);
}

/** Writes a segment as the recorder does: durable before its row. */
async function record(root: RootPlace, scratch: string, sequence: number): Promise<{ readonly file: string; readonly sha1: string; readonly segment: Awaited<ReturnType<typeof writeClosed>> }> {
  const made = await writeClosed({ rootId: root.rootId, path: scratch }, { cameraId: CAMERA, stream: 'main', session: 1_000, sequence, startMs: START_MS + sequence * CLIP_MS });
  const name = { ...made, startMs: made.nameMs };
  const file = encodeSegmentName(name);
  const bytes = await readFile(path.join(scratch, file));
  const handle = await SegmentFile.create({ rootId: root.rootId, rootPath: root.path }, name, bytes.subarray(0, made.initBytes));
  await handle.append([bytes.subarray(made.initBytes)]);
  await handle.sync();
  await handle.close();
  return { file, sha1: createHash('sha1').update(bytes).digest('hex'), segment: made };
}

const order = JSON.parse(process.argv[2] ?? '') as MoveOrder;
const archive = await openArchive({ dataDir: order.dataDir, clock: systemClock, logger: silentLogger });
const fast = await archive.roots.add(order.fast);
const big = await archive.roots.add(order.big);
await archive.recoverTails();
await archive.reconcile();
for (let sequence = 0; sequence <= order.moves; sequence += 1) {
  const { file, sha1, segment } = await record(fast, order.scratch, sequence);
  await archive.write.insertSegment(segment);
  say({ what: 'kept', file, sha1 });
}
for (const startMs of [START_MS - 60_000, START_MS + 60_000]) {
  await archive.write.insertGap({ cameraId: CAMERA, stream: 'main', startMs, endMs: startMs + 5_000, cause: 'stream-stalled', detail: '' });
  say({ what: 'gap', startMs });
}
say({ what: 'ready' });
for (let done = 0; done < order.moves; done += 1) {
  const oldest = forceUnwrap('there is footage', (await archive.moves.oldest(fast.rootId, 1))[0]);
  await archive.moves.move(oldest, fast.rootId as RootId, big.rootId as RootId, { clock: systemClock, bytesPerSecond: 1e9, signal: new AbortController().signal });
  say({ what: 'moved', file: encodeSegmentName({ ...oldest, startMs: oldest.nameMs }) });
}
await archive.close();
