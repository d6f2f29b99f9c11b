/** Footage that is being written and has no row yet, so that a timeline reaches up to now; pure bookkeeping of notices. */
import type { CameraId } from '../../../shared/model/ids.ts';
import type { Segment } from '../../../shared/model/segment.ts';
import type { CameraTimeline, Span } from '../../../shared/model/timeline.ts';
import { type EpochMs, intersectRanges, type TimeRange } from '../../../shared/time.ts';
import type { IngestNotice } from '../ports/ingest.ts';

interface Edge {
  readonly startMs: EpochMs;
  /** Where it ended, until its segment has a row; null while it grows. */
  readonly endMs: EpochMs | null;
}

/** Segments that touch within this are one span, as in the index (storage/spans.write.ts). */
const TOUCHING_MS = 500;

export class LiveEdges {
  readonly #edges = new Map<CameraId, Edge>();

  /** True when the timeline of that camera looks different now. */
  take(notice: IngestNotice): boolean {
    if (notice.type === 'outage-ended' && notice.stream === 'main') {
      this.#edges.set(notice.cameraId, { startMs: notice.atMs, endMs: null });
      return true;
    }
    if (notice.type === 'outage-began' && notice.stream === 'main') {
      const edge = this.#edges.get(notice.cameraId);
      // The first word is of the end of footage; later ones are of reasons.
      if (edge === undefined || edge.endMs !== null) return false;
      this.#edges.set(notice.cameraId, { ...edge, endMs: Math.max(edge.startMs, notice.sinceMs) });
      return true;
    }
    return false;
  }

  /** A segment has its row now. */
  indexed(segment: Pick<Segment, 'cameraId' | 'stream' | 'endMs'>): void {
    const edge = this.#edges.get(segment.cameraId);
    if (edge === undefined || segment.stream !== 'main' || segment.endMs < edge.startMs) return;
    if (edge.endMs === null) this.#edges.set(segment.cameraId, { startMs: segment.endMs, endMs: null });
    else if (segment.endMs >= edge.endMs - TOUCHING_MS) this.#edges.delete(segment.cameraId);
  }

  forget(cameraId: CameraId): void {
    this.#edges.delete(cameraId);
  }

  /** As it is now: taken before the index is asked, so that a segment that gets its row meanwhile is in one of the two. */
  snapshot(): LiveEdges {
    const copy = new LiveEdges();
    for (const [cameraId, edge] of this.#edges) copy.#edges.set(cameraId, edge);
    return copy;
  }

  /** Adds what is being written to answers of the index. */
  extend(timelines: readonly CameraTimeline[], window: TimeRange, nowMs: EpochMs): readonly CameraTimeline[] {
    return timelines.map((timeline) => {
      const edge = this.#edges.get(timeline.cameraId);
      const seen = edge === undefined ? null : intersectRanges({ startMs: edge.startMs, endMs: edge.endMs ?? nowMs }, window);
      return seen === null ? timeline : { ...timeline, spans: join(timeline.spans, seen) };
    });
  }

  /** First and last moment of footage, what is being written included. */
  bounds(indexed: TimeRange | null, cameraIds: readonly CameraId[], nowMs: EpochMs): TimeRange | null {
    let bounds = indexed;
    for (const cameraId of cameraIds) {
      const edge = this.#edges.get(cameraId);
      if (edge === undefined) continue;
      const endMs = edge.endMs ?? nowMs;
      bounds = bounds === null ? { startMs: edge.startMs, endMs } : { startMs: Math.min(bounds.startMs, edge.startMs), endMs: Math.max(bounds.endMs, endMs) };
    }
    return bounds;
  }
}

function join(spans: readonly Span[], added: Span): readonly Span[] {
  const last = spans.at(-1);
  if (last === undefined || added.startMs - last.endMs > TOUCHING_MS) return [...spans, added];
  return [...spans.slice(0, -1), { startMs: last.startMs, endMs: Math.max(last.endMs, added.endMs) }];
}
