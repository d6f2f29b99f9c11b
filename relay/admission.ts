/** Lets new connections in as fast as this process bears: in a storm the handshakes wait, not those who are watching. */

/** Between two lots; short enough that nobody who comes alone notices. */
const STEP_MS = 10;
/** A step this late says that the last lot was too much. */
const LATE_MS = 30;
const FIRST_LOT = 8;
const MOST_LOT = 40;

export interface AdmissionParts<T> {
  /** Begins the handshakes of one that came; its cost falls into the next turns of the event loop. */
  readonly admit: (item: T) => void;
  /** One that waited too long to be worth it. */
  readonly drop: (item: T) => void;
  readonly mostWaitMs: number;
  readonly nowMs: () => number;
}

export class Admission<T> {
  readonly #parts: AdmissionParts<T>;
  #waiting: { readonly item: T; readonly sinceMs: number }[] = [];
  #lot = FIRST_LOT;
  /** What may still be let in before the next step. */
  #left = FIRST_LOT;
  #dueMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: AdmissionParts<T>) {
    this.#parts = parts;
  }

  add(item: T): void {
    this.#waiting.push({ item, sinceMs: this.#parts.nowMs() });
    this.#letIn();
    if (this.#timer === null) this.#plan();
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Drops who waits. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const { item } of this.#waiting.splice(0)) this.#parts.drop(item);
    this.#left = 0;
  }

  #plan(): void {
    this.#dueMs = this.#parts.nowMs() + STEP_MS;
    this.#timer = setTimeout(() => this.#step(), STEP_MS);
  }

  #step(): void {
    this.#timer = null;
    const nowMs = this.#parts.nowMs();
    const fresh = this.#waiting.findIndex(({ sinceMs }) => nowMs - sinceMs < this.#parts.mostWaitMs);
    for (const { item } of this.#waiting.splice(0, fresh < 0 ? this.#waiting.length : fresh)) this.#parts.drop(item);
    this.#lot = nowMs - this.#dueMs > LATE_MS ? Math.max(1, this.#lot >> 1) : Math.min(MOST_LOT, this.#lot + 1);
    this.#left = this.#lot;
    const wasWaiting = this.#waiting.length > 0;
    this.#letIn();
    if (wasWaiting) this.#plan();
  }

  #letIn(): void {
    const now = this.#waiting.splice(0, this.#left);
    this.#left -= now.length;
    for (const { item } of now) this.#parts.admit(item);
  }
}
