/**
 * A drawn timeline as columns of numbers: ten thousand gaps and events cross threads and wires in the time that JSON
 * takes for a few hundred. Little-endian, as every computer Porchlight runs on: u32 number of cameras; for each camera u32 spans,
 * u32 gaps, u32 events, u32 spans on absent disks; zeros up to a multiple of 8; for each camera its spans, gaps, events and spans on absent disks, each as f64 start and f64 end
 * (milliseconds since 1970); for each camera u8 cause of each gap and u8 kind of each event, places in GAP_CAUSES and EVENT_KINDS.
 */
import { GAP_CAUSES } from '../model/gap.ts';
import type { CameraId } from '../model/ids.ts';
import { type DrawnCamera, EVENT_KINDS } from '../model/timeline.ts';
import type { TimeRange } from '../time.ts';

/** One camera. Starts and ends take turns; causes and kinds are places in their lists. */
export interface TimelineColumns {
  readonly spans: Float64Array;
  readonly gaps: Float64Array;
  readonly gapCauses: Uint8Array;
  readonly events: Float64Array;
  readonly eventKinds: Uint8Array;
  readonly absent: Float64Array;
}

const RANGE_BYTES = 16;
/** Columns of ranges of a camera: spans, gaps, events, spans on absent disks. */
const COLUMNS = 4;
const hasCode = (column: number): boolean => column === 1 || column === 2;
const CAUSE_CODES: ReadonlyMap<string, number> = new Map(GAP_CAUSES.map((cause, code) => [cause, code]));
const KIND_CODES: ReadonlyMap<string, number> = new Map(EVENT_KINDS.map((kind, code) => [kind, code]));

export function columnsOf(camera: Omit<DrawnCamera, 'cameraId'>): TimelineColumns {
  return {
    spans: rangeColumn(camera.spans),
    gaps: rangeColumn(camera.gaps),
    gapCauses: codeColumn(camera.gaps, ({ cause }) => CAUSE_CODES.get(cause)),
    events: rangeColumn(camera.events),
    eventKinds: codeColumn(camera.events, ({ kind }) => KIND_CODES.get(kind)),
    absent: rangeColumn(camera.absent ?? []),
  };
}

/** All cameras in one buffer of its own; never empty. */
export function encodeColumns(cameras: readonly TimelineColumns[]): Uint8Array<ArrayBuffer> {
  const ranges = (camera: TimelineColumns): readonly Float64Array[] => [camera.spans, camera.gaps, camera.events, camera.absent];
  const codes = (camera: TimelineColumns): readonly Uint8Array[] => [camera.gapCauses, camera.eventKinds];
  const all = [...cameras.flatMap(ranges), ...cameras.flatMap(codes)];
  let at = headBytes(cameras.length);
  const bytes = new Uint8Array(at + all.reduce((sum, column) => sum + column.byteLength, 0));
  new Uint32Array(bytes.buffer, 0, 1 + COLUMNS * cameras.length).set([cameras.length, ...cameras.flatMap((camera) => ranges(camera).map((column) => column.length / 2))]);
  for (const column of all) {
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
    at += column.byteLength;
  }
  return bytes;
}

/** Views into `bytes`, or into a copy where their place in memory does not allow views. Throws where it is no timeline. */
export function decodeColumns(bytes: Uint8Array): TimelineColumns[] {
  // Not slice(): Node's Buffer gives a view where it is asked for a copy.
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  const count = byteLength < 4 ? 0 : (new Uint32Array(buffer, byteOffset, 1)[0] ?? 0);
  const head = headBytes(count);
  if (byteLength < head) throw new Error('columns shorter than their head');
  const counts = new Uint32Array(buffer, byteOffset + 4, COLUMNS * count);
  const total = counts.reduce((sum, one) => sum + one, 0);
  const sized = counts.reduce((sum, one, index) => sum + one * RANGE_BYTES + (hasCode(index % COLUMNS) ? one : 0), head);
  if (byteLength !== sized) throw new Error('columns of another length than their head says');
  let range = byteOffset + head;
  let code = range + total * RANGE_BYTES;
  const ranges = (items: number): Float64Array => {
    range += items * RANGE_BYTES;
    return new Float64Array(buffer, range - items * RANGE_BYTES, 2 * items);
  };
  const codes = (items: number): Uint8Array => {
    code += items;
    return new Uint8Array(buffer, code - items, items);
  };
  return Array.from({ length: count }, (_, camera) => {
    const [spans = 0, gaps = 0, events = 0, absent = 0] = counts.subarray(camera * COLUMNS, (camera + 1) * COLUMNS);
    return { spans: ranges(spans), gaps: ranges(gaps), events: ranges(events), absent: ranges(absent), gapCauses: codes(gaps), eventKinds: codes(events) };
  });
}

/** Cause and kind of a code this side does not know are the first of their list. */
export function drawnFrom(cameraId: CameraId, columns: TimelineColumns): DrawnCamera {
  return {
    cameraId,
    spans: rangesFrom(columns.spans, (startMs, endMs) => ({ startMs, endMs })),
    gaps: rangesFrom(columns.gaps, (startMs, endMs, at) => ({ startMs, endMs, cause: GAP_CAUSES[columns.gapCauses[at] ?? 0] ?? GAP_CAUSES[0] })),
    events: rangesFrom(columns.events, (startMs, endMs, at) => ({ startMs, endMs, kind: EVENT_KINDS[columns.eventKinds[at] ?? 0] ?? EVENT_KINDS[0] })),
    ...(columns.absent.length === 0 ? {} : { absent: rangesFrom(columns.absent, (startMs, endMs) => ({ startMs, endMs })) }),
  };
}

function headBytes(cameras: number): number {
  return Math.ceil((4 + 4 * COLUMNS * cameras) / 8) * 8;
}

function rangeColumn(ranges: readonly TimeRange[]): Float64Array {
  const column = new Float64Array(ranges.length * 2);
  let at = 0;
  for (const { startMs, endMs } of ranges) {
    column[at] = startMs;
    column[at + 1] = endMs;
    at += 2;
  }
  return column;
}

function codeColumn<Item>(items: readonly Item[], code: (item: Item) => number | undefined): Uint8Array {
  const column = new Uint8Array(items.length);
  let at = 0;
  for (const item of items) {
    column[at] = code(item) ?? 0;
    at += 1;
  }
  return column;
}

function rangesFrom<Range>(column: Float64Array, make: (startMs: number, endMs: number, at: number) => Range): Range[] {
  const ranges: Range[] = [];
  for (let at = 0; at < column.length; at += 2) ranges.push(make(column[at] ?? 0, column[at + 1] ?? 0, at >> 1));
  return ranges;
}
