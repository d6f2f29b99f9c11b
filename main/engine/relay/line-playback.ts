/** Playing pictures on a line from away: nothing more is read while enough waits to be sent (docs/design/relay.md, "Credits"). */
import type { ChunkHead, MediaControlParsed, MediaOpenParsed } from '../../../shared/contract/media.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import type { LineState } from '../../../shared/relay/session-types.ts';
import type { DurationMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { MediaService, MediaSink, MediaStream } from './home-parts.ts';
import { SoundFilter } from './line-sound.ts';

/** While more than this waits at home, playback gets no credit. */
export const ENOUGH_WAITING_BYTES = 512 * 1024;
/** A stream that has not used its credit by then has nothing to send at the moment: the others do not wait for it. */
const TURN_MS: DurationMs = 250;
/** Parameters a stream goes to and fro between. */
const REMEMBERED_INITS = 16;

export interface TurnsParts {
  readonly line: Pick<LineState, 'queuedBytes' | 'onRoom'>;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
}

/** Lets the playing pictures of one session read one after the other, and none while enough waits. */
export class PlaybackTurns {
  readonly #parts: TurnsParts;
  readonly #waiting: (() => void)[] = [];
  readonly #stopListening: () => void;
  #turn: { readonly go: () => void; readonly sinceMs: DurationMs } | null = null;
  #cancelTimer: () => void = () => undefined;
  #ended = false;

  constructor(parts: TurnsParts) {
    this.#parts = parts;
    this.#stopListening = parts.line.onRoom(() => this.#give());
  }

  /** Calls `go` once when it may read one chunk. */
  ask(go: () => void): void {
    if (!this.#waiting.includes(go)) this.#waiting.push(go);
    this.#give();
  }

  /** It has read, or wants nothing any more. */
  done(go: () => void): void {
    const at = this.#waiting.indexOf(go);
    if (at >= 0) this.#waiting.splice(at, 1);
    if (this.#turn?.go === go) this.#turn = null;
    this.#give();
  }

  /** The session is over. */
  end(): void {
    this.#ended = true;
    this.#stopListening();
    this.#cancelTimer();
    this.#waiting.length = 0;
  }

  #give(): void {
    this.#cancelTimer();
    while (!this.#ended && this.#waiting.length > 0 && this.#parts.line.queuedBytes < ENOUGH_WAITING_BYTES) {
      const nowMs = this.#parts.clock.monotonicMs();
      const waitMs = this.#turn === null ? 0 : this.#turn.sinceMs + TURN_MS - nowMs;
      if (waitMs > 0) {
        this.#cancelTimer = this.#parts.clock.after(waitMs, () => this.#give());
        return;
      }
      const go = this.#waiting.shift();
      if (go === undefined) return;
      this.#turn = { go, sinceMs: nowMs };
      go();
    }
  }
}

export interface LinePlaybackParts {
  readonly media: MediaService;
  readonly turns: PlaybackTurns;
  readonly withSound: boolean;
}

/** Opens it; throws what the engine's own playback throws. */
export function openLinePlayback(parts: LinePlaybackParts, input: MediaOpenParsed<'playback'>, credits: number, sink: MediaSink): MediaStream {
  return new LinePlayback(parts, input, credits, sink);
}

class LinePlayback implements MediaStream {
  readonly #parts: LinePlaybackParts;
  readonly #sink: MediaSink;
  readonly #inner: MediaStream;
  readonly #filters = new Map<number, SoundFilter>();
  /** Granted by the viewer, not yet passed on. */
  #held: number;
  #passedOn = 0;
  #closed = false;
  readonly #go = (): void => {
    this.#held -= 1;
    this.#passedOn += 1;
    this.#inner.addCredits(1);
  };

  constructor(parts: LinePlaybackParts, input: MediaOpenParsed<'playback'>, credits: number, sink: MediaSink) {
    this.#parts = parts;
    this.#sink = sink;
    this.#held = credits;
    this.#inner = parts.media.open('playback', input, 0, {
      chunk: (head, payload) => this.#take(head, payload),
      closed: (error) => this.#end(error),
    });
    this.#ask();
  }

  addCredits(credits: number): void {
    this.#held += credits;
    this.#ask();
  }

  control(control: MediaControlParsed): void {
    this.#inner.control(control);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inner.close();
    this.#parts.turns.done(this.#go);
  }

  #ask(): void {
    if (!this.#closed && this.#held > 0 && this.#passedOn === 0) this.#parts.turns.ask(this.#go);
  }

  #take(head: ChunkHead, payload: Uint8Array | null): void {
    if (this.#closed) return;
    if (head.kind === 'wait') {
      this.#sink.chunk(head, payload);
      return;
    }
    this.#passedOn -= 1;
    const bytes = this.#parts.withSound || payload === null ? payload : this.#withoutSound(head, payload);
    if (this.#closed) return;
    // Sound alone is left out: the viewer's credit stays.
    if (payload !== null && bytes === null) this.#held += 1;
    else this.#sink.chunk(head, bytes);
    this.#parts.turns.done(this.#go);
    this.#ask();
  }

  #withoutSound(head: ChunkHead, payload: Uint8Array): Uint8Array | null {
    try {
      if (head.kind === 'init') {
        const filter = new SoundFilter();
        if (this.#filters.size >= REMEMBERED_INITS) this.#filters.delete([...this.#filters.keys()][0] ?? head.initId);
        this.#filters.set(head.initId, filter);
        return filter.init(payload);
      }
      return head.kind === 'media' ? (this.#filters.get(head.initId)?.media(payload) ?? null) : payload;
    } catch (error) {
      this.close();
      this.#sink.closed(new PorchlightError('bad-answer', 'The sound of this camera cannot be told from its picture, so it is not shown without it. The owner can allow its sound.', error));
      return null;
    }
  }

  #end(error: Error | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#parts.turns.done(this.#go);
    this.#sink.closed(error);
  }
}
