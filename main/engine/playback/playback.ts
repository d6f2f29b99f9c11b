/** One playing picture: seeks replace each other, chunks wait for credits, everything else is the run of one seek (docs/design/playback.md, "Playback"). */
import type { ChunkHead, MediaControlParsed } from '../../../shared/contract/media.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import type { StreamKind } from '../../../shared/model/camera.ts';
import { equalBytes } from '../../../shared/media/boxes.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { Logger } from '../core/logger.ts';
import type { StreamFootage } from './footage.ts';
import type { MediaSink, MediaStream } from '../ports/media.ts';
import { PlaybackRun, type PlaybackOutput, type PlaybackTarget, Superseded } from './playback-run.ts';
import type { SegmentFiles } from './segment-files.ts';

/** Parameters a viewer has been sent lately: footage around a change of settings goes to and fro between two. */
const REMEMBERED_INITS = 8;

export interface PlaybackParts {
  /** The stream that was asked for; parameters of another one say so. */
  readonly stream: StreamKind;
  /** The footage that serves a seek to this moment. */
  readonly footageFor: (toMs: EpochMs) => Promise<StreamFootage>;
  readonly files: SegmentFiles;
  readonly credits: number;
  readonly from: PlaybackTarget;
  readonly sink: MediaSink;
  readonly log: Logger;
}

/** Opens a playback stream that starts with the group of pictures that covers `from`. Footage that cannot be read is jumped over and told as a gap; only an index that fails closes the stream. */
export function openPlayback(parts: PlaybackParts): MediaStream {
  return new PlaybackStream(parts);
}

class PlaybackStream implements MediaStream {
  readonly #parts: PlaybackParts;
  #credits: number;
  #wanted: PlaybackTarget | null;
  #pictures: { readonly which: 'all' | 'keyframes'; readonly stepMs: number } = { which: 'all', stepMs: 0 };
  #inits: { readonly id: number; readonly bytes: Uint8Array }[] = [];
  #initIds = 0;
  #currentInitId: number | null = null;
  /** Raised by every seek and by closing: what belongs to an older one stops. */
  #generation = 0;
  #running = false;
  #closed = false;
  #wake: (() => void) | null = null;

  constructor(parts: PlaybackParts) {
    this.#parts = parts;
    this.#credits = parts.credits;
    this.#wanted = parts.from;
    this.#start();
  }

  addCredits(credits: number): void {
    this.#credits += credits;
    this.#stir();
  }

  control(control: MediaControlParsed): void {
    if (this.#closed) return;
    if (control.kind === 'pictures') {
      this.#pictures = { which: control.which, stepMs: control.stepMs };
      return;
    }
    this.#wanted = { toMs: control.toMs, seekId: control.seekId, one: control.one };
    this.#generation += 1;
    this.#stir();
    this.#start();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#generation += 1;
    this.#stir();
  }

  #start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#work().catch((error: unknown) => this.#parts.log.warn('the end of a playback stream could not be told', error));
  }

  /** Runs one seek after another: of those that came while one ran, only the newest. */
  async #work(): Promise<void> {
    for (let target = this.#take(); target !== null; target = this.#take()) {
      try {
        const generation = this.#generation;
        const footage = await this.#parts.footageFor(target.toMs);
        const output = this.#output(generation, footage.stream);
        await new PlaybackRun({ footage, files: this.#parts.files, output, log: this.#parts.log }, target).run();
      } catch (error) {
        if (!(error instanceof Superseded)) this.#fail(error);
      }
    }
    this.#running = false;
  }

  #take(): PlaybackTarget | null {
    const wanted = this.#wanted;
    this.#wanted = null;
    return this.#closed ? null : wanted;
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.#parts.log.error('playback ended', error);
    this.close();
    this.#parts.sink.closed(error instanceof PorchlightError ? error : new PorchlightError('internal', 'Playback has ended because the list of footage could not be read. Try again in a moment.', error));
  }

  #output(generation: number, stream: StreamKind): PlaybackOutput {
    const check = (): void => {
      if (generation !== this.#generation) throw new Superseded();
    };
    const ready = async (): Promise<void> => {
      check();
      while (this.#credits <= 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        check();
      }
    };
    const send = async (head: ChunkHead, payload: Uint8Array | null): Promise<void> => {
      await ready();
      this.#credits -= 1;
      this.#chunk(head, payload);
    };
    const sendInit = async (init: Uint8Array): Promise<number> => {
      const id = this.#idOf(init);
      if (id !== this.#currentInitId) {
        // A copy: the buffer goes to the viewer, and the file's other groups need theirs.
        await send({ kind: 'init', initId: id, ...(stream === this.#parts.stream ? {} : { stream }) }, new Uint8Array(init));
        this.#currentInitId = id;
      }
      return id;
    };
    return { check, ready, send, sendInit, pictures: () => this.#pictures };
  }

  #idOf(init: Uint8Array): number {
    const known = this.#inits.find((candidate) => equalBytes(candidate.bytes, init));
    if (known !== undefined) return known.id;
    const id = ++this.#initIds;
    this.#inits = [...this.#inits.slice(1 - REMEMBERED_INITS), { id, bytes: init }];
    return id;
  }

  #chunk(head: ChunkHead, payload: Uint8Array | null): void {
    try {
      this.#parts.sink.chunk(head, payload);
    } catch (error) {
      // Whoever carries it has gone: nothing more can be told to anybody.
      this.#parts.log.warn('a playback chunk could not be handed over', error);
      this.close();
      throw new Superseded();
    }
  }

  #stir(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
