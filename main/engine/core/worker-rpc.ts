/**
 * Typed calls between the engine's threads. A worker exposes an object of async functions; the other side gets the
 * same object as a client. Values are structured clones; bytes that are not needed any more go as transferables.
 */
import { type MessagePort, parentPort, type Transferable, Worker } from 'node:worker_threads';
import { fromWire, PorchlightError, toWire, type WireError } from '../../../shared/errors.ts';

export type WorkerClient<Api extends object> = {
  readonly [Name in keyof Api]: Api[Name] extends (...args: infer Args) => infer Output ? (...args: Args) => Promise<Awaited<Output>> : never;
};

type Call = { readonly call: number; readonly name: string; readonly args: readonly unknown[] };
type Answer = { readonly answer: number; readonly value?: unknown; readonly error?: WireError; readonly cause?: string };
type Notice = { readonly notice: unknown };

const transfers = new WeakMap<object, readonly Transferable[]>();

/** Marks a value so that its buffers are moved, not copied, when it is returned from a worker. */
export function moving<T extends object>(value: T, list: readonly Transferable[]): T {
  transfers.set(value, list);
  return value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Worker side: answers calls with `api` until the port closes. Returns a function that sends a notice to the owner. */
export function exposeWorker<NoticeOut = never>(api: object, port: MessagePort | null = parentPort): (notice: NoticeOut, list?: readonly Transferable[]) => void {
  if (port === null) throw new Error('exposeWorker runs in a worker thread');
  const functions = api as Record<string, ((...args: readonly unknown[]) => unknown) | undefined>;
  port.on('message', (message: Call) => {
    void (async () => {
      try {
        const value = await functions[message.name]?.(...message.args);
        port.postMessage({ answer: message.call, value } satisfies Answer, isObject(value) ? transfers.get(value) : undefined);
      } catch (error) {
        const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
        port.postMessage({ answer: message.call, error: toWire(error), cause } satisfies Answer);
      }
    })();
  });
  return (notice, list) => port.postMessage({ notice } satisfies Notice, list);
}

export interface WorkerHandle<Api extends object, NoticeIn> {
  readonly client: WorkerClient<Api>;
  /** Fires once when the thread ends, whether asked to or not. */
  readonly exited: Promise<number>;
  readonly worker: Worker;
  onNotice(listener: (notice: NoticeIn) => void): void;
  /** Ends the thread at once; open calls are rejected with `cancelled`. */
  terminate(): Promise<void>;
}

/** Where a thread's entry file lies: beside its source under Node, bundled as `.js` in the packaged app. */
export function workerEntry(base: string, name: string): URL {
  return base.endsWith('.ts') ? new URL(`${name}.ts`, base) : new URL(`${name.split('/').at(-1)}.js`, base);
}

/**
 * A thread's room for new objects in MB, of which V8 makes three parts: without a limit each thread fills 16 MB and more before it
 * looks what of it is still wanted. Objects here are short-lived and small; bytes lie outside.
 */
const YOUNG_MB = 6;

/**
 * Owner side: starts a thread and talks to what it exposes. `givesAwayFds`: the thread hands descriptors it opened to
 * sockets, which close them; Node's own list of them would close somebody else's when the thread ends.
 */
export function startWorker<Api extends object, NoticeIn = never>(entry: URL, name: string, workerData: unknown, move: readonly Transferable[] = [], givesAwayFds = false): WorkerHandle<Api, NoticeIn> {
  const worker = new Worker(entry, { name, workerData, transferList: [...move], trackUnmanagedFds: !givesAwayFds, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
  const open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  const listeners: ((notice: NoticeIn) => void)[] = [];
  let calls = 0;
  let gone: Error | null = null;
  let failure: unknown = null;
  worker.on('message', (message: Answer | Notice) => {
    if ('notice' in message) {
      for (const listener of listeners) listener(message.notice as NoticeIn);
      return;
    }
    const waiting = open.get(message.answer);
    open.delete(message.answer);
    if (message.error === undefined) waiting?.resolve(message.value);
    else waiting?.reject(Object.assign(fromWire(message.error), { cause: message.cause }));
  });
  worker.on('error', (error) => {
    failure = error;
  });
  const exited = new Promise<number>((resolve) => {
    worker.on('exit', (code) => {
      gone = failure === null && code === 0 ? new PorchlightError('cancelled', `The ${name} thread has ended.`) : new PorchlightError('internal', `The ${name} thread failed.`, failure);
      for (const waiting of open.values()) waiting.reject(gone);
      open.clear();
      resolve(code);
    });
  });
  const client = new Proxy({} as WorkerClient<Api>, {
    get: (_target, property) =>
      typeof property !== 'string' || property === 'then'
        ? undefined
        : (...args: readonly unknown[]) =>
            new Promise<unknown>((resolve, reject) => {
              if (gone !== null) {
                reject(gone);
                return;
              }
              const call = ++calls;
              open.set(call, { resolve, reject });
              const list = args.flatMap((arg) => (isObject(arg) ? (transfers.get(arg) ?? []) : []));
              worker.postMessage({ call, name: property, args } satisfies Call, list);
            }),
  });
  return {
    client,
    exited,
    worker,
    onNotice: (listener) => void listeners.push(listener),
    terminate: async () => {
      await worker.terminate();
    },
  };
}
