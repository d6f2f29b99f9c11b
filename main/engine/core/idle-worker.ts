/** A thread that exists while it is used: started by the first call, ended when nothing was asked of it for a while. */
import { PorchlightError } from '../../../shared/errors.ts';
import type { DurationMs } from '../../../shared/time.ts';
import type { Clock } from './clock.ts';
import type { WorkerClient, WorkerHandle } from './worker-rpc.ts';

/** What such a thread has to answer besides its work. */
export interface IdleApi {
  /** Whether it may end now: gives back what it keeps open; false where something goes on between calls. */
  rest(): boolean;
}

export interface IdleWorkerParts<Api extends IdleApi> {
  readonly start: () => WorkerHandle<Api, never>;
  readonly clock: Clock;
  readonly idleMs: DurationMs;
}

/** A thread takes 10 MB before it does anything, so one that works now and then is not kept (docs/design/processes.md, "Memory"). */
export class IdleWorker<Api extends IdleApi> {
  /** Starts the thread where there is none; a call rejects as it would of any thread. */
  readonly client: WorkerClient<Api>;
  readonly #parts: IdleWorkerParts<Api>;
  #handle: WorkerHandle<Api, never> | null = null;
  #calls = 0;
  #over = false;
  #cancelRest: () => void = () => undefined;

  constructor(parts: IdleWorkerParts<Api>) {
    this.#parts = parts;
    this.client = new Proxy({} as WorkerClient<Api>, {
      get: (_target, property) => (typeof property !== 'string' || property === 'then' ? undefined : (...args: readonly unknown[]) => this.#call(property, args)),
    });
  }

  get running(): boolean {
    return this.#handle !== null;
  }

  /** Starts the thread ahead of a first call that will come soon. */
  prepare(): void {
    this.#handle ??= this.#begin();
  }

  /** Ends the thread at once and for good; open calls and later ones are rejected with `cancelled`. */
  async terminate(): Promise<void> {
    this.#over = true;
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#cancelRest();
    const handle = this.#handle;
    this.#handle = null;
    await handle?.terminate();
  }

  async #call(name: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#over) throw new PorchlightError('cancelled', 'The thread has ended.');
    this.#cancelRest();
    this.#calls += 1;
    const handle = (this.#handle ??= this.#begin());
    try {
      return await (handle.client as Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>)[name]?.(...args);
    } finally {
      this.#calls -= 1;
      if (this.#calls === 0 && this.#handle === handle) this.#cancelRest = this.#parts.clock.after(this.#parts.idleMs, () => void this.#rest(handle));
    }
  }

  #begin(): WorkerHandle<Api, never> {
    const handle = this.#parts.start();
    // One that failed is not asked again: the next call starts another.
    void handle.exited.then(() => {
      if (this.#handle === handle) this.#handle = null;
    });
    return handle;
  }

  async #rest(handle: WorkerHandle<Api, never>): Promise<void> {
    const may = await (handle.client as WorkerClient<IdleApi>).rest().catch(() => false);
    // Asked of meanwhile: whoever asked sets the next time.
    if (this.#calls > 0 || this.#handle !== handle) return;
    if (may) await this.#end();
    else this.#cancelRest = this.#parts.clock.after(this.#parts.idleMs, () => void this.#rest(handle));
  }
}
