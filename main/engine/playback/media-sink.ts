/** What a live or playback stream needs of whoever carries it, and how it is steered (docs/design/contract.md, C3). */
import type { ChunkHead, MediaControlParsed } from '../../../shared/contract/media.ts';

/** Where a stream puts its chunks. */
export interface MediaSink {
  /** The receiver owns `payload` and the buffer it lies in. Each chunk but `wait` has cost one credit. */
  chunk(head: ChunkHead, payload: Uint8Array | null): void;
  /** The stream ended by itself; `error` null for a plain end. Called once at most; nothing follows. */
  closed(error: Error | null): void;
}

/** An open stream. */
export interface MediaStream {
  addCredits(credits: number): void;
  /** Playback only; a live stream has nothing to steer. */
  control(control: MediaControlParsed): void;
  /** Stops at once and gives everything back; `closed` is not called any more. */
  close(): void;
}
