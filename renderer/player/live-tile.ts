/** A camera's live picture by WebCodecs: whatever is decoded is painted at once, nothing is buffered. */
import type { ChunkHead } from '../../shared/contract/media.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { EngineClient, MediaHandle } from '../api/engine-client.ts';
import type { AudioSink } from './audio-sink.ts';
import { Demuxer } from './demux.ts';
import type { Painter } from './painter.ts';
import type { TilePhase } from './tile-player.ts';
import { canDecode, PictureDecoder } from './video-decoder.ts';

export interface LiveTileOptions {
  readonly client: EngineClient;
  readonly cameraId: CameraId;
  readonly stream: 'main' | 'sub' | 'best';
  readonly painter: Painter;
  readonly onPhase: (phase: TilePhase) => void;
}

/** Chunks in flight: two seconds of pictures and sound, so that a hiccup of the page drops nothing. */
const CREDITS = 160;
/** Wait before a stream that ended is opened again. */
const REOPEN_MS = 1_000;

export class LiveTile {
  readonly #options: LiveTileOptions;
  readonly #demuxer = new Demuxer();
  readonly #decoder: PictureDecoder;
  #handle: MediaHandle | null = null;
  #reopen: ReturnType<typeof setTimeout> | null = null;
  #phase: TilePhase = { kind: 'starting' };
  #sink: AudioSink | null = null;
  #closed = false;

  constructor(options: LiveTileOptions) {
    this.#options = options;
    this.#decoder = new PictureDecoder({
      live: true,
      onPicture: (picture) => {
        if (this.#closed) {
          picture.frame.close();
          return;
        }
        options.painter.paint(picture);
        this.#setPhase({ kind: 'live' });
      },
      onUnsupported: () => this.#setPhase({ kind: 'unsupported', codec: this.#demuxer.video?.codec ?? '' }),
    });
    this.#open();
  }

  /** Sound on demand; null for off. */
  setSound(sink: AudioSink | null): void {
    this.#sink = sink;
    if (sink !== null && this.#demuxer.audio !== null) sink.configure(this.#demuxer.audio);
  }

  get hasSound(): boolean {
    return this.#demuxer.audio !== null;
  }

  close(): void {
    this.#closed = true;
    if (this.#reopen !== null) clearTimeout(this.#reopen);
    this.#handle?.close();
    this.#decoder.close();
  }

  #open(): void {
    this.#reopen = null;
    const { client, cameraId, stream } = this.#options;
    this.#handle = client.openMedia('live', { cameraId, stream }, CREDITS, {
      onChunk: (chunk, payload) => this.#receive(chunk, payload),
      onClosed: () => {
        this.#handle = null;
        if (!this.#closed) this.#reopen = setTimeout(() => this.#open(), REOPEN_MS);
      },
    });
  }

  #receive(chunk: ChunkHead, payload: Uint8Array | null): void {
    if (this.#closed) return;
    if (chunk.kind === 'wait') {
      this.#setPhase({ kind: 'waiting', sinceMs: chunk.sinceMs });
      return;
    }
    this.#handle?.grant(1);
    if (payload === null) return;
    if (chunk.kind === 'init') void this.#configure(chunk.initId, payload);
    else if (chunk.kind === 'media') {
      const units = this.#demuxer.read(chunk, payload);
      for (const unit of units?.video ?? []) this.#decoder.decode(unit);
      for (const unit of units?.audio ?? []) this.#sink?.play(unit, null);
    }
  }

  async #configure(initId: number, bytes: Uint8Array): Promise<void> {
    this.#demuxer.setInit(initId, bytes);
    const { video, audio } = this.#demuxer;
    if (video === null) return;
    this.#decoder.configure(video);
    if (audio !== null) this.#sink?.configure(audio);
    if (!(await canDecode(video)) && this.#demuxer.video === video && !this.#closed) this.#setPhase({ kind: 'unsupported', codec: video.codec });
  }

  #setPhase(phase: TilePhase): void {
    if (phase.kind === this.#phase.kind && phase.kind !== 'waiting') return;
    this.#phase = phase;
    this.#options.onPhase(phase);
  }
}
