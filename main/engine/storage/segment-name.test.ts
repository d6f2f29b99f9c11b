import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CameraId } from '../../../shared/model/ids.ts';
import { compareSegmentOrder, decodeSegmentFileName, decodeSegmentName, encodeSegmentName, isDayFolder, isHourFolder, type SegmentName, segmentFileName } from './segment-name.ts';

const camera = 'cam-abcdefghijkl' as CameraId;
const name: SegmentName = { cameraId: camera, stream: 'main', startMs: Date.UTC(2026, 10, 21, 14, 15, 0, 250), session: 1763734500000, sequence: 12 };
const path = 'cam-abcdefghijkl/main/2026-11-21/14/20261121T141500.250Z-s1763734500000-000012.mp4';

describe('segment names', () => {
  it('spells a segment as the design page does, and reads it back', () => {
    expect(encodeSegmentName(name)).toBe(path);
    expect(decodeSegmentName(path)).toEqual(name);
  });

  it('drops fractions of a millisecond', () => {
    expect(segmentFileName({ ...name, startMs: name.startMs + 0.9 })).toBe(segmentFileName(name));
  });

  it('reads back every name it can make', () => {
    const names = fc.record({
      cameraId: fc.constant(camera),
      stream: fc.constantFrom('main' as const, 'sub' as const),
      startMs: fc.integer({ min: 0, max: Date.UTC(10_000, 0, 1) - 1 }),
      session: fc.maxSafeNat(),
      sequence: fc.maxSafeNat(),
    });
    fc.assert(fc.property(names, (some) => {
      expect(decodeSegmentName(encodeSegmentName(some))).toEqual(some);
    }));
  });

  it.each([
    ['', 'nothing'],
    ['/', 'separators only'],
    [`/${path}`, 'absolute'],
    [`../${path}`, 'outside the root'],
    [path.replace('2026-11-21/14', '2026-11-21/../14'), 'a step up inside'],
    [path.replace('cam-abcdefghijkl', 'cam-ABCDEFGHIJKL'), 'camera id in capitals'],
    [path.replace('/main/', '/previews/'), 'not a stream'],
    [path.replace('/14/', '/15/'), 'hour folder of another hour'],
    [path.replace('2026-11-21', '2026-11-22'), 'day folder of another day'],
    [path.replaceAll('/', '\\'), 'backslashes'],
    [path.replace('000012', '12'), 'sequence too short'],
    [path.replace('000012', '0000012'), 'a second spelling of the sequence'],
    [path.replace('s17637', 's017637'), 'a second spelling of the session'],
    [path.replace('-s1763734500000', '-s99999999999999999'), 'session no number can hold'],
    [path.replace('.mp4', '.mp4\n'), 'trailing line break'],
    [path.replace('.mp4', '.mp4\0.txt'), 'trailing zero byte'],
    [path.replace('.mp4', '.MP4'), 'extension in capitals'],
    [path.replace('.mp4', '.mp4.new'), 'another file beside it'],
    [path.replace('.250Z', '.250'), 'no zone'],
    ['cam-abcdefghijkl/main/2026-02-30/14/20260230T141500.250Z-s1-000012.mp4', 'a day that does not exist'],
    ['cam-abcdefghijkl/main/2026-11-21/24/20261121T240000.000Z-s1-000012.mp4', 'hour 24'],
    [`${path}/more`, 'below the file'],
    ['_-+*?^$()[]{}|', 'signs only'],
  ])('refuses %j (%s)', (hostile) => {
    expect(decodeSegmentName(hostile)).toBeNull();
  });

  it('never mistakes noise for a name it did not make', () => {
    fc.assert(fc.property(fc.string(), (noise) => {
      const read = decodeSegmentFileName(noise);
      if (read !== null) expect(segmentFileName(read)).toBe(noise);
    }));
  });

  it('refuses to name what no name can hold', () => {
    for (const broken of [{ startMs: -1 }, { startMs: Number.NaN }, { startMs: Date.UTC(10_000, 0, 1) }, { session: -1 }, { session: 1.5 }, { sequence: -1 }, { sequence: Number.MAX_SAFE_INTEGER + 1 }]) {
      expect(() => encodeSegmentName({ ...name, ...broken })).toThrow(RangeError);
    }
  });

  it('knows day and hour folders', () => {
    expect(['2026-11-21', '2028-02-29'].map(isDayFolder)).toEqual([true, true]);
    expect(['2026-11-32', '2027-02-29', '2026-1-1', '2026-11-21 ', 'x2026-11-21'].map(isDayFolder)).toEqual([false, false, false, false, false]);
    expect(['00', '23', '24', '7', '007', ' 7'].map(isHourFolder)).toEqual([true, true, false, false, false, false]);
  });

  it('orders by session and sequence, also where the clock went back (T1)', () => {
    const later = { session: 5, sequence: 0, startMs: 1 };
    const earlier = { session: 4, sequence: 9, startMs: 2 };
    expect([later, earlier].toSorted(compareSegmentOrder)).toEqual([earlier, later]);
  });
});
