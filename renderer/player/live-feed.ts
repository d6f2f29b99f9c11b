/** Owns one live media stream: opens it, opens it again, lets go of it while nobody looks, and cuts its chunks into pictures. */
import type { ChunkHead } from '../../shared/contract/media.ts';
import type { InitTrack } from '../../shared/media/init.ts';
import type { EpochMs } from '../../shared/time.ts';
import type { MediaHandle } from '../api/engine-client.ts';
import { type DemuxedChunk, Demuxer } from './demux.ts';
import type { TileOptions } from './tile-player.ts';

export interface LiveFeedListener {
  /** New parameters; what follows is coded with them. */
  onTrack(track: InitTrack, initBytes: Uint8Array): void;
  onUnits(units: DemuxedChunk): void;
  /** The camera sends nothing at the moment. */
  onWait(sinceMs: EpochMs): void;
  /** The stream begins anew: what comes next does not follow what came. */
  onRestart(): void;
  /** It is heard, so it goes on when the page is hidden. */
  heard(): boolean;
}

/** Chunks in flight: seconds of pictures and sound, so that a hiccup of the page drops nothing. Each is given back as it comes. */
const CREDITS = 160;
/** Wait before a stream that ended is opened again. */
const REOPEN_MS = 1_000;
/** A page that is hidden for a moment keeps its streams. */
const HIDDEN_MS = 5_000;

export class LiveFeed {
  readonly #options: TileOptions;
  readonly #listener: LiveFeedListener;
  readonly #demuxer = new Demuxer();
  readonly #stopWatching: () => void;
  #handle: MediaHandle | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #hiding: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  /** Opens the stream. */
  constructor(options: TileOptions, listener: LiveFeedListener) {
    this.#options = options;
    this.#listener = listener;
    const onVisibility = (): void => this.#followPage();
    document.addEventListener('visibilitychange', onVisibility);
    const stopState = options.client.onState(({ phase }) => {
      if (phase === 'connected' && this.#timer !== null) this.reopen();
    });
    this.#stopWatching = () => {
      document.removeEventListener('visibilitychange', onVisibility);
      stopState();
    };
    this.#open();
  }

  get audio(): InitTrack | null {
    return this.#demuxer.audio;
  }

  get video(): InitTrack | null {
    return this.#demuxer.video;
  }

  /** Opens the stream anew, which begins with the newest group of pictures. */
  reopen(): void {
    this.#release();
    if (!this.#closed) this.#open();
  }

  close(): void {
    this.#closed = true;
    this.#stopWatching();
    if (this.#hiding !== null) clearTimeout(this.#hiding);
    this.#release();
  }

  #release(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#handle?.close();
    this.#handle = null;
  }

  /** A hidden page decodes nothing; when it is seen again it begins with the group of pictures in memory, at once. */
  #followPage(): void {
    if (this.#hiding !== null) clearTimeout(this.#hiding);
    this.#hiding = null;
    if (!document.hidden) {
      if (this.#handle === null) this.reopen();
      return;
    }
    this.#hiding = setTimeout(() => {
      if (!this.#listener.heard()) this.#release();
    }, HIDDEN_MS);
  }

  #open(): void {
    const { client, cameraId, stream } = this.#options;
    this.#timer = null;
    this.#listener.onRestart();
    const handle = client.openMedia('live', { cameraId, stream }, CREDITS, {
      onChunk: (chunk, payload) => {
        if (handle === this.#handle) this.#receive(handle, chunk, payload);
      },
      onClosed: () => {
        if (handle !== this.#handle) return;
        this.#handle = null;
        if (!this.#closed) this.#timer = setTimeout(() => this.#open(), REOPEN_MS);
      },
    });
    this.#handle = handle;
  }

  #receive(handle: MediaHandle, chunk: ChunkHead, payload: Uint8Array | null): void {
    if (chunk.kind === 'wait') {
      this.#listener.onWait(chunk.sinceMs);
      return;
    }
    handle.grant(1);
    if (payload === null) return;
    if (chunk.kind === 'init') {
      this.#options.onSmaller?.(chunk.because === 'slow-line');
      if (this.#demuxer.setInit(chunk.initId, payload) && this.#demuxer.video !== null) this.#listener.onTrack(this.#demuxer.video, payload);
    } else if (chunk.kind === 'media') this.#listener.onUnits(this.#demuxer.read(chunk, payload));
  }
}
