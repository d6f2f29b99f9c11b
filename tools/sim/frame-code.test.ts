import { expect, test } from 'vitest';
import { drawFrameCode, readFrameCode, type YuvPicture } from './frame-code.ts';

function picture(width: number, height: number): YuvPicture {
  return { width, height, y: new Uint8Array(width * height).fill(90), u: new Uint8Array((width * height) / 4), v: new Uint8Array((width * height) / 4) };
}

test.each([
  [320, 180],
  [480, 270],
  [640, 360],
  [1280, 720],
  [1920, 1080],
])('what is drawn at %d × %d is read back, as grey and as RGBA', (width, height) => {
  const code = { frameNumber: 4_000_000_123, clockMs: Date.UTC(2038, 0, 19, 3, 14, 8) + 7 };
  const drawn = picture(width, height);
  drawFrameCode(drawn, code);
  expect(readFrameCode(drawn.y, width, height)).toEqual(code);
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < rgba.length; i += 1) rgba[i] = drawn.y[i >> 2] ?? 0;
  expect(readFrameCode(rgba, width, height)).toEqual(code);
});

test('a picture without a code, or with a block turned over, reads as null', () => {
  const plain = picture(640, 360);
  expect(readFrameCode(plain.y, 640, 360)).toBeNull();
  expect(readFrameCode(new Uint8Array(640 * 360), 640, 360)).toBeNull();
  drawFrameCode(plain, { frameNumber: 17, clockMs: 0 });
  for (let line = 330; line < 340; line += 1) for (let x = 0; x < 20; x += 1) plain.y[line * 640 + x] = 251 - (plain.y[line * 640 + x] ?? 0);
  expect(readFrameCode(plain.y, 640, 360)).toBeNull();
});
