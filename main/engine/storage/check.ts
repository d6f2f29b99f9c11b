/**
 * Verifies I1 to I5 over an archive without changing anything (docs/design/storage.md, "Checking"). Runs while the
 * engine does not, and beside it.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { packKeyframes, unpackKeyframes } from '../../../shared/media/keyframe-index.ts';
import { parseSegmentTail, SEGMENT_TAIL_READ_BYTES, type SegmentTail } from '../../../shared/media/segment-tail.ts';
import type { FindingKind, Invariant } from '../../../shared/model/check.ts';
import type { StreamKey } from '../ports/ingest.ts';
import { derivedFindings } from './check-derived.ts';
import { gapFindings } from './check-gaps.ts';
import { journalFindings } from './check-journal.ts';
import { strangerFindings } from './check-names.ts';
import type { ReadableDb } from './database.ts';
import { type Finding, garbageCheck, reconcileRoot } from './reconcile.ts';
import type { RootPlace } from './root-list.ts';
import { compareSegmentOrder, encodeSegmentName } from './segment-name.ts';
import { hoursOf, listHour, streamsIn } from './walk.ts';

export interface CheckOptions {
  /**
   * What files newer than a stream's last row mean: after an orderly stop there are none (I3); after a fault the next start
   * recovers them; while the engine runs they are being recorded.
   */
  readonly engine: 'stopped' | 'failed' | 'running';
  /** Folder with journal lines that wait for a disk; null where there is no data folder. */
  readonly waiting: string | null;
  /** False while a disk of the archive is away, and with it its journals. Not given: none is. */
  readonly allHere?: boolean;
  /** Reads the header at every keyframe, not only at the first and last of each file. */
  readonly thorough: boolean;
}

export interface CheckStep {
  /** Files whose names and sizes were compared. */
  readonly files: number;
  /** Files that were opened and compared with their rows. */
  readonly looked?: number;
  readonly findings: readonly Finding[];
}

/** Checks one thing after the other, in bounded steps. Throws where a disk fails meanwhile. */
export async function* checkArchive(db: ReadableDb, roots: readonly RootPlace[], options: CheckOptions): AsyncGenerator<CheckStep> {
  for (const root of roots) {
    yield { files: 0, findings: strangerFindings(root.path) };
    for await (const step of reconcileRoot(db, root, { allJournals: false, repair: false, floors: null })) {
      // Journals and their torn lines are compared as a whole below.
      yield { files: step.files, findings: step.findings.filter((finding) => finding.invariant !== 'I5') };
    }
    for (const key of streamsIn(root.path)) {
      yield* rowedFiles(db, root, key, options.thorough);
      yield { files: 0, findings: tailFindings(db, root, key, options.engine) };
    }
    yield { files: 0, findings: leftGarbage(db, root, options.engine) };
  }
  yield { files: 0, findings: journalFindings(db, roots, options.waiting, options.allHere ?? true) };
  for (const findings of gapFindings(db)) yield { files: 0, findings };
  for (const findings of derivedFindings(db)) yield { files: 0, findings };
}

interface RowedFile {
  readonly path: string;
  readonly session: number;
  readonly sequence: number;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly size_bytes: number;
  readonly init_bytes: number;
  readonly video_frames: number;
  readonly packed: Uint8Array;
}

const STEP_FILES = 256;

/** I1 and I5 for the rowed files of a stream: what the file's own tail says is what the row says. */
function* rowedFiles(db: ReadableDb, root: RootPlace, key: StreamKey, thorough: boolean): Generator<CheckStep> {
  const select = db.prepare(`SELECT name_ms, session, sequence, start_ms, end_ms, size_bytes, init_bytes, video_frames, packed FROM segments
    JOIN keyframes ON keyframes.segment_id = segments.id JOIN streams ON streams.id = stream_id JOIN roots ON roots.id = segments.root_id
    WHERE camera_id = ? AND stream = ? AND roots.root_id = ? AND (session, sequence) > (?, ?) ORDER BY session, sequence LIMIT ${STEP_FILES}`);
  for (let session = -1, sequence = -1; ; ) {
    const rows = select.all(key.cameraId, key.stream, root.rootId, session, sequence) as (Omit<RowedFile, 'path'> & { name_ms: number })[];
    const last = rows.at(-1);
    if (last === undefined) return;
    ({ session, sequence } = last);
    yield { files: 0, looked: rows.length, findings: rows.flatMap((row) => rowedFile(root, key, { ...row, path: encodeSegmentName({ ...key, ...row, startMs: row.name_ms }) }, thorough)) };
  }
}

function rowedFile(root: RootPlace, key: StreamKey, row: RowedFile, thorough: boolean): readonly Finding[] {
  const wrong = (kind: FindingKind, invariant: Invariant, sentence: string): Finding => ({ kind, invariant, path: row.path, sentence, rootId: root.rootId });
  let handle: number;
  try {
    handle = openSync(path.join(root.path, row.path), 'r');
  } catch {
    return []; // Reported by the comparison of names, or deleted since.
  }
  try {
    const sizeBytes = fstatSync(handle).size;
    if (sizeBytes !== row.size_bytes) return []; // Reported by the comparison of sizes.
    const findings: Finding[] = [];
    const keyframes = unpackKeyframes(row.packed);
    const looked = thorough ? keyframes : [keyframes[0], keyframes.at(-1)].flatMap((keyframe) => keyframe ?? []);
    for (const { offsetBytes, sizeBytes: length } of looked) {
      if (offsetBytes + length > sizeBytes || boxTypeAt(handle, offsetBytes) !== 'moof') findings.push(wrong('picture-missing', 'I1', `No picture begins at byte ${offsetBytes}, where the index says one does.`));
    }
    const tail = tailOf(handle, sizeBytes);
    if (tail === null) findings.push(wrong('tail-missing', 'I5', 'The file has no tail, so a rebuild would have to read all of it.'));
    else if (!agrees(tail, key, row)) findings.push(wrong('tail-differs', 'I5', 'The file says something else of itself than the index does.'));
    return findings;
  } finally {
    closeSync(handle);
  }
}

function agrees(tail: SegmentTail, key: StreamKey, row: RowedFile): boolean {
  return (
    tail.cameraId === key.cameraId && tail.stream === key.stream && tail.session === row.session && tail.sequence === row.sequence && tail.startMs === row.start_ms &&
    tail.endMs === row.end_ms && tail.initBytes === row.init_bytes && tail.videoFrames === row.video_frames && Buffer.from(packKeyframes(tail.keyframes)).equals(row.packed)
  );
}

function boxTypeAt(handle: number, offsetBytes: number): string {
  return readAt(handle, offsetBytes, 8).toString('latin1', 4, 8);
}

function tailOf(handle: number, sizeBytes: number): SegmentTail | null {
  for (let want = SEGMENT_TAIL_READ_BYTES; ; want *= 2) {
    const from = Math.max(0, sizeBytes - want);
    const found = parseSegmentTail(readAt(handle, from, sizeBytes - from));
    if (found.kind === 'tail') return found.tail;
    if (found.kind === 'none' || from === 0) return null;
  }
}

function readAt(handle: number, offsetBytes: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(handle, buffer, 0, length, offsetBytes));
}

/** Files newer than the last row of their stream (I2, I3). */
function tailFindings(db: ReadableDb, root: RootPlace, key: StreamKey, engine: CheckOptions['engine']): readonly Finding[] {
  if (engine === 'running') return [];
  const last = db
    .prepare('SELECT session, sequence FROM segments JOIN streams ON streams.id = stream_id WHERE camera_id = ? AND stream = ? ORDER BY session DESC, sequence DESC LIMIT 1')
    .get(key.cameraId, key.stream) as { session: number; sequence: number } | undefined;
  const isGarbage = garbageCheck(db, root);
  const findings: Finding[] = [];
  for (const folder of hoursOf(root.path, key)) {
    for (const file of listHour(root.path, folder).files) {
      if ((last !== undefined && compareSegmentOrder(file.name, last) <= 0) || isGarbage(file.path)) continue;
      findings.push(
        engine === 'stopped'
          ? { kind: 'unknown-after-stop', invariant: 'I3', path: file.path, sentence: 'Porchlight was closed in order, yet the index does not know this file.' }
          : { kind: 'newer-than-index', invariant: 'I2', path: file.path, sentence: 'The file is newer than the index; the next start takes it in.', notice: true },
      );
    }
  }
  return findings;
}

function leftGarbage(db: ReadableDb, root: RootPlace, engine: CheckOptions['engine']): readonly Finding[] {
  if (engine === 'running') return [];
  const left = Number(db.prepare('SELECT count(*) FROM garbage JOIN roots ON roots.id = garbage.root_id WHERE roots.root_id = ?').pluck().get(root.rootId));
  return left === 0 ? [] : [{ kind: 'half-deleted', invariant: 'I2', path: root.path, sentence: `${left} files were about to be deleted; the next start finishes that.`, notice: true }];
}

