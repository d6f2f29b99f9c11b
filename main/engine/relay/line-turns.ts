/** Which of the playing pictures on a line from away reads next: nothing more is read while enough waits to be sent (docs/design/relay.md, "Credits"). */
import type { LineState } from '../../../shared/relay/session-types.ts';
import { type DurationMs, SECOND_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';

/** While as much as the line takes in this time waits at home, playback gets no credit: a slow line is not given what would be sent seconds later. */
const ENOUGH_WAITING_MS: DurationMs = SECOND_MS / 2;
const [LEAST_ENOUGH_BYTES, MOST_ENOUGH_BYTES] = [64 * 1024, 512 * 1024];
/** A stream that has not used its credit by then has nothing to send at the moment: the others do not wait for it. */
const TURN_MS: DurationMs = 250;

export interface TurnsParts {
  readonly line: Pick<LineState, 'queuedBytes' | 'rateBytesPerS' | 'onRoom'>;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
}

/** How much may wait on a line of that rate; 0 is not measured yet. */
function enoughBytes(rateBytesPerS: number): number {
  return rateBytesPerS === 0 ? MOST_ENOUGH_BYTES : Math.min(MOST_ENOUGH_BYTES, Math.max(LEAST_ENOUGH_BYTES, (rateBytesPerS * ENOUGH_WAITING_MS) / SECOND_MS));
}

/** Lets the playing pictures of one session read one after the other, and none while enough waits. */
export class PlaybackTurns {
  readonly #parts: TurnsParts;
  readonly #waiting: (() => void)[] = [];
  readonly #watchers = new Set<() => void>();
  readonly #stopListening: () => void;
  #turn: { readonly go: () => void; readonly sinceMs: DurationMs } | null = null;
  #cancelTimer: () => void = () => undefined;
  #ended = false;

  constructor(parts: TurnsParts) {
    this.#parts = parts;
    this.#stopListening = parts.line.onRoom(() => {
      this.#give();
      for (const look of [...this.#watchers]) look();
    });
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

  /** Calls `look` whenever the line took something. Returns how to stop that. */
  watch(look: () => void): () => void {
    this.#watchers.add(look);
    return () => this.#watchers.delete(look);
  }

  /** The session is over. */
  end(): void {
    this.#ended = true;
    this.#stopListening();
    this.#cancelTimer();
    this.#waiting.length = 0;
    this.#watchers.clear();
  }

  #give(): void {
    this.#cancelTimer();
    while (!this.#ended && this.#waiting.length > 0 && this.#parts.line.queuedBytes < enoughBytes(this.#parts.line.rateBytesPerS)) {
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
