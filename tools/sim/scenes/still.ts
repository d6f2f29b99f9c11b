/** Owns the painting of a world's unmoving part, once: colour, distance of every pixel, and which pixels are leaves. */
import { createRandom } from '../media/ambience.ts';
import type { Solid, Vector } from './solids.ts';
import { MISS, blocked, createView, normalOf, rayThrough, shade, solidSet, trace, type Received, type View, type World } from './world.ts';

export interface Still {
  readonly view: View;
  /** Linear, exposure not yet applied, three per pixel. */
  readonly colour: Float32Array;
  /** Metres from the eye; Infinity for the sky. */
  readonly depth: Float32Array;
  /** 1 where leaves are. */
  readonly leafy: Uint8Array;
  /** How much of the pixel's light is the sun's, 0 to 1: what a passing shadow takes away. */
  readonly sunShare: Float32Array;
}

interface Hits {
  readonly id: Int16Array;
  readonly depth: Float32Array;
}

/** Solids by tiles of the picture, so that a ray looks only at what can be there. */
const TILE = 32;
const AMBIENT_RAYS = 3;
const AMBIENT_REACH_M = 1.6;

function tileSolids(world: World, view: View): { readonly columns: number; readonly lists: readonly Int16Array[] } {
  const columns = Math.ceil(view.width / TILE);
  const rows = Math.ceil(view.height / TILE);
  const ray = new Float64Array(3);
  const corner = new Float64Array(3);
  const lists: Int16Array[] = [];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      rayThrough(view, (column + 0.5) * TILE, (row + 0.5) * TILE, ray);
      rayThrough(view, column * TILE, row * TILE, corner);
      const [rx = 0, ry = 0, rz = 0] = ray;
      const wide = Math.acos(Math.min(1, rx * (corner[0] ?? 0) + ry * (corner[1] ?? 0) + rz * (corner[2] ?? 0))) * 1.15;
      const list: number[] = [];
      world.solids.forEach((one, index) => {
        const mx = one.bx - view.eye[0];
        const my = one.by - view.eye[1];
        const mz = one.bz - view.eye[2];
        const far = Math.hypot(mx, my, mz);
        const radius = Math.sqrt(one.bound2);
        const angle = Math.acos(Math.max(-1, Math.min(1, (mx * rx + my * ry + mz * rz) / far)));
        if (far <= radius || angle <= wide + Math.asin(Math.min(1, radius / far))) list.push(index);
      });
      lists.push(Int16Array.from(list));
    }
  }
  return { columns, lists };
}

function findHits(world: World, view: View): Hits {
  const { width, height } = view;
  const id = new Int16Array(width * height).fill(MISS);
  const depth = new Float32Array(width * height).fill(Infinity);
  const { columns, lists } = tileSolids(world, view);
  const some = lists.map((list) => solidSet(Array.from(list, (index) => world.solids[index]).filter((one) => one !== undefined)));
  const none = solidSet([]);
  const ray = new Float64Array(3);
  const hit = new Float64Array(1);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const tile = Math.floor(y / TILE) * columns + Math.floor(x / TILE);
      rayThrough(view, x + 0.5, y + 0.5, ray);
      const found = trace(some[tile] ?? none, view.eye[0], view.eye[1], view.eye[2], ray[0] ?? 0, ray[1] ?? 0, ray[2] ?? 0, hit);
      if (found === MISS) continue;
      id[y * width + x] = lists[tile]?.[found] ?? MISS;
      depth[y * width + x] = hit[0] ?? Infinity;
    }
  }
  return { id, depth };
}

/** Light that reaches the surfaces, at half the picture's size: sun, ambient, then one plane per lamp. */
function gatherLight(world: World, view: View, hits: Hits): Float32Array[] {
  const width = view.width >> 1;
  const height = view.height >> 1;
  const planes = Array.from({ length: 2 + world.lamps.length }, () => new Float32Array(width * height).fill(1));
  const random = createRandom(99);
  const ray = new Float64Array(3);
  const everything = solidSet(world.solids);
  const to = new Float64Array(3);
  const aim = (v: Vector, spread: number): void => {
    const ax = v[0] + (random() - 0.5) * spread;
    const ay = v[1] + (random() - 0.5) * spread;
    const az = v[2] + (random() - 0.5) * spread;
    const length = Math.sqrt(ax * ax + ay * ay + az * az);
    to[0] = ax / length;
    to[1] = ay / length;
    to[2] = az / length;
  };
  const shut = (x: number, y: number, z: number, reach: number): boolean => blocked(everything, x, y, z, to[0] ?? 0, to[1] ?? 0, to[2] ?? 0, reach);
  const sunny = Math.max(...world.sun.colour) > 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const full = y * 2 * view.width + x * 2;
      const one = world.solids[hits.id[full] ?? MISS];
      if (one === undefined) continue;
      rayThrough(view, x * 2 + 0.5, y * 2 + 0.5, ray);
      const t = (hits.depth[full] ?? 0) * 0.9995;
      const px = view.eye[0] + (ray[0] ?? 0) * t;
      const py = view.eye[1] + (ray[1] ?? 0) * t;
      const pz = view.eye[2] + (ray[2] ?? 0) * t;
      const n = normalOf(one, px, py, pz);
      const ox = px + n[0] * 0.004;
      const oy = py + n[1] * 0.004;
      const oz = pz + n[2] * 0.004;
      const at = y * width + x;
      if (sunny) {
        // One ray each is enough, as the neighbours' are averaged in; what faces away needs none.
        aim(world.sun.to, world.sun.softness);
        const away = n[0] * world.sun.to[0] + n[1] * world.sun.to[1] + n[2] * world.sun.to[2] <= 0;
        (planes[0] as Float32Array)[at] = away || shut(ox, oy, oz, Infinity) ? 0 : 1;
      }
      // Ambient light changes slowly: one place in four is measured, unless another thing begins between.
      const ambient = planes[1] as Float32Array;
      const corner = full - (x & 1) * 2 - (y & 1) * 2 * view.width;
      if (corner !== full && hits.id[corner] === hits.id[full]) ambient[at] = ambient[at - (x & 1) - (y & 1) * width] ?? 1;
      else {
        let open = 0;
        for (let i = 0; i < AMBIENT_RAYS; i += 1) {
          aim(n, 1.8);
          if (!shut(ox, oy, oz, AMBIENT_REACH_M)) open += 1 / AMBIENT_RAYS;
        }
        ambient[at] = 0.25 + 0.75 * open;
      }
      world.lamps.forEach((lamp, index) => {
        if (!lamp.shadows) return;
        const source: Vector = [lamp.at[0] + (random() - 0.5) * 0.2, lamp.at[1] + (random() - 0.5) * 0.2, lamp.at[2] + (random() - 0.5) * 0.2];
        const way: Vector = [source[0] - ox, source[1] - oy, source[2] - oz];
        const far = Math.hypot(way[0], way[1], way[2]);
        if (blocked(everything, ox, oy, oz, way[0] / far, way[1] / far, way[2] / far, far - 0.1)) (planes[2 + index] as Float32Array)[at] = 0;
      });
    }
  }
  return planes;
}

/** Evens out the grain of few rays without blurring over the edges of things. */
function smoothLight(planes: readonly Float32Array[], view: View, hits: Hits): Float32Array[] {
  const width = view.width >> 1;
  const height = view.height >> 1;
  const reach = 3;
  const pass = (plane: Float32Array, dx: number, dy: number): Float32Array => {
    const out = new Float32Array(plane.length);
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const full = y * 2 * view.width + x * 2;
        const id = hits.id[full] ?? MISS;
        const depth = hits.depth[full] ?? 0;
        let sum = 0;
        let weight = 0;
        for (let step = -reach; step <= reach; step += 1) {
          const sx = x + dx * step;
          const sy = y + dy * step;
          if (sx < 0 || sy < 0 || sx >= width || sy >= height) continue;
          const other = sy * 2 * view.width + sx * 2;
          if (hits.id[other] !== id || Math.abs((hits.depth[other] ?? 0) - depth) > 0.06 * depth) continue;
          const w = reach + 1 - Math.abs(step);
          sum += (plane[sy * width + sx] ?? 0) * w;
          weight += w;
        }
        out[y * width + x] = weight > 0 ? sum / weight : (plane[y * width + x] ?? 0);
      }
    }
    return out;
  };
  return planes.map((plane) => pass(pass(plane, 1, 0), 0, 1));
}

function receivedAt(planes: readonly Float32Array[], at: number, received: Received): void {
  received.sun = planes[0]?.[at] ?? 1;
  received.ambient = planes[1]?.[at] ?? 1;
  for (let index = 2; index < planes.length; index += 1) received.lamps[index - 2] = planes[index]?.[at] ?? 1;
}

/** Paints the whole picture. Takes a second or two at 1280 × 720. */
export function paintStill(world: World, width: number, height: number): Still {
  const view = createView(world, width, height);
  const hits = findHits(world, view);
  const planes = smoothLight(gatherLight(world, view, hits), view, hits);
  const colour = new Float32Array(width * height * 3);
  const leafy = new Uint8Array(width * height);
  const sunShare = new Float32Array(width * height);
  const received: Received = { sun: 1, ambient: 1, lamps: [] };
  const ray = new Float64Array(3);
  const lit = new Float32Array(4);
  const paint = (one: Solid | undefined, depth: number, x: number, y: number): void => {
    rayThrough(view, x, y, ray);
    const [dx = 0, dy = 0, dz = 0] = ray;
    if (one === undefined) return world.sky(dx, dy, dz, lit);
    const px = view.eye[0] + dx * depth;
    const py = view.eye[1] + dy * depth;
    const pz = view.eye[2] + dz * depth;
    shade(world, one.material, px, py, pz, normalOf(one, px, py, pz), received, lit);
  };
  const hit = new Float64Array(1);
  const halfWidth = width >> 1;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = y * width + x;
      const id = hits.id[at] ?? MISS;
      const one = world.solids[id];
      receivedAt(planes, Math.min((height >> 1) - 1, y >> 1) * halfWidth + Math.min(halfWidth - 1, x >> 1), received);
      paint(one, hits.depth[at] ?? Infinity, x + 0.5, y + 0.5);
      let [r = 0, g = 0, b = 0] = lit;
      if (one !== undefined) {
        leafy[at] = one.leafy ? 1 : 0;
        sunShare[at] = lit[3] ?? 0;
      }
      // At the edges of things three more rays are sent, or they would show steps.
      if (x > 0 && y > 0 && x < width - 1 && y < height - 1 && (hits.id[at - 1] !== id || hits.id[at + 1] !== id || hits.id[at - width] !== id || hits.id[at + width] !== id)) {
        const near = [at - 1, at + 1, at - width, at + width].map((other) => world.solids[hits.id[other] ?? MISS]);
        const candidates = solidSet([...new Set([one, ...near])].filter((solid) => solid !== undefined));
        for (const [ox, oy] of [
          [0.12, 0.62],
          [0.62, 0.12],
          [0.88, 0.88],
        ] as const) {
          rayThrough(view, x + ox, y + oy, ray);
          const found = trace(candidates, view.eye[0], view.eye[1], view.eye[2], ray[0] ?? 0, ray[1] ?? 0, ray[2] ?? 0, hit);
          paint(candidates.list[found], hit[0] ?? Infinity, x + ox, y + oy);
          r += lit[0] ?? 0;
          g += lit[1] ?? 0;
          b += lit[2] ?? 0;
        }
        r /= 4;
        g /= 4;
        b /= 4;
      }
      colour[at * 3] = r;
      colour[at * 3 + 1] = g;
      colour[at * 3 + 2] = b;
    }
  }
  return { view, colour, depth: hits.depth, leafy, sunShare };
}
