/** Frames there and back, whatever comes in. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeFrame, encodeFrame } from '../../../../shared/contract/frame.ts';
import { utf8 } from './text-codec.ts';

it('carry every head and payload unchanged', () => {
  fc.assert(
    fc.property(fc.json(), fc.uint8Array({ minLength: 1, maxLength: 300 }), (json, payload) => {
      const head: unknown = JSON.parse(json);
      const back = decodeFrame(encodeFrame({ head, payload }, utf8), utf8);
      expect(JSON.stringify(back.head)).toBe(JSON.stringify(head));
      expect([...(back.payload ?? [])]).toEqual([...payload]);
      expect(decodeFrame(encodeFrame({ head, payload: null }, utf8), utf8).payload).toBeNull();
    }),
  );
});

it('refuse garbage by throwing, never by reading beyond it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        const { payload } = decodeFrame(bytes, utf8);
        expect((payload?.length ?? 0) + 4).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
    { numRuns: 1000 },
  );
});
