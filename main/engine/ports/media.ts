/** Live and playback between who makes them (playback) and who carries them to a viewer (rpc, relay); docs/design/contract.md, C3. */
import type { ChunkHead, MediaControlParsed, MediaName, MediaOpenParsed } from '../../../shared/contract/media.ts';

/** Where a stream puts its chunks. */
export interface MediaSink {
  /** The receiver owns `payload` and the buffer it lies in. Each chunk but `wait` costs one credit, which the stream itself counts. */
  chunk(head: ChunkHead, payload: Uint8Array | null): void;
  /** The stream ended by itself; `error` null for a plain end. Called once at most; nothing follows. */
  closed(error: Error | null): void;
}

/** An open stream, as whoever carries it steers it. */
export interface MediaStream {
  addCredits(credits: number): void;
  /** Playback only; a live stream has nothing to steer. */
  control(control: MediaControlParsed): void;
  /** Stops at once and gives everything back; `closed` is not called any more. */
  close(): void;
}

/** Opens streams by name; engine.ts hands in the modules that do it. */
export interface MediaService {
  open<Name extends MediaName>(name: Name, input: MediaOpenParsed<Name>, credits: number, sink: MediaSink): MediaStream;
}
