import { describe, expect, it } from 'vitest';
import { GAP_CAUSES, type Gap } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { CameraEvent } from '../../../shared/model/timeline.ts';
import { offlineEvents, onlineEvents } from './camera-events.ts';
import { withOpenEvents, withOpenGaps } from './right-now.ts';

const cameraId = 'cam-aaaaaaaaaaaa' as CameraId;
const away: Gap = { cameraId, stream: 'main', startMs: 100_000.4, endMs: 160_000, cause: 'camera-unreachable', detail: 'no answer' };
const event: CameraEvent = { id: 'offline-cam-aaaaaaaaaaaa-100000', cameraId, kind: 'camera-offline', label: 'Camera could not be reached', startMs: 100_000.4, endMs: 160_000 };

describe('the events of an outage', () => {
  it('go from loss to return and say why, and that it is over', () => {
    expect(offlineEvents([away])).toEqual([event]);
    expect(onlineEvents([away])).toEqual([{ id: 'online-cam-aaaaaaaaaaaa-160000', cameraId, kind: 'camera-online', label: 'Back after 60 s', startMs: 160_000, endMs: 160_000 }]);
  });

  it('are there for what lies with the camera, and for nothing else', () => {
    const told = GAP_CAUSES.filter((cause) => offlineEvents([{ ...away, cause }]).length > 0);
    expect(told).toEqual(['camera-unreachable', 'camera-refused', 'stream-stalled']);
    expect(GAP_CAUSES.filter((cause) => onlineEvents([{ ...away, cause }]).length > 0)).toEqual(told);
  });

  it('are not there for a moment, nor for the small stream', () => {
    expect(offlineEvents([{ ...away, endMs: away.startMs + 9_999 }])).toEqual([]);
    expect(offlineEvents([{ ...away, stream: 'sub' }])).toEqual([]);
  });

  it('are the same ones while the outage goes on', () => {
    expect(offlineEvents([{ ...away, endMs: 130_000 }])[0]?.id).toBe(event.id);
  });

  it('are one for an outage of several parts, named after the longest', () => {
    const parts: readonly Gap[] = [{ ...away, endMs: 107_000, cause: 'stream-stalled' }, { ...away, startMs: 107_000, endMs: 150_000 }, { ...away, startMs: 150_000, cause: 'camera-refused' }];
    expect(offlineEvents(parts)).toEqual([event]);
    expect(onlineEvents(parts)).toHaveLength(1);
  });

  it('say nothing of a return where the computer was off at the end, and count the absence up to then', () => {
    const gaps: readonly Gap[] = [{ ...away, endMs: 140_000 }, { ...away, startMs: 140_000, endMs: 900_000, cause: 'computer-off' }];
    expect(offlineEvents(gaps)).toEqual([{ ...event, endMs: 140_000 }]);
    expect(onlineEvents(gaps)).toEqual([]);
  });

  it.each([[21_000, '21 s'], [119_000, '119 s'], [240_000, '4 min'], [3_599_000, '1 h'], [7_500_000, '2 h 5 min'], [260_000_000, '3 days']])('tell %d ms as %s', (awayMs, words) => {
    expect(onlineEvents([{ ...away, startMs: 0, endMs: awayMs }])[0]?.label).toBe(`Back after ${words}`);
  });
});

describe('what is missing right now', () => {
  const empty = { cameraId, spans: [], gaps: [], events: [] };
  const { startMs, endMs, cause, detail } = away;

  it('is on the timeline, gap and event, within the window', () => {
    expect(withOpenGaps([empty], [away], { startMs: 150_000, endMs: 300_000 })).toEqual([{ ...empty, gaps: [{ startMs, endMs, cause, detail }], events: [event] }]);
    expect(withOpenGaps([empty], [away], { startMs: 160_000, endMs: 300_000 })).toEqual([empty]);
  });

  it('counts once where it got its row meanwhile', () => {
    const rowed = { ...empty, gaps: [{ startMs, endMs: 161_000, cause, detail }], events: [{ ...event, endMs: 161_000 }] };
    expect(withOpenGaps([rowed], [away], { startMs: 0, endMs: 300_000 })).toEqual([rowed]);
  });

  it('is in the list of events of its camera, the newest where there are too many', () => {
    const other: CameraEvent = { ...event, id: 'other', startMs: 5_000, endMs: 50_000 };
    const query = { cameraIds: [cameraId], startMs: 0, endMs: 300_000, limit: 1 };
    expect(withOpenEvents([other], [away], query)).toEqual([event]);
    expect(withOpenEvents([other], [away], { ...query, limit: 5 })).toEqual([other, event]);
    expect(withOpenEvents([other], [away], { ...query, cameraIds: ['cam-bbbbbbbbbbbb' as CameraId] })).toEqual([other]);
  });
});
