import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeColumns, drawnFrom } from '../../../shared/contract/timeline-columns.ts';
import type { Gap } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { DrawnCamera } from '../../../shared/model/timeline.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/time.ts';
import { LiveEdges } from '../catalog/live-edge.ts';
import type { WritableDb } from '../storage/database.ts';
import { happeningWriter } from '../storage/happenings.write.ts';
import { segmentWriter } from '../storage/segments.write.ts';
import { idLookup } from '../storage/stream-ids.ts';
import { CAMERA, DAY_START_MS, fakeSegment, memoryIndex } from '../storage/testing/memory-index.ts';
import { timelineReader } from '../storage/timeline.read.ts';
import { systemClock } from '../core/clock.ts';
import { drawnTimeline, type TimelineParts, wholeTimeline } from './timeline-answer.ts';

const OTHER = 'cam-bbbbbbbbbbbb' as CameraId;
const NOW_MS = DAY_START_MS + HOUR_MS;
const QUERY = { cameraIds: [CAMERA, OTHER], startMs: DAY_START_MS, endMs: NOW_MS + MINUTE_MS, maxItems: 2_048 };
const away: Gap = { cameraId: CAMERA, stream: 'main', startMs: NOW_MS - 5 * MINUTE_MS, endMs: NOW_MS, cause: 'camera-unreachable', detail: 'no answer' };

let db: WritableDb;
let edges: LiveEdges;
let open: Gap[];
beforeEach(() => {
  db = memoryIndex();
  edges = new LiveEdges();
  open = [];
  const [write, happen] = [segmentWriter(db), happeningWriter(db)];
  write.insert(fakeSegment());
  write.insert(fakeSegment({ cameraId: OTHER, startMs: DAY_START_MS + 3 * MINUTE_MS, endMs: DAY_START_MS + 5 * MINUTE_MS }));
  happen.insertGap({ ...away, startMs: DAY_START_MS + MINUTE_MS, endMs: DAY_START_MS + 2 * MINUTE_MS });
  happen.insertEvent({ id: 'one', cameraId: CAMERA, kind: 'person', label: 'Person', startMs: DAY_START_MS + 1_000, endMs: DAY_START_MS + 9_000.5 });
});
afterEach(() => void db.close());

function parts(): TimelineParts {
  const reader = timelineReader(db, idLookup(db));
  const read: TimelineParts['archive']['read'] = {
    timeline: (query) => Promise.resolve(reader.timeline(query)),
    drawnTimeline: (query) => Promise.resolve(reader.drawn(query)),
    bounds: (cameraIds) => Promise.resolve(reader.bounds(cameraIds)),
  };
  return { archive: { read }, clock: { ...systemClock, nowMs: () => NOW_MS }, edges, ledger: { openGaps: () => open } };
}

/** As the payload of a frame from a socket: a Buffer at an odd place. */
function received(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
}

/** Both answers, the whole one without what is not drawn. */
async function both(): Promise<[drawn: unknown, whole: unknown]> {
  const { cameraIds, bytes, ...drawn } = await drawnTimeline(parts(), QUERY);
  const { cameras, ...whole } = await wholeTimeline(parts(), QUERY);
  const stripped = cameras.map(({ cameraId, spans, gaps, events }): DrawnCamera => ({
    cameraId,
    spans,
    gaps: gaps.map(({ startMs, endMs, cause }) => ({ startMs, endMs, cause })),
    events: events.map(({ startMs, endMs, kind }) => ({ startMs, endMs, kind })),
  }));
  return [{ ...drawn, cameras: decodeColumns(received(bytes)).map((columns, at) => drawnFrom(cameraIds[at] ?? CAMERA, columns)) }, { ...whole, cameras: stripped }];
}

describe('a timeline that is drawn', () => {
  it('shows what the whole one shows', async () => {
    const [drawn, whole] = await both();
    expect(drawn).toEqual(whole);
    expect(whole).toMatchObject({ cameras: [{ gaps: [{ cause: 'camera-unreachable' }], events: [{ kind: 'person' }] }, { spans: [{}] }] });
  });

  it('reaches up to now where a camera records, and says what is missing where one does not', async () => {
    edges.take({ type: 'outage-ended', cameraId: OTHER, stream: 'main', sinceMs: null, atMs: DAY_START_MS + 5 * MINUTE_MS, cause: null, detail: '' });
    open = [away];
    const [drawn, whole] = await both();
    expect(drawn).toEqual(whole);
    expect(drawn).toMatchObject({ cameras: [{ gaps: [{}, { startMs: away.startMs, endMs: NOW_MS }], events: [{}, { kind: 'camera-offline', startMs: away.startMs }] }, { spans: [{ startMs: DAY_START_MS + 3 * MINUTE_MS, endMs: NOW_MS }] }] });
  });

  it('shows an outage once that got its row while it was asked for', async () => {
    open = [away];
    const happen = happeningWriter(db);
    happen.insertGap(away);
    happen.insertEvent({ id: `offline-${CAMERA}-${Math.round(away.startMs)}`, cameraId: CAMERA, kind: 'camera-offline', label: 'away', startMs: away.startMs, endMs: away.endMs });
    const [drawn, whole] = await both();
    expect(drawn).toEqual(whole);
    expect(drawn).toMatchObject({ cameras: [{ gaps: [{}, { startMs: away.startMs }], events: [{}, { kind: 'camera-offline' }] }, {}] });
  });
});
