/** Whether gaps of the index cover footage: that was missed when they were written, and came back since. */
import type { StreamKind } from '../../../shared/model/camera.ts';
import { type DurationMs, type EpochMs, type TimeRange, utcDay } from '../../../shared/time.ts';
import type { ReadableDb } from './database.ts';
import type { Finding } from './reconcile.ts';

/** What of a failing disk's footage survives beyond what it had promised (I4), and what segments may overlap by. */
const ALLOWED_MS: DurationMs = 2_000;
/** A gap begins and ends where footage does, within this. */
const TOUCHING_MS: DurationMs = 500;
/** Parts of an outage that follow each other; more nobody looks at. */
const MAX_PARTS = 20;
const GAPS_PER_STEP = 1_000;

interface GapRow extends TimeRange {
  readonly id: number;
  readonly streamId: number;
  readonly cameraId: string;
  readonly stream: StreamKind;
}

interface Order {
  readonly session: number;
  readonly sequence: number;
}

/**
 * Yields a note for each gap that footage lies in which was recorded between what the gap begins and ends with. Only such: where a clock was
 * set back, an hour that comes twice may have a gap the second time and footage the first.
 */
export function* gapFindings(db: ReadableDb): Generator<readonly Finding[]> {
  const select = db.prepare(`SELECT gaps.id, stream_id AS streamId, camera_id AS cameraId, stream, start_ms AS startMs, end_ms AS endMs
    FROM gaps JOIN streams ON streams.id = stream_id WHERE gaps.id > ? ORDER BY gaps.id LIMIT ${GAPS_PER_STEP}`);
  const ask = questions(db);
  for (let last = -1; ; ) {
    const rows = select.all(last) as GapRow[];
    if (rows.length === 0) return;
    last = rows.at(-1)?.id ?? last;
    yield rows.flatMap((gap): readonly Finding[] => {
      const coveredMs = ask.coveredMs(gap);
      if (coveredMs <= ALLOWED_MS) return [];
      const sentence = `A gap of ${gap.cameraId} ${gap.stream} of ${Math.round((gap.endMs - gap.startMs) / 1_000)} s covers ${Math.round(coveredMs / 1_000)} s of footage.`;
      return [{ kind: 'gap-over-footage', invariant: 'I5', path: `${gap.cameraId}/journal/${utcDay(gap.startMs)}.jsonl`, sentence, notice: true }];
    });
  }
}

function questions(db: ReadableDb): { coveredMs(gap: GapRow): DurationMs } {
  const longest = db.prepare('SELECT longest_ms FROM streams WHERE id = ?').pluck();
  const inside = db.prepare('SELECT start_ms AS startMs, end_ms AS endMs, session, sequence FROM segments WHERE stream_id = ? AND start_ms > ? AND start_ms < ? AND end_ms > ?');
  const before = db.prepare('SELECT start_ms AS startMs FROM gaps WHERE stream_id = ? AND end_ms BETWEEN ? AND ? AND start_ms < ? ORDER BY start_ms LIMIT 1').pluck();
  const after = db.prepare('SELECT end_ms AS endMs FROM gaps WHERE stream_id = ? AND start_ms BETWEEN ? AND ? AND end_ms > ? ORDER BY end_ms DESC LIMIT 1').pluck();
  const next = db.prepare('SELECT session, sequence FROM segments WHERE stream_id = ? AND start_ms BETWEEN ? AND ? ORDER BY session DESC, sequence DESC LIMIT 1');
  const previous = db.prepare(`SELECT session, sequence FROM segments WHERE stream_id = ? AND start_ms BETWEEN ? AND ? AND end_ms BETWEEN ? AND ? AND (session, sequence) < (?, ?)
    ORDER BY session DESC, sequence DESC LIMIT 1`);
  const outer = (streamId: number, fromMs: EpochMs, find: typeof before): EpochMs => {
    let edgeMs = fromMs;
    for (let parts = 0; parts < MAX_PARTS; parts += 1) {
      const furtherMs = find.get(streamId, edgeMs - 1, edgeMs + 1, edgeMs) as EpochMs | undefined;
      if (furtherMs === undefined) break;
      edgeMs = furtherMs;
    }
    return edgeMs;
  };
  return {
    coveredMs: ({ streamId, startMs, endMs }) => {
      const reachMs = longest.get(streamId) as DurationMs;
      const covering = (inside.all(streamId, startMs - reachMs, endMs, startMs) as (TimeRange & Order)[]).filter((range) => overlapMs(range, { startMs, endMs }) > 0);
      if (covering.reduce((sum, range) => sum + overlapMs(range, { startMs, endMs }), 0) <= ALLOWED_MS) return 0;
      const beganMs = outer(streamId, startMs, before);
      const endedMs = outer(streamId, endMs, after);
      const ends = next.get(streamId, endedMs - TOUCHING_MS, endedMs + TOUCHING_MS) as Order | undefined;
      if (ends === undefined) return 0;
      const begins = previous.get(streamId, beganMs - reachMs - TOUCHING_MS, beganMs + TOUCHING_MS, beganMs - TOUCHING_MS, beganMs + TOUCHING_MS, ends.session, ends.sequence) as Order | undefined;
      if (begins === undefined) return 0;
      return covering.filter((one) => isBefore(begins, one) && isBefore(one, ends)).reduce((sum, range) => sum + overlapMs(range, { startMs, endMs }), 0);
    },
  };
}

function overlapMs(a: TimeRange, b: TimeRange): DurationMs {
  return Math.min(a.endMs, b.endMs) - Math.max(a.startMs, b.startMs);
}

function isBefore(a: Order, b: Order): boolean {
  return a.session < b.session || (a.session === b.session && a.sequence < b.sequence);
}
