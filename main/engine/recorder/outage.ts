/** Since when nothing is written down, and why: what becomes gaps on the timeline (DESIGN.md section 4, causes). */
import type { GapCause } from '../../../shared/model/gap.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { IngestNotice, StreamKey } from '../ports/ingest.ts';

export class Outage {
  readonly #key: StreamKey;
  readonly #notify: (notice: IngestNotice) => void;
  readonly #startedMs: EpochMs;
  #lastFootageMs: EpochMs | null = null;
  #open: { readonly sinceMs: EpochMs; readonly cause: GapCause; readonly detail: string } | null = null;
  #everWritten = false;

  constructor(key: StreamKey, startedMs: EpochMs, notify: (notice: IngestNotice) => void) {
    this.#key = key;
    this.#startedMs = startedMs;
    this.#notify = notify;
  }

  /** Footage is being written up to this moment. */
  wrote(endMs: EpochMs): void {
    this.#lastFootageMs = endMs;
  }

  /** Nothing is written from the end of the last footage on; a later call refines the cause of the same outage. */
  began(cause: GapCause, detail: string): void {
    if (this.#open?.cause === cause && this.#open.detail === detail) return;
    // A cause found later is nearer the truth only while it says more than that the stream stopped.
    const sinceMs = this.#open?.sinceMs ?? this.#lastFootageMs ?? this.#startedMs;
    this.#open = { sinceMs, cause, detail };
    this.#notify({ type: 'outage-began', ...this.#key, ...this.#open });
  }

  /** The first frame of a new piece of footage is at `atMs`. */
  resumed(atMs: EpochMs): void {
    if (this.#open === null && this.#everWritten) return;
    this.#everWritten = true;
    this.#notify({ type: 'outage-ended', ...this.#key, sinceMs: this.#open?.sinceMs ?? null, atMs, cause: this.#open?.cause ?? null, detail: this.#open?.detail ?? '' });
    this.#open = null;
  }
}
