/** Draws pictures onto a tile's canvas and keeps the last one; says on the canvas which moment it shows. */
import type { DurationMs, EpochMs, TimeRange } from '../../shared/time.ts';
import type { DecodedPicture } from './video-decoder.ts';

export class Painter {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #shown: TimeRange | null = null;

  /** Throws where the browser has no canvas. */
  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
    const context = canvas.getContext('2d', { alpha: false, desynchronized: true });
    if (context === null) throw new Error('no canvas in this browser');
    this.#context = context;
  }

  /** When the picture that this painter drew last begins and ends. */
  get shown(): TimeRange | null {
    return this.#shown;
  }

  /** When the picture on the canvas begins, whoever drew it: a player that is about to leave may. Null before the first. */
  get canvasMs(): EpochMs | null {
    const said = this.canvas.dataset['frameMs'];
    return said === undefined ? null : Number(said);
  }

  /** Draws and closes the picture. */
  paint({ frame, wallMs, durationMs }: DecodedPicture): void {
    this.#draw(frame, frame.displayWidth, frame.displayHeight);
    frame.close();
    this.#tell(wallMs, durationMs);
  }

  /** Draws what a video element shows at the moment. */
  paintVideo(video: HTMLVideoElement, wallMs: EpochMs, durationMs: DurationMs): void {
    this.#draw(video, video.videoWidth, video.videoHeight);
    this.#tell(wallMs, durationMs);
  }

  #draw(picture: CanvasImageSource, width: number, height: number): void {
    // A new size empties the canvas; the picture follows in the same task, so nobody sees that.
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.#context.drawImage(picture, 0, 0, width, height);
  }

  #tell(wallMs: EpochMs, durationMs: DurationMs): void {
    this.#shown = { startMs: wallMs, endMs: wallMs + durationMs };
    this.canvas.dataset['frameMs'] = wallMs.toFixed(1);
  }
}
