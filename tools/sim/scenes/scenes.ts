/** Owns the list of painted scenes, what happens in each, and their turning into footage. */
import type { PictureSeries } from '../media/encode.ts';
import { car, cat, person, type Clothes } from './actors.ts';
import { DRIVE } from './drive.ts';
import { createFilm, type Scene } from './film.ts';
import { GARDEN } from './garden.ts';
import { HALLWAY } from './hallway.ts';
import { PORCH } from './porch.ts';
import type { Solid, Vector } from './solids.ts';

export const SCENES = ['porch', 'drive', 'garden', 'hallway'] as const;
export type SceneName = (typeof SCENES)[number];

/** Raised when anything painted changes, so that old clips are not used. */
const SCENE_VERSION = 4;
const SECONDS = 20;
/** Painting costs by picture and pixel, and a demo should not keep anybody waiting: ffmpeg enlarges while it encodes. */
export const SCENE_FPS = 10;
const WIDTH = 800;
const HEIGHT = 450;
const STRIDE_M = 0.75;

const COURIER: Clothes = { jacket: [0.32, 0.16, 0.05], trousers: [0.1, 0.08, 0.07], hair: [0.05, 0.035, 0.03], parcel: true };
const GARDENER: Clothes = { jacket: [0.08, 0.16, 0.3], trousers: [0.13, 0.15, 0.2], hair: [0.3, 0.2, 0.1], parcel: false };

interface Spot {
  readonly at: Vector;
  readonly heading: number;
  readonly walked: number;
  readonly moving: number;
}

/** A point on a way of corners at a moment: the walker sets out at `from` seconds and goes at `speed` m/s; null before and after. */
function along(way: readonly Vector[], from: number, speed: number, t: number): Spot | null {
  let left = (t - from) * speed;
  if (left < 0) return null;
  const walked = left;
  for (let i = 1; i < way.length; i += 1) {
    const a = way[i - 1];
    const b = way[i];
    if (a === undefined || b === undefined) continue;
    const length = Math.hypot(b[0] - a[0], b[1] - a[1], b[2] - a[2]);
    if (left <= length) {
      const s = left / length;
      return { at: [a[0] + (b[0] - a[0]) * s, a[1] + (b[1] - a[1]) * s, a[2] + (b[2] - a[2]) * s], heading: Math.atan2(b[0] - a[0], b[2] - a[2]), walked, moving: 1 };
    }
    left -= length;
  }
  return null;
}

function walker(spot: Spot | null, clothes: Clothes): Solid[] {
  return spot === null ? [] : person({ at: spot.at, heading: spot.heading, step: (spot.walked / STRIDE_M) * Math.PI }, clothes, spot.moving);
}

const TO_DOOR: readonly Vector[] = [
  [7, -0.52, 13.9],
  [0.4, -0.52, 13.5],
  [0.1, -0.53, 3.6],
  [0.1, 0, 2.5],
  [0.15, 0, 1.5],
];

function porchActors(t: number): Solid[] {
  const comes = along(TO_DOOR, 1, 2.1, t);
  if (comes !== null) return walker(comes, COURIER);
  const parcel = t > 10 ? [...person({ at: [0, -40, 0], heading: 0, step: 0 }, COURIER, 0)].slice(-1).map((one) => ({ ...one, cx: 0.15, cy: 0.12, cz: 1.25, bx: 0.15, by: 0.12, bz: 1.25 })) : [];
  const waits = t > 1 && t < 12.6 ? person({ at: [0.15, 0, 1.5], heading: Math.PI, step: 0 }, { ...COURIER, parcel: t < 11.2 }, 0) : [];
  const goes = walker(along(TO_DOOR.toReversed(), 12.6, 2.3, t), { ...COURIER, parcel: false });
  return [...(t > 11.2 ? parcel : []), ...waits, ...goes];
}

function driveActors(t: number): Solid[] {
  const street: readonly Vector[] = [
    [26, -0.58, 20],
    [6, -0.58, 20],
    [2.4, -0.57, 19.2],
    [0.7, -0.55, 17],
    [0.3, -0.55, 12],
    [0.2, -0.55, 8.2],
  ];
  const length = 32.2;
  const s = Math.min(1, Math.max(0, (t - 2) / 6.5));
  if (t < 2) return [];
  const eased = s < 1 ? 1 - (1 - s) ** 1.7 : 1;
  const spot = along(street, 0, 1, eased * length * 0.985);
  if (spot === null) return [];
  const out = walker(along([[-1.15, -0.55, 8.4], [-1.5, -0.55, 6], [-1.2, -0.55, 1.5], [0.2, -0.55, -3]], 12, 1.3, t), { ...GARDENER, jacket: [0.25, 0.22, 0.2] });
  return [...car({ at: spot.at, heading: spot.heading, step: 0 }, [0.22, 0.035, 0.04], t < 10.5 ? 1 : 0), ...out];
}

function gardenActors(t: number): Solid[] {
  const toShed: readonly Vector[] = [
    [-7, 0, 2],
    [0.5, 0, 2.6],
    [2.4, 0, 4],
    [4.3, 0, 9.2],
  ];
  const prowl = along([[8.5, 0, 5.4], [3, 0, 6.2], [-1, 0, 6.4], [-6.6, 0, 7.6]], 6, 1.15, t);
  const paws = prowl === null ? [] : cat({ at: prowl.at, heading: prowl.heading, step: prowl.walked * 14 }, [0.45, 0.22, 0.08], 0);
  return [...walker(along(toShed, 1.5, 1.4, t), GARDENER), ...paws];
}

function hallwayActors(t: number): Solid[] {
  const prowl = along([[1.9, 0, 3.2], [0.6, 0, 4.6], [-0.2, 0.018, 3.6], [0.1, 0.018, 1.6], [-0.4, 0.018, 0.3], [-1.6, 0, -0.6]], 4, 0.62, t);
  return prowl === null ? [] : cat({ at: prowl.at, heading: prowl.heading, step: prowl.walked * 16 }, [0.2, 0.2, 0.2], 5);
}

/** Goes once round in a loop, so that the seam does not show. */
function cloudLight(amount: number, rounds: number): (t: number) => number {
  return (t) => 1 + amount * Math.sin((2 * Math.PI * rounds * t) / SECONDS);
}

const DETAILS: Readonly<Record<SceneName, Scene>> = {
  porch: { world: PORCH, seconds: SECONDS, title: 'FRONT PORCH', actors: porchActors, light: cloudLight(0.03, 1) },
  drive: { world: DRIVE, seconds: SECONDS, title: 'DRIVE', actors: driveActors, light: cloudLight(0.01, 3) },
  garden: { world: GARDEN, seconds: SECONDS, title: 'GARDEN', actors: gardenActors, light: cloudLight(0.05, 2) },
  hallway: { world: HALLWAY, seconds: SECONDS, title: 'HALLWAY', actors: hallwayActors, light: cloudLight(0.015, 5) },
};

/** When something moves in a scene, seconds from the start of its loop. */
export const SCENE_MOTION: Readonly<Record<SceneName, readonly [number, number]>> = { porch: [1, 18], drive: [2, 18], garden: [1.5, 19], hallway: [4, 15] };

export function scenePictures(name: SceneName): PictureSeries {
  return {
    key: `scene-${name}-${SCENE_VERSION}`,
    width: WIDTH,
    height: HEIGHT,
    fps: SCENE_FPS,
    frames: SECONDS * SCENE_FPS,
    hurried: true,
    createPainter: () => createFilm(DETAILS[name], WIDTH, HEIGHT, SCENE_FPS),
  };
}
