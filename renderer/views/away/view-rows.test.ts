import { describe, expect, it } from 'vitest';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { ViewLogEntry, Watching } from '../../../shared/model/remote.ts';
import { bytesOf, footageOf, isGoingOn, lengthOf, noteOf, viewGroups, viewRows } from './view-rows.ts';

const DOOR = 'cam-aaaaaaaaaaaa' as CameraId;
const DRIVE = 'cam-bbbbbbbbbbbb' as CameraId;
const line = (seq: number, over: Partial<ViewLogEntry>): ViewLogEntry => ({
  seq, atMs: 1_000_000 + seq * 1_000, deviceId: 'a', deviceName: 'Anna’s phone', kind: 'live', cameraIds: [DOOR], fromMs: null, toMs: null, bytes: 0, path: 'relay', note: null, ...over,
});
const newestFirst = (...lines: readonly ViewLogEntry[]): readonly ViewLogEntry[] => lines.toReversed();
const watching: Watching = { deviceId: 'a', deviceName: 'Anna’s phone', sinceMs: 1_001_000, cameraIds: [DOOR], sentBytes: 0 };

describe('the log of views as it is read', () => {
  it('shows a view once, with how long it was, what was seen and how much went out', () => {
    const rows = viewRows(newestFirst(
      line(1, { kind: 'session', cameraIds: [], fromMs: 500 }),
      line(2, { fromMs: 1_002_000 }),
      line(3, { kind: 'playback', fromMs: 7_000 }),
      line(4, { kind: 'playback', fromMs: 6_000, toMs: 9_000, bytes: 21, note: 'ended' }),
      line(5, { fromMs: 1_002_000, toMs: 1_005_000, bytes: 48, note: 'ended' }),
      line(6, { kind: 'session', cameraIds: [], fromMs: 500, toMs: 1_006_000, bytes: 70, note: 'the viewer went' }),
    ));
    expect(rows.map(({ entry }) => entry.seq)).toEqual([3, 2, 1]);
    expect(rows.map(bytesOf)).toEqual([21, 48, 70]);
    expect(rows.map(footageOf)).toEqual([{ fromMs: 6_000, toMs: 9_000 }, null, null]);
    expect(rows.map(lengthOf)).toEqual([null, 3_000, 5_000]);
    expect(rows.map(noteOf)).toEqual([null, null, null]);
  });

  it('does not take the end of one camera, device or session for that of another', () => {
    const rows = viewRows(newestFirst(
      line(1, { kind: 'session', cameraIds: [], fromMs: 500 }),
      line(2, {}),
      line(3, { cameraIds: [DRIVE], note: 'ended' }),
      line(4, { deviceId: 'b', note: 'ended' }),
      line(5, { kind: 'session', cameraIds: [], fromMs: 900, toMs: 950, note: 'gone' }),
    ));
    expect(rows.map(({ entry, closing }) => [entry.seq, closing])).toEqual([[5, null], [4, null], [3, null], [2, null], [1, null]]);
  });

  it('keeps two views of one camera apart, and loses no line', () => {
    const rows = viewRows(newestFirst(line(1, { fromMs: 1 }), line(2, { fromMs: 2 }), line(3, { fromMs: 1, toMs: 9, note: 'ended' })));
    expect(rows.map(({ entry, closing }) => [entry.seq, closing?.seq ?? null])).toEqual([[2, null], [1, 3]]);
    expect(viewRows(newestFirst(line(1, { kind: 'refused', note: 'sound' }), line(2, { kind: 'refused', note: 'sound' })))).toHaveLength(2);
  });

  it('says that something goes on only while its device has that camera open', () => {
    const [live] = viewRows([line(2, {})]);
    const [before] = viewRows([line(2, { atMs: 900_000 })]);
    const [ended] = viewRows(newestFirst(line(2, {}), line(3, { note: 'ended' })));
    if (live === undefined || before === undefined || ended === undefined) throw new Error('no rows');
    expect(isGoingOn(live, [watching])).toBe(true);
    expect(isGoingOn(live, [{ ...watching, cameraIds: [DRIVE] }])).toBe(false);
    expect(isGoingOn(live, [])).toBe(false);
    expect(isGoingOn(before, [watching])).toBe(false);
    expect(isGoingOn(ended, [watching])).toBe(false);
  });
});

describe('views that began together', () => {
  const camerasOf = (...lines: readonly ViewLogEntry[]) => viewGroups(viewRows(newestFirst(...lines))).map(({ rows, cameraIds }) => [rows[0].entry.kind, cameraIds]);

  it('stand in one line, each camera once', () => {
    expect(camerasOf(line(1, {}), line(2, { cameraIds: [DRIVE] }), line(3, {}))).toEqual([['live', [DOOR]], ['live', [DOOR, DRIVE]]]);
    expect(camerasOf(line(1, {}), line(2, { kind: 'previews' }), line(3, { cameraIds: [DRIVE] }))).toEqual([['previews', [DOOR]], ['live', [DOOR, DRIVE]]]);
  });

  it('are of one device, one reason, about one time and about the same footage', () => {
    const apart: readonly Partial<ViewLogEntry>[] = [{ deviceId: 'b' }, { atMs: 1_020_000 }, { kind: 'playback', fromMs: 90_000 }];
    for (const over of apart) expect(camerasOf(line(1, { ...(over.kind === undefined ? {} : { kind: over.kind, fromMs: 1_000 }) }), line(2, { cameraIds: [DRIVE], ...over }))).toHaveLength(2);
    expect(camerasOf(line(1, { kind: 'refused', note: 'live without the right' }), line(2, { kind: 'refused', cameraIds: [DRIVE], note: 'sound without the right' }))).toHaveLength(2);
    const [group] = viewGroups(viewRows([line(1, { kind: 'refused', note: 'sound without the right' })]));
    expect(group === undefined ? null : noteOf(group.rows[0])).toBe('Sound is not among its rights.');
  });
});
