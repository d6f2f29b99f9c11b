/** Owns the porch: boards, railing, steps and a path to the street, in late sun; somebody comes and goes. */
import { asphalt, boards, bricks, lawn, leafHoles, leaves, paint, panes, siding, slabs, type Colour } from './materials.ts';
import { fractalNoise } from './noise.ts';
import { box, capsule, ellipsoid, type Solid, type Vector } from './solids.ts';
import { normalize, type World } from './world.ts';

const WHITE = paint([0.78, 0.76, 0.7]);
const GROUND = -0.55;

/** A tree: trunk and a crown of overlapping clumps. */
export function tree(at: Vector, height: number, crown: number, colour: Colour, seed: number): Solid[] {
  const bark = paint([0.12, 0.085, 0.06], 0.5);
  const solids: Solid[] = [capsule(at, [at[0] + 0.1, at[1] + height * 0.7, at[2]], 0.05 * height, bark)];
  for (let i = 0; i < 11; i += 1) {
    const angle = i * 2.4 + seed;
    const out = crown * (0.25 + 0.55 * ((i * 0.37 + seed * 0.61) % 1));
    const centre: Vector = [at[0] + Math.cos(angle) * out, at[1] + height * 0.72 + (((i * 0.53 + seed) % 1) - 0.35) * crown * 1.1, at[2] + Math.sin(angle) * out * 0.8];
    const radius = crown * (0.42 + 0.22 * ((i * 0.71 + seed) % 1));
    solids.push(ellipsoid(centre, [radius, radius * 0.8, radius], leaves(colour), { cutout: leafHoles(centre, radius), leafy: true }));
  }
  return solids;
}

/** A clipped hedge from one end to the other along x. */
export function hedge(low: Vector, high: Vector, colour: Colour): Solid[] {
  const solids: Solid[] = [box([low[0], low[1], low[2] + 0.1], [high[0], high[1] - 0.12, high[2]], leaves(colour))];
  const step = 0.42;
  for (let x = low[0]; x < high[0]; x += step) {
    const wobble = fractalNoise(x * 3, low[2]);
    const centre: Vector = [x, high[1] - 0.2 + wobble * 0.1, low[2] + 0.2];
    solids.push(ellipsoid(centre, [0.4, 0.24 + wobble * 0.08, 0.3], leaves(colour), { cutout: leafHoles(centre, 0.3), leafy: true }));
  }
  return solids;
}

/** A house seen from its front, with a gable, windows and a door. */
export function house(x: number, z: number, width: number, wall: Colour, roof: Colour, lit: number): Solid[] {
  const base = GROUND;
  const eaves = base + 3.6;
  const slope = (px: number, py: number): boolean => py > eaves + 2.3 * (1 - Math.abs(px - x) / (width / 2 + 0.5));
  const glass: Colour = lit > 0 ? [0.95, 0.7, 0.35] : [0.16, 0.2, 0.26];
  const pane = (px: number, py: number, w: number, h: number): Solid =>
    box([px - w / 2, py, z - 0.06], [px + w / 2, py + h, z + 0.02], panes([0.75, 0.74, 0.7], glass, [px - w / 2, py], [px + w / 2, py + h], 2, 2, lit));
  return [
    box([x - width / 2, base, z], [x + width / 2, eaves, z + 7], siding(wall)),
    box([x - width / 2, eaves, z], [x + width / 2, eaves + 2.2, z + 0.2], siding(wall), { cutout: slope }),
    box([x - width / 2 - 0.4, eaves - 0.05, z - 0.3], [x + width / 2 + 0.4, eaves + 2.4, z + 7.3], boards(roof, 0.3, true), { cutout: (px, py) => slope(px, py) || py < eaves + 2.3 * (1 - Math.abs(px - x) / (width / 2 + 0.5)) - 0.28 }),
    pane(x - width * 0.28, base + 1.1, 1.5, 1.3),
    pane(x + width * 0.28, base + 1.1, 1.5, 1.3),
    pane(x, base + 4, 1, 0.9),
    box([x - 0.5, base, z - 0.08], [x + 0.5, base + 2.1, z], paint([0.3, 0.08, 0.06])),
  ];
}

function railing(from: number, to: number): Solid[] {
  const z = 2.46;
  const solids = [box([from, 0.86, z - 0.04], [to, 0.92, z + 0.05], WHITE), box([from, 0.1, z - 0.02], [to, 0.15, z + 0.03], WHITE)];
  for (let x = from + 0.1; x < to; x += 0.145) solids.push(box([x - 0.018, 0.15, z - 0.015], [x + 0.018, 0.86, z + 0.02], WHITE));
  return solids;
}

function porchItself(): Solid[] {
  const solids = [
    box([-3.6, -0.16, -0.6], [3.6, 0, 2.6], boards([0.36, 0.3, 0.235], 0.14)),
    box([-3.6, GROUND, 2.4], [3.6, -0.16, 2.55], boards([0.5, 0.48, 0.44], 0.18, true)),
    box([-3.7, 2.5, 2.3], [3.7, 2.85, 2.62], WHITE),
    box([-3.7, 2.8, -0.6], [3.7, 2.9, 2.6], boards([0.7, 0.72, 0.7], 0.12)),
    ...railing(-3.4, -1.05),
    ...railing(1.05, 3.4),
  ];
  for (const x of [-3.4, -1.05, 1.05, 3.4]) {
    solids.push(box([x - 0.075, 0, 2.38], [x + 0.075, 2.5, 2.53], WHITE), box([x - 0.11, 0, 2.34], [x + 0.11, 0.16, 2.57], WHITE));
  }
  for (let i = 0; i < 3; i += 1) solids.push(box([-0.98, GROUND, 2.6 + i * 0.3], [0.98, -0.14 - i * 0.14, 2.9 + i * 0.3], boards([0.4, 0.34, 0.27], 0.15, true)));
  return solids;
}

function porchThings(): Solid[] {
  const pot = paint([0.42, 0.17, 0.09], 0.3);
  const solids: Solid[] = [
    box([-0.55, 0, 0.35], [0.45, 0.025, 0.95], (x, y, z, n, out) => boards([0.14, 0.1, 0.08], 0.05)(x * 3, y, z * 3, n, out)),
    // A bench against the left rail, with a cushion.
    box([-3.2, 0.4, 1.4], [-1.75, 0.45, 1.95], boards([0.34, 0.19, 0.1], 0.1, true)),
    box([-3.2, 0.45, 1.93], [-1.75, 0.85, 1.98], boards([0.34, 0.19, 0.1], 0.1)),
    box([-3.15, 0, 1.45], [-3.07, 0.4, 1.95], paint([0.2, 0.11, 0.06])),
    box([-1.88, 0, 1.45], [-1.8, 0.4, 1.95], paint([0.2, 0.11, 0.06])),
    ellipsoid([-2.8, 0.52, 1.7], [0.27, 0.09, 0.24], paint([0.1, 0.25, 0.38], 0.3)),
    capsule([1.75, 0.12, 1.9], [1.75, 0.34, 1.9], 0.17, pot),
    capsule([2.35, 0.1, 2.05], [2.35, 0.22, 2.05], 0.13, pot),
  ];
  const pots: readonly (readonly [Vector, number, Colour])[] = [
    [[1.75, 0.78, 1.9], 0.36, [0.13, 0.3, 0.07]],
    [[1.6, 0.62, 1.82], 0.22, [0.16, 0.34, 0.08]],
    [[1.95, 0.66, 1.95], 0.22, [0.11, 0.26, 0.06]],
    [[2.35, 0.45, 2.05], 0.22, [0.5, 0.12, 0.2]],
  ];
  for (const [centre, radius, colour] of pots) solids.push(ellipsoid(centre, [radius, radius, radius], leaves(colour), { cutout: leafHoles(centre, radius), leafy: true }));
  return solids;
}

function street(): Solid[] {
  return [
    box([-60, GROUND - 1, -1], [60, GROUND, 13], lawn([0.15, 0.27, 0.06])),
    box([-0.75, GROUND, 3.4], [0.75, GROUND + 0.02, 13], slabs([0.5, 0.46, 0.4], 0.5)),
    box([-60, GROUND - 1, 13], [60, GROUND + 0.03, 14.8], slabs([0.5, 0.49, 0.47], 0.9)),
    box([-60, GROUND - 1, 14.8], [60, GROUND - 0.08, 21], asphalt([0.13, 0.13, 0.14])),
    box([-60, GROUND - 1, 21], [60, GROUND + 0.02, 60], lawn([0.14, 0.25, 0.06])),
    ...hedge([-9, GROUND, 11.6], [-1.3, GROUND + 0.8, 12.3], [0.08, 0.19, 0.045]),
    ...hedge([1.3, GROUND, 11.6], [9, GROUND + 0.8, 12.3], [0.08, 0.19, 0.045]),
    ...house(-7.5, 26, 9, [0.5, 0.5, 0.42], [0.16, 0.12, 0.11], 0),
    ...house(6.5, 27, 10, [0.36, 0.44, 0.5], [0.13, 0.13, 0.15], 0),
    ...tree([4.6, GROUND, 9.2], 4.2, 1.5, [0.17, 0.3, 0.06], 0.3),
    ...tree([-6.2, GROUND, 8.4], 4.8, 1.8, [0.2, 0.31, 0.07], 0.8),
    box([1.15, GROUND, 12.5], [1.27, GROUND + 1.05, 12.62], paint([0.2, 0.15, 0.1])),
    box([1.02, GROUND + 1.05, 12.35], [1.4, GROUND + 1.32, 12.78], paint([0.08, 0.12, 0.2])),
    box([-1.6, GROUND, 3.3], [-1.05, GROUND + 0.35, 3.9], bricks([0.42, 0.17, 0.11], [0.5, 0.48, 0.44])),
  ];
}

/** Clouds over a blue that pales towards the horizon. */
export function daySky(dx: number, dy: number, dz: number, out: Float32Array): void {
  const up = Math.max(0.02, dy);
  const cloud = Math.min(1, Math.max(0, (fractalNoise((dx / up) * 0.7 + 3, (dz / up) * 0.7, 5) - 0.46) * 3.2)) * Math.min(1, dy * 9);
  const pale = Math.exp(-up * 4);
  out[0] = (0.3 + 0.55 * pale) * (1 - cloud) + 1.15 * cloud;
  out[1] = (0.52 + 0.42 * pale) * (1 - cloud) + 1.12 * cloud;
  out[2] = (0.95 + 0.1 * pale) * (1 - cloud) + 1.08 * cloud;
}

export const PORCH: World = {
  eye: [0.15, 2.32, -0.35],
  target: [0.1, 0.42, 4.6],
  fovDegrees: 96,
  solids: [...porchItself(), ...porchThings(), ...street()],
  sun: { to: normalize([0.72, 0.62, 0.42]), colour: [2.5, 2.05, 1.45], softness: 0.05 },
  skyLight: [0.62, 0.72, 0.92],
  groundLight: [0.3, 0.27, 0.2],
  sky: daySky,
  lamps: [],
  exposure: 1.05,
  infrared: false,
  hazeM: 120,
};
