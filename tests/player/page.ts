/** The page the player's tests look at: the real tiles and the real controller on bare canvases, and a log of everything they painted. */
import { connectToEngine } from '../../renderer/api/connect.ts';
import { EngineClient } from '../../renderer/api/engine-client.ts';
import { openLiveTile, openRecordedTile } from '../../renderer/player/choose.ts';
import { AudioSink } from '../../renderer/player/audio-sink.ts';
import { AheadPicture } from '../../renderer/player/ahead-picture.ts';
import { Painter } from '../../renderer/player/painter.ts';
import type { LivePlayer, RecordedTile, TilePhase } from '../../renderer/player/tile-player.ts';
import { PlaybackController } from '../../renderer/views/watch/playback-controller.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { readFrameCode } from '../../tools/sim/frame-code.ts';

/** One change of a canvas: what it says it shows, and what is in its pixels. */
export interface Paint {
  readonly tile: number;
  readonly frameMs: number;
  /** The number in the picture; null where none can be read. */
  readonly code: number | null;
  /** On the page's monotonic clock. */
  readonly atMs: number;
}

interface TileUnderTest {
  readonly canvas: HTMLCanvasElement;
  player: LivePlayer | RecordedTile | null;
  readonly phases: TilePhase[];
}

/** A piece of sound that was handed to the loudspeaker. */
export interface Heard {
  readonly startSeconds: number;
  readonly lengthSeconds: number;
  /** Of the waves in it, by how often they cross zero. */
  readonly hertz: number;
}

export class Harness {
  readonly heard: Heard[] = [];
  readonly paints: Paint[] = [];
  /** Sent control messages of media streams, newest last. */
  readonly controls: unknown[] = [];
  /** Media streams that are open. */
  openStreams = 0;
  readonly tiles: TileUnderTest[] = [];
  reachedNow = 0;
  readonly #client = new EngineClient({ connect: connectToEngine });
  #controller: PlaybackController | null = null;

  /** Resolves once the channel is open. */
  async ready(): Promise<void> {
    if (this.#client.state.phase !== 'connected') await this.#connected();
    const openMedia = this.#client.openMedia.bind(this.#client);
    this.#client.openMedia = (...args) => {
      const handle = openMedia(...args);
      this.openStreams += 1;
      return {
        ...handle,
        close: () => {
          this.openStreams -= 1;
          handle.close();
        },
        control: (control) => {
          this.controls.push(control);
          handle.control(control);
        },
      };
    };
  }

  async #connected(): Promise<void> {
    await new Promise<void>((resolve) => {
      const stop = this.#client.onState(({ phase }) => {
        if (phase !== 'connected') return;
        stop();
        resolve();
      });
    });
  }

  live(cameraId: CameraId, stream: 'main' | 'sub' = 'main'): void {
    const tile = this.#addTile();
    tile.player = openLiveTile({ client: this.#client, cameraId, stream, painter: new Painter(tile.canvas), onPhase: (phase) => tile.phases.push(phase) });
  }

  /** What is made ready under the pointer. */
  readonly ahead = new AheadPicture(this.#client);

  /** Tiles that play in step from a moment on, standing still. */
  playback(cameraId: CameraId, fromMs: number, tiles = 1): void {
    const controller = new PlaybackController(fromMs, { onPosition: () => undefined, onReachedNow: () => (this.reachedNow += 1) });
    this.#controller = controller;
    for (let count = 0; count < tiles; count += 1) {
      const tile = this.#addTile();
      const player = openRecordedTile({ client: this.#client, cameraId, stream: 'main', painter: new Painter(tile.canvas), fromMs, ahead: this.ahead, onPhase: (phase) => tile.phases.push(phase) });
      tile.player = player;
      controller.add(player);
    }
  }

  /** Switches the sound of the first tile on; needs a click before it. */
  listen(): void {
    this.tiles[0]?.player?.setSound(new AudioSink());
  }

  get controller(): PlaybackController {
    return forceUnwrap('playback was opened', this.#controller);
  }

  closeAll(): void {
    this.ahead.close();
    this.#controller?.close();
    for (const { player } of this.tiles) player?.close();
  }

  /** Which element does the decoding. */
  path(): 'webcodecs' | 'mse' {
    return document.querySelector('video') === null ? 'webcodecs' : 'mse';
  }

  /** Reads the code in the picture that is on a canvas now. */
  code(tile = 0): number | null {
    const { canvas } = forceUnwrap('the tile is there', this.tiles[tile]);
    const pixels = canvas.getContext('2d', { alpha: false, desynchronized: true })?.getImageData(0, 0, canvas.width, canvas.height);
    return pixels === undefined ? null : (readFrameCode(pixels.data, pixels.width, pixels.height)?.frameNumber ?? null);
  }

  newest(tile = 0): Paint | null {
    return this.paints.findLast((paint) => paint.tile === tile) ?? null;
  }

  phase(tile = 0): TilePhase | null {
    return this.tiles[tile]?.phases.at(-1) ?? null;
  }

  #addTile(): TileUnderTest {
    const canvas = document.body.appendChild(document.createElement('canvas'));
    const number = this.tiles.length;
    const tile: TileUnderTest = { canvas, player: null, phases: [] };
    this.tiles.push(tile);
    // Called right after the task that painted: the attribute and the pixels belong together.
    new MutationObserver(() => {
      this.paints.push({ tile: number, frameMs: Number(canvas.dataset['frameMs']), code: this.code(number), atMs: performance.now() });
    }).observe(canvas, { attributes: true, attributeFilter: ['data-frame-ms'] });
    return tile;
  }
}

/** Pictures that came out of decoders and have not been closed: each holds memory of the decoder. */
export const heldPictures = { count: 0 };

function listenToSources(heard: Heard[]): void {
  const start = Object.getOwnPropertyDescriptor(AudioBufferSourceNode.prototype, 'start')?.value as (this: AudioBufferSourceNode, when?: number) => void;
  AudioBufferSourceNode.prototype.start = function noted(this: AudioBufferSourceNode, when = 0): void {
    const samples = this.buffer?.getChannelData(0) ?? new Float32Array();
    let crossings = 0;
    for (let index = 1; index < samples.length; index += 1) if ((samples[index - 1] ?? 0) < 0 && (samples[index] ?? 0) >= 0) crossings += 1;
    const lengthSeconds = this.buffer?.duration ?? 0;
    heard.push({ startSeconds: when, lengthSeconds, hertz: crossings / lengthSeconds });
    start.call(this, when);
  };
}

function countPictures(): void {
  if (typeof VideoDecoder === 'undefined') return;
  const Decoder = VideoDecoder;
  window.VideoDecoder = class extends Decoder {
    constructor(init: VideoDecoderInit) {
      super({
        ...init,
        output: (frame) => {
          heldPictures.count += 1;
          const close = frame.close.bind(frame);
          let closed = false;
          frame.close = () => {
            if (!closed) heldPictures.count -= 1;
            closed = true;
            close();
          };
          init.output(frame);
        },
      });
    }
  };
}

declare global {
  interface Window {
    harness: Harness;
    heldPictures: typeof heldPictures;
  }
}

countPictures();
window.heldPictures = heldPictures;

window.harness = new Harness();
listenToSources(window.harness.heard);
