/** The range on the timeline that is about to be kept: how it is drawn up and its edges are moved; pure. */
import type { CameraId } from '../../../shared/model/ids.ts';
import { DAY_MS, type DurationMs, type EpochMs, MINUTE_MS, SECOND_MS, type TimeRange } from '../../../shared/time.ts';
import { widthMs } from './time-window.ts';

export interface KeepRange extends TimeRange {
  /** In the order of the rows. */
  readonly cameraIds: readonly CameraId[];
}

/** A shorter one nobody could take hold of. */
export const SHORTEST_MS: DurationMs = SECOND_MS;
/** A longer one the engine refuses (shared/contract/storage-schemas.ts). */
export const LONGEST_MS: DurationMs = 31 * DAY_MS;
/** Of the window: as much that both edges can be taken hold of. */
const FIRST_SHARE = 0.12;

/** Where a drag began, and where the pointer is: the rows between them, and the time. */
export interface DragEnd {
  readonly row: number;
  readonly atMs: EpochMs;
}

/** The range between two ends of a drag, not beyond now and no longer than what can be kept. */
export function rangeOfDrag(from: DragEnd, to: DragEnd, rows: readonly CameraId[], nowMs: EpochMs): KeepRange {
  const cameraIds = rows.slice(Math.min(from.row, to.row), Math.max(from.row, to.row) + 1);
  return { cameraIds, ...between(from.atMs, to.atMs, nowMs) };
}

/** A range to begin with, around a moment: two minutes, or wider where that would be a hair's breadth. */
export function rangeAround(atMs: EpochMs, window: TimeRange, cameraIds: readonly CameraId[], nowMs: EpochMs): KeepRange {
  const halfMs = Math.min(LONGEST_MS, Math.max(2 * MINUTE_MS, widthMs(window) * FIRST_SHARE)) / 2;
  return { cameraIds, ...between(atMs - halfMs, Math.min(nowMs, atMs + halfMs), nowMs) };
}

/** The range with one edge elsewhere; it does not pass the other one. */
export function withEdge(range: KeepRange, edge: 'start' | 'end', atMs: EpochMs, nowMs: EpochMs): KeepRange {
  if (edge === 'start') return { ...range, startMs: clamp(atMs, Math.max(0, range.endMs - LONGEST_MS), range.endMs - SHORTEST_MS) };
  return { ...range, endMs: clamp(atMs, range.startMs + SHORTEST_MS, Math.min(nowMs, range.startMs + LONGEST_MS)) };
}

/** By how much a key moves an edge, as it moves the moment shown (watch-keys.ts); null for other keys. */
export function edgeStepMs({ key, shiftKey }: { readonly key: string; readonly shiftKey: boolean }): DurationMs | null {
  const byMs = shiftKey ? MINUTE_MS : 10 * SECOND_MS;
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return -byMs;
    case 'ArrowRight':
    case 'ArrowUp':
      return byMs;
    case ',':
      return -SECOND_MS;
    case '.':
      return SECOND_MS;
    case 'PageUp':
      return -60 * MINUTE_MS;
    case 'PageDown':
      return 60 * MINUTE_MS;
    default:
      return null;
  }
}

/** The anchor is the first of the two: what is too long is cut at the other end. */
function between(anchorMs: EpochMs, otherMs: EpochMs, nowMs: EpochMs): TimeRange {
  const a = clamp(anchorMs, 0, nowMs);
  const b = clamp(clamp(otherMs, 0, nowMs), a - LONGEST_MS, a + LONGEST_MS);
  const [startMs, endMs] = a <= b ? [a, b] : [b, a];
  return endMs - startMs >= SHORTEST_MS ? { startMs, endMs } : { startMs: Math.max(0, endMs - SHORTEST_MS), endMs: Math.max(endMs, SHORTEST_MS) };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), Math.max(least, most));
}
