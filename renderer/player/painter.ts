/** Draws pictures onto a tile's canvas and keeps the last one; says on the canvas which moment it shows. */
import type { DecodedPicture } from './video-decoder.ts';

export class Painter {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  paintedMs: number | null = null;

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
    const context = canvas.getContext('2d', { alpha: false, desynchronized: true });
    if (context === null) throw new Error('no canvas in this browser');
    this.#context = context;
  }

  /** Draws and closes the picture. */
  paint({ frame, wallMs }: DecodedPicture): void {
    const { displayWidth, displayHeight } = frame;
    if (this.canvas.width !== displayWidth || this.canvas.height !== displayHeight) {
      this.canvas.width = displayWidth;
      this.canvas.height = displayHeight;
    }
    this.#context.drawImage(frame, 0, 0, displayWidth, displayHeight);
    frame.close();
    this.paintedMs = wallMs;
    this.canvas.dataset['frameMs'] = wallMs.toFixed(1);
  }

  /** A still to begin with: the last preview, until the first frame is there. */
  paintStill(still: ImageBitmap): void {
    if (this.paintedMs !== null) return;
    this.canvas.width = still.width;
    this.canvas.height = still.height;
    this.#context.drawImage(still, 0, 0);
  }
}
