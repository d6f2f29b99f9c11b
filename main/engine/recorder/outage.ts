/** Since when nothing is written down, and why: what becomes gaps on the timeline (DESIGN.md section 4, causes). */
import type { GapCause } from '../../../shared/model/gap.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { IngestNotice, StreamKey } from '../ports/ingest.ts';

/** What is known of a reason beyond its name. */
export interface Finding {
  /** When the attempt that found it out began; where not given, the reason is that of the whole silence so far. */
  readonly fromMs?: EpochMs;
  /** Silence, or a connection that ended: what is behind it is found out by the next attempt. */
  readonly assumed?: boolean;
}

interface Part {
  readonly sinceMs: EpochMs;
  readonly cause: GapCause;
  readonly detail: string;
  readonly assumed: boolean;
}

/** Whether a camera can be reached and whether it sends: of these two the next attempt knows better than the silence before it. */
const OF_THE_CONNECTION: ReadonlySet<GapCause> = new Set(['camera-unreachable', 'stream-stalled']);

export class Outage {
  readonly #key: StreamKey;
  readonly #notify: (notice: IngestNotice) => void;
  readonly #startedMs: EpochMs;
  #lastFootageMs: EpochMs | null = null;
  #sinceMs: EpochMs | null = null;
  /** The part of the outage that goes on. */
  #part: Part | null = null;
  #everWritten = false;
  /** Nothing is to be written: what is wrong meanwhile is no reason for it, but is one when something is wanted again. */
  #resting = false;
  /** Why the last session ended. */
  #ending: { readonly cause: GapCause; readonly detail: string } | null = null;
  #meanwhile: { readonly cause: GapCause; readonly detail: string } | null = null;

  constructor(key: StreamKey, startedMs: EpochMs, notify: (notice: IngestNotice) => void) {
    this.#key = key;
    this.#startedMs = startedMs;
    this.#notify = notify;
  }

  /** Footage is being written up to this moment. */
  wrote(endMs: EpochMs): void {
    this.#lastFootageMs = endMs;
  }

  /** Nothing is written from the end of the last footage on. A later call knows the reason better, or begins another part of the same outage. */
  began(cause: GapCause, detail: string, finding: Finding = {}): void {
    this.#meanwhile = { cause, detail };
    // Of a session's end; a disk ends none.
    if (!cause.startsWith('disk-')) this.#ending = { cause, detail };
    if (!this.#resting) this.#say(cause, detail, finding);
  }

  /** By the owner's wish nothing is written from `nowMs` on. */
  rests(detail: string, nowMs: EpochMs): void {
    this.#resting = true;
    this.#say('not-scheduled', detail, { fromMs: nowMs });
  }

  /** Footage that an earlier session had in memory is written. What is missing behind it is missing for the reason that ended that session. */
  sessionEnded(): void {
    if (this.#part === null && this.#ending !== null) this.#say(this.#ending.cause, this.#ending.detail, {});
  }

  /** Footage is wanted again from `nowMs` on. Where something keeps it away, that is the reason from now on. */
  wakes(nowMs: EpochMs): void {
    this.#resting = false;
    if (this.#meanwhile !== null) this.#say(this.#meanwhile.cause, this.#meanwhile.detail, { fromMs: nowMs });
  }

  /** Pictures come. */
  connected(): void {
    this.#meanwhile = null;
  }

  #say(cause: GapCause, detail: string, { fromMs, assumed = false }: Finding): void {
    const part = this.#next(cause, detail, fromMs, assumed);
    const same = this.#part?.cause === cause && this.#part.detail === detail;
    this.#sinceMs ??= part.sinceMs;
    this.#part = part;
    if (!same) this.#notify({ type: 'outage-began', ...this.#key, sinceMs: part.sinceMs, cause, detail });
  }

  /** The first frame of a new piece of footage is at `atMs`. */
  resumed(atMs: EpochMs): void {
    this.#meanwhile = null;
    if (this.#part === null && this.#everWritten) return;
    this.#everWritten = true;
    const part = this.#part;
    this.#notify({ type: 'outage-ended', ...this.#key, sinceMs: this.#sinceMs, atMs, cause: part?.cause ?? null, detail: part?.detail ?? '' });
    this.#part = null;
    this.#sinceMs = null;
    // Footage so short that it was over before its beginning was known.
    if (this.#resting) this.#say('not-scheduled', part?.detail ?? '', {});
  }

  #next(cause: GapCause, detail: string, fromMs: EpochMs | undefined, assumed: boolean): Part {
    const known = this.#part;
    if (known === null) return { sinceMs: this.#lastFootageMs ?? this.#startedMs, cause, detail, assumed };
    const replaces = known.assumed && OF_THE_CONNECTION.has(known.cause) && OF_THE_CONNECTION.has(cause);
    if (fromMs === undefined || replaces || known.cause === cause) return { sinceMs: known.sinceMs, cause, detail, assumed };
    return { sinceMs: Math.max(known.sinceMs, fromMs), cause, detail, assumed };
  }
}
