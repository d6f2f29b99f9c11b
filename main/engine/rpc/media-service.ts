/** What a session needs of live and playback; engine.ts hands in the modules that do it. */
import type { ChunkHead, MediaControlParsed, MediaName, MediaOpenParsed } from '../../../shared/contract/media.ts';

/** Where a media stream puts its chunks. */
export interface MediaSink {
  /** The receiver owns `payload`. Each chunk but `wait` costs one credit, which the stream itself counts. */
  chunk(head: ChunkHead, payload: Uint8Array | null): void;
  /** The stream ended by itself; `error` null for a plain end. Nothing follows. */
  closed(error: Error | null): void;
}

/** An open media stream as a session steers it. */
export interface MediaStream {
  addCredits(credits: number): void;
  control(control: MediaControlParsed): void;
  /** Stops at once and gives everything back; `closed` is not called any more. */
  close(): void;
}

export interface MediaService {
  open<Name extends MediaName>(name: Name, input: MediaOpenParsed<Name>, credits: number, sink: MediaSink): MediaStream;
}
