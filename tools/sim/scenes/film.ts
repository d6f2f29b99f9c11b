/** Owns the film: a still world, and per picture what moves in it, light that changes, grain, and the text in the corner. */
import { createRandom } from '../media/ambience.ts';
import type { YuvPicture } from '../frame-code.ts';
import { writeText } from './overlay-text.ts';
import type { Solid } from './solids.ts';
import { paintStill, type Still } from './still.ts';
import { MISS, blocked, normalOf, project, rayThrough, shade, solidSet, trace, type Received, type SolidSet, type World } from './world.ts';

/** A scene: its world, and what moves in it at a moment of the loop. */
export interface Scene {
  readonly world: World;
  readonly seconds: number;
  /** Text in the corner. */
  readonly title: string;
  actors(t: number): Solid[];
  /** Brightness of the whole picture, about 1. */
  light(t: number): number;
}

/** Side of the squares actors are painted in, pixels; even. */
const TILE = 16;
const GRAIN_TILE = 1 << 16;
const SWAY_SLOW = Float32Array.from({ length: 256 }, (_, i) => 1.5 * Math.sin((2 * Math.PI * i) / 256));
const SWAY_FAST = Float32Array.from({ length: 256 }, (_, i) => 0.9 * Math.sin((2 * Math.PI * i) / 256));

/** Linear light to a video level between 0 and 1, with a soft shoulder. */
const TONES = Float32Array.from({ length: 4096 }, (_, i) => (1 - Math.exp((-1.2 * i) / 512)) ** (1 / 2.2));
function tone(value: number): number {
  return TONES[Math.min(4095, Math.max(0, Math.floor(value * 512)))] ?? 1;
}

/** BT.709, limited range; the chroma planes get the mean of each 2 × 2 block. */
function toYuv(r: number, g: number, b: number, out: Float32Array): void {
  const y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  out[0] = 16 + 219 * y;
  out[1] = 128 + (224 * (b - y)) / 1.8556;
  out[2] = 128 + (224 * (r - y)) / 1.5748;
}

interface Base {
  readonly still: Still;
  readonly y: Uint8Array;
  readonly u: Uint8Array;
  readonly v: Uint8Array;
  /** Pixels of leaves, which sway, and where in its swaying each is, in 256ths of a round. */
  readonly leaves: Int32Array;
  readonly swaySlow: Uint8Array;
  readonly swayFast: Uint8Array;
}

function vignette(world: World, x: number, y: number, width: number, height: number): number {
  const dx = (x / width) * 2 - 1;
  const dy = ((y / height) * 2 - 1) * (height / width);
  return 1 - (world.infrared ? 0.5 : 0.22) * (dx * dx + dy * dy);
}

function colourOf(world: World, linear: Float32Array, at: number, dim: number, yuv: Float32Array): void {
  let r = tone((linear[at] ?? 0) * world.exposure * dim);
  let g = tone((linear[at + 1] ?? 0) * world.exposure * dim);
  let b = tone((linear[at + 2] ?? 0) * world.exposure * dim);
  if (world.infrared) r = g = b = 0.3 * r + 0.5 * g + 0.2 * b;
  toYuv(r, g, b, yuv);
}

function createBase(world: World, width: number, height: number): Base {
  const still = paintStill(world, width, height);
  const y = new Uint8Array(width * height);
  const u = new Uint8Array((width * height) / 4);
  const v = new Uint8Array((width * height) / 4);
  const sumU = new Float32Array(u.length);
  const sumV = new Float32Array(v.length);
  const yuv = new Float32Array(3);
  const leafPixels: number[] = [];
  for (let py = 0; py < height; py += 1) {
    for (let px = 0; px < width; px += 1) {
      const at = py * width + px;
      colourOf(world, still.colour, at * 3, vignette(world, px, py, width, height), yuv);
      y[at] = Math.round(yuv[0] ?? 16);
      const chroma = (py >> 1) * (width >> 1) + (px >> 1);
      sumU[chroma] = (sumU[chroma] ?? 0) + (yuv[1] ?? 128) / 4;
      sumV[chroma] = (sumV[chroma] ?? 0) + (yuv[2] ?? 128) / 4;
      if (still.leafy[at] === 1 && px > 6 && px < width - 6) leafPixels.push(at);
    }
  }
  sumU.forEach((value, i) => (u[i] = Math.round(value)));
  sumV.forEach((value, i) => (v[i] = Math.round(value)));
  const round = (radians: number): number => Math.round((radians * 256) / (2 * Math.PI)) & 255;
  const swaySlow = Uint8Array.from(leafPixels, (at) => round((at % width) * 0.021 + Math.floor(at / width) * 0.013));
  const swayFast = Uint8Array.from(leafPixels, (at) => round((at % width) * 0.11 - Math.floor(at / width) * 0.07));
  return { still, y, u, v, leaves: Int32Array.from(leafPixels), swaySlow, swayFast };
}

interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The part of the picture these solids (and, with `shadowOf`, their shadows on the ground) can touch; even corners. */
function extent(still: Still, solids: readonly Solid[], shadowAlong: readonly [number, number, number] | null, groundY: number): Rectangle | null {
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (const one of solids) {
    const radius = Math.sqrt(one.bound2);
    const spots: [number, number, number][] = [[one.bx, one.by, one.bz]];
    if (shadowAlong !== null && shadowAlong[1] > 0.05) {
      const down = (one.by - groundY) / shadowAlong[1];
      spots.push([one.bx - shadowAlong[0] * down, groundY, one.bz - shadowAlong[2] * down]);
    }
    for (const spot of spots) {
      const seen = project(still.view, spot);
      if (seen === null) continue;
      const reach = (radius * 1.25 * still.view.width) / (2 * still.view.spread * Math.max(0.3, seen.distance)) + 3;
      left = Math.min(left, seen.x - reach);
      right = Math.max(right, seen.x + reach);
      top = Math.min(top, seen.y - reach);
      bottom = Math.max(bottom, seen.y + reach);
    }
  }
  const even = (value: number): number => Math.floor(value) & ~1;
  const box = { left: even(Math.max(0, left)), top: even(Math.max(0, top)), right: even(Math.min(still.view.width, right)), bottom: even(Math.min(still.view.height, bottom)) };
  return box.right > box.left && box.bottom > box.top ? box : null;
}

/** Takes the sun out of the pixels that the actors' shadow falls on, two by two. */
function castShadow(world: World, base: Base, actors: SolidSet, box: Rectangle, picture: YuvPicture): void {
  const { still } = base;
  const { view } = still;
  const [sx, sy, sz] = world.sun.to;
  const ray = new Float64Array(3);
  for (let y = box.top; y < box.bottom; y += 2) {
    for (let x = box.left; x < box.right; x += 2) {
      const at = y * view.width + x;
      const share = still.sunShare[at] ?? 0;
      const depth = still.depth[at] ?? Infinity;
      if (share < 0.05 || depth === Infinity) continue;
      rayThrough(view, x + 1, y + 1, ray);
      const px = view.eye[0] + (ray[0] ?? 0) * depth;
      const py = view.eye[1] + (ray[1] ?? 0) * depth;
      const pz = view.eye[2] + (ray[2] ?? 0) * depth;
      if (!blocked(actors, px, py + 0.01, pz, sx, sy, sz, Infinity)) continue;
      for (const other of [at, at + 1, at + view.width, at + view.width + 1]) {
        const dark = (1 - (still.sunShare[other] ?? 0)) ** 0.55;
        picture.y[other] = 16 + ((picture.y[other] ?? 16) - 16) * dark;
      }
    }
  }
}

/** Paints the actors, tile by tile, so that each ray is held against the few solids that can be there. */
function paintActors(world: World, base: Base, actors: SolidSet, box: Rectangle, picture: YuvPicture): void {
  const extents = actors.list.map((one) => extent(base.still, [one], null, 0));
  for (let top = box.top; top < box.bottom; top += TILE) {
    for (let left = box.left; left < box.right; left += TILE) {
      const part = { left, top, right: Math.min(box.right, left + TILE), bottom: Math.min(box.bottom, top + TILE) };
      const here = actors.list.filter((_, index) => {
        const own = extents[index];
        return own !== null && own !== undefined && own.left < part.right && own.right > part.left && own.top < part.bottom && own.bottom > part.top;
      });
      if (here.length > 0) paintPart(world, base, solidSet(here), actors, part, picture);
    }
  }
}

/** Paints what of `actors` is in this part of the picture, where nothing of the still world is nearer; `all` throw shadows on them. */
function paintPart(world: World, base: Base, actors: SolidSet, all: SolidSet, part: Rectangle, picture: YuvPicture): void {
  const { still } = base;
  const { view } = still;
  const ray = new Float64Array(3);
  const hit = new Float64Array(1);
  const lit = new Float32Array(4);
  const yuv = new Float32Array(3);
  const received: Received = { sun: 1, ambient: 0.85, lamps: [] };
  const sunny = isSunny(world);
  let before = MISS;
  for (let y = part.top; y < part.bottom; y += 2) {
    for (let x = part.left; x < part.right; x += 2) {
      let u = 0;
      let v = 0;
      let covered = 0;
      for (let sub = 0; sub < 4; sub += 1) {
        const px = x + (sub & 1);
        const py = y + (sub >> 1);
        const at = py * view.width + px;
        let luma = 0;
        let hits = 0;
        for (let sample = 0; sample < 2; sample += 1) {
          rayThrough(view, px + 0.25 + sample * 0.5, py + 0.75 - sample * 0.5, ray);
          const [dx = 0, dy = 0, dz = 0] = ray;
          const found = trace(actors, view.eye[0], view.eye[1], view.eye[2], dx, dy, dz, hit);
          const t = hit[0] ?? Infinity;
          if (found === MISS || t > (still.depth[at] ?? Infinity)) continue;
          const one = actors.list[found];
          if (one === undefined) continue;
          if (sample === 1 && hits === 1 && found === before) {
            // Well inside a solid the second sample would tell nothing new.
            luma += yuv[0] ?? 16;
            u += yuv[1] ?? 128;
            v += yuv[2] ?? 128;
            hits = 2;
            break;
          }
          before = found;
          const wx = view.eye[0] + dx * t;
          const wy = view.eye[1] + dy * t;
          const wz = view.eye[2] + dz * t;
          const normal = normalOf(one, wx, wy, wz);
          received.sun = sunny && blocked(all, wx + normal[0] * 0.01, wy + normal[1] * 0.01, wz + normal[2] * 0.01, world.sun.to[0], world.sun.to[1], world.sun.to[2], Infinity) ? 0 : 1;
          shade(world, one.material, wx, wy, wz, normal, received, lit);
          colourOf(world, lit, 0, vignette(world, px, py, view.width, view.height), yuv);
          luma += yuv[0] ?? 16;
          u += yuv[1] ?? 128;
          v += yuv[2] ?? 128;
          hits += 1;
        }
        covered += hits;
        if (hits > 0) picture.y[at] = (luma + (2 - hits) * (picture.y[at] ?? 16)) / 2;
      }
      if (covered === 0) continue;
      const chroma = (y >> 1) * (view.width >> 1) + (x >> 1);
      picture.u[chroma] = (u + (8 - covered) * (picture.u[chroma] ?? 128)) / 8;
      picture.v[chroma] = (v + (8 - covered) * (picture.v[chroma] ?? 128)) / 8;
    }
  }
}

/** Moves leaves sideways by a pixel or two; whole rounds over the loop, so that it has no seam. */
function swayLeaves(base: Base, t: number, seconds: number, picture: YuvPicture): void {
  const { leaves, swaySlow, swayFast, y } = base;
  const slow = Math.round((256 * 6 * t) / seconds);
  const fast = Math.round((256 * 17 * t) / seconds);
  for (let i = 0; i < leaves.length; i += 1) {
    const at = leaves[i] as number;
    const way = (SWAY_SLOW[((swaySlow[i] as number) + slow) & 255] as number) + (SWAY_FAST[((swayFast[i] as number) + fast) & 255] as number);
    picture.y[at] = y[at + Math.round(way)] as number;
  }
}

function isSunny(world: World): boolean {
  return Math.max(...world.sun.colour) > 0.3;
}

function copyPart(from: YuvPicture, to: YuvPicture, part: Rectangle): void {
  for (let y = part.top; y < part.bottom; y += 1) to.y.set(from.y.subarray(y * from.width + part.left, y * from.width + part.right), y * to.width + part.left);
  const half = from.width >> 1;
  for (let y = part.top >> 1; y < part.bottom >> 1; y += 1) {
    to.u.set(from.u.subarray(y * half + (part.left >> 1), y * half + (part.right >> 1)), y * half + (part.left >> 1));
    to.v.set(from.v.subarray(y * half + (part.left >> 1), y * half + (part.right >> 1)), y * half + (part.left >> 1));
  }
}

/** Makes the painter of a scene; the still world is painted with the first picture. */
export function createFilm(scene: Scene, width: number, height: number, fps: number): (index: number, picture: YuvPicture) => void {
  const { world } = scene;
  const base = createBase(world, width, height);
  const random = createRandom(7);
  const strength = world.infrared ? 7 : 3;
  const grain = Int8Array.from({ length: GRAIN_TILE + width * 2 }, () => Math.round((random() + random() - 1) * strength));
  const groundY = Math.min(...scene.actors(scene.seconds / 2).map((one) => one.by), 0);
  const sunny = isSunny(world);
  // Actors that stand still are painted once: a parked car costs nothing.
  let kept: { readonly stance: string; readonly picture: YuvPicture } | null = null;
  return (index, picture) => {
    const t = index / fps;
    picture.y.set(base.y);
    picture.u.set(base.u);
    picture.v.set(base.v);
    swayLeaves(base, t, scene.seconds, picture);
    const solids = scene.actors(t);
    const stance = solids.map((one) => one.cx + one.cy * 31 + one.cz * 977).join();
    if (solids.length > 0) {
      const touched = extent(base.still, solids, sunny ? world.sun.to : null, groundY);
      if (touched !== null && kept !== null && kept.stance === stance) copyPart(kept.picture, picture, touched);
      else if (touched !== null) {
        const actors = solidSet(solids);
        if (sunny) castShadow(world, base, actors, touched, picture);
        const own = extent(base.still, solids, null, groundY);
        if (own !== null) paintActors(world, base, actors, own, picture);
        kept = { stance, picture: { width, height, y: picture.y.slice(), u: picture.u.slice(), v: picture.v.slice() } };
      }
    }
    const light = scene.light(t);
    const levels = Uint8Array.from({ length: 256 }, (_, level) => Math.max(16, Math.min(235, 16 + (level - 16) * light)));
    const luma = picture.y;
    for (let line = 0; line < height; line += 1) {
      const from = Math.floor(random() * GRAIN_TILE);
      const start = line * width;
      for (let x = 0; x < width; x += 1) luma[start + x] = (levels[luma[start + x] as number] as number) + (grain[from + x] as number);
    }
    // No time of day: the loop's own would contradict the real one. Letters keep their share of the picture.
    writeText(picture, scene.title, Math.round(width * 0.019), Math.round(width * 0.017), Math.max(1, Math.round(width / 427)));
  };
}
