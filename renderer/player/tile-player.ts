/** What a tile shows, whoever decodes it. */
import type { GapCause } from '../../shared/model/gap.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { EpochMs, TimeRange } from '../../shared/time.ts';
import type { EngineClient } from '../api/engine-client.ts';
import type { AheadPicture } from './ahead-picture.ts';
import type { AudioSink } from './audio-sink.ts';
import type { Painter } from './painter.ts';
import type { Loading } from './refill.ts';

export type TilePhase =
  /** Asked, nothing shown yet. */
  | { readonly kind: 'starting' }
  | { readonly kind: 'live' }
  /** The camera sends nothing at the moment. */
  | { readonly kind: 'waiting'; readonly sinceMs: EpochMs }
  | { readonly kind: 'recorded' }
  | { readonly kind: 'gap'; readonly startMs: EpochMs; readonly endMs: EpochMs; readonly cause: GapCause | null; /** It was recorded, on a disk that is not here. */ readonly away: boolean }
  /** After the newest footage. */
  | { readonly kind: 'end'; readonly atMs: EpochMs }
  /** This browser cannot decode what the camera sends. */
  | { readonly kind: 'unsupported'; readonly codec: string }
  | { readonly kind: 'failed'; readonly sentence: string };

/** What every player of a tile is given. */
export interface TileOptions {
  readonly client: EngineClient;
  readonly cameraId: CameraId;
  readonly stream: 'main' | 'sub' | 'best';
  readonly painter: Painter;
  readonly onPhase: (phase: TilePhase) => void;
  /** The line is slow and a smaller picture comes than was asked for, or not any more. */
  readonly onSmaller?: (smaller: boolean) => void;
}

export interface RecordedTileOptions extends TileOptions {
  readonly fromMs: EpochMs;
  /** It has waited long enough for footage that a person wonders; null once it goes on. */
  readonly onLoading?: (loading: Loading | null) => void;
  /** Has the picture of a moment ready now and then (ahead-picture.ts). */
  readonly ahead?: AheadPicture | null;
}

/** A player of the live picture: it runs by itself. */
export interface LivePlayer {
  /** Sound on demand; null for off. */
  setSound(sink: AudioSink | null): void;
  close(): void;
}

/** What the controller needs of a tile to play recordings in step (views/watch/playback-controller.ts). */
export interface SteppedTile {
  /** Go to a moment. `one`: only that picture, because the pointer is still moving. */
  seek(toMs: EpochMs, one: boolean): void;
  /** Show what is due; called on every animation frame. */
  tick(positionMs: EpochMs): void;
  /** It should have a picture for this moment and has none yet. */
  starving(positionMs: EpochMs): boolean;
  /** It ran out of footage, and has not enough again to go on for a while. */
  readonly filling: boolean;
  /** Where footage goes on if this moment lies in a gap; null if it does not. Infinity after the newest footage. */
  resumesAtMs(positionMs: EpochMs): EpochMs | null;
  /** When the painted picture begins and ends; null before the first. */
  readonly shown: TimeRange | null;
  /** It cannot play at all: nobody waits for it. */
  readonly stuck: boolean;
  setRate(rate: number): void;
}

/** A player of recordings. */
export interface RecordedTile extends SteppedTile, LivePlayer {}

/** Wall times are fractions of a millisecond added up in different orders: two this close are the same moment. */
export const ROUNDING_MS = 0.01;
