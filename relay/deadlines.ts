/** Things that are due a fixed time after they were added: in the order they came, so that looking costs only what is due. */

export class Deadlines<T> {
  readonly #afterMs: number;
  readonly #due = new Map<T, number>();

  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  /** Due `afterMs` from now; again, where it was there already. */
  add(item: T, nowMs: number): void {
    this.#due.delete(item);
    this.#due.set(item, nowMs + this.#afterMs);
  }

  delete(item: T): void {
    this.#due.delete(item);
  }

  /** Takes out what is due, the oldest first and at most `most`. */
  takeDue(nowMs: number, most = Number.POSITIVE_INFINITY): readonly T[] {
    const taken: T[] = [];
    for (const [item, dueMs] of this.#due) {
      if (dueMs > nowMs || taken.length >= most) break;
      taken.push(item);
    }
    for (const item of taken) this.#due.delete(item);
    return taken;
  }

  get size(): number {
    return this.#due.size;
  }
}
