/** Owns a camera's events: what is raised, who has subscribed, what each subscriber has not fetched yet. */
import { randomUUID } from 'node:crypto';

export interface CameraEvent {
  /** Milliseconds since 1970 by the camera's clock. */
  readonly atMs: number;
  /** Initialized tells the state at the subscription's start, Changed a change. */
  readonly operation: 'Initialized' | 'Changed';
  readonly motion: boolean;
}

const MAX_QUEUED = 200;

export class Subscription {
  readonly id: string;
  readonly queue: CameraEvent[] = [];
  /** When it ends unless renewed, on the monotonic clock. */
  endsAtMs: number;
  #wake: (() => void) | null = null;

  constructor(id: string, endsAtMs: number) {
    this.id = id;
    this.endsAtMs = endsAtMs;
  }

  push(event: CameraEvent): void {
    if (this.queue.length < MAX_QUEUED) this.queue.push(event);
    this.#wake?.();
  }

  /** Resolves when there is something to fetch, after `timeoutMs`, or when the signal aborts. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.queue.length > 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      signal.addEventListener('abort', done);
      this.#wake = done;
    });
  }
}

export class EventHub {
  readonly #subscriptions = new Map<string, Subscription>();
  #nextNumber = 1;
  motion = false;

  /** Raises the change to every subscriber; no change, no event. */
  setMotion(motion: boolean, cameraNowMs: number): void {
    if (motion === this.motion) return;
    this.motion = motion;
    for (const subscription of this.#subscriptions.values()) subscription.push({ atMs: cameraNowMs, operation: 'Changed', motion });
  }

  subscribe(durationMs: number, cameraNowMs: number): Subscription {
    this.#expire();
    const subscription = new Subscription(`${this.#nextNumber}-${randomUUID().slice(0, 8)}`, performance.now() + durationMs);
    this.#nextNumber += 1;
    this.#subscriptions.set(subscription.id, subscription);
    subscription.push({ atMs: cameraNowMs, operation: 'Initialized', motion: this.motion });
    return subscription;
  }

  find(id: string): Subscription | null {
    this.#expire();
    return this.#subscriptions.get(id) ?? null;
  }

  unsubscribe(id: string): void {
    this.#subscriptions.delete(id);
  }

  get subscriptionCount(): number {
    this.#expire();
    return this.#subscriptions.size;
  }

  /** As a reboot does. */
  forgetSubscriptions(): void {
    this.#subscriptions.clear();
    this.motion = false;
  }

  #expire(): void {
    const now = performance.now();
    for (const subscription of this.#subscriptions.values()) if (subscription.endsAtMs < now) this.#subscriptions.delete(subscription.id);
  }
}
