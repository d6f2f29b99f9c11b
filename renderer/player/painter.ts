/** Draws pictures onto a tile's canvas and keeps the last one; says on the canvas which moment it shows. Draws nothing while nothing may be seen. */
import type { DurationMs, EpochMs, TimeRange } from '../../shared/time.ts';
import type { DecodedPicture } from './video-decoder.ts';

/** Whether pictures may be seen at this moment; those of another home may not when its line is silent. */
export type MaySee = () => boolean;

export class Painter {
  readonly canvas: HTMLCanvasElement;
  readonly #maySee: MaySee;
  readonly #context: CanvasRenderingContext2D;
  #shown: TimeRange | null = null;

  /** Throws where the browser has no canvas. */
  constructor(canvas: HTMLCanvasElement, maySee: MaySee = () => true) {
    this.canvas = canvas;
    this.#maySee = maySee;
    const context = canvas.getContext('2d', { alpha: false, desynchronized: true });
    if (context === null) throw new Error('no canvas in this browser');
    this.#context = context;
  }

  /** When the picture that this painter was given last begins and ends, seen or not. */
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
    if (this.#draw(frame, frame.displayWidth, frame.displayHeight)) this.#tell(wallMs);
    frame.close();
    this.#shown = { startMs: wallMs, endMs: wallMs + durationMs };
  }

  /** Draws what a video element shows at the moment. */
  paintVideo(video: HTMLVideoElement, wallMs: EpochMs, durationMs: DurationMs): void {
    if (this.#draw(video, video.videoWidth, video.videoHeight)) this.#tell(wallMs);
    this.#shown = { startMs: wallMs, endMs: wallMs + durationMs };
  }

  /** Draws a still for as long as no picture has been painted. */
  paintStill(still: ImageBitmap): void {
    if (this.canvasMs === null) this.#draw(still, still.width, still.height);
  }

  /** Takes the picture off the canvas: nothing of it is left. Players go on; what they paint next is seen again when it may be. */
  clear(): void {
    this.#context.fillStyle = '#000';
    this.#context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    delete this.canvas.dataset['frameMs'];
  }

  /** Whether it was drawn. */
  #draw(picture: CanvasImageSource, width: number, height: number): boolean {
    if (!this.#maySee()) return false;
    // A new size empties the canvas; the picture follows in the same task, so nobody sees that.
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.#context.drawImage(picture, 0, 0, width, height);
    return true;
  }

  #tell(wallMs: EpochMs): void {
    this.canvas.dataset['frameMs'] = wallMs.toFixed(1);
  }
}
