/** Opens live and playback streams for viewers and closes what they share at the end: the door of this folder. */
import type { MediaName, MediaOpenParsed } from '../../../shared/contract/media.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import type { StreamKind } from '../../../shared/model/camera.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { LocatedFrame } from '../../../shared/contract/engine-api.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ArchiveReader } from '../ports/archive.ts';
import type { Ingest, StreamKey } from '../ports/ingest.ts';
import { StreamFootage } from './footage.ts';
import { openLive } from './live.ts';
import { locateFrame } from './locate.ts';
import type { MediaSink, MediaStream } from '../ports/media.ts';
import { openPlayback } from './playback.ts';
import { SegmentFiles } from './segment-files.ts';
import { footageToPlay, type WantedStream } from './stream-choice.ts';

export interface FootageStreamsParts {
  readonly reader: Pick<ArchiveReader, 'segmentAt' | 'segmentAfter' | 'firstSegmentFrom' | 'firstSegmentHere' | 'gapAt'>;
  readonly ingest: Pick<Ingest, 'openSegment' | 'subscribe'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Which stream of a camera serves live or playback for what was asked; null where there is no such camera or stream. */
  /** Folders of the disks in use: a file that moved lies under another one. */
  readonly rootPaths?: () => readonly string[];
  readonly chooseStream: (name: MediaName, cameraId: CameraId, wanted: WantedStream) => StreamKind | null;
}

export class FootageStreams {
  readonly #parts: FootageStreamsParts;
  readonly #files: SegmentFiles;
  readonly #open = new Set<MediaStream>();

  constructor(parts: FootageStreamsParts) {
    this.#parts = parts;
    this.#files = new SegmentFiles(parts.clock, parts.rootPaths);
  }

  /** Opens a stream with its first credits. Throws `not-found` where the camera has no such stream. */
  open<Name extends MediaName>(name: Name, input: MediaOpenParsed<Name>, credits: number, sink: MediaSink): MediaStream {
    const stream = this.#parts.chooseStream(name, input.cameraId, input.stream);
    if (stream === null) throw new PorchlightError('not-found', 'This camera or stream is not there any more. Choose another camera.');
    const key: StreamKey = { cameraId: input.cameraId, stream };
    const opened: { stream: MediaStream | null } = { stream: null };
    const forgetting: MediaSink = {
      chunk: (head, payload) => sink.chunk(head, payload),
      closed: (error) => {
        if (opened.stream !== null) this.#open.delete(opened.stream);
        sink.closed(error);
      },
    };
    const media =
      'fromMs' in input
        ? openPlayback({ stream, footageFor: this.#footageFor(key), files: this.#files, credits, from: { toMs: input.fromMs, seekId: input.seekId, one: false }, sink: forgetting, log: this.#parts.log })
        : openLive({ key, credits, subscribe: (subscription) => this.#parts.ingest.subscribe(subscription), sink: forgetting });
    opened.stream = media;
    this.#open.add(media);
    return {
      addCredits: (more) => media.addCredits(more),
      control: (control) => media.control(control),
      close: () => {
        this.#open.delete(media);
        media.close();
      },
    };
  }

  /** Of a sub stream with the main one standing in. */
  #footageFor(key: StreamKey): (toMs: EpochMs) => Promise<StreamFootage> {
    const wanted = new StreamFootage(this.#parts, key);
    const standIn = key.stream === 'sub' ? new StreamFootage(this.#parts, { ...key, stream: 'main' }) : null;
    return (toMs) => footageToPlay(toMs, wanted, standIn);
  }

  /** For `footage.locate`. */
  async locate(input: { readonly cameraId: CameraId; readonly stream: StreamKind; readonly atMs: EpochMs }): Promise<LocatedFrame | null> {
    return await locateFrame(this.#parts, { cameraId: input.cameraId, stream: input.stream }, input.atMs);
  }

  /** Closes every stream and file; none may be opened afterwards. */
  async close(): Promise<void> {
    for (const media of this.#open) media.close();
    this.#open.clear();
    await this.#files.close();
  }
}
