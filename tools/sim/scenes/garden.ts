/** Owns the garden by day: lawn, fence, shed, trees, beds, a terrace in front. */
import { boards, lawn, leafHoles, leaves, paint, panes, slabs, soil, type Colour } from './materials.ts';
import { daySky, tree } from './porch.ts';
import { box, capsule, ellipsoid, type Solid, type Vector } from './solids.ts';
import { normalize, type World } from './world.ts';

const WOOD: Colour = [0.4, 0.27, 0.17];

function fence(): Solid[] {
  const solids: Solid[] = [
    box([-9, 0, 13.9], [9, 1.75, 14], (x, y, z, _n, out) => boards(WOOD, 0.15)(y, x, z, [0, 0, 1], out)),
    box([-7.4, 0, 0], [-7.3, 1.75, 14], (x, y, z, _n, out) => boards(WOOD, 0.15)(y, z, x, [0, 0, 1], out)),
  ];
  for (let x = -8; x <= 8; x += 2) solids.push(box([x - 0.05, 0, 13.82], [x + 0.05, 1.85, 13.92], paint([0.3, 0.2, 0.13])));
  solids.push(box([-9, 1.73, 13.85], [9, 1.79, 14.02], paint([0.33, 0.22, 0.15])));
  return solids;
}

function shed(): Solid[] {
  const roofLine = (x: number): number => 2.05 + 0.75 * (1 - Math.abs(x - 4.9) / 1.6);
  return [
    box([3.6, 0, 9.6], [6.2, 2.05, 12.2], boards([0.22, 0.31, 0.3], 0.14)),
    box([3.6, 2.05, 9.6], [6.2, 2.8, 9.75], boards([0.22, 0.31, 0.3], 0.14), { cutout: (x, y) => y > roofLine(x) }),
    box([3.35, 2.0, 9.35], [6.45, 2.9, 12.4], boards([0.25, 0.12, 0.09], 0.2, true), { cutout: (x, y) => y > roofLine(x) + 0.06 || y < roofLine(x) - 0.06 }),
    box([3.95, 0, 9.52], [4.8, 1.85, 9.6], boards([0.5, 0.5, 0.46], 0.17)),
    box([5.15, 0.95, 9.52], [5.85, 1.6, 9.6], panes([0.6, 0.6, 0.56], [0.13, 0.17, 0.2], [5.15, 0.95], [5.85, 1.6], 2, 1)),
    ellipsoid([4.72, 0.95, 9.48], [0.03, 0.03, 0.03], paint([0.1, 0.1, 0.1])),
  ];
}

function bed(): Solid[] {
  const solids: Solid[] = [box([-7.3, 0, 12.4], [3.2, 0.07, 13.9], soil()), box([-7.3, 0, 3], [-6.2, 0.07, 12.4], soil())];
  const colours: readonly Colour[] = [
    [0.55, 0.08, 0.14],
    [0.62, 0.45, 0.08],
    [0.12, 0.28, 0.08],
    [0.4, 0.16, 0.5],
    [0.15, 0.33, 0.1],
    [0.66, 0.6, 0.55],
  ];
  for (let i = 0; i < 16; i += 1) {
    const back = i < 10;
    const at: Vector = back ? [-6.6 + i * 1.02, 0.3, 13 + ((i * 0.37) % 0.6)] : [-6.75 + ((i * 0.31) % 0.3), 0.28, 3.6 + (i - 10) * 1.5];
    const radius = 0.3 + ((i * 0.29) % 0.18);
    solids.push(ellipsoid(at, [radius, radius * 0.9, radius], leaves(colours[i % colours.length] ?? [0.1, 0.3, 0.1]), { cutout: leafHoles(at, radius), leafy: true }));
  }
  return solids;
}

function terrace(): Solid[] {
  const teak = boards([0.42, 0.26, 0.14], 0.09);
  const iron = paint([0.05, 0.055, 0.06]);
  const solids: Solid[] = [
    box([-7.3, -0.5, -2], [9, 0.03, 3], slabs([0.46, 0.42, 0.36], 0.55)),
    box([1.5, 0.7, 1.5], [3.1, 0.75, 2.4], teak),
    ellipsoid([2.3, 0.83, 1.95], [0.1, 0.09, 0.1], paint([0.55, 0.2, 0.1])),
    ellipsoid([2.3, 1.02, 1.95], [0.17, 0.17, 0.17], leaves([0.16, 0.34, 0.1]), { cutout: leafHoles([2.3, 1, 2], 0.17), leafy: true }),
  ];
  for (const [x, z] of [
    [1.58, 1.58],
    [3.02, 1.58],
    [1.58, 2.32],
    [3.02, 2.32],
  ] as const) {
    solids.push(box([x - 0.03, 0, z - 0.03], [x + 0.03, 0.7, z + 0.03], iron));
  }
  for (const [x, back] of [
    [1.0, 0.72],
    [3.6, 3.86],
  ] as const) {
    solids.push(box([x - 0.23, 0.42, 1.72], [x + 0.23, 0.46, 2.18], teak), box([Math.min(back, x + 0.25), 0.46, 1.72], [Math.min(back, x + 0.25) + 0.03, 0.95, 2.18], teak));
    for (const dx of [-0.2, 0.2]) for (const z of [1.75, 2.15]) solids.push(capsule([x + dx, 0, z], [x + dx, 0.42, z], 0.018, iron));
  }
  return solids;
}

export const GARDEN: World = {
  eye: [0.4, 3.0, -1.6],
  target: [-0.1, 0.55, 6.5],
  fovDegrees: 88,
  solids: [
    box([-40, -1, -3], [40, 0, 40], lawn([0.14, 0.29, 0.055])),
    ...fence(),
    ...shed(),
    ...bed(),
    ...terrace(),
    ...tree([-3.9, 0, 8.8], 4.4, 1.6, [0.17, 0.31, 0.06], 0.4),
    ...tree([-7.5, 0, 18], 8, 3, [0.13, 0.24, 0.06], 0.9),
    ...tree([4, 0, 20], 9, 3.2, [0.15, 0.25, 0.06], 0.2),
    ...tree([11, 0, 16], 7, 2.6, [0.18, 0.29, 0.07], 0.65),
    // A ball somebody left on the lawn, and a stepping path to the shed.
    ellipsoid([-1.2, 0.16, 5.6], [0.16, 0.16, 0.16], (x, _y, z, _n, out) => out.set(Math.sin(x * 28) > 0 === Math.cos(z * 22) > 0 ? [0.75, 0.72, 0.68, 0] : [0.6, 0.07, 0.06, 0])),
    ...[0, 1, 2, 3, 4, 5].map((i) => ellipsoid([2.2 + i * 0.36, 0.0, 3.6 + i * 1.02], [0.33, 0.03, 0.27], paint([0.42, 0.4, 0.36], 0.4))),
  ],
  sun: { to: normalize([-0.55, 0.75, 0.1]), colour: [2.6, 2.35, 1.9], softness: 0.05 },
  skyLight: [0.6, 0.72, 0.95],
  groundLight: [0.2, 0.24, 0.12],
  sky: daySky,
  lamps: [],
  exposure: 0.95,
  infrared: false,
  hazeM: 150,
};
