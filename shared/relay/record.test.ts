/** Records: what goes in comes out, sizes show buckets only, and nothing else is taken. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RECORD_BYTES } from './protocol.ts';
import { CONTROL_BUCKET_BYTES, decodeRecord, encodeRecord, HEADER_BYTES, MAX_PAYLOAD_BYTES, plainRecord, readWholeNumbers, RECORD_TAG_BYTES, type SessionRecord, wholeNumbers } from './record.ts';

const U32 = 2 ** 32 - 1;
const buckets = fc.constantFrom(256, 1024, 4096);
const messages: fc.Arbitrary<SessionRecord> = fc.record({
  type: fc.constant('message' as const),
  isFirst: fc.boolean(),
  isLast: fc.boolean(),
  stream: fc.integer({ min: 0, max: 65_535 }),
  camera: fc.integer({ min: 0, max: U32 }),
  frame: fc.integer({ min: 0, max: U32 }),
  ptsMs: fc.maxSafeNat(),
  payload: fc.uint8Array({ maxLength: 3_000 }),
});

describe('a record', () => {
  it('comes back as it was, in a size that tells its bucket only', () => {
    fc.assert(
      fc.property(messages, buckets, (record, bucketBytes) => {
        const plain = encodeRecord(record, bucketBytes);
        expect((plain.length + RECORD_TAG_BYTES) % bucketBytes).toBe(0);
        expect(plain.length + RECORD_TAG_BYTES - bucketBytes).toBeLessThan(HEADER_BYTES + record.payload.length + RECORD_TAG_BYTES);
        expect(decodeRecord(plain)).toEqual(record);
      }),
    );
  });

  it('fills its limit exactly, and holds nothing more', () => {
    const whole = { ...plainRecord('fill', new Uint8Array(MAX_PAYLOAD_BYTES).fill(1)) };
    for (const bucketBytes of [256, 1024, 4096]) expect(encodeRecord(whole, bucketBytes).length + RECORD_TAG_BYTES).toBe(MAX_RECORD_BYTES);
    expect(() => encodeRecord(plainRecord('fill', new Uint8Array(MAX_PAYLOAD_BYTES + 1)), 256)).toThrow(RangeError);
    for (const wrong of [{ stream: 65_536 }, { camera: -1 }, { frame: 0.5 }, { ptsMs: 2 ** 53 }, { ptsMs: Number.NaN }]) expect(() => encodeRecord({ ...whole, ...wrong }, 256)).toThrow(RangeError);
  });

  it('is none with any one byte of its header, its length or its zeros changed to what an honest end does not send', () => {
    const plain = encodeRecord(plainRecord('heartbeat', wholeNumbers(1, 2)), CONTROL_BUCKET_BYTES);
    for (let at = 0; at < plain.length; at += 1) {
      for (const bit of [1, 128]) {
        const changed = plain.slice();
        changed[at] = (changed[at] ?? 0) ^ bit;
        const isPayload = at >= HEADER_BYTES && at < HEADER_BYTES + 16;
        const decoded = decodeRecord(changed);
        if (isPayload) expect(decoded?.type).toBe('heartbeat');
        // A length that is one shorter shows a byte of the payload where zeros belong; one of zero does not.
        else if (decoded !== null) expect([0, 20, 21]).toContain(at);
      }
    }
    for (const size of [0, 1, HEADER_BYTES - 1, HEADER_BYTES, 239, 241, MAX_RECORD_BYTES]) expect(decodeRecord(new Uint8Array(size).fill(0))).toBeNull();
    expect(decodeRecord(plain)?.type).toBe('heartbeat');
  });

  it('is never made of noise that encodes to something else, and decoding never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_024, size: 'max' }), fc.boolean(), (noise, isSized) => {
        const plain = isSized ? noise.slice(0, 240) : noise;
        const record = decodeRecord(plain);
        if (record === null) return;
        expect(encodeRecord(record, CONTROL_BUCKET_BYTES).length).toBeLessThanOrEqual(plain.length);
        const again = encodeRecord(record, plain.length + RECORD_TAG_BYTES);
        expect(again).toEqual(plain);
      }),
      { numRuns: 2_000 },
    );
  });

  it('with whole numbers in it keeps them to 2^53 and refuses larger ones', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat(), { maxLength: 5 }), (values) => {
        expect(readWholeNumbers(wholeNumbers(...values), values.length)).toEqual(values);
      }),
    );
    expect(readWholeNumbers(new Uint8Array(8).fill(255), 1)).toBeNull();
    expect(readWholeNumbers(new Uint8Array(9), 1)).toBeNull();
  });
});
