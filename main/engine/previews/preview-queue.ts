/** The keyframes of one camera that wait to become previews: one per step of time, in batches of equal parameters, bounded. No clock, no files. */
import { equalBytes } from '../../../shared/media/boxes.ts';
import type { DurationMs, EpochMs } from '../../../shared/time.ts';

/** As many as one decoder is started for, a minute's worth: its start costs what ten pictures cost. */
const BATCH_PICTURES = 30;
/** Keyframes of 4K come at a megabyte each. */
const BATCH_BYTES = 6 * 1024 * 1024;
/** A decoder that cannot keep up costs the oldest pictures, not memory. */
const MAX_WAITING_PICTURES = 3 * BATCH_PICTURES;
const MAX_WAITING_BYTES = 3 * BATCH_BYTES;

export interface WaitingKeyframe {
  readonly atMs: EpochMs;
  /** One whole fragment that begins with a keyframe. */
  readonly fragment: Uint8Array;
}

/** Keyframes that one decoder can take after one init. */
export interface KeyframeBatch {
  readonly init: Uint8Array;
  readonly keyframes: readonly WaitingKeyframe[];
}

interface OpenBatch {
  readonly init: Uint8Array;
  readonly keyframes: WaitingKeyframe[];
  bytes: number;
  /** Monotonic, of its first keyframe. */
  readonly sinceMs: DurationMs;
  due: boolean;
}

export class PreviewQueue {
  #init: Uint8Array | null = null;
  #batches: OpenBatch[] = [];
  #lastStep = -1;
  #lastStepMs = 0;
  /** Keyframes given up since the start because too many waited. */
  dropped = 0;

  /** New parameters: what waits was coded with the old ones and becomes a batch of its own. */
  setInit(init: Uint8Array): void {
    if (this.#init !== null && equalBytes(this.#init, init)) return;
    this.#init = init;
    this.hurry();
  }

  /** Whether a keyframe of that moment would be the first of its step. Steps are counted from 1970, so that jitter of a keyframe's time makes no holes. */
  wants(atMs: EpochMs, stepMs: DurationMs): boolean {
    return this.#init !== null && (stepMs !== this.#lastStepMs || Math.floor(atMs / stepMs) !== this.#lastStep);
  }

  /** Adds a keyframe that `wants` said yes to. */
  add(keyframe: WaitingKeyframe, stepMs: DurationMs, nowMonotonicMs: DurationMs): void {
    if (this.#init === null) return;
    this.#lastStepMs = stepMs;
    this.#lastStep = Math.floor(keyframe.atMs / stepMs);
    let batch = this.#batches.at(-1);
    if (batch === undefined || batch.due || batch.init !== this.#init) {
      batch = { init: this.#init, keyframes: [], bytes: 0, sinceMs: nowMonotonicMs, due: false };
      this.#batches.push(batch);
    }
    batch.keyframes.push(keyframe);
    batch.bytes += keyframe.fragment.length;
    if (batch.keyframes.length >= BATCH_PICTURES || batch.bytes >= BATCH_BYTES) batch.due = true;
    this.#bound();
  }

  /** Makes everything that waits due now. */
  hurry(): void {
    for (const batch of this.#batches) batch.due = true;
  }

  /** Since when (monotonic) the oldest batch that is due has been waiting; null where none is. A batch is due when it is full, hurried, or older than `waitMs`. */
  dueSinceMs(nowMonotonicMs: DurationMs, waitMs: DurationMs): DurationMs | null {
    const [oldest] = this.#batches;
    return oldest !== undefined && (oldest.due || nowMonotonicMs - oldest.sinceMs >= waitMs) ? oldest.sinceMs : null;
  }

  /** The oldest batch, taken out. */
  take(): KeyframeBatch | null {
    return this.#batches.shift() ?? null;
  }

  get waiting(): number {
    return this.#batches.reduce((sum, batch) => sum + batch.keyframes.length, 0);
  }

  #bound(): void {
    let bytes = this.#batches.reduce((sum, batch) => sum + batch.bytes, 0);
    for (let waiting = this.waiting; waiting > MAX_WAITING_PICTURES || (bytes > MAX_WAITING_BYTES && waiting > 1); waiting -= 1) {
      const [oldest] = this.#batches;
      const gone = oldest?.keyframes.shift();
      if (oldest === undefined || gone === undefined) return;
      oldest.bytes -= gone.fragment.length;
      bytes -= gone.fragment.length;
      this.dropped += 1;
      if (oldest.keyframes.length === 0) this.#batches.shift();
    }
  }
}
