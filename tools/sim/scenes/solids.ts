/** Owns the solids that scenes are built of, and where a ray meets them. Lengths are metres, y is up. */

export type Vector = readonly [number, number, number];

/** What a surface looks like at a point: writes red, green, blue (linear, 0-1) and glow (0: none) to `out`. */
export type Material = (x: number, y: number, z: number, normal: Vector, out: Float32Array) => void;

/** True where a leafy solid has a hole, so that the ray goes on. */
export type Cutout = (x: number, y: number, z: number) => boolean;

const BOX = 0;
const ELLIPSOID = 1;
const CAPSULE = 2;

export interface Solid {
  readonly kind: number;
  readonly material: Material;
  readonly cutout: Cutout | null;
  /** Casts no shadow when false: glass, lamps. */
  readonly opaque: boolean;
  /** Moves in the wind. */
  readonly leafy: boolean;
  /** Centre (box, ellipsoid) or one end (capsule). */
  readonly cx: number;
  readonly cy: number;
  readonly cz: number;
  /** Half sizes (box), radii (ellipsoid), the way to the other end (capsule). */
  readonly ax: number;
  readonly ay: number;
  readonly az: number;
  /** Of a capsule. */
  readonly radius: number;
  /** Turn about the vertical, of a box. */
  readonly sin: number;
  readonly cos: number;
  /** A sphere around all of it, squared radius. */
  readonly bx: number;
  readonly by: number;
  readonly bz: number;
  readonly bound2: number;
}

interface SolidOptions {
  readonly cutout?: Cutout;
  readonly opaque?: boolean;
  readonly leafy?: boolean;
  /** Radians about the vertical. */
  readonly turn?: number;
}

function solid(kind: number, centre: Vector, half: Vector, radius: number, material: Material, options: SolidOptions): Solid {
  const { turn = 0 } = options;
  const capsule = kind === CAPSULE;
  const [ax, ay, az] = half;
  const reach = capsule ? Math.hypot(ax, ay, az) / 2 + radius : kind === BOX ? Math.hypot(ax, ay, az) : Math.max(ax, ay, az);
  return {
    kind,
    material,
    cutout: options.cutout ?? null,
    opaque: options.opaque ?? true,
    leafy: options.leafy ?? false,
    cx: centre[0],
    cy: centre[1],
    cz: centre[2],
    ax,
    ay,
    az,
    radius,
    sin: Math.sin(turn),
    cos: Math.cos(turn),
    bx: capsule ? centre[0] + ax / 2 : centre[0],
    by: capsule ? centre[1] + ay / 2 : centre[1],
    bz: capsule ? centre[2] + az / 2 : centre[2],
    bound2: reach * reach,
  };
}

/** A box from its least to its greatest corner; `turn` turns it about its own vertical axis. */
export function box(low: Vector, high: Vector, material: Material, options: SolidOptions = {}): Solid {
  const centre: Vector = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2];
  const half: Vector = [(high[0] - low[0]) / 2, (high[1] - low[1]) / 2, (high[2] - low[2]) / 2];
  return solid(BOX, centre, half, 0, material, options);
}

export function ellipsoid(centre: Vector, radii: Vector, material: Material, options: SolidOptions = {}): Solid {
  return solid(ELLIPSOID, centre, radii, 0, material, options);
}

/** A round bar between two points. */
export function capsule(from: Vector, to: Vector, radius: number, material: Material, options: SolidOptions = {}): Solid {
  return solid(CAPSULE, from, [to[0] - from[0], to[1] - from[1], to[2] - from[2]], radius, material, options);
}

function meetBox(s: Solid, ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): number {
  const px = ox - s.cx;
  const pz = oz - s.cz;
  const lx = px * s.cos + pz * s.sin;
  const lz = pz * s.cos - px * s.sin;
  const ex = dx * s.cos + dz * s.sin;
  const ez = dz * s.cos - dx * s.sin;
  const ix = 1 / ex;
  const iy = 1 / dy;
  const iz = 1 / ez;
  const x1 = (-s.ax - lx) * ix;
  const x2 = (s.ax - lx) * ix;
  const y1 = (-s.ay - (oy - s.cy)) * iy;
  const y2 = (s.ay - (oy - s.cy)) * iy;
  const z1 = (-s.az - lz) * iz;
  const z2 = (s.az - lz) * iz;
  const near = Math.max(Math.min(x1, x2), Math.min(y1, y2), Math.min(z1, z2));
  const far = Math.min(Math.max(x1, x2), Math.max(y1, y2), Math.max(z1, z2));
  return far < near || far < 0 ? Infinity : near > 0 ? near : far;
}

function meetEllipsoid(s: Solid, ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): number {
  const px = (ox - s.cx) / s.ax;
  const py = (oy - s.cy) / s.ay;
  const pz = (oz - s.cz) / s.az;
  const ex = dx / s.ax;
  const ey = dy / s.ay;
  const ez = dz / s.az;
  const a = ex * ex + ey * ey + ez * ez;
  const b = px * ex + py * ey + pz * ez;
  const c = px * px + py * py + pz * pz - 1;
  const root = b * b - a * c;
  if (root < 0) return Infinity;
  const t = (-b - Math.sqrt(root)) / a;
  return t > 0 ? t : Infinity;
}

/** After the closed form of a ray and a capsule: the cylinder first, then the cap on the nearer end. */
function meetCapsule(s: Solid, ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): number {
  const px = ox - s.cx;
  const py = oy - s.cy;
  const pz = oz - s.cz;
  const baba = s.ax * s.ax + s.ay * s.ay + s.az * s.az;
  const bard = s.ax * dx + s.ay * dy + s.az * dz;
  const baoa = s.ax * px + s.ay * py + s.az * pz;
  const rdoa = dx * px + dy * py + dz * pz;
  const oaoa = px * px + py * py + pz * pz;
  const r2 = s.radius * s.radius;
  const a = baba - bard * bard;
  let b = baba * rdoa - baoa * bard;
  let c = baba * oaoa - baoa * baoa - r2 * baba;
  let h = b * b - a * c;
  if (h < 0) return Infinity;
  const t = (-b - Math.sqrt(h)) / a;
  const y = baoa + t * bard;
  if (y > 0 && y < baba) return t > 0 ? t : Infinity;
  const far = y > 0 ? 1 : 0;
  const qx = px - far * s.ax;
  const qy = py - far * s.ay;
  const qz = pz - far * s.az;
  b = dx * qx + dy * qy + dz * qz;
  c = qx * qx + qy * qy + qz * qz - r2;
  h = b * b - c;
  const cap = -b - Math.sqrt(h);
  return h > 0 && cap > 0 ? cap : Infinity;
}

/** How far along a ray of unit direction the solid is met; Infinity when it is not. Cut-outs are looked through. */
export function meet(s: Solid, ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): number {
  const t = s.kind === BOX ? meetBox(s, ox, oy, oz, dx, dy, dz) : s.kind === ELLIPSOID ? meetEllipsoid(s, ox, oy, oz, dx, dy, dz) : meetCapsule(s, ox, oy, oz, dx, dy, dz);
  if (t !== Infinity && s.cutout !== null && s.cutout(ox + dx * t, oy + dy * t, oz + dz * t)) return Infinity;
  return t;
}

/** The outward normal at a point of the surface. */
export function normalAt(s: Solid, x: number, y: number, z: number): Vector {
  if (s.kind === BOX) {
    const px = x - s.cx;
    const pz = z - s.cz;
    const lx = (px * s.cos + pz * s.sin) / s.ax;
    const ly = (y - s.cy) / s.ay;
    const lz = (pz * s.cos - px * s.sin) / s.az;
    const mx = Math.abs(lx);
    const my = Math.abs(ly);
    const mz = Math.abs(lz);
    if (my >= mx && my >= mz) return [0, Math.sign(ly), 0];
    if (mx >= mz) return [Math.sign(lx) * s.cos, 0, Math.sign(lx) * s.sin];
    return [-Math.sign(lz) * s.sin, 0, Math.sign(lz) * s.cos];
  }
  let nx: number;
  let ny: number;
  let nz: number;
  if (s.kind === ELLIPSOID) {
    nx = (x - s.cx) / (s.ax * s.ax);
    ny = (y - s.cy) / (s.ay * s.ay);
    nz = (z - s.cz) / (s.az * s.az);
  } else {
    const length2 = s.ax * s.ax + s.ay * s.ay + s.az * s.az;
    const h = Math.min(1, Math.max(0, ((x - s.cx) * s.ax + (y - s.cy) * s.ay + (z - s.cz) * s.az) / length2));
    nx = x - s.cx - s.ax * h;
    ny = y - s.cy - s.ay * h;
    nz = z - s.cz - s.az * h;
  }
  const length = Math.hypot(nx, ny, nz) || 1;
  return [nx / length, ny / length, nz / length];
}
