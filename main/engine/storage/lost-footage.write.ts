/** Footage whose file is gone or shorter than its row said: its time is missing, and that has a cause like any other (principle 4). */
import type { Gap } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { type DurationMs, SECOND_MS } from '../../../shared/time.ts';
import type { WritableDb } from './database.ts';
import type { SegmentRef } from './segment-ref.ts';
import type { PackedSegment } from './segments.write.ts';

/** Less is two files that touch (catalog/gap-ledger.ts). */
const SHORTEST_MS: DurationMs = 500;
const DETAIL = 'The file with this footage is gone from the disk, or damaged.';

interface Range {
  readonly startMs: number;
  readonly endMs: number;
}

/** What rows said before they are taken out; `lostAfter` is asked when they are. */
export class LostFootage {
  readonly #db: WritableDb;
  readonly #before: readonly (Range & { readonly ref: SegmentRef })[];

  constructor(db: WritableDb, refs: readonly SegmentRef[]) {
    const row = db.prepare(`SELECT start_ms AS startMs, end_ms AS endMs FROM segments
      WHERE stream_id = (SELECT id FROM streams WHERE camera_id = ? AND stream = ?) AND session = ? AND sequence = ?`);
    this.#db = db;
    this.#before = refs.flatMap((ref) => {
      const range = row.get(ref.cameraId, ref.stream, ref.session, ref.sequence) as Range | undefined;
      return range === undefined ? [] : [{ ...range, ref }];
    });
  }

  /**
   * The gaps that are there now, where `kept` took the place of what was taken out. None before a stream's first footage: an index that is older
   * than the disk has rows of what retention deleted since.
   */
  lostAfter(kept: readonly PackedSegment[]): readonly Gap[] {
    const first = this.#db.prepare('SELECT start_ms AS startMs FROM segments WHERE stream_id = (SELECT id FROM streams WHERE camera_id = ? AND stream = ?) ORDER BY start_ms LIMIT 1');
    const gaps: Gap[] = [];
    for (const { ref, startMs, endMs } of this.#before.toSorted((a, b) => a.startMs - b.startMs)) {
      const oldest = first.get(ref.cameraId, ref.stream) as Pick<Range, 'startMs'> | undefined;
      if (oldest === undefined || endMs <= oldest.startMs) continue;
      const rest = kept.find((segment) => segment.cameraId === ref.cameraId && segment.stream === ref.stream && segment.session === ref.session && segment.sequence === ref.sequence);
      add(gaps, { cameraId: ref.cameraId as CameraId, stream: ref.stream, startMs: Math.max(startMs, rest?.endMs ?? startMs), endMs, cause: 'disk-failing', detail: DETAIL });
    }
    return gaps;
  }
}

/** Files that followed each other are one gap. */
function add(gaps: Gap[], gap: Gap): void {
  if (gap.endMs - gap.startMs < SHORTEST_MS) return;
  const at = gaps.findIndex((other) => other.cameraId === gap.cameraId && other.stream === gap.stream && Math.abs(gap.startMs - other.endMs) < SECOND_MS);
  const before = gaps[at];
  if (before === undefined) gaps.push(gap);
  else gaps[at] = { ...before, endMs: gap.endMs };
}
