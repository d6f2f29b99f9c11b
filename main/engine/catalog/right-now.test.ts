import { describe, expect, it } from 'vitest';
import { GAP_CAUSES, type Gap } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { CameraEvent } from '../../../shared/model/timeline.ts';
import { offlineEvent } from './camera-events.ts';
import { withOpenEvents, withOpenGaps } from './right-now.ts';

const cameraId = 'cam-aaaaaaaaaaaa' as CameraId;
const away: Gap = { cameraId, stream: 'main', startMs: 100_000.4, endMs: 160_000, cause: 'camera-unreachable', detail: 'no answer' };
const event: CameraEvent = { id: 'offline-cam-aaaaaaaaaaaa-100000', cameraId, kind: 'camera-offline', label: 'Camera could not be reached', startMs: 100_000.4, endMs: 160_000 };

describe('the event of a gap', () => {
  it('goes from loss to return and says why', () => {
    expect(offlineEvent(away)).toEqual(event);
  });

  it('is there for what lies with the camera, and for nothing else', () => {
    const told = GAP_CAUSES.filter((cause) => offlineEvent({ ...away, cause }) !== null);
    expect(told).toEqual(['camera-unreachable', 'camera-refused', 'stream-stalled']);
  });

  it('is not there for a moment, nor for the small stream', () => {
    expect(offlineEvent({ ...away, endMs: away.startMs + 9_999 })).toBeNull();
    expect(offlineEvent({ ...away, stream: 'sub' })).toBeNull();
  });

  it('is the same one while the outage goes on', () => {
    expect(offlineEvent({ ...away, endMs: 130_000 })?.id).toBe(event.id);
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
