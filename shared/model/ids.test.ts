import { expect, it } from 'vitest';
import { cameraIdFrom, isCameraId, isRootId, rootIdFrom } from './ids.ts';

it('makes ids that it accepts', () => {
  const random = Uint8Array.from({ length: 12 }, (_, index) => index * 21);
  expect(isCameraId(cameraIdFrom(random))).toBe(true);
  expect(isRootId(rootIdFrom(random))).toBe(true);
  expect(() => cameraIdFrom(new Uint8Array(11))).toThrow('twelve');
});

it.each(['', '..', 'cam-../../etc', 'cam-AAAAAAAAAAAA', 'cam-aaaaaaaaaaa', 'cam-aaaaaaaaaaaaa', 'disk-aaaaaaaaaaaa', 'cam-aaaaaaaaaaa\n', 'cam-aaaaaaaaaaa/'])('refuses %j as a camera id', (text) => {
  expect(isCameraId(text)).toBe(false);
});
