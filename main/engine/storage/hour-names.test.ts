import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CameraId } from '../../../shared/model/ids.ts';
import { HourNames } from './hour-names.ts';
import { decodeSegmentName, encodeSegmentName, segmentFileName, segmentFolder } from './segment-name.ts';

const key = { cameraId: 'cam-abcdefghijkl' as CameraId, stream: 'main' as const };
const FOLDER = 'cam-abcdefghijkl/main/2026-11-21/14';

describe('the names of an hour', () => {
  it('are those that segments have one by one', () => {
    const names = fc.record({ startMs: fc.integer({ min: 0, max: Date.UTC(10_000, 0, 1) - 1 }), session: fc.maxSafeNat(), sequence: fc.maxSafeNat() });
    fc.assert(fc.property(names, (some) => {
      const folder = segmentFolder({ ...key, ...some });
      const hour = new HourNames(folder);
      const fileName = hour.name(some.startMs, some.session, some.sequence);
      expect(`${folder}/${fileName}`).toBe(encodeSegmentName({ ...key, ...some }));
      expect(hour.read(fileName)).toEqual(some);
    }));
  });

  it('are read as segment names are, whatever they are', () => {
    const good = segmentFileName({ startMs: Date.UTC(2026, 10, 21, 14, 15, 0, 250), session: 1763734500000, sequence: 12 });
    const hour = new HourNames(FOLDER);
    const damaged = fc.tuple(fc.nat({ max: good.length - 1 }), fc.constantFrom(...Array.from('0123456789-.sTZmp4 /é')), fc.boolean()).map(([at, char, insert]) => good.slice(0, at) + char + good.slice(insert ? at : at + 1));
    fc.assert(fc.property(fc.oneof(damaged, fc.string()), (fileName) => {
      const whole = decodeSegmentName(`${FOLDER}/${fileName}`);
      expect(hour.read(fileName)).toEqual(whole === null ? null : { startMs: whole.startMs, session: whole.session, sequence: whole.sequence });
    }), { numRuns: 2_000 });
  });
});
