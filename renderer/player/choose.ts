/** Chooses at run time how a tile is decoded: WebCodecs, else MediaSource, else it says that this browser cannot. */
import type { AudioSink } from './audio-sink.ts';
import { WebCodecsLiveTile } from './live-tile.ts';
import { MseLiveTile } from './mse-live-tile.ts';
import { MseRecordedTile } from './mse-recorded-tile.ts';
import { canPlayByMse } from './mse-video.ts';
import { WebCodecsRecordedTile } from './recorded-tile.ts';
import type { LivePlayer, RecordedTile, RecordedTileOptions, TileOptions, TilePhase } from './tile-player.ts';
import type { EpochMs, TimeRange } from '../../shared/time.ts';

/** WebCodecs is there in secure contexts only: the app, localhost, TLS. */
const hasWebCodecs = (): boolean => typeof VideoDecoder !== 'undefined';

/** A camera's live picture. */
export function openLiveTile(options: TileOptions): LivePlayer {
  return hasWebCodecs() ? new FallingBackLive(options) : new MseLiveTile(options);
}

/** A camera's recordings from a moment on. */
export function openRecordedTile(options: RecordedTileOptions): RecordedTile {
  return hasWebCodecs() ? new FallingBackRecorded(options) : new MseRecordedTile(options);
}

/** Passes phases on, but for the first `unsupported` of a codec that MediaSource plays. */
function unlessPlayable(options: TileOptions, fallBack: () => void): (phase: TilePhase) => void {
  return (phase) => {
    if (phase.kind === 'unsupported' && canPlayByMse(phase.codec)) fallBack();
    else options.onPhase(phase);
  };
}

class FallingBackLive implements LivePlayer {
  #tile: LivePlayer;
  #sink: AudioSink | null = null;
  #closed = false;

  constructor(options: TileOptions) {
    const fallBack = (): void => {
      this.#tile.close();
      if (this.#closed) return;
      this.#tile = new MseLiveTile(options);
      this.#tile.setSound(this.#sink);
    };
    this.#tile = new WebCodecsLiveTile({ ...options, onPhase: unlessPlayable(options, fallBack) });
  }

  setSound(sink: AudioSink | null): void {
    this.#sink = sink;
    this.#tile.setSound(sink);
  }

  close(): void {
    this.#closed = true;
    this.#tile.close();
  }
}

class FallingBackRecorded implements RecordedTile {
  #tile: RecordedTile;
  #positionMs: EpochMs;
  #rate = 1;
  #sink: AudioSink | null = null;
  #closed = false;

  constructor(options: RecordedTileOptions) {
    this.#positionMs = options.fromMs;
    const fallBack = (): void => {
      this.#tile.close();
      if (this.#closed) return;
      this.#tile = new MseRecordedTile({ ...options, fromMs: this.#positionMs });
      this.#tile.setRate(this.#rate);
      this.#tile.setSound(this.#sink);
    };
    this.#tile = new WebCodecsRecordedTile({ ...options, onPhase: unlessPlayable(options, fallBack) });
  }

  get shown(): TimeRange | null {
    return this.#tile.shown;
  }

  get stuck(): boolean {
    return this.#tile.stuck;
  }

  get filling(): boolean {
    return this.#tile.filling;
  }

  seek(toMs: EpochMs, one: boolean): void {
    this.#positionMs = toMs;
    this.#tile.seek(toMs, one);
  }

  tick(positionMs: EpochMs): void {
    this.#positionMs = positionMs;
    this.#tile.tick(positionMs);
  }

  starving(positionMs: EpochMs): boolean {
    return this.#tile.starving(positionMs);
  }

  resumesAtMs(positionMs: EpochMs): EpochMs | null {
    return this.#tile.resumesAtMs(positionMs);
  }

  setRate(rate: number): void {
    this.#rate = rate;
    this.#tile.setRate(rate);
  }

  setSound(sink: AudioSink | null): void {
    this.#sink = sink;
    this.#tile.setSound(sink);
  }

  close(): void {
    this.#closed = true;
    this.#tile.close();
  }
}
