/** One live picture on a line from away: what does not fit is dropped up to a keyframe, and a slow line gets the sub stream (docs/design/relay.md, "Credits"). */
import type { ChunkHead, InitChunk, MediaChunk, MediaOpenParsed } from '../../../shared/contract/media.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import type { LineState } from '../../../shared/relay/session-types.ts';
import type { Clock } from '../core/clock.ts';
import type { MediaService, MediaSink, MediaStream } from '../ports/media.ts';
import { beginFall, decideFall, type FallState, noteChunk } from './line-fall.ts';
import { SoundFilter } from './line-sound.ts';

export interface LineLiveParts {
  readonly media: MediaService;
  readonly line: Pick<LineState, 'droppedLive'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly random: () => number;
  readonly hasSubStream: boolean;
  readonly withSound: boolean;
}

/** Opens it; throws what the engine's own live throws. The viewer's credits hold as they do without a line. */
export function openLineLive(parts: LineLiveParts, input: MediaOpenParsed<'live'>, credits: number, sink: MediaSink): MediaStream {
  return new LineLive(parts, input, credits, sink);
}

class LineLive implements MediaStream {
  readonly #parts: LineLiveParts;
  readonly #input: MediaOpenParsed<'live'>;
  readonly #sink: MediaSink;
  /** What the viewer granted and has not had for it. */
  #credits: number;
  #inner: MediaStream | null = null;
  /** Credits to give back to an inner stream that is still being opened. */
  #owed = 0;
  /** Raised with each inner stream: what an older one says is not heard. */
  #generation = 0;
  #initIds = 0;
  /** The init ids of the inner stream, which are its own, as the viewer knows them. */
  #outer = new Map<number, number>();
  #sound: SoundFilter | null = null;
  #skipping = false;
  #fall: FallState;
  #closed = false;

  constructor(parts: LineLiveParts, input: MediaOpenParsed<'live'>, credits: number, sink: MediaSink) {
    this.#parts = parts;
    this.#input = input;
    this.#sink = sink;
    this.#credits = credits;
    this.#fall = beginFall(input.stream === 'sub' && parts.hasSubStream ? 'sub' : 'main', parts.clock.monotonicMs());
    this.#openInner();
  }

  addCredits(credits: number): void {
    this.#credits += credits;
    this.#inner?.addCredits(credits);
  }

  control(): void {
    // Live has no position to steer.
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#generation += 1;
    this.#inner?.close();
    this.#inner = null;
  }

  #openInner(): void {
    this.#generation += 1;
    const generation = this.#generation;
    const isMine = (): boolean => generation === this.#generation;
    this.#inner = null;
    this.#owed = 0;
    this.#outer = new Map();
    this.#skipping = false;
    const inner = this.#parts.media.open('live', { ...this.#input, stream: this.#fall.stream }, this.#credits, {
      chunk: (head, payload) => {
        if (isMine()) this.#take(head, payload);
      },
      closed: (error) => {
        if (!isMine()) return;
        this.#closed = true;
        this.#sink.closed(error);
      },
    });
    // It may have spoken, and been replaced, before it was returned.
    if (!isMine() || this.#closed) inner.close();
    else {
      this.#inner = inner;
      if (this.#owed > 0) inner.addCredits(this.#owed);
    }
  }

  #take(head: ChunkHead, payload: Uint8Array | null): void {
    if (head.kind === 'init') this.#takeInit(head, payload);
    else if (head.kind === 'media') this.#takeMedia(head, payload);
    else if (head.kind === 'wait') this.#sink.chunk(head, payload);
    else this.#send(head, payload);
  }

  #takeInit(head: InitChunk, payload: Uint8Array | null): void {
    this.#initIds += 1;
    this.#outer.set(head.initId, this.#initIds);
    let bytes = payload;
    if (!this.#parts.withSound && bytes !== null) {
      this.#sound = new SoundFilter();
      bytes = this.#readable(bytes, (raw) => this.#sound?.init(raw) ?? null);
      if (this.#closed) return;
    }
    const fell = this.#fall.stream === 'sub' && this.#input.stream !== 'sub';
    this.#send({ kind: 'init', initId: this.#initIds, stream: this.#fall.stream, ...(fell ? { because: 'slow-line' as const } : {}) }, bytes);
  }

  #takeMedia(head: MediaChunk, payload: Uint8Array | null): void {
    let bytes = payload;
    if (this.#sound !== null && bytes !== null) bytes = this.#readable(bytes, (raw) => this.#sound?.media(raw) ?? null);
    if (this.#closed) return;
    const initId = this.#outer.get(head.initId);
    if (bytes === null || initId === undefined) {
      this.#giveBack();
      return;
    }
    if (!this.#skipping || head.keyframe) this.#skipping = !this.#fits({ ...head, initId }, bytes);
    if (this.#skipping) this.#giveBack();
    else this.#credits -= 1;
    this.#decide(this.#skipping);
  }

  /** Hands it over; whether the line took it is known by what it counts. */
  #fits(head: MediaChunk, payload: Uint8Array): boolean {
    const { line } = this.#parts;
    const droppedBefore = line.droppedLive;
    this.#sink.chunk(head, payload);
    return line.droppedLive === droppedBefore;
  }

  /** What of the bytes is left without sound; ends the stream where they cannot be read. */
  #readable(bytes: Uint8Array, filter: (bytes: Uint8Array) => Uint8Array | null): Uint8Array | null {
    try {
      return filter(bytes);
    } catch (error) {
      this.close();
      this.#sink.closed(new PorchlightError('bad-answer', 'The sound of this camera cannot be told from its picture, so it is not shown without it. The owner can allow its sound.', error));
      return null;
    }
  }

  #send(head: ChunkHead, payload: Uint8Array | null): void {
    this.#credits -= 1;
    this.#sink.chunk(head, payload);
  }

  /** A chunk cost a credit and was not shown. */
  #giveBack(): void {
    if (this.#inner === null) this.#owed += 1;
    else this.#inner.addCredits(1);
  }

  #decide(dropped: boolean): void {
    if (this.#closed) return;
    const nowMs = this.#parts.clock.monotonicMs();
    this.#fall = noteChunk(this.#fall, dropped, nowMs);
    if (!this.#parts.hasSubStream || this.#input.stream === 'sub') return;
    const next = decideFall(this.#fall, nowMs, this.#parts.random());
    if (next.stream === this.#fall.stream) return;
    this.#fall = next;
    this.#inner?.close();
    try {
      this.#openInner();
    } catch (error) {
      this.#closed = true;
      this.#sink.closed(error instanceof Error ? error : new Error(String(error)));
    }
  }

}
