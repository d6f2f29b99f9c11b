/** Owns the drive at dusk: a garage with its lamp on, a street lamp, a car coming home. */
import { asphalt, bricks, glow, lawn, leaves, leafHoles, paint, siding, slabs, type Colour } from './materials.ts';
import { fractalNoise } from './noise.ts';
import { hedge, house, tree } from './porch.ts';
import { box, capsule, ellipsoid, type Solid, type Vector } from './solids.ts';
import { normalize, type World } from './world.ts';

const GROUND = -0.55;
const GARAGE_X = -2.5;

function garage(): Solid[] {
  const solids = [
    box([-8, GROUND, 1.2], [GARAGE_X, 3.2, 8.2], siding([0.42, 0.4, 0.36])),
    box([-8.3, 3.15, 0.9], [GARAGE_X + 0.35, 3.35, 8.5], paint([0.2, 0.19, 0.2])),
    box([GARAGE_X - 0.02, GROUND, 7.9], [GARAGE_X + 0.06, 3.15, 8.1], paint([0.6, 0.58, 0.54])),
    box([GARAGE_X, GROUND, 1.2], [GARAGE_X + 0.04, GROUND + 0.5, 8.2], bricks([0.32, 0.15, 0.1], [0.4, 0.38, 0.35])),
    // The garage door in its frame, in five panels.
    box([GARAGE_X, GROUND, 3.1], [GARAGE_X + 0.09, 2.05, 6.9], paint([0.55, 0.53, 0.5])),
    box([GARAGE_X - 0.2, 2.62, 2.5], [GARAGE_X + 0.12, 2.68, 2.7], paint([0.1, 0.1, 0.1])),
    ellipsoid([GARAGE_X + 0.16, 2.42, 2.55], [0.09, 0.14, 0.09], glow([1, 0.72, 0.4], 9), { opaque: false }),
    ellipsoid([GARAGE_X + 0.16, 2.42, 7.45], [0.09, 0.14, 0.09], glow([1, 0.72, 0.4], 9), { opaque: false }),
  ];
  for (let i = 0; i < 5; i += 1) solids.push(box([GARAGE_X, GROUND + 0.06 + i * 0.5, 3.25], [GARAGE_X + 0.12, GROUND + 0.5 + i * 0.5, 6.75], paint([0.7, 0.68, 0.64])));
  return solids;
}

function ground(): Solid[] {
  const drive = asphalt([0.17, 0.165, 0.17]);
  return [
    box([-60, GROUND - 1, -2], [60, GROUND - 0.02, 16.5], lawn([0.11, 0.2, 0.06])),
    box([GARAGE_X, GROUND - 1, -2], [2.7, GROUND, 16.5], drive),
    box([2.7, GROUND - 1, -2], [2.85, GROUND + 0.07, 16.5], slabs([0.4, 0.39, 0.37], 0.6)),
    box([-60, GROUND - 1, 16.5], [60, GROUND + 0.02, 18], slabs([0.42, 0.41, 0.4], 0.9)),
    box([-60, GROUND - 1, 18], [60, GROUND - 0.06, 25], asphalt([0.1, 0.1, 0.11])),
    box([-60, GROUND - 1, 25], [60, GROUND + 0.02, 70], lawn([0.1, 0.17, 0.06])),
  ];
}

function streetLamp(x: number, z: number): Solid[] {
  const steel = paint([0.12, 0.13, 0.13]);
  return [
    capsule([x, GROUND, z], [x, 4.6, z], 0.06, steel),
    capsule([x, 4.6, z], [x - 1.1, 4.85, z], 0.045, steel),
    ellipsoid([x - 1.25, 4.8, z], [0.26, 0.07, 0.12], glow([1, 0.8, 0.5], 10), { opaque: false }),
  ];
}

function shrubs(): Solid[] {
  const solids: Solid[] = [];
  const places: readonly (readonly [Vector, number, Colour])[] = [
    [[3.7, -0.2, 4.2], 0.5, [0.09, 0.17, 0.06]],
    [[4.3, -0.1, 5.2], 0.62, [0.1, 0.2, 0.07]],
    [[3.8, -0.2, 6.4], 0.5, [0.13, 0.18, 0.06]],
    [[4.4, -0.15, 7.6], 0.58, [0.08, 0.17, 0.06]],
    [[3.9, -0.25, 8.8], 0.44, [0.11, 0.19, 0.06]],
  ];
  for (const [centre, radius, colour] of places) solids.push(ellipsoid(centre, [radius, radius * 0.9, radius], leaves(colour), { cutout: leafHoles(centre, radius), leafy: true }));
  return solids;
}

function duskSky(dx: number, dy: number, dz: number, out: Float32Array): void {
  const up = Math.max(0.01, dy);
  const low = Math.exp(-up * 7);
  const cloud = Math.max(0, fractalNoise((dx / (up + 0.12)) * 0.9, (dz / (up + 0.12)) * 0.5, 4) - 0.45) * 1.6 * Math.exp(-up * 2);
  const west = 0.6 + 0.4 * dx;
  out[0] = 0.1 + 0.75 * low * west + 0.5 * cloud * low;
  out[1] = 0.15 + 0.36 * low * west + 0.16 * cloud;
  out[2] = 0.34 + 0.2 * low + 0.16 * cloud;
}

export const DRIVE: World = {
  eye: [1.9, 3.15, -1.6],
  target: [-0.1, 0.2, 7.2],
  fovDegrees: 88,
  solids: [
    ...garage(),
    ...ground(),
    ...streetLamp(4.9, 16),
    ...shrubs(),
    ...hedge([3.6, GROUND, 12.6], [14, GROUND + 1.1, 13.4], [0.06, 0.13, 0.05]),
    ...hedge([-13, GROUND, 12.6], [-3.4, GROUND + 1.1, 13.4], [0.06, 0.13, 0.05]),
    ...house(-6.5, 31, 9, [0.3, 0.27, 0.26], [0.1, 0.09, 0.1], 2.6),
    ...house(7, 32, 10, [0.26, 0.27, 0.31], [0.1, 0.1, 0.11], 1.7),
    ...tree([8.2, GROUND, 10.5], 5.4, 2, [0.1, 0.18, 0.07], 0.5),
    box([3.2, GROUND, 15.6], [3.75, GROUND + 1, 16.2], paint([0.06, 0.13, 0.09])),
  ],
  sun: { to: normalize([0.7, 0.2, 0.7]), colour: [0.1, 0.06, 0.06], softness: 0.6 },
  skyLight: [0.17, 0.2, 0.34],
  groundLight: [0.06, 0.055, 0.06],
  sky: duskSky,
  lamps: [
    { at: [GARAGE_X + 0.42, 2.34, 2.55], colour: [1, 0.66, 0.34], strength: 4.6, shadows: true },
    { at: [GARAGE_X + 0.42, 2.34, 7.45], colour: [1, 0.66, 0.34], strength: 4.6, shadows: true },
    { at: [3.65, 4.6, 16], colour: [1, 0.76, 0.46], strength: 9, shadows: true },
  ],
  exposure: 1.5,
  infrared: false,
  hazeM: 200,
};
