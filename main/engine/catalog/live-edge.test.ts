/** The timeline reaches up to now, with no seam where segments close and no footage after the camera is gone. */
import { expect, it } from 'vitest';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { CameraTimeline } from '../../../shared/model/timeline.ts';
import { LiveEdges } from './live-edge.ts';

const PORCH = 'cam-aaaaaaaaaaaa' as CameraId;
const WINDOW = { startMs: 0, endMs: 1_000_000 };

function timeline(...spans: readonly (readonly [number, number])[]): CameraTimeline {
  return { cameraId: PORCH, spans: spans.map(([startMs, endMs]) => ({ startMs, endMs })), gaps: [], events: [] };
}

function spansAt(edges: LiveEdges, indexed: CameraTimeline, nowMs: number): (readonly [number, number])[] {
  return edges.extend([indexed], WINDOW, nowMs).flatMap((one) => one.spans.map((span) => [span.startMs, span.endMs] as const));
}

it('grows with the open segment and joins what has a row', () => {
  const edges = new LiveEdges();
  edges.take({ type: 'outage-ended', cameraId: PORCH, stream: 'main', sinceMs: null, atMs: 1_000, cause: null, detail: '' });
  expect(spansAt(edges, timeline(), 5_000)).toEqual([[1_000, 5_000]]);
  edges.indexed({ cameraId: PORCH, stream: 'main', endMs: 61_000 });
  edges.indexed({ cameraId: PORCH, stream: 'sub', endMs: 90_000 });
  expect(spansAt(edges, timeline([1_000, 61_000]), 70_000)).toEqual([[1_000, 70_000]]);
  expect(edges.bounds({ startMs: 1_000, endMs: 61_000 }, [PORCH], 70_000)).toEqual({ startMs: 1_000, endMs: 70_000 });
});

it('ends with the outage, keeps what has no row yet, and nothing twice', () => {
  const edges = new LiveEdges();
  edges.take({ type: 'outage-ended', cameraId: PORCH, stream: 'main', sinceMs: null, atMs: 1_000, cause: null, detail: '' });
  edges.take({ type: 'outage-began', cameraId: PORCH, stream: 'main', sinceMs: 9_000, cause: 'camera-unreachable', detail: '' });
  // Found out later: the reason is another from then on; footage ended when it ended.
  edges.take({ type: 'outage-began', cameraId: PORCH, stream: 'main', sinceMs: 30_000, cause: 'stream-stalled', detail: '' });
  expect(spansAt(edges, timeline(), 60_000)).toEqual([[1_000, 9_000]]);
  edges.indexed({ cameraId: PORCH, stream: 'main', endMs: 9_010 });
  expect(spansAt(edges, timeline([1_000, 9_010]), 60_000)).toEqual([[1_000, 9_010]]);
  expect(edges.bounds(null, [PORCH], 60_000)).toBeNull();
});
