import { afterEach, expect, it } from 'vitest';
import { type Clock, systemClock } from './clock.ts';
import { IdleWorker } from './idle-worker.ts';
import { startWorker, type WorkerHandle } from './worker-rpc.ts';

interface Counter {
  count(): number;
  begin(): void;
  end(): void;
  fail(): void;
  rest(): boolean;
}

/** A real thread that counts how often it was asked, and has something going on between `begin` and `end`. */
const SOURCE = `
import { parentPort } from 'node:worker_threads';
let counted = 0, busy = false;
const api = { count: () => ++counted, begin: () => void (busy = true), end: () => void (busy = false), fail: () => process.exit(3), rest: () => !busy };
parentPort.on('message', ({ call, name, args }) => parentPort.postMessage({ answer: call, value: api[name](...args) }));
`;

/** What waits for its time, which comes when a test says so. */
const timers = new Set<() => void>();
const clock: Clock = {
  ...systemClock,
  after: (_durationMs, action) => {
    timers.add(action);
    return () => void timers.delete(action);
  },
};

/** The idle time of the one thread that was asked something is over. */
function idleTimePasses(): void {
  expect(timers.size).toBe(1);
  for (const action of timers) {
    timers.delete(action);
    action();
  }
}

const opened: IdleWorker<Counter>[] = [];
const threads: WorkerHandle<Counter, never>[] = [];

function open(): IdleWorker<Counter> {
  const start = (): WorkerHandle<Counter, never> => {
    const handle = startWorker<Counter>(new URL(`data:text/javascript,${encodeURIComponent(SOURCE)}`), 'counter', {});
    threads.push(handle);
    return handle;
  };
  const worker = new IdleWorker<Counter>({ start, clock, idleMs: 20_000 });
  opened.push(worker);
  return worker;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((worker) => worker.terminate()));
  threads.length = 0;
  timers.clear();
});

it('starts with the first call, and again after it was ended for want of work', async () => {
  const worker = open();
  expect(worker.running).toBe(false);
  expect(await Promise.all([worker.client.count(), worker.client.count()])).toEqual([1, 2]);
  expect(threads).toHaveLength(1);
  idleTimePasses();
  await expect.poll(() => worker.running).toBe(false);
  await threads[0]?.exited;
  expect(await worker.client.count()).toBe(1);
  expect(threads).toHaveLength(2);
});

it('is kept while something goes on between calls', async () => {
  const worker = open();
  await worker.client.begin();
  idleTimePasses();
  // It asked, was told that something goes on, and waits for the next time.
  await expect.poll(() => timers.size).toBe(1);
  expect(worker.running).toBe(true);
  await worker.client.end();
  idleTimePasses();
  await expect.poll(() => worker.running).toBe(false);
});

it('rejects the call a failing thread was at, and starts another for the next', async () => {
  const worker = open();
  await expect(worker.client.fail()).rejects.toThrow('failed');
  expect(await worker.client.count()).toBe(1);
});

it('rejects what is open when it is ended', async () => {
  const worker = open();
  const asked = worker.client.count();
  const ended = worker.terminate();
  await expect(asked).rejects.toThrow('ended');
  await ended;
  await expect(worker.client.count()).rejects.toThrow('ended');
  expect(worker.running).toBe(false);
});
