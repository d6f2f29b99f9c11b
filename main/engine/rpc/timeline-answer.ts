/** The timeline as a viewer sees it: what the index holds, what is being written, and what is missing right now. */
import type { OutputOf, ParsedOf } from '../../../shared/contract/engine-api.ts';
import { columnsOf, decodeColumns, drawnFrom, encodeColumns, type TimelineColumns } from '../../../shared/contract/timeline-columns.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import type { Gap } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { type CameraEvent, EVENT_KINDS, type Timeline } from '../../../shared/model/timeline.ts';
import type { EpochMs, TimeRange } from '../../../shared/time.ts';
import type { LiveEdges } from '../catalog/live-edge.ts';
import { withOpenGaps } from '../catalog/right-now.ts';
import type { Clock } from '../core/clock.ts';
import type { ArchiveReader } from '../ports/archive.ts';

export interface TimelineParts {
  readonly archive: { readonly read: Pick<ArchiveReader, 'timeline' | 'drawnTimeline' | 'bounds'> };
  readonly clock: Clock;
  readonly edges: LiveEdges;
  readonly ledger: { openGaps(nowMs: EpochMs): readonly Gap[] };
}

/** What goes on now, taken before the index is asked: what gets its row meanwhile is in one of the two. */
interface RightNow {
  readonly window: TimeRange;
  readonly nowMs: EpochMs;
  readonly open: readonly Gap[];
  readonly edge: LiveEdges;
}

function rightNow({ clock, ledger, edges }: TimelineParts, { startMs, endMs }: TimeRange): RightNow {
  if (endMs <= startMs) throw new PorchlightError('invalid-input', 'The end of a time range has to be after its start.');
  const nowMs = clock.nowMs();
  return { window: { startMs, endMs }, nowMs, open: ledger.openGaps(nowMs), edge: edges.snapshot() };
}

export async function wholeTimeline(parts: TimelineParts, query: ParsedOf<'timeline.get'>): Promise<Timeline> {
  const { window, nowMs, open, edge } = rightNow(parts, query);
  const { cameraIds } = query;
  const [indexed, known] = await Promise.all([parts.archive.read.timeline(query), parts.archive.read.bounds(cameraIds)]);
  return { ...window, cameras: withOpenGaps(edge.extend(indexed, window, nowMs), open, window), bounds: edge.bounds(known, cameraIds, nowMs), nowMs };
}

export async function drawnTimeline(parts: TimelineParts, query: ParsedOf<'timeline.drawn'>): Promise<OutputOf<'timeline.drawn'>> {
  const now = rightNow(parts, query);
  const { cameraIds } = query;
  const { columns, bounds } = await parts.archive.read.drawnTimeline(query);
  const indexed = decodeColumns(columns);
  const shown = cameraIds.flatMap((cameraId, index) => (indexed[index] === undefined ? [] : withRightNow(cameraId, indexed[index], now)));
  const bytes = shown.every((camera, index) => camera === indexed[index]) ? columns : encodeColumns(shown);
  return { ...now.window, cameraIds, bounds: now.edge.bounds(bounds, cameraIds, now.nowMs), nowMs: now.nowMs, bytes };
}

/** The very same columns where nothing goes on in the window. */
function withRightNow(cameraId: CameraId, columns: TimelineColumns, { window, nowMs, open, edge }: RightNow): TimelineColumns {
  const away = open.filter((gap) => gap.cameraId === cameraId);
  // All parts of an outage make its event; those of an outage that lies elsewhere need no look at what is known.
  const mine = away.some((gap) => gap.startMs < window.endMs && gap.endMs > window.startMs) ? away : [];
  const { spans, gaps, events } = drawnFrom(cameraId, mine.length === 0 ? { ...columns, gaps: NOTHING, events: NOTHING } : columns);
  const indexed = { cameraId, spans, gaps: gaps.map((gap) => ({ ...gap, detail: '' })), events: [] };
  const [shown = indexed] = withOpenGaps(edge.extend([indexed], window, nowMs), mine, window);
  const added = shown.events.filter((event) => !isKnown(columns, event));
  const grown = shown.spans === indexed.spans ? columns : { ...columns, spans: columnsOf({ ...NONE, spans: shown.spans }).spans };
  if (shown.gaps === indexed.gaps && added.length === 0) return grown;
  return { ...columnsOf({ spans: [], gaps: shown.gaps, events: [...events, ...added].sort((a, b) => a.startMs - b.startMs) }), spans: grown.spans, absent: columns.absent };
}

const NOTHING = new Float64Array();
const NONE = { spans: [], gaps: [], events: [] };

/** An event of an open gap follows from camera and beginning: one of its kind that begins with it is the same. */
function isKnown({ events, eventKinds }: TimelineColumns, event: CameraEvent): boolean {
  const kind = EVENT_KINDS.indexOf(event.kind);
  return eventKinds.some((one, at) => one === kind && Math.abs((events[at * 2] ?? 0) - event.startMs) < 1);
}
