/** Owns what moves through the scenes: people, a cat, a car, as solids at a moment. */
import { paint, type Colour } from './materials.ts';
import { box, capsule, ellipsoid, type Material, type Solid, type Vector } from './solids.ts';

/** Where an actor stands and which way it goes: radians, 0 along z. */
export interface Stance {
  readonly at: Vector;
  readonly heading: number;
  /** Radians of the walk; two π is two steps. */
  readonly step: number;
}

export interface Clothes {
  readonly jacket: Colour;
  readonly trousers: Colour;
  readonly hair: Colour;
  /** Carries a parcel before the chest. */
  readonly parcel: boolean;
}

const SKIN = paint([0.55, 0.36, 0.27], 0.05);

/** Turns a point of the actor's own space (x right, y up, z ahead) into the world's. */
function placer(stance: Stance): (x: number, y: number, z: number) => Vector {
  const sin = Math.sin(stance.heading);
  const cos = Math.cos(stance.heading);
  return (x, y, z) => [stance.at[0] + x * cos + z * sin, stance.at[1] + y, stance.at[2] - x * sin + z * cos];
}

/** A person of 1.76 m; stands when `moving` is 0, walks when it is 1. */
export function person(stance: Stance, clothes: Clothes, moving: number): Solid[] {
  const p = placer(stance);
  const swing = Math.sin(stance.step) * moving;
  const bob = Math.abs(Math.cos(stance.step)) * 0.03 * moving;
  const jacket = paint(clothes.jacket, 0.3);
  const trousers = paint(clothes.trousers, 0.2);
  const shoe = paint([0.06, 0.055, 0.05]);
  const solids: Solid[] = [];
  for (const side of [-1, 1]) {
    const way = swing * side;
    const hip = p(0.09 * side, 0.9 + bob, 0);
    const bend = Math.max(0, -way) * 0.22;
    const knee = p(0.095 * side, 0.5 + bob, way * 0.24 + 0.03);
    const foot = p(0.1 * side, 0.09 + bend * 0.5, way * 0.42 - bend * 0.5);
    const toe = p(0.11 * side, 0.06 + bend * 0.3, way * 0.42 - bend * 0.4 + 0.16);
    solids.push(capsule(hip, knee, 0.088, trousers), capsule(knee, foot, 0.064, trousers), capsule(foot, toe, 0.05, shoe));
    const shoulder = p(0.2 * side, 1.41 + bob, 0);
    const elbow = clothes.parcel ? p(0.25 * side, 1.14 + bob, 0.1) : p(0.26 * side, 1.13 + bob, -way * 0.16);
    const hand = clothes.parcel ? p(0.17 * side, 1.1 + bob, 0.36) : p(0.25 * side, 0.88 + bob, -way * 0.3 + 0.08);
    solids.push(capsule(shoulder, elbow, 0.058, jacket), capsule(elbow, hand, 0.047, jacket), ellipsoid(hand, [0.05, 0.06, 0.05], SKIN));
  }
  solids.push(
    capsule(p(0, 0.93 + bob, 0), p(0, 1.34 + bob, 0.015), 0.155, jacket),
    capsule(p(-0.13, 1.39 + bob, 0), p(0.13, 1.39 + bob, 0), 0.085, jacket),
    capsule(p(0, 1.42 + bob, 0.01), p(0, 1.55 + bob, 0.02), 0.055, SKIN),
    ellipsoid(p(0, 1.645 + bob, 0.03), [0.088, 0.115, 0.1], SKIN),
    ellipsoid(p(0, 1.685 + bob, 0.0), [0.098, 0.095, 0.105], paint(clothes.hair, 0.4)),
  );
  if (clothes.parcel) {
    const c = p(0, 1.14 + bob, 0.36);
    solids.push(box([c[0] - 0.2, c[1] - 0.11, c[2] - 0.13], [c[0] + 0.2, c[1] + 0.11, c[2] + 0.13], paint([0.46, 0.31, 0.17], 0.15), { turn: -stance.heading }));
  }
  return solids;
}

/** A cat of a hand's length or two; `eyes` above 0 makes them shine, as in infrared. */
export function cat(stance: Stance, coat: Colour, eyes: number): Solid[] {
  const p = placer(stance);
  const fur = paint(coat, 0.5);
  const sway = Math.sin(stance.step * 0.5) * 0.08;
  const solids: Solid[] = [
    capsule(p(0, 0.23, -0.17), p(0, 0.235, 0.12), 0.078, fur),
    ellipsoid(p(0, 0.31, 0.24), [0.062, 0.055, 0.065], fur),
    capsule(p(-0.035, 0.35, 0.235), p(-0.043, 0.385, 0.23), 0.014, fur),
    capsule(p(0.035, 0.35, 0.235), p(0.043, 0.385, 0.23), 0.014, fur),
    capsule(p(0, 0.25, -0.22), p(sway, 0.36, -0.36), 0.022, fur),
    capsule(p(sway, 0.36, -0.36), p(sway * 2, 0.5, -0.4), 0.02, fur),
  ];
  for (const [side, along, phase] of [
    [-1, 0.12, 0],
    [1, 0.12, Math.PI],
    [-1, -0.16, Math.PI],
    [1, -0.16, 0],
  ] as const) {
    const way = Math.sin(stance.step + phase) * 0.07;
    solids.push(capsule(p(0.045 * side, 0.19, along), p(0.045 * side, 0.025 + Math.max(0, Math.cos(stance.step + phase)) * 0.025, along + way), 0.022, fur));
  }
  if (eyes > 0) {
    const shine: Material = (_x, _y, _z, _n, out) => out.set([1, 1, 1, eyes]);
    for (const side of [-1, 1]) solids.push(ellipsoid(p(0.026 * side, 0.32, 0.3), [0.013, 0.013, 0.013], shine));
  }
  return solids;
}

/** A small car, 4 m long; `lights` above 0 switches the head- and tail-lights on. */
export function car(stance: Stance, colour: Colour, lights: number): Solid[] {
  const p = placer(stance);
  const body = paint(colour, 0.04);
  const glass = paint([0.03, 0.04, 0.05], 0.3);
  const dark = paint([0.025, 0.025, 0.028]);
  const turn = -stance.heading;
  const block = (x: number, y: number, z: number, w: number, h: number, l: number, material: Material): Solid => {
    const c = p(x, y, z);
    return box([c[0] - w / 2, c[1] - h / 2, c[2] - l / 2], [c[0] + w / 2, c[1] + h / 2, c[2] + l / 2], material, { turn });
  };
  const lamp = (on: Colour, off: Colour): Material => (lights > 0 ? (_x, _y, _z, _n, out) => out.set([...on, lights * 5]) : paint(off));
  const solids: Solid[] = [
    block(0, 0.56, 0, 1.7, 0.5, 3.9, body),
    block(0, 0.36, 0, 1.6, 0.24, 4.0, dark),
    capsule(p(-0.72, 0.74, 1.72), p(0.72, 0.74, 1.72), 0.17, body),
    capsule(p(-0.72, 0.78, -1.75), p(0.72, 0.78, -1.75), 0.16, body),
    capsule(p(-0.6, 1.08, 0.35), p(0.6, 1.08, 0.35), 0.24, glass),
    capsule(p(-0.6, 1.08, -1.2), p(0.6, 1.08, -1.2), 0.24, glass),
    block(0, 1.06, -0.42, 1.6, 0.46, 1.7, glass),
    capsule(p(-0.58, 1.32, 0.1), p(0.58, 1.32, 0.1), 0.09, body),
    capsule(p(-0.58, 1.32, -1.1), p(0.58, 1.32, -1.1), 0.09, body),
    block(0, 1.36, -0.5, 1.34, 0.11, 1.4, body),
    block(0, 0.5, 1.96, 0.5, 0.12, 0.06, paint([0.7, 0.7, 0.66])),
  ];
  for (const side of [-1, 1]) {
    for (const z of [1.25, -1.25]) solids.push(capsule(p(0.5 * side, 0.31, z), p(0.58 * side, 0.31, z), 0.31, dark), ellipsoid(p(0.87 * side, 0.31, z), [0.06, 0.15, 0.15], paint([0.4, 0.4, 0.42])));
    solids.push(ellipsoid(p(0.6 * side, 0.68, 1.97), [0.17, 0.09, 0.07], lamp([1, 0.95, 0.8], [0.6, 0.6, 0.58])), ellipsoid(p(0.66 * side, 0.74, -1.98), [0.14, 0.08, 0.05], lamp([0.8, 0.05, 0.03], [0.25, 0.02, 0.02])));
    solids.push(ellipsoid(p(0.93 * side, 1.0, 0.55), [0.09, 0.06, 0.05], body));
  }
  return solids;
}
