/** Owns a scene's world: camera, light, solids, and the tracing of rays through it. */
import type { Colour } from './materials.ts';
import { meet, normalAt, type Material, type Solid, type Vector } from './solids.ts';

export interface Lamp {
  readonly at: Vector;
  readonly colour: Colour;
  readonly strength: number;
  /** Infrared light at the lens throws no shadow the lens could see. */
  readonly shadows: boolean;
}

export interface World {
  readonly eye: Vector;
  readonly target: Vector;
  /** Horizontal angle of view. */
  readonly fovDegrees: number;
  readonly solids: readonly Solid[];
  /** Towards the sun; strength 0 for none. */
  readonly sun: { readonly to: Vector; readonly colour: Colour; readonly softness: number };
  readonly skyLight: Colour;
  readonly groundLight: Colour;
  /** The sky as seen: linear colour by direction. */
  readonly sky: (dx: number, dy: number, dz: number, out: Float32Array) => void;
  readonly lamps: readonly Lamp[];
  readonly exposure: number;
  /** Night look: no colour. */
  readonly infrared: boolean;
  /** Distance at which haze has taken a third of the contrast; Infinity: none. */
  readonly hazeM: number;
}

/** The eye's axes and the rays through pixels. */
export interface View {
  readonly width: number;
  readonly height: number;
  readonly eye: Vector;
  readonly forward: Vector;
  readonly right: Vector;
  readonly up: Vector;
  /** Half the picture's width at distance 1. */
  readonly spread: number;
}

export function normalize(v: Vector): Vector {
  const length = Math.hypot(v[0], v[1], v[2]) || 1;
  return [v[0] / length, v[1] / length, v[2] / length];
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function createView(world: Pick<World, 'eye' | 'target' | 'fovDegrees'>, width: number, height: number): View {
  const { eye, target } = world;
  const forward = normalize([target[0] - eye[0], target[1] - eye[1], target[2] - eye[2]]);
  const right = normalize(cross([0, 1, 0], forward));
  return { width, height, eye, forward, right, up: cross(forward, right), spread: Math.tan((world.fovDegrees * Math.PI) / 360) };
}

/** The unit direction through a point of the picture, in pixels from the top left, with a wide lens's slight barrel. */
export function rayThrough(view: View, px: number, py: number, out: Float64Array): void {
  const { width, height, forward, right, up, spread } = view;
  let sx = ((px / width) * 2 - 1) * spread;
  let sy = ((1 - (py / height) * 2) * spread * height) / width;
  const barrel = 1 + 0.06 * (sx * sx + sy * sy);
  sx *= barrel;
  sy *= barrel;
  const dx = forward[0] + right[0] * sx + up[0] * sy;
  const dy = forward[1] + right[1] * sx + up[1] * sy;
  const dz = forward[2] + right[2] * sx + up[2] * sy;
  const length = Math.sqrt(dx * dx + dy * dy + dz * dz);
  out[0] = dx / length;
  out[1] = dy / length;
  out[2] = dz / length;
}

/** Where a point of the world appears, in pixels; null behind the eye. Close to `rayThrough`'s inverse. */
export function project(view: View, point: Vector): { readonly x: number; readonly y: number; readonly distance: number } | null {
  const { eye, forward, right, up, spread, width, height } = view;
  const px = point[0] - eye[0];
  const py = point[1] - eye[1];
  const pz = point[2] - eye[2];
  const depth = px * forward[0] + py * forward[1] + pz * forward[2];
  if (depth < 0.05) return null;
  let sx = (px * right[0] + py * right[1] + pz * right[2]) / depth;
  let sy = (px * up[0] + py * up[1] + pz * up[2]) / depth;
  const barrel = 1 + 0.06 * (sx * sx + sy * sy);
  sx /= barrel;
  sy /= barrel;
  return { x: ((sx / spread + 1) / 2) * width, y: ((1 - (sy * width) / (spread * height)) / 2) * height, distance: Math.hypot(px, py, pz) };
}

export const MISS = -1;

/** Solids with their bounding spheres in one array, so that most are passed over without a look at them. */
export interface SolidSet {
  readonly list: readonly Solid[];
  /** Centre and squared radius, four numbers each. */
  readonly bounds: Float64Array;
}

export function solidSet(list: readonly Solid[]): SolidSet {
  return { list, bounds: Float64Array.from(list.flatMap((one) => [one.bx, one.by, one.bz, one.bound2])) };
}

/** The nearest solid on a ray; its distance is left in `hit[0]`. */
export function trace(set: SolidSet, ox: number, oy: number, oz: number, dx: number, dy: number, dz: number, hit: Float64Array): number {
  const { list, bounds } = set;
  let nearest = Infinity;
  let found = MISS;
  for (let index = 0, at = 0; index < list.length; index += 1, at += 4) {
    const mx = (bounds[at] as number) - ox;
    const my = (bounds[at + 1] as number) - oy;
    const mz = (bounds[at + 2] as number) - oz;
    const along = mx * dx + my * dy + mz * dz;
    if (mx * mx + my * my + mz * mz - along * along > (bounds[at + 3] as number)) continue;
    const t = meet(list[index] as Solid, ox, oy, oz, dx, dy, dz);
    if (t < nearest) {
      nearest = t;
      found = index;
    }
  }
  hit[0] = nearest;
  return found;
}

/** Whether something opaque stands between a point and `reach` metres along the direction. */
export function blocked(set: SolidSet, ox: number, oy: number, oz: number, dx: number, dy: number, dz: number, reach: number): boolean {
  const { list, bounds } = set;
  for (let index = 0, at = 0; index < list.length; index += 1, at += 4) {
    const mx = (bounds[at] as number) - ox;
    const my = (bounds[at + 1] as number) - oy;
    const mz = (bounds[at + 2] as number) - oz;
    const along = mx * dx + my * dy + mz * dz;
    const bound2 = bounds[at + 3] as number;
    const off2 = mx * mx + my * my + mz * mz;
    if (off2 - along * along > bound2 || ((along < 0 || along > reach) && off2 > bound2 && (along < 0 || (along - reach) * (along - reach) > bound2))) continue;
    const one = list[index] as Solid;
    if (one.opaque && meet(one, ox, oy, oz, dx, dy, dz) < reach) return true;
  }
  return false;
}

/** How much of each light reaches a point: 0 to 1. */
export interface Received {
  sun: number;
  ambient: number;
  readonly lamps: number[];
}

const albedo = new Float32Array(4);

/** The light a surface point sends to the eye, linear, in `out`, the sun's share of it in `out[3]`; `received` says which lights reach it. */
export function shade(world: World, material: Material, x: number, y: number, z: number, normal: Vector, received: Received, out: Float32Array): void {
  material(x, y, z, normal, albedo);
  const { sun, skyLight, groundLight } = world;
  const facing = Math.max(0, normal[0] * sun.to[0] + normal[1] * sun.to[1] + normal[2] * sun.to[2]) * received.sun;
  const upward = (normal[1] * 0.5 + 0.5) * received.ambient;
  const downward = (0.5 - normal[1] * 0.5) * received.ambient;
  let r = sun.colour[0] * facing + skyLight[0] * upward + groundLight[0] * downward;
  let g = sun.colour[1] * facing + skyLight[1] * upward + groundLight[1] * downward;
  let b = sun.colour[2] * facing + skyLight[2] * upward + groundLight[2] * downward;
  for (let index = 0; index < world.lamps.length; index += 1) {
    const lamp = world.lamps[index];
    if (lamp === undefined) continue;
    const lx = lamp.at[0] - x;
    const ly = lamp.at[1] - y;
    const lz = lamp.at[2] - z;
    const distance2 = lx * lx + ly * ly + lz * lz + 0.05;
    const towards = Math.max(0, (normal[0] * lx + normal[1] * ly + normal[2] * lz) / Math.sqrt(distance2));
    const amount = ((0.12 + 0.88 * towards) * lamp.strength * (received.lamps[index] ?? 1)) / distance2;
    r += lamp.colour[0] * amount;
    g += lamp.colour[1] * amount;
    b += lamp.colour[2] * amount;
  }
  const shine = albedo[3] ?? 0;
  const whole = r + g + b + 3 * shine;
  out[3] = whole > 0 ? ((sun.colour[0] + sun.colour[1] + sun.colour[2]) * facing) / whole : 0;
  out[0] = (albedo[0] ?? 0) * (r + shine);
  out[1] = (albedo[1] ?? 0) * (g + shine);
  out[2] = (albedo[2] ?? 0) * (b + shine);
  const ex = x - world.eye[0];
  const ey = y - world.eye[1];
  const ez = z - world.eye[2];
  if (world.hazeM !== Infinity) haze(world, Math.sqrt(ex * ex + ey * ey + ez * ez), out);
}

function haze(world: World, distance: number, out: Float32Array): void {
  const amount = 1 - Math.exp((-0.4 * distance) / world.hazeM);
  for (let i = 0; i < 3; i += 1) out[i] = (out[i] ?? 0) * (1 - amount) + (world.skyLight[i] ?? 0) * 0.9 * amount;
}

export function normalOf(one: Solid, x: number, y: number, z: number): Vector {
  return normalAt(one, x, y, z);
}
