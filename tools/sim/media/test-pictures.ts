/** Owns the plain test footage: a shaded ground, things that move, detail to spend bits on, and the frame code at the foot. */
import { drawFrameCode, type YuvPicture } from '../frame-code.ts';
import { createRandom } from './ambience.ts';
import type { PictureSeries } from './encode.ts';

interface TestPictureOptions {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly frames: number;
  /** Tells one camera's pictures from another's. */
  readonly seed: number;
}

function paintGround(picture: YuvPicture, seed: number): void {
  const { width, height, y, u, v } = picture;
  for (let line = 0; line < height; line += 1) {
    for (let x = 0; x < width; x += 1) y[line * width + x] = 60 + Math.round((80 * line) / height + (40 * x) / width);
  }
  u.fill(128 + ((seed * 37) % 40) - 20);
  v.fill(128 + ((seed * 61) % 40) - 20);
}

/** Draws the moving parts of one picture over the ground; the code is drawn by the caller. */
export function createTestPainter(options: Pick<TestPictureOptions, 'width' | 'height' | 'seed'>): (index: number, picture: YuvPicture) => void {
  const { width, height, seed } = options;
  const ground: YuvPicture = { width, height, y: new Uint8Array(width * height), u: new Uint8Array((width * height) / 4), v: new Uint8Array((width * height) / 4) };
  paintGround(ground, seed);
  const random = createRandom(seed + 1);
  const noise = Uint8Array.from({ length: 65_536 + width }, () => 40 + Math.floor(random() * 160));
  const patch = Math.floor(height / 4);
  return (index, picture) => {
    picture.y.set(ground.y);
    picture.u.set(ground.u);
    picture.v.set(ground.v);
    const left = (index * 4 + seed * 50) % (width - patch);
    for (let line = 0; line < patch; line += 1) {
      const from = (line * 1021 + index * 37) % 65_536;
      picture.y.set(noise.subarray(from, from + patch), (line + patch) * width + left);
    }
    const bar = (index * 7) % width;
    for (let line = 0; line < patch; line += 1) picture.y.fill(220, line * width + bar, line * width + Math.min(bar + 12, width));
  };
}

/** Footage with the frame number (and no clock) in each picture. */
export function testPictures(options: TestPictureOptions): PictureSeries {
  return {
    ...options,
    key: `test-1-${options.seed}`,
    createPainter: () => {
      const paint = createTestPainter(options);
      return (index, picture) => {
        paint(index, picture);
        drawFrameCode(picture, { frameNumber: index, clockMs: 0 });
      };
    },
  };
}
