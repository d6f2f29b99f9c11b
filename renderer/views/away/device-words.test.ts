import { describe, expect, it } from 'vitest';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { ViewLogEntry } from '../../../shared/model/remote.ts';
import { chainSentence, footageWords, grantsLines, untilWords, viewSentence } from './device-words.ts';

const DOOR = 'cam-aaaaaaaaaaaa' as CameraId;
const DRIVE = 'cam-bbbbbbbbbbbb' as CameraId;
const nameOf = (id: CameraId): string => (id === DOOR ? 'Front door' : 'Drive');
const entry: ViewLogEntry = { seq: 1, atMs: 0, deviceId: 'a', deviceName: 'Anna’s phone', kind: 'live', cameraIds: [DOOR], fromMs: null, toMs: null, bytes: 0, path: 'relay', note: null };

describe('what a device may see, in words', () => {
  it('puts cameras of the same rights together, and says all only where it is all', () => {
    const both = { cameras: [{ cameraId: DOOR, rights: ['live', 'playback'] as const }, { cameraId: DRIVE, rights: ['live', 'playback'] as const }], untilMs: null };
    expect(grantsLines(both, [DOOR, DRIVE], nameOf)).toEqual(['All 2 cameras: live, recordings']);
    expect(grantsLines(both, [DOOR, DRIVE, 'cam-cccccccccccc' as CameraId], nameOf)).toEqual(['Front door and Drive: live, recordings']);
    expect(grantsLines({ ...both, cameras: [{ cameraId: DOOR, rights: ['live'] }, { cameraId: DRIVE, rights: ['previews'] }] }, [DOOR, DRIVE], nameOf)).toEqual(['Front door: live', 'Drive: previews']);
    expect(grantsLines({ cameras: [{ cameraId: DOOR, rights: [] }], untilMs: null }, [DOOR], nameOf)).toEqual(['No camera']);
  });

  it('says an end date as a day, and that it is over', () => {
    const untilMs = new Date(2026, 11, 4).getTime();
    expect(untilWords({ cameras: [], untilMs }, untilMs - 1)).toMatch(/^Until the end of .*3/);
    expect(untilWords({ cameras: [], untilMs }, untilMs)).toMatch(/^Ended with .*nothing now$/);
    expect(untilWords({ cameras: [], untilMs: null }, 0)).toBeNull();
  });
});

describe('the log of views, in words', () => {
  it('says what was watched, of which cameras and when', () => {
    expect(viewSentence(entry, nameOf)).toBe('watched Front door live');
    expect(viewSentence({ ...entry, kind: 'playback', cameraIds: [DOOR, DRIVE] }, nameOf)).toBe('watched recordings of Front door and Drive');
    expect(viewSentence({ ...entry, kind: 'refused', note: 'no right' }, nameOf)).toBe('was refused: Front door');
    expect(viewSentence({ ...entry, kind: 'playback', note: 'another time' }, nameOf)).toBe('went on to other recordings of Front door');
    const noon = new Date(2026, 10, 21, 12).getTime();
    expect(footageWords({ fromMs: noon, toMs: noon + 600_000 })).toMatch(/21.*12.*–.*12/);
  });

  it('tells a whole log from a broken one', () => {
    expect(chainSentence({ intact: true, brokenAtSeq: null, length: 1234 })).toMatch(/is whole: 1.?234 entries/);
    expect(chainSentence({ intact: false, brokenAtSeq: 812, length: 1234 })).toMatch(/not whole: entry 812 /);
    expect(chainSentence({ intact: true, brokenAtSeq: null, length: 0 })).toMatch(/Nobody has looked in yet/);
  });
});
