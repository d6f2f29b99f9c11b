import { expect, it } from 'vitest';
import { adtsStreamOf, packAdts } from './adts.ts';

it('reads what a camera says of its AAC-LC, and leaves other sound alone', () => {
  // 16 kHz mono, 48 kHz stereo, as encoders write them.
  expect(adtsStreamOf(Uint8Array.of(0x14, 0x08))).toEqual({ profile: 1, frequencyIndex: 8, channels: 1, sampleRate: 16_000 });
  expect(adtsStreamOf(Uint8Array.of(0x11, 0x90))).toEqual({ profile: 1, frequencyIndex: 3, channels: 2, sampleRate: 48_000 });
  // HE-AAC (object type 5), a rate written out (index 15), nothing.
  expect(adtsStreamOf(Uint8Array.of(0x2b, 0x8a))).toBeNull();
  expect(adtsStreamOf(Uint8Array.of(0x17, 0x88))).toBeNull();
  expect(adtsStreamOf(new Uint8Array(0))).toBeNull();
});

it('puts a header with its length before each packet', () => {
  const stream = adtsStreamOf(Uint8Array.of(0x14, 0x08));
  if (stream === null) throw new Error('AAC-LC');
  const bytes = packAdts(stream, [new Uint8Array(300).fill(7), new Uint8Array(5)]);
  expect(bytes).toHaveLength(300 + 5 + 14);
  const lengthAt = (at: number): number => (((bytes[at + 3] ?? 0) & 3) << 11) | ((bytes[at + 4] ?? 0) << 3) | ((bytes[at + 5] ?? 0) >> 5);
  expect([...bytes.subarray(0, 2)]).toEqual([0xff, 0xf1]);
  expect(lengthAt(0)).toBe(307);
  expect([...bytes.subarray(307, 309)]).toEqual([0xff, 0xf1]);
  expect(lengthAt(307)).toBe(12);
});
