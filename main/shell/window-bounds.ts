/** Where the window was when it was last closed, and whether that place still is on a screen. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { replaceFile } from '../host/essentials.ts';

export interface Bounds {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const FIRST_SIZE = { width: 1280, height: 800 } as const;
/** At least this much of the window has to be on a screen, or it could not be dragged back. */
const VISIBLE_PX = 100;

function fileOf(dataDir: string): string {
  return path.join(dataDir, 'window.json');
}

/** The bounds to open with; null where none were kept or no screen shows them any more. */
export function readBounds(dataDir: string, screens: readonly Bounds[]): Bounds | null {
  try {
    const value = JSON.parse(readFileSync(fileOf(dataDir), 'utf8')) as Partial<Record<keyof Bounds, unknown>>;
    const { x, y, width, height } = value;
    if (![x, y, width, height].every((side) => Number.isInteger(side))) return null;
    const bounds = { x, y, width, height } as Bounds;
    return screens.some((screen) => overlaps(bounds, screen)) ? bounds : null;
  } catch {
    return null;
  }
}

function overlaps(a: Bounds, b: Bounds): boolean {
  const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return wide >= VISIBLE_PX && high >= VISIBLE_PX;
}

export async function writeBounds(dataDir: string, bounds: Bounds): Promise<void> {
  const { x, y, width, height } = bounds;
  await replaceFile(fileOf(dataDir), JSON.stringify({ x, y, width, height }));
}
