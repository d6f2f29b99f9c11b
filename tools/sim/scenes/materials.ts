/** Owns what the surfaces of the scenes look like: boards, bricks, lawn, asphalt, paint, leaves. */
import { cellNoise, fractalNoise, smoothNoise } from './noise.ts';
import type { Cutout, Material, Vector } from './solids.ts';

export type Colour = readonly [number, number, number];

function put(out: Float32Array, colour: Colour, shade: number, glow = 0): void {
  out[0] = colour[0] * shade;
  out[1] = colour[1] * shade;
  out[2] = colour[2] * shade;
  out[3] = glow;
}

/** Two coordinates on the face that a normal belongs to: along and up (walls), or x and z (floors). */
function face(x: number, y: number, z: number, n: Vector): readonly [number, number] {
  if (Math.abs(n[1]) > 0.7) return [x, z];
  return Math.abs(n[0]) > Math.abs(n[2]) ? [z, y] : [x, y];
}

/** Evenly painted, with the faint unevenness that nothing real is without. */
export function paint(colour: Colour, unevenness = 0.08): Material {
  return (x, y, z, n, out) => {
    const [u, v] = face(x, y, z, n);
    put(out, colour, 1 - unevenness / 2 + unevenness * fractalNoise(u * 3, v * 3, 3));
  };
}

/** A lamp or a lit window: gives light of its own. */
export function glow(colour: Colour, strength: number): Material {
  return (_x, _y, _z, _n, out) => put(out, colour, 1, strength);
}

/** Boards of this width, lying along z (or x when `across`); on walls they lie one over the other. */
export function boards(colour: Colour, width: number, across = false, gap = 0.008): Material {
  return (x, y, z, n, out) => {
    const wall = Math.abs(n[1]) < 0.7;
    const side = wall ? y : across ? z : x;
    const along = wall ? (Math.abs(n[0]) > 0.7 ? z : x) : across ? x : z;
    const index = Math.floor(side / width);
    const within = side / width - index;
    const grain = fractalNoise(along * 1.5 + index * 31, side * 40, 3);
    const tone = 0.72 + 0.3 * cellNoise(index * 7 + Math.floor((along + cellNoise(index, 3) * 3) / 2.6) * 13, 5) + 0.28 * (grain - 0.5);
    const edge = Math.min(within, 1 - within) * width;
    put(out, colour, edge < gap ? 0.28 * tone : tone);
  };
}

/** Clapboard siding: each board throws a small shadow on the one below. */
export function siding(colour: Colour, height = 0.16): Material {
  return (x, y, z, n, out) => {
    const [u] = face(x, y, z, n);
    const within = y / height - Math.floor(y / height);
    const shade = within > 0.93 ? 0.55 : 0.9 + 0.1 * within;
    put(out, colour, shade * (0.94 + 0.1 * fractalNoise(u * 2, y * 9, 3)));
  };
}

export function bricks(colour: Colour, mortar: Colour): Material {
  return (x, y, z, n, out) => {
    const [u, v] = face(x, y, z, n);
    const row = Math.floor(v / 0.075);
    const shifted = u + (row & 1 ? 0.11 : 0);
    const column = Math.floor(shifted / 0.22);
    const inX = shifted - column * 0.22;
    const inY = v - row * 0.075;
    const grit = 0.85 + 0.3 * fractalNoise(u * 30, v * 30, 2);
    if (inX < 0.012 || inY < 0.012) put(out, mortar, grit);
    else put(out, colour, grit * (0.72 + 0.5 * cellNoise(column * 3 + 11, row * 5)));
  };
}

/** Paving slabs of this size, each a little different. */
export function slabs(colour: Colour, size: number): Material {
  return (x, y, z, n, out) => {
    const [u, v] = face(x, y, z, n);
    const i = Math.floor(u / size);
    const j = Math.floor(v / size);
    const edge = Math.min(u / size - i, 1 - (u / size - i), v / size - j, 1 - (v / size - j)) * size;
    const tone = 0.85 + 0.2 * cellNoise(i * 5, j * 3) + 0.3 * (fractalNoise(u * 6, v * 6) - 0.5);
    put(out, colour, edge < 0.012 ? 0.45 : tone);
  };
}

export function asphalt(colour: Colour): Material {
  return (x, _y, z, _n, out) => {
    const coarse = fractalNoise(x * 0.7, z * 0.7, 4);
    const grit = cellNoise(x * 90, z * 90);
    put(out, colour, 0.7 + 0.35 * coarse + 0.22 * (grit - 0.5));
  };
}

/** Mown grass: patches, blades, and the faint stripes of the mower. */
export function lawn(colour: Colour): Material {
  return (x, _y, z, _n, out) => {
    const patch = fractalNoise(x * 0.6 + 9, z * 0.6, 4);
    const blades = smoothNoise(x * 38, z * 22) * 0.5 + cellNoise(x * 70, z * 40) * 0.5;
    const stripe = Math.sin(x * 3.4 + 0.2 * patch) > 0 ? 1.05 : 0.95;
    const shade = stripe * (0.55 + 0.5 * patch + 0.55 * (blades - 0.35));
    out[0] = colour[0] * shade * (0.85 + 0.4 * patch);
    out[1] = colour[1] * shade;
    out[2] = colour[2] * shade * (0.9 + 0.2 * blades);
    out[3] = 0;
  };
}

export function soil(): Material {
  return (x, y, z, _n, out) => put(out, [0.16, 0.1, 0.065], 0.5 + fractalNoise(x * 9, z * 9 + y * 5, 4));
}

/** Foliage: clumps of leaves, lighter towards the top. */
export function leaves(colour: Colour): Material {
  return (x, y, z, n, out) => {
    const clump = fractalNoise(x * 7 + y * 3, z * 7 - y * 5, 3);
    const leaf = cellNoise(x * 34 + y * 21, z * 34 + y * 27);
    const shade = (0.35 + 0.85 * clump) * (0.7 + 0.5 * leaf) * (0.85 + 0.25 * n[1]);
    out[0] = colour[0] * shade * (0.8 + 0.5 * leaf);
    out[1] = colour[1] * shade;
    out[2] = colour[2] * shade;
    out[3] = 0;
  };
}

/** Holes at the rim of foliage, so that it does not look like a ball. */
export function leafHoles(centre: Vector, radius: number): Cutout {
  return (x, y, z) => {
    const clump = smoothNoise(x * 9 + y * 7 + centre[0] * 5, z * 9 - y * 8);
    const leaf = cellNoise(x * 26 + y * 17, z * 26 - y * 23);
    return clump * 0.6 + leaf * 0.4 > 0.62 - 0.02 * radius;
  };
}

/** A framed picture or a window with panes: `rows` by `columns`, seen in the plane of a wall with this normal. */
export function panes(frame: Colour, glass: Colour, low: readonly [number, number], high: readonly [number, number], columns: number, rows: number, shine = 0): Material {
  return (x, y, z, n, out) => {
    const [u, v] = face(x, y, z, n);
    const pu = ((u - low[0]) / (high[0] - low[0])) * columns;
    const pv = ((v - low[1]) / (high[1] - low[1])) * rows;
    const edgeU = (Math.min(pu - Math.floor(pu), 1 - pu + Math.floor(pu)) * (high[0] - low[0])) / columns;
    const edgeV = (Math.min(pv - Math.floor(pv), 1 - pv + Math.floor(pv)) * (high[1] - low[1])) / rows;
    if (edgeU < 0.025 || edgeV < 0.025) put(out, frame, 1);
    else put(out, glass, 0.8 + 0.5 * smoothNoise(u * 2 + v * 1.5, v * 2), shine * (0.6 + 0.5 * smoothNoise(u * 3, v * 2 + 4)));
  };
}
