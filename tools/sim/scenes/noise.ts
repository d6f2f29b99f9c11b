/** Owns the repeatable randomness that surfaces are made of: value noise and its sums. */
import { createRandom } from '../media/ambience.ts';

const SIZE = 256;
const random = createRandom(4242);
const TABLE = Float32Array.from({ length: SIZE * SIZE }, () => random());

/** One value between 0 and 1 for each whole-numbered cell. */
export function cellNoise(x: number, y: number): number {
  return TABLE[((Math.floor(y) & 255) << 8) | (Math.floor(x) & 255)] ?? 0;
}

/** Smooth noise between 0 and 1 that changes over a distance of about 1. */
export function smoothNoise(x: number, y: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const fx = x - x0;
  const fy = y - y0;
  const u = fx * fx * (3 - 2 * fx);
  const v = fy * fy * (3 - 2 * fy);
  const row0 = (y0 & 255) << 8;
  const row1 = ((y0 + 1) & 255) << 8;
  const column0 = x0 & 255;
  const column1 = (x0 + 1) & 255;
  const top = (TABLE[row0 | column0] ?? 0) * (1 - u) + (TABLE[row0 | column1] ?? 0) * u;
  const bottom = (TABLE[row1 | column0] ?? 0) * (1 - u) + (TABLE[row1 | column1] ?? 0) * u;
  return top * (1 - v) + bottom * v;
}

/** Noise over several scales, between 0 and 1. */
export function fractalNoise(x: number, y: number, octaves = 4): number {
  let sum = 0;
  let weight = 0.5;
  let scale = 1;
  for (let octave = 0; octave < octaves; octave += 1) {
    sum += weight * smoothNoise(x * scale + octave * 37, y * scale + octave * 17);
    weight *= 0.5;
    scale *= 2.03;
  }
  return sum / (1 - 0.5 ** octaves);
}
