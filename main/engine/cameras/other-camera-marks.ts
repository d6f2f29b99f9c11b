/**
 * Marks on the timeline where what was recorded under a camera's name may be another camera's: recording comes before
 * asking who sends, so some of it is there when the answer comes. Never deleted, never silent (docs/design/cameras.md).
 */
import type { CameraId } from '../../../shared/model/ids.ts';
import type { CameraEvent } from '../../../shared/model/timeline.ts';
import { type DurationMs, type EpochMs, MINUTE_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';

/** An event never changes once it is written, so one that goes on is written piece by piece: what a crash leaves unmarked is this at most. */
const PIECE_MS: DurationMs = 5 * MINUTE_MS;
/** The last picture lasts on after its session; the next session begins later than this. */
const LAST_PICTURE_MS: DurationMs = 400;
const LABEL = 'Another camera answered at this one’s address. What was recorded may be its pictures.';

export interface OtherCameraMarksParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Durable when it resolves; the same event written twice is one. */
  readonly write: (event: CameraEvent) => Promise<void>;
}

export class OtherCameraMarks {
  readonly #parts: OtherCameraMarksParts;
  /** Up to where it is marked. */
  readonly #open = new Map<CameraId, EpochMs>();
  readonly #writing = new Set<Promise<void>>();
  readonly #cancel: () => void;

  constructor(parts: OtherCameraMarksParts) {
    this.#parts = parts;
    this.#cancel = parts.clock.every(PIECE_MS, () => {
      for (const cameraId of this.#open.keys()) this.#mark(cameraId);
    });
  }

  /** Another camera's pictures come since `fromMs`, or `fromMs` null: no longer. */
  tell(cameraId: CameraId, fromMs: EpochMs | null): void {
    if (fromMs !== null && !this.#open.has(cameraId)) this.#open.set(cameraId, fromMs);
    if (this.#open.has(cameraId)) this.#mark(cameraId, fromMs === null ? LAST_PICTURE_MS : 0);
    if (fromMs === null) this.#open.delete(cameraId);
  }

  /** Resolves when what goes on is marked up to now. */
  async stop(): Promise<void> {
    this.#cancel();
    for (const cameraId of this.#open.keys()) this.tell(cameraId, null);
    await Promise.all(this.#writing);
  }

  #mark(cameraId: CameraId, beyondMs: DurationMs = 0): void {
    const { clock, log, write } = this.#parts;
    const startMs = this.#open.get(cameraId) ?? clock.nowMs();
    const endMs = Math.max(startMs, clock.nowMs() + beyondMs);
    this.#open.set(cameraId, endMs);
    const written = write({ id: `other-${cameraId}-${Math.round(startMs)}`, cameraId, startMs, endMs, kind: 'other-camera', label: LABEL })
      .catch((error: unknown) => {
        log.error('footage that may be another camera’s could not be marked', error);
        // The next piece begins where this one did.
        if (this.#open.has(cameraId)) this.#open.set(cameraId, Math.min(startMs, this.#open.get(cameraId) ?? startMs));
      })
      .finally(() => this.#writing.delete(written));
    this.#writing.add(written);
  }
}
