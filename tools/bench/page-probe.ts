/**
 * What a benchmark adds to the page before it loads: every picture that is painted is read back at the end of the frame that
 * shows it, with the code in it; and when the pointer did what. The interface itself knows nothing of it.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { transformWithOxc } from 'vite';
import type { FrameCode } from '../sim/frame-code.ts';

/** One picture that was shown. Times are of the page's performance.now(). */
export interface Paint {
  /** End of the page's rendering of the frame that shows it; a screen adds its own refresh. */
  readonly atMs: number;
  readonly wallClockMs: number;
  readonly kind: 'canvas' | 'preview';
  readonly cameraId: string;
  readonly width: number;
  readonly code: FrameCode | null;
}

export interface PointerMark {
  readonly type: string;
  readonly atMs: number;
}

interface Probe {
  paints: Paint[];
  marks: PointerMark[];
}

declare global {
  interface Window {
    porchlightProbe?: Probe;
    porchlightReadCode?: (pixels: ArrayLike<number>, width: number, height: number) => FrameCode | null;
  }
}

/** Call before the first navigation. */
export async function addProbe(page: Page): Promise<void> {
  const file = path.join(import.meta.dirname, '../sim/frame-code.ts');
  const { code } = await transformWithOxc(readFileSync(file, 'utf8'), file);
  await page.addInitScript({ content: `(() => {\n${code.replaceAll(/^export /gm, '')}\nwindow.porchlightReadCode = readFrameCode;\n})();` });
  await page.addInitScript(installProbe);
}

/** Takes what was painted and done since the last call. */
export async function takeProbe(page: Page): Promise<Probe> {
  return await page.evaluate(() => {
    const probe = window.porchlightProbe;
    if (probe === undefined) return { paints: [], marks: [] };
    const { paints, marks } = probe;
    probe.paints = [];
    probe.marks = [];
    return { paints, marks };
  });
}

/** Runs in the page, alone: it can use nothing of this file. */
function installProbe(): void {
  type Shown = HTMLCanvasElement | HTMLImageElement;
  const probe: Probe = { paints: [], marks: [] };
  window.porchlightProbe = probe;
  const dirty = new Map<Shown, Paint['kind']>();
  const scratch = document.createElement('canvas');
  const pixels = new Map<number, Uint8ClampedArray>();

  /** The strip at the foot alone is read back; the reader looks at nothing else. */
  const readCode = (context: CanvasRenderingContext2D, width: number, height: number): FrameCode | null => {
    if (width < 64 || height < 36) return null;
    const top = Math.floor((990 * height) / 1080) - 1;
    const size = width * height * 4;
    const whole = pixels.get(size) ?? new Uint8ClampedArray(size);
    pixels.set(size, whole);
    whole.set(context.getImageData(0, top, width, height - top).data, top * width * 4);
    return window.porchlightReadCode?.(whole, width, height) ?? null;
  };
  const codeOf = (shown: Shown): { width: number; code: FrameCode | null } => {
    if (shown instanceof HTMLCanvasElement) {
      const context = shown.getContext('2d');
      return { width: shown.width, code: context === null ? null : readCode(context, shown.width, shown.height) };
    }
    const [width, height] = [shown.naturalWidth, shown.naturalHeight];
    if (width === 0) return { width, code: null };
    scratch.width = width;
    scratch.height = height;
    const context = scratch.getContext('2d', { alpha: false, willReadFrequently: true });
    if (context === null) return { width, code: null };
    context.drawImage(shown, 0, 0);
    return { width, code: readCode(context, width, height) };
  };

  const { prototype } = CanvasRenderingContext2D;
  const drawImage = Object.getOwnPropertyDescriptor(prototype, 'drawImage')?.value as (...args: unknown[]) => void;
  const draw = function drawAndNote(this: CanvasRenderingContext2D, ...args: unknown[]): void {
    drawImage.apply(this, args);
    const [source] = args;
    const moving = (typeof VideoFrame !== 'undefined' && source instanceof VideoFrame) || source instanceof HTMLVideoElement;
    if (moving && this.canvas instanceof HTMLCanvasElement && this.canvas.isConnected && this.canvas.closest('.tile') !== null) dirty.set(this.canvas, 'canvas');
  };
  Object.defineProperty(prototype, 'drawImage', { value: draw, configurable: true, writable: true });

  // A message posted in an animation frame's callback arrives after that frame has been rendered.
  const { port1, port2 } = new MessageChannel();
  const rendered = (): void => {
    const atMs = performance.now();
    const wallClockMs = Date.now();
    for (const [shown, kind] of dirty) {
      const { width, code } = codeOf(shown);
      probe.paints.push({ atMs, wallClockMs, kind, cameraId: shown.closest('.tile')?.getAttribute('data-camera') ?? '', width, code });
    }
    dirty.clear();
  };
  port1.addEventListener('message', rendered);
  port1.start();
  const frame = (): void => {
    port2.postMessage(null);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);

  const mark = (event: Event): void => void probe.marks.push({ type: event.type, atMs: event.timeStamp });
  for (const type of ['pointerdown', 'pointerup', 'pointermove', 'click', 'hashchange']) window.addEventListener(type, mark, { capture: true });
  // A picture's load event passes the document on its way down, not the window.
  document.addEventListener(
    'load',
    ({ target }) => {
      if (target instanceof HTMLImageElement && target.closest('.peek') !== null) dirty.set(target, 'preview');
    },
    { capture: true },
  );
}
