/** Whether gaps of the index cover footage: that was missed when they were written, and came back since. */
import type { Gap } from '../../../shared/model/gap.ts';
import { type DurationMs, type EpochMs, type TimeRange, utcDay } from '../../../shared/time.ts';
import type { ReadableDb } from './database.ts';
import type { Happening } from './journal.ts';
import type { Finding } from './reconcile.ts';

/** What of a failing disk's footage survives beyond what it had promised (I4), and what segments may overlap by. */
const ALLOWED_MS: DurationMs = 2_000;
/** A gap begins and ends where footage does, within this. */
const TOUCHING_MS: DurationMs = 500;
/** Parts of an outage that follow each other; more nobody looks at. */
const MAX_PARTS = 20;
const GAPS_PER_STEP = 1_000;

interface GapRow extends Gap {
  readonly id: number;
  readonly streamId: number;
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
  const select = db.prepare(`SELECT gaps.id, stream_id AS streamId, camera_id AS cameraId, stream, start_ms AS startMs, end_ms AS endMs, cause, detail
    FROM gaps JOIN streams ON streams.id = stream_id WHERE gaps.id > ? ORDER BY gaps.id LIMIT ${GAPS_PER_STEP}`);
  const ask = questions(db);
  for (let last = -1; ; ) {
    const rows = select.all(last) as GapRow[];
    if (rows.length === 0) return;
    last = rows.at(-1)?.id ?? last;
    yield rows.flatMap((gap): readonly Finding[] => {
      const covering = ask.covering(gap);
      const coveredMs = covering.reduce((sum, range) => sum + overlapMs(range, gap), 0);
      if (coveredMs <= ALLOWED_MS) return [];
      const { cameraId, stream, cause, detail } = gap;
      const whole: Gap = { cameraId, stream, startMs: gap.startMs, endMs: gap.endMs, cause, detail };
      const left = without(gap, covering).map((range): Happening => ({ type: 'gap', gap: { ...whole, ...range } }));
      const sentence = `A gap of ${gap.cameraId} ${gap.stream} of ${Math.round((gap.endMs - gap.startMs) / 1_000)} s covers ${Math.round(coveredMs / 1_000)} s of footage.`;
      return [{ kind: 'gap-over-footage', invariant: 'I5', path: `${gap.cameraId}/journal/${utcDay(gap.startMs)}.jsonl`, sentence, notice: true, instead: [{ type: 'ungap', gap: whole }, ...left] }];
    });
  }
}

function questions(db: ReadableDb): { covering(gap: GapRow): readonly TimeRange[] } {
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
    covering: ({ streamId, startMs, endMs }) => {
      const reachMs = longest.get(streamId) as DurationMs;
      const covering = (inside.all(streamId, startMs - reachMs, endMs, startMs) as (TimeRange & Order)[]).filter((range) => overlapMs(range, { startMs, endMs }) > 0);
      if (covering.reduce((sum, range) => sum + overlapMs(range, { startMs, endMs }), 0) <= ALLOWED_MS) return [];
      const beganMs = outer(streamId, startMs, before);
      const endedMs = outer(streamId, endMs, after);
      const ends = next.get(streamId, endedMs - TOUCHING_MS, endedMs + TOUCHING_MS) as Order | undefined;
      if (ends === undefined) return [];
      const begins = previous.get(streamId, beganMs - reachMs - TOUCHING_MS, beganMs + TOUCHING_MS, beganMs - TOUCHING_MS, beganMs + TOUCHING_MS, ends.session, ends.sequence) as Order | undefined;
      if (begins === undefined) return [];
      return covering.filter((one) => isBefore(begins, one) && isBefore(one, ends));
    },
  };
}

/** What of a range lies in none of the others, pieces worth a gap only. */
function without(range: TimeRange, others: readonly TimeRange[]): readonly TimeRange[] {
  const pieces: TimeRange[] = [];
  let fromMs = range.startMs;
  for (const { startMs, endMs } of [...others.toSorted((a, b) => a.startMs - b.startMs), { startMs: range.endMs, endMs: range.endMs }]) {
    if (startMs - fromMs >= TOUCHING_MS) pieces.push({ startMs: fromMs, endMs: startMs });
    fromMs = Math.max(fromMs, endMs);
  }
  return pieces;
}

function overlapMs(a: TimeRange, b: TimeRange): DurationMs {
  return Math.min(a.endMs, b.endMs) - Math.max(a.startMs, b.startMs);
}

function isBefore(a: Order, b: Order): boolean {
  return a.session < b.session || (a.session === b.session && a.sequence < b.sequence);
}
