/** What a tile shows, whoever decodes it. */
import type { GapCause } from '../../shared/model/gap.ts';
import type { EpochMs } from '../../shared/time.ts';

export type TilePhase =
  /** Asked, nothing shown yet. */
  | { readonly kind: 'starting' }
  | { readonly kind: 'live' }
  /** The camera sends nothing at the moment. */
  | { readonly kind: 'waiting'; readonly sinceMs: EpochMs }
  | { readonly kind: 'recorded' }
  | { readonly kind: 'gap'; readonly startMs: EpochMs; readonly endMs: EpochMs; readonly cause: GapCause | null }
  /** After the newest footage. */
  | { readonly kind: 'end'; readonly atMs: EpochMs }
  /** This browser cannot decode what the camera sends. */
  | { readonly kind: 'unsupported'; readonly codec: string }
  | { readonly kind: 'failed'; readonly sentence: string };

/** A player of recordings as the Watch screen's loop drives it. */
export interface RecordedTile {
  /** Go to a moment. `one`: only that picture, because the pointer is still moving. */
  seek(toMs: EpochMs, one: boolean): void;
  /** Show what is due; called on every animation frame. */
  tick(positionMs: EpochMs): void;
  /** It should have a picture for this moment and has none yet. */
  starving(positionMs: EpochMs): boolean;
  /** Where footage goes on if this moment lies in a gap; null if it does not. Infinity after the newest footage. */
  resumesAtMs(positionMs: EpochMs): EpochMs | null;
  setRate(rate: number): void;
  close(): void;
}
