/**
 * Keeps spans, the runs of unbroken footage, in the transaction that adds or removes a segment. Spans are a function of
 * the set of segments alone, whatever the order they came in (I5).
 */
import { forceUnwrap } from '../../../shared/result.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { WritableDb } from './database.ts';
import { sizeClassOf } from './size-class.ts';

/** A segment's place in its stream's order and in time. */
export interface Place {
  readonly session: number;
  readonly sequence: number;
  readonly startMs: EpochMs;
  readonly endMs: EpochMs;
}

/** Within a session, timestamps jitter by a frame or two at a segment's border; half a second of nothing is not a gap anyone sees. */
const SAME_SESSION_TOLERANCE_MS = 500;
/** Footage of two sessions is unbroken only where it touches. */
const TOUCH_TOLERANCE_MS = 1;

/** Whether `next`, which follows `previous` in order, goes on where it ended. */
export function continues(previous: Place, next: Place): boolean {
  const toleranceMs = previous.session === next.session ? SAME_SESSION_TOLERANCE_MS : TOUCH_TOLERANCE_MS;
  return Math.abs(next.startMs - previous.endMs) <= toleranceMs;
}

interface SpanRow {
  readonly first_session: number;
  readonly first_sequence: number;
  readonly last_session: number;
  readonly last_sequence: number;
  readonly start_ms: number;
  readonly end_ms: number;
}

/** The first and the last segment of an unbroken run, which may be the same. */
export interface Run {
  readonly first: Place;
  readonly last: Place;
}

export interface SpanWriter {
  /** `previous` and `next` are the neighbours of `added` in order, from the segments table. */
  add(streamId: number, added: Place, previous: Place | null, next: Place | null): void;
  /** As `add` for a run of segments that follow each other in order and each continue the one before. */
  addRun(streamId: number, run: Run, previous: Place | null, next: Place | null): void;
  remove(streamId: number, removed: Place, previous: Place | null, next: Place | null): void;
}

export function spanWriter(db: WritableDb): SpanWriter {
  const find = db.prepare(`SELECT * FROM spans WHERE stream_id = ? AND (first_session, first_sequence) <= (?, ?)
    ORDER BY first_session DESC, first_sequence DESC LIMIT 1`);
  const drop = db.prepare('DELETE FROM spans WHERE stream_id = ? AND first_session = ? AND first_sequence = ?');
  const put = db.prepare(`INSERT INTO spans (stream_id, first_session, first_sequence, last_session, last_sequence, start_ms, end_ms, size_class)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET last_session = excluded.last_session, last_sequence = excluded.last_sequence,
    start_ms = excluded.start_ms, end_ms = excluded.end_ms, size_class = excluded.size_class`);

  const holding = (streamId: number, place: Place): SpanRow => forceUnwrap('every rowed segment lies in a span', find.get(streamId, place.session, place.sequence) as SpanRow | undefined);
  const remove = (streamId: number, span: SpanRow): void => void drop.run(streamId, span.first_session, span.first_sequence);
  const write = (streamId: number, span: SpanRow): void => {
    const sizeClass = sizeClassOf({ startMs: span.start_ms, endMs: span.end_ms });
    put.run(streamId, span.first_session, span.first_sequence, span.last_session, span.last_sequence, span.start_ms, span.end_ms, sizeClass);
  };
  const alone = ({ first, last }: Run): SpanRow => ({
    first_session: first.session,
    first_sequence: first.sequence,
    last_session: last.session,
    last_sequence: last.sequence,
    start_ms: first.startMs,
    end_ms: last.endMs,
  });
  const beginningAt = (span: SpanRow, place: Place): SpanRow => ({ ...span, first_session: place.session, first_sequence: place.sequence, start_ms: place.startMs });
  const endingAt = (span: SpanRow, place: Place): SpanRow => ({ ...span, last_session: place.session, last_sequence: place.sequence, end_ms: place.endMs });
  /** Cuts the span that holds both neighbours between them. */
  const split = (streamId: number, previous: Place, next: Place): void => {
    const span = holding(streamId, previous);
    write(streamId, endingAt(span, previous));
    write(streamId, beginningAt(span, next));
  };
  const join = (streamId: number, previous: Place, next: Place): void => {
    const left = holding(streamId, previous);
    const right = holding(streamId, next);
    remove(streamId, right);
    write(streamId, { ...left, last_session: right.last_session, last_sequence: right.last_sequence, end_ms: right.end_ms });
  };

  const addRun = (streamId: number, run: Run, previous: Place | null, next: Place | null): void => {
    const { first, last } = run;
    const after = previous !== null && continues(previous, first);
    const before = next !== null && continues(last, next);
    const wereJoined = previous !== null && next !== null && continues(previous, next);
    if (wereJoined && after && before) return;
    if (wereJoined) split(streamId, previous, next);
    if (after) write(streamId, endingAt(holding(streamId, previous), last));
    if (after && before) join(streamId, last, next);
    if (!after && before) {
      const span = holding(streamId, next);
      remove(streamId, span);
      write(streamId, beginningAt(span, first));
    }
    if (!after && !before) write(streamId, alone(run));
  };

  return {
    add: (streamId, added, previous, next) => addRun(streamId, { first: added, last: added }, previous, next),
    addRun,
    remove: (streamId, removed, previous, next) => {
      const after = previous !== null && continues(previous, removed);
      const before = next !== null && continues(removed, next);
      const areJoined = previous !== null && next !== null && continues(previous, next);
      if (after && before) {
        if (!areJoined) split(streamId, previous, next);
        return;
      }
      const span = holding(streamId, removed);
      if (after) write(streamId, endingAt(span, previous));
      else remove(streamId, span);
      if (before) write(streamId, beginningAt(span, next));
      if (areJoined) join(streamId, previous, next);
    },
  };
}
