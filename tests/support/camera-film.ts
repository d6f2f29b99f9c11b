/** What a webcam sees, as a film that Chromium's fake camera plays: a picture held before it, a little tilted, dim and unsharp. */
import { createWriteStream } from 'node:fs';
import type { Page } from '@playwright/test';

const WIDTH = 640;
const HEIGHT = 480;
const PER_SECOND = 2;

/** A part of the film: the picture (its address, or null for none) and how long it is held there. */
export interface Scene {
  readonly picture: string | null;
  readonly seconds: number;
}

/** The luma of 640 × 480 pixels; `page` draws it. */
async function photograph(page: Page, picture: string | null): Promise<Buffer> {
  const luma = await page.evaluate(
    async ([url, width, height]) => {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext('2d');
      if (context === null) throw new Error('nothing to draw on');
      context.fillStyle = '#4a4640';
      context.fillRect(0, 0, width, height);
      if (url !== null) {
        const image = new Image();
        image.src = url;
        await image.decode();
        context.translate(width / 2 + 12, height / 2 - 8);
        context.rotate(0.11);
        context.filter = 'blur(0.6px) brightness(0.8) contrast(0.8)';
        context.drawImage(image, -170, -175, 340, 350);
      }
      const { data } = context.getImageData(0, 0, width, height);
      let text = '';
      for (let at = 0; at < data.length; at += 4) text += String.fromCharCode(Math.round(0.3 * (data[at] ?? 0) + 0.59 * (data[at + 1] ?? 0) + 0.11 * (data[at + 2] ?? 0)));
      return btoa(text);
    },
    [picture, WIDTH, HEIGHT] as const,
  );
  return Buffer.from(luma, 'base64');
}

/** Writes the film (YUV4MPEG2, grey); Chromium plays it from its beginning whenever the camera is switched on, and again when it is over. */
export async function filmScenes(page: Page, file: string, scenes: readonly Scene[]): Promise<void> {
  const grey = Buffer.alloc((WIDTH * HEIGHT) / 2, 128);
  const out = createWriteStream(file);
  out.write(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${PER_SECOND}:1 Ip A1:1 C420\n`);
  for (const { picture, seconds } of scenes) {
    const luma = await photograph(page, picture);
    for (let frame = 0; frame < seconds * PER_SECOND; frame += 1) for (const part of ['FRAME\n', luma, grey]) out.write(part);
  }
  await new Promise<void>((resolve, reject) => out.on('error', reject).end(resolve));
}
