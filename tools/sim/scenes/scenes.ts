/** Owns the list of painted scenes and their turning into footage. */
import type { PictureSeries } from '../media/encode.ts';
import { createTestPainter } from '../media/test-pictures.ts';

export const SCENES = ['porch', 'drive', 'garden', 'hallway'] as const;
export type SceneName = (typeof SCENES)[number];

export function scenePictures(name: SceneName): PictureSeries {
  return { key: `scene-${name}`, width: 1280, height: 720, fps: 15, frames: 360, createPainter: () => createTestPainter({ width: 1280, height: 720, seed: SCENES.indexOf(name) }) };
}
