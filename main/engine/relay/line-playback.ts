/** One playing picture on a line from away: it reads when it is its turn, and goes over to the recorded sub stream where the line is slower than the footage (docs/design/relay.md, "A slow line"). */
import type { ChunkHead, InitChunk, MediaControlParsed, MediaOpenParsed } from '../../../shared/contract/media.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import type { LineState } from '../../../shared/relay/session-types.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { MediaService, MediaSink, MediaStream } from '../ports/media.ts';
import { beginFall, type FallState } from './line-fall.ts';
import { behindMs, decidePlayback, IDLE, noteHanded, type Pace } from './line-pace.ts';
import { SoundFilter } from './line-sound.ts';
import type { PlaybackTurns } from './line-turns.ts';

/** Parameters a stream goes to and fro between. */
const REMEMBERED_INITS = 16;
/** Behind the last picture by this, so that its group does not come once more. */
const AGAIN_MS = 1;

export interface LinePlaybackParts {
  readonly media: MediaService;
  readonly turns: PlaybackTurns;
  readonly line: Pick<LineState, 'queuedBytes'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly random: () => number;
  /** There may be recordings of a smaller stream; where there are none at a time, the engine's own playback says so. */
  readonly recordsSub: boolean;
  readonly withSound: boolean;
}

/** Opens it; throws what the engine's own playback throws. */
export function openLinePlayback(parts: LinePlaybackParts, input: MediaOpenParsed<'playback'>, credits: number, sink: MediaSink): MediaStream {
  return new LinePlayback(parts, input, credits, sink);
}

/** The parameters of an inner stream as the viewer knows them. */
interface Outer {
  readonly initId: number;
  readonly sound: SoundFilter | null;
}

class LinePlayback implements MediaStream {
  readonly #parts: LinePlaybackParts;
  readonly #input: MediaOpenParsed<'playback'>;
  readonly #sink: MediaSink;
  #stopListening: () => void = () => undefined;
  #inner: MediaStream | null = null;
  /** Raised with each inner stream: what an older one says is not heard. */
  #generation = 0;
  #outer = new Map<number, Outer>();
  #initIds = 0;
  /** Granted by the viewer, not yet passed on. */
  #held: number;
  #passedOn = 0;
  #fall: FallState;
  #pace: Pace = IDLE;
  /** Where what follows the newest piece begins. */
  #cursorMs: EpochMs;
  #seekId: number;
  #one = false;
  #pictures: Extract<MediaControlParsed, { kind: 'pictures' }> | null = null;
  /** The sub stream has nothing at this time: main comes in its place. */
  #standsIn = false;
  /** The engine was asked again behind the last picture of the sub stream. */
  #lookedAgain = false;
  /** Nothing follows before another seek. */
  #ended = false;
  #closed = false;
  readonly #go = (): void => {
    this.#held -= 1;
    this.#passedOn += 1;
    this.#inner?.addCredits(1);
  };

  constructor(parts: LinePlaybackParts, input: MediaOpenParsed<'playback'>, credits: number, sink: MediaSink) {
    this.#parts = parts;
    this.#input = input;
    this.#sink = sink;
    this.#held = credits;
    this.#cursorMs = input.fromMs;
    this.#seekId = input.seekId;
    this.#fall = beginFall(input.stream === 'sub' ? 'sub' : 'main', parts.clock.monotonicMs());
    this.#openInner();
    if (!this.#closed) this.#stopListening = parts.turns.watch(() => this.#decide());
  }

  addCredits(credits: number): void {
    this.#held += credits;
    this.#ask();
  }

  control(control: MediaControlParsed): void {
    if (control.kind === 'pictures') this.#pictures = control;
    else {
      this.#cursorMs = control.toMs;
      this.#seekId = control.seekId;
      this.#one = control.one;
      this.#lookedAgain = false;
      this.#ended = false;
    }
    this.#pace = IDLE;
    this.#inner?.control(control);
  }

  close(): void {
    if (this.#closed) return;
    this.#over();
    this.#inner?.close();
  }

  #over(): void {
    this.#closed = true;
    this.#stopListening();
    this.#parts.turns.done(this.#go);
  }

  /** Opens the stream that is to be played at the cursor, in the place of the one before. */
  #openInner(): void {
    const { media, turns } = this.#parts;
    this.#generation += 1;
    const generation = this.#generation;
    this.#inner?.close();
    turns.done(this.#go);
    this.#held += this.#passedOn;
    this.#passedOn = 0;
    this.#outer = new Map();
    this.#standsIn = false;
    this.#lookedAgain = false;
    this.#pace = IDLE;
    this.#inner = media.open('playback', { ...this.#input, stream: this.#fall.stream, fromMs: this.#cursorMs, seekId: this.#seekId }, 0, {
      chunk: (head, payload) => {
        if (generation === this.#generation) this.#take(head, payload);
      },
      closed: (error) => {
        if (generation === this.#generation) this.#end(error);
      },
    });
    if (this.#pictures !== null) this.#inner.control(this.#pictures);
    this.#ask();
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
    const isShown = this.#hand(head, payload);
    if (this.#closed) return;
    // The viewer's credit stays where nothing came of it.
    if (!isShown) this.#held += 1;
    this.#parts.turns.done(this.#go);
    this.#ask();
    this.#decide();
  }

  /** False where it was kept back. */
  #hand(head: Exclude<ChunkHead, { kind: 'wait' }>, payload: Uint8Array | null): boolean {
    if (head.kind === 'init') return this.#handInit(head, payload);
    if (head.kind !== 'media') return this.#handBorder(head, head.kind === 'gap' ? head.endMs : head.atMs);
    const outer = this.#outer.get(head.initId);
    if (outer === undefined) return false;
    const bytes = outer.sound === null || payload === null ? payload : this.#readable(() => outer.sound?.media(payload) ?? null);
    // Sound alone is left out.
    if (this.#closed || (payload !== null && bytes === null)) return false;
    const waitingBytes = this.#parts.line.queuedBytes;
    this.#sink.chunk({ ...head, initId: outer.initId }, bytes);
    if (head.seekId !== this.#seekId) return true;
    this.#pace = noteHanded(this.#pace, { footageMs: Math.max(0, head.endMs - this.#cursorMs), bytes: bytes?.length ?? 0 }, waitingBytes, this.#parts.clock.monotonicMs());
    if (head.endMs > this.#cursorMs + AGAIN_MS) this.#lookedAgain = false;
    this.#cursorMs = head.endMs;
    return true;
  }

  #handInit(head: InitChunk, payload: Uint8Array | null): boolean {
    const sound = this.#parts.withSound || payload === null ? null : new SoundFilter();
    const bytes = sound === null || payload === null ? payload : this.#readable(() => sound.init(payload));
    if (this.#closed) return false;
    this.#initIds += 1;
    if (this.#outer.size >= REMEMBERED_INITS) this.#outer.delete([...this.#outer.keys()][0] ?? head.initId);
    this.#outer.set(head.initId, { initId: this.#initIds, sound });
    const stream = head.stream ?? this.#fall.stream;
    this.#standsIn = stream !== this.#fall.stream;
    const isSmaller = stream === 'sub' && this.#input.stream !== 'sub';
    this.#sink.chunk({ kind: 'init', initId: this.#initIds, stream, ...(isSmaller ? { because: 'slow-line' as const } : {}) }, bytes);
    return true;
  }

  /** Missing footage, or the end of it. Of the small stream, where that was chosen here, it says nothing of the camera: the engine is asked once more, and takes the large one where that goes on. */
  #handBorder(head: Extract<ChunkHead, { kind: 'gap' | 'end' }>, untilMs: EpochMs): boolean {
    if (this.#fall.stream === 'sub' && this.#input.stream !== 'sub' && !this.#standsIn && !this.#one && !this.#lookedAgain && head.seekId === this.#seekId) {
      this.#lookedAgain = true;
      this.#inner?.control({ kind: 'seek', toMs: this.#cursorMs + AGAIN_MS, seekId: this.#seekId, one: false });
      return false;
    }
    this.#sink.chunk(head, null);
    if (head.seekId !== this.#seekId) return true;
    this.#cursorMs = untilMs;
    this.#ended = head.kind === 'end';
    return true;
  }

  /** What comes of bytes without sound; null, and the end of the stream, where they cannot be read. */
  #readable(filter: () => Uint8Array | null): Uint8Array | null {
    try {
      return filter();
    } catch (error) {
      this.close();
      this.#sink.closed(new PorchlightError('bad-answer', 'The sound of this camera cannot be told from its picture, so it is not shown without it. The owner can allow its sound.', error));
      return null;
    }
  }

  #decide(): void {
    const { line, clock, random, recordsSub } = this.#parts;
    if (this.#closed || this.#ended || this.#one || !recordsSub || this.#input.stream === 'sub') return;
    const nowMs = clock.monotonicMs();
    const { queuedBytes } = line;
    if (queuedBytes === 0) this.#pace = IDLE;
    const next = decidePlayback(this.#fall, behindMs(this.#pace, queuedBytes, this.#pictures?.speed ?? 1, nowMs), nowMs, random());
    const isOther = next.stream !== this.#fall.stream;
    this.#fall = next;
    if (!isOther) return;
    try {
      this.#openInner();
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #end(error: Error | null): void {
    if (this.#closed) return;
    this.#over();
    this.#sink.closed(error);
  }
}
