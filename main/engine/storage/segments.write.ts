/** Adds and removes segment rows with everything that is derived from them, within the caller's transaction. */
import type { Segment } from '../../../shared/model/segment.ts';
import type { TimeRange } from '../../../shared/time.ts';
import { coverageWriter } from './coverage.write.ts';
import type { WritableDb } from './database.ts';
import { compareSegmentOrder, encodeSegmentName } from './segment-name.ts';
import type { SegmentRef } from './segment-ref.ts';
import { continues, type Place, type Run, spanWriter } from './spans.write.ts';
import { idRegistry } from './stream-ids.ts';

/** A segment whose keyframes are packed (shared/media/keyframe-index.ts): how it crosses threads and lies in a row. */
export type PackedSegment = Omit<Segment, 'keyframes'> & { readonly packed: Uint8Array };

export interface SegmentWriter {
  /** Adds a row; false where the segment is rowed already (a file found twice is one segment). */
  insert(segment: PackedSegment): boolean;
  /** As `insert` for each; of a rebuild's segments, which come in runs, what is derived is written once per run and day. */
  insertAll(segments: readonly PackedSegment[]): void;
  /** Removes a row and names its file garbage; null where there is no such row. Returns what its disappearance touches. */
  remove(ref: SegmentRef, toGarbage: boolean): (TimeRange & { readonly rootId: string; readonly path: string }) | null;
}

interface FoundRow {
  readonly id: number;
  readonly root_id: number;
  readonly root: string;
  readonly name_ms: number;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly size_bytes: number;
}

interface PlaceRow {
  readonly session: number;
  readonly sequence: number;
  readonly start_ms: number;
  readonly end_ms: number;
}

export function segmentWriter(db: WritableDb): SegmentWriter {
  const ids = idRegistry(db);
  const spans = spanWriter(db);
  const coverage = coverageWriter(db);
  const sql = statements(db);
  const placeOf = (row: unknown): Place | null => {
    if (row === undefined) return null;
    const { session, sequence, start_ms: startMs, end_ms: endMs } = row as PlaceRow;
    return { session, sequence, startMs, endMs };
  };
  const neighbours = (streamId: number, at: { readonly session: number; readonly sequence: number }): readonly [Place | null, Place | null] => [
    placeOf(sql.previous.get(streamId, at.session, at.sequence)),
    placeOf(sql.next.get(streamId, at.session, at.sequence)),
  ];
  const roundedMs = (range: TimeRange): number => Math.round(range.endMs - range.startMs);

  /** The row alone; false where it is there. */
  const insertRow = (streamId: number, rootId: number, segment: PackedSegment): boolean => {
    const { changes, lastInsertRowid } = sql.insert.run(
      streamId, rootId, segment.session, segment.sequence, segment.nameMs, segment.startMs, segment.endMs, segment.sizeBytes, segment.initBytes, segment.videoFrames,
    );
    if (changes > 0) sql.insertKeyframes.run(lastInsertRowid, segment.packed);
    return changes > 0;
  };
  const sumUp = (streamId: number, rootId: number, added: readonly PackedSegment[]): void => {
    const longestMs = added.reduce((longest, segment) => Math.max(longest, segment.endMs - segment.startMs), 0);
    sql.use.run(streamId, rootId, added.length, added.reduce((sum, segment) => sum + segment.sizeBytes, 0), added.reduce((sum, segment) => sum + roundedMs(segment), 0));
    sql.longest.run(longestMs, streamId, longestMs);
  };
  const insert = (segment: PackedSegment): boolean => {
    const streamId = ids.stream(segment.cameraId, segment.stream);
    const rootId = ids.root(segment.rootId);
    if (!insertRow(streamId, rootId, segment)) return false;
    const [previous, next] = neighbours(streamId, segment);
    spans.add(streamId, segment, previous, next);
    coverage.add(streamId, segment);
    sumUp(streamId, rootId, [segment]);
    return true;
  };
  /** Segments of one stream and disk, in order. Where rows lie among them, each finds its own place. */
  const insertInOrder = (segments: readonly PackedSegment[]): void => {
    const [first] = segments;
    const last = segments.at(-1);
    if (first === undefined || last === undefined) return;
    const streamId = ids.stream(first.cameraId, first.stream);
    const [previous] = neighbours(streamId, first);
    const [, next] = neighbours(streamId, last);
    if (sql.between.get(streamId, first.session, first.sequence, last.session, last.sequence) !== undefined) {
      for (const segment of segments) insert(segment);
      return;
    }
    const rootId = ids.root(first.rootId);
    const added = segments.filter((segment) => insertRow(streamId, rootId, segment));
    let before = previous;
    for (const run of runsOf(added)) {
      spans.addRun(streamId, run, before, next);
      before = run.last;
    }
    coverage.addAll(streamId, added);
    sumUp(streamId, rootId, added);
  };

  return {
    insert,
    insertAll: (segments) => {
      const groups = Map.groupBy(segments, ({ cameraId, stream, rootId }) => `${cameraId} ${stream} ${rootId}`);
      for (const group of groups.values()) insertInOrder(group.toSorted(compareSegmentOrder));
    },
    remove: (ref, toGarbage) => {
      const streamId = ids.stream(ref.cameraId, ref.stream);
      const row = sql.find.get(streamId, ref.session, ref.sequence) as FoundRow | undefined;
      if (row === undefined) return null;
      const place: Place = { session: ref.session, sequence: ref.sequence, startMs: row.start_ms, endMs: row.end_ms };
      sql.remove.run(row.id);
      const [previous, next] = neighbours(streamId, ref);
      spans.remove(streamId, place, previous, next);
      coverage.remove(streamId, place, (range) => (sql.overlapping.all(streamId, range.startMs, streamId, range.endMs, range.startMs) as { start_ms: number; end_ms: number }[]).map((left) => ({ startMs: left.start_ms, endMs: left.end_ms })));
      sql.use.run(streamId, row.root_id, -1, -row.size_bytes, -roundedMs(place));
      sql.unused.run(streamId, row.root_id);
      const path = encodeSegmentName({ ...ref, startMs: row.name_ms });
      if (toGarbage) sql.garbage.run(row.root_id, path);
      return { startMs: row.start_ms, endMs: row.end_ms, rootId: row.root, path };
    },
  };
}

/** Cuts segments that follow each other in order where one does not continue the one before. */
function runsOf(segments: readonly PackedSegment[]): readonly Run[] {
  const runs: Run[] = [];
  let run: Run | null = null;
  for (const segment of segments) {
    if (run !== null && continues(run.last, segment)) {
      run = { first: run.first, last: segment };
      runs[runs.length - 1] = run;
    } else {
      run = { first: segment, last: segment };
      runs.push(run);
    }
  }
  return runs;
}

function statements(db: WritableDb) {
  const columns = 'session, sequence, start_ms, end_ms';
  return {
    insert: db.prepare(`INSERT INTO segments (stream_id, root_id, session, sequence, name_ms, start_ms, end_ms, size_bytes, init_bytes, video_frames)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (stream_id, session, sequence) DO NOTHING`),
    insertKeyframes: db.prepare('INSERT INTO keyframes (segment_id, packed) VALUES (?, ?)'),
    previous: db.prepare(`SELECT ${columns} FROM segments WHERE stream_id = ? AND (session, sequence) < (?, ?) ORDER BY session DESC, sequence DESC LIMIT 1`),
    next: db.prepare(`SELECT ${columns} FROM segments WHERE stream_id = ? AND (session, sequence) > (?, ?) ORDER BY session, sequence LIMIT 1`),
    between: db.prepare('SELECT 1 FROM segments WHERE stream_id = ? AND (session, sequence) >= (?, ?) AND (session, sequence) <= (?, ?) LIMIT 1'),
    find: db.prepare(`SELECT segments.id, segments.root_id, roots.root_id AS root, name_ms, start_ms, end_ms, size_bytes FROM segments
      JOIN roots ON roots.id = segments.root_id WHERE stream_id = ? AND session = ? AND sequence = ?`),
    remove: db.prepare('DELETE FROM segments WHERE id = ?'),
    overlapping: db.prepare(`SELECT start_ms, end_ms FROM segments WHERE stream_id = ?
      AND start_ms >= ? - (SELECT longest_ms FROM streams WHERE id = ?) AND start_ms < ? AND end_ms > ?`),
    use: db.prepare(`INSERT INTO usage (stream_id, root_id, segments, size_bytes, duration_ms) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET segments = segments + excluded.segments, size_bytes = size_bytes + excluded.size_bytes, duration_ms = duration_ms + excluded.duration_ms`),
    unused: db.prepare('DELETE FROM usage WHERE stream_id = ? AND root_id = ? AND segments = 0'),
    longest: db.prepare('UPDATE streams SET longest_ms = ? WHERE id = ? AND longest_ms < ?'),
    garbage: db.prepare('INSERT INTO garbage (root_id, path) VALUES (?, ?) ON CONFLICT DO NOTHING'),
  };
}
