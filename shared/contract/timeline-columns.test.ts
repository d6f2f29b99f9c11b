import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GAP_CAUSES } from '../model/gap.ts';
import type { CameraId } from '../model/ids.ts';
import { type DrawnCamera, EVENT_KINDS } from '../model/timeline.ts';
import { columnsOf, decodeColumns, drawnFrom, encodeColumns } from './timeline-columns.ts';

const CAMERA = 'cam-aaaaaaaaaaaa' as CameraId;
const range = { startMs: fc.double({ min: 0, max: 4e12, noNaN: true }), endMs: fc.double({ min: 0, max: 4e12, noNaN: true }) };
const camera: fc.Arbitrary<DrawnCamera> = fc.record({
  cameraId: fc.constant(CAMERA),
  spans: fc.array(fc.record(range)),
  gaps: fc.array(fc.record({ ...range, cause: fc.constantFrom(...GAP_CAUSES) })),
  events: fc.array(fc.record({ ...range, kind: fc.constantFrom(...EVENT_KINDS) })),
  absent: fc.array(fc.record(range), { minLength: 1 }),
}, { requiredKeys: ['cameraId', 'spans', 'gaps', 'events'] });
const decoded = (bytes: Uint8Array): DrawnCamera[] => decodeColumns(bytes).map((columns) => drawnFrom(CAMERA, columns));

describe('columns of a timeline', () => {
  it('come back as they were, wherever they lie in memory', () => {
    fc.assert(
      fc.property(fc.array(camera, { maxLength: 5 }), fc.integer({ min: 0, max: 9 }), (cameras, offset) => {
        const bytes = encodeColumns(cameras.map(columnsOf));
        // A frame's payload begins anywhere (frame.ts).
        const frame = new Uint8Array(offset + bytes.length);
        frame.set(bytes, offset);
        expect(decoded(frame.subarray(offset))).toEqual(cameras);
      }),
    );
  });

  it('of no camera are not nothing: an answer without bytes would be another', () => {
    expect(encodeColumns([]).length).toBeGreaterThan(0);
    expect(decodeColumns(encodeColumns([]))).toEqual([]);
  });

  it('of another length than they say are refused', () => {
    const bytes = encodeColumns([columnsOf({ spans: [{ startMs: 1, endMs: 2 }], gaps: [], events: [] })]);
    expect(() => decodeColumns(bytes.subarray(0, bytes.length - 8))).toThrow('length');
    expect(() => decodeColumns(Uint8Array.of(255, 255, 0, 0))).toThrow('head');
    expect(() => decodeColumns(new Uint8Array())).toThrow('head');
  });
});
