/** Owns the hallway at night, in infrared: floorboards, doors, coats, a console table, stairs. */
import { boards, glow, paint, panes, type Colour } from './materials.ts';
import { fractalNoise } from './noise.ts';
import { box, capsule, ellipsoid, type Material, type Solid } from './solids.ts';
import type { World } from './world.ts';

const WALL: Colour = [0.5, 0.5, 0.5];
const TRIM = paint([0.66, 0.66, 0.66], 0.04);
const LEFT = -1.15;
const RIGHT = 1.25;
const END = 7.2;

function shell(): Solid[] {
  return [
    box([LEFT - 1, -0.2, -1], [RIGHT + 3, 0, END], boards([0.36, 0.34, 0.32], 0.12)),
    box([LEFT - 0.2, 0, -1], [LEFT, 2.6, END], paint(WALL, 0.07)),
    box([RIGHT, 0, -1], [RIGHT + 0.2, 2.6, 3.4], paint(WALL, 0.07)),
    box([RIGHT + 1.1, 0, 3.2], [RIGHT + 1.3, 2.6, END], paint(WALL, 0.07)),
    box([LEFT - 0.2, 0, END], [RIGHT + 1.3, 2.6, END + 0.2], paint(WALL, 0.07)),
    box([LEFT - 0.2, 2.6, -1], [RIGHT + 1.3, 2.7, END], paint([0.6, 0.6, 0.6], 0.04)),
    box([LEFT, 0, -1], [LEFT + 0.02, 0.14, END], TRIM),
    box([RIGHT - 0.02, 0, -1], [RIGHT, 0.14, 3.4], TRIM),
    box([LEFT, 0, END - 0.02], [RIGHT + 1.1, 0.14, END], TRIM),
  ];
}

function frontDoor(): Solid[] {
  const z = END - 0.05;
  const solids = [
    box([-0.62, 0, z - 0.02], [0.62, 2.2, END], TRIM),
    box([-0.5, 0.02, z - 0.06], [0.5, 2.08, z], paint([0.3, 0.3, 0.3], 0.1)),
    box([-0.36, 1.42, z - 0.075], [0.36, 1.9, z - 0.05], panes([0.34, 0.34, 0.34], [0.3, 0.3, 0.3], [-0.36, 1.42], [0.36, 1.9], 2, 2, 0.55)),
    ellipsoid([0.4, 1.0, z - 0.1], [0.035, 0.035, 0.035], paint([0.8, 0.8, 0.8])),
    box([-0.16, 0.95, z - 0.07], [0.16, 1.0, z - 0.05], paint([0.62, 0.62, 0.62])),
  ];
  for (const x of [-0.24, 0.24]) solids.push(box([x - 0.16, 0.2, z - 0.075], [x + 0.16, 0.82, z - 0.05], paint([0.36, 0.36, 0.36], 0.1)));
  return solids;
}

function sideDoor(): Solid[] {
  return [
    box([LEFT, 0, 3.3], [LEFT + 0.03, 2.15, 4.35], TRIM),
    box([LEFT, 0.02, 3.4], [LEFT + 0.045, 2.05, 4.25], paint([0.56, 0.56, 0.55], 0.05)),
    box([LEFT, 0.25, 3.52], [LEFT + 0.055, 0.9, 4.13], paint([0.5, 0.5, 0.5], 0.05)),
    box([LEFT, 1.1, 3.52], [LEFT + 0.055, 1.85, 4.13], paint([0.5, 0.5, 0.5], 0.05)),
    ellipsoid([LEFT + 0.1, 1.0, 3.48], [0.035, 0.035, 0.035], paint([0.8, 0.8, 0.8])),
  ];
}

function coats(): Solid[] {
  const solids: Solid[] = [box([LEFT, 1.66, 4.75], [LEFT + 0.03, 1.78, 6.3], paint([0.3, 0.28, 0.26], 0.2))];
  const tones = [0.16, 0.42, 0.24, 0.55];
  tones.forEach((tone, i) => {
    const z = 4.95 + i * 0.38;
    const cloth: Material = (x, y, zz, _n, out) => {
      const fold = 0.7 + 0.5 * fractalNoise(zz * 16, y * 2 + x, 3);
      out.set([tone * fold, tone * fold, tone * fold, 0]);
    };
    solids.push(capsule([LEFT, 1.72, z], [LEFT + 0.09, 1.74, z], 0.014, TRIM));
    solids.push(ellipsoid([LEFT + 0.13, 1.2 - 0.06 * (i % 2), z], [0.12, 0.48 + 0.06 * (i % 3), 0.17], cloth), ellipsoid([LEFT + 0.12, 1.56, z], [0.08, 0.14, 0.13], cloth));
  });
  for (let i = 0; i < 3; i += 1) {
    const z = 5 + i * 0.42;
    for (const dz of [-0.07, 0.07]) solids.push(ellipsoid([LEFT + 0.2, 0.05, z + dz], [0.15, 0.05, 0.052], paint([0.14 + i * 0.15, 0.14 + i * 0.15, 0.14 + i * 0.15], 0.2)));
  }
  return solids;
}

function console(): Solid[] {
  const wood = boards([0.28, 0.26, 0.24], 0.2);
  const solids: Solid[] = [
    box([RIGHT - 0.36, 0.76, 1.5], [RIGHT, 0.8, 2.8], wood),
    box([RIGHT - 0.33, 0.62, 1.55], [RIGHT, 0.76, 2.75], wood),
    // A lamp that is off, keys in a bowl, a picture over the table.
    capsule([RIGHT - 0.17, 0.8, 2.5], [RIGHT - 0.17, 1.04, 2.5], 0.03, paint([0.62, 0.62, 0.6])),
    ellipsoid([RIGHT - 0.17, 1.18, 2.5], [0.13, 0.15, 0.13], paint([0.72, 0.72, 0.7], 0.1)),
    ellipsoid([RIGHT - 0.18, 0.83, 1.8], [0.12, 0.05, 0.12], paint([0.5, 0.5, 0.5], 0.2)),
    box([RIGHT - 0.03, 1.3, 1.65], [RIGHT, 1.95, 2.3], paint([0.12, 0.12, 0.12])),
    box([RIGHT - 0.036, 1.36, 1.71], [RIGHT, 1.89, 2.24], (_x, y, z, _n, out) => {
      const hill = 1.58 + 0.1 * Math.sin(z * 7) + 0.08 * fractalNoise(z * 8, 2);
      const v = y > hill ? 0.62 : 0.2 + 0.25 * fractalNoise(z * 20, y * 20);
      out.set([v, v, v, 0]);
    }),
  ];
  for (const z of [1.6, 2.7]) for (const x of [RIGHT - 0.31, RIGHT - 0.05]) solids.push(box([x - 0.025, 0, z - 0.025], [x + 0.025, 0.65, z + 0.025], wood));
  for (const [z, y, w] of [
    [1.2, 1.5, 0.4],
    [2.2, 1.55, 0.5],
    [2.95, 1.48, 0.34],
  ] as const) {
    solids.push(box([LEFT, y, z], [LEFT + 0.025, y + w * 1.2, z + w], paint([0.15, 0.15, 0.15])), box([LEFT, y + 0.05, z + 0.05], [LEFT + 0.03, y + w * 1.2 - 0.05, z + w - 0.05], paint([0.55, 0.55, 0.55], 1.1)));
  }
  return solids;
}

function stairs(): Solid[] {
  const solids: Solid[] = [];
  for (let i = 0; i < 10; i += 1) {
    const z = END - 0.3 - i * 0.27;
    const top = 0.18 * (i + 1);
    solids.push(box([RIGHT + 0.15, 0, z - 0.27], [RIGHT + 1.1, top, z], boards([0.42, 0.4, 0.38], 0.3, true)), box([RIGHT + 0.1, top - 0.03, z - 0.3], [RIGHT + 1.1, top, z], paint([0.5, 0.48, 0.46])));
    solids.push(capsule([RIGHT + 0.16, top, z - 0.14], [RIGHT + 0.16, top + 0.85, z - 0.14], 0.018, TRIM));
  }
  solids.push(capsule([RIGHT + 0.16, 1.06, END - 0.4], [RIGHT + 0.16, 2.7, END - 2.95], 0.035, paint([0.3, 0.28, 0.27])), box([RIGHT + 0.09, 0, END - 0.32], [RIGHT + 0.21, 1.16, END - 0.2], TRIM));
  return solids;
}

export const HALLWAY: World = {
  eye: [0.05, 2.3, -0.7],
  target: [0.12, 0.78, 4],
  fovDegrees: 84,
  solids: [
    ...shell(),
    ...frontDoor(),
    ...sideDoor(),
    ...coats(),
    ...console(),
    ...stairs(),
    box([-0.55, 0, 1.2], [0.6, 0.018, 5.2], (x, _y, z, _n, out) => {
      const border = Math.min(x + 0.55, 0.6 - x, z - 1.2, 5.2 - z) < 0.1;
      const knot = Math.sin(x * 16) * Math.sin(z * 11) > 0.25 ? 0.16 : 0;
      const v = (border ? 0.5 : 0.26 + knot) * (0.85 + 0.3 * fractalNoise(x * 60, z * 60, 2));
      out.set([v, v, v, 0]);
    }),
    ellipsoid([LEFT + 0.01, 1.25, 4.62], [0.02, 0.04, 0.025], glow([0.6, 0.6, 0.6], 0.6)),
  ],
  sun: { to: [0, 1, 0], colour: [0, 0, 0], softness: 0 },
  skyLight: [0.06, 0.06, 0.06],
  groundLight: [0.05, 0.05, 0.05],
  sky: (_dx, _dy, _dz, out) => out.set([0.02, 0.02, 0.02]),
  lamps: [
    { at: [0.2, 2.3, -0.75], colour: [1, 1, 1], strength: 11, shadows: true },
    { at: [0.3, 1.7, END - 0.35], colour: [1, 1, 1], strength: 0.35, shadows: false },
  ],
  exposure: 0.85,
  infrared: true,
  hazeM: Infinity,
};
