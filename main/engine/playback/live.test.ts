import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import type { ChunkHead } from '../../../shared/contract/media.ts';
import { cameraIdFrom } from '../../../shared/model/ids.ts';
import type { LiveMessage } from '../ports/ingest.ts';
import { openLive } from './live.ts';
import type { MediaStream } from '../ports/media.ts';

const cameraId = cameraIdFrom(new Uint8Array(12));
const opened: { stream: MediaStream; feed: MessagePort }[] = [];

afterEach(() => {
  for (const { stream, feed } of opened.splice(0)) {
    stream.close();
    feed.close();
  }
});

interface Seen {
  readonly head: ChunkHead;
  readonly payload: Uint8Array | null;
}

/** A live stream over a real MessageChannel, the other end of which is the test's. */
function live(credits: number): { stream: MediaStream; tell: (message: LiveMessage) => Promise<void>; seen: Seen[]; closed: (Error | null)[]; feed: MessagePort } {
  const { port1: feed, port2 } = new MessageChannel();
  const seen: Seen[] = [];
  const closed: (Error | null)[] = [];
  const stream = openLive({ key: { cameraId, stream: 'main' }, credits, subscribe: () => port2, sink: { chunk: (head, payload) => seen.push({ head, payload }), closed: (error) => closed.push(error) } });
  opened.push({ stream, feed });
  const tell = async (message: LiveMessage): Promise<void> => {
    const arrived = new Promise<void>((resolve) => port2.once('message', () => resolve()));
    feed.postMessage(message);
    await arrived;
  };
  return { stream, tell, seen, closed, feed };
}

const init = (initId: number): LiveMessage => ({ type: 'init', initId, bytes: Uint8Array.of(initId) });
const fragment = (number: number, keyframe: boolean, initId = 1, bytes = 1): LiveMessage => ({ type: 'fragment', initId, bytes: new Uint8Array(bytes).fill(number), keyframe, video: true, baseWallMs: 1_000, baseMediaMs: 0, endMs: 1_000 + number });

/** Numbers of the fragments seen, chunk by chunk. */
function numbers(seen: readonly Seen[]): number[][] {
  return seen.filter(({ head }) => head.kind === 'media').map(({ payload }) => [...(payload ?? [])]);
}

test('with credits, init and every fragment go out as they come', async () => {
  const { tell, seen } = live(10);
  await tell(init(1));
  for (let number = 1; number <= 3; number += 1) await tell(fragment(number, number === 1));
  expect(seen.map(({ head }) => head)).toEqual([
    { kind: 'init', initId: 1 },
    { kind: 'media', initId: 1, seekId: 0, baseWallMs: 1_000, baseMediaMs: 0, keyframe: true, endMs: 1_001 },
    { kind: 'media', initId: 1, seekId: 0, baseWallMs: 1_000, baseMediaMs: 0, keyframe: false, endMs: 1_002 },
    { kind: 'media', initId: 1, seekId: 0, baseWallMs: 1_000, baseMediaMs: 0, keyframe: false, endMs: 1_003 },
  ]);
});

test('never more chunks than credits; what waited goes out together when credit comes, nothing lost', async () => {
  const { stream, tell, seen } = live(2);
  await tell(init(1));
  for (let number = 1; number <= 5; number += 1) await tell(fragment(number, number === 1));
  expect(numbers(seen)).toEqual([[1]]);
  stream.addCredits(1);
  expect(numbers(seen)).toEqual([[1], [2, 3, 4, 5]]);
  expect(seen.at(-1)?.head).toMatchObject({ keyframe: false, endMs: 1_005 });
});

test('without credit over a keyframe, the old group of pictures is dropped and the viewer goes on at the new one', async () => {
  const { stream, tell, seen } = live(2);
  await tell(init(1));
  for (const [number, keyframe] of [[1, true], [2, false], [3, false], [4, true], [5, false], [6, true], [7, false]] as const) await tell(fragment(number, keyframe));
  stream.addCredits(10);
  expect(numbers(seen)).toEqual([[1], [6, 7]]);
  expect(seen.at(-1)?.head).toMatchObject({ keyframe: true });
});

test('changed parameters are told before the first picture that needs them', async () => {
  const { tell, seen } = live(10);
  await tell(init(1));
  await tell(fragment(1, true));
  await tell(init(2));
  await tell(fragment(2, true, 2));
  expect(seen.map(({ head }) => (head.kind === 'wait' || head.kind === 'gap' || head.kind === 'end' ? head.kind : `${head.kind} ${head.initId}`))).toEqual(['init 1', 'media 1', 'init 2', 'media 2']);
});

test('an offline camera says wait, costs no credit, and its return goes on by itself at a keyframe', async () => {
  const { stream, tell, seen } = live(0);
  await tell({ type: 'wait', sinceMs: 5 });
  expect(seen.map(({ head }) => head)).toEqual([{ kind: 'wait', sinceMs: 5 }]);
  await tell(init(1));
  await tell(fragment(1, false));
  await tell(fragment(2, true));
  stream.addCredits(5);
  expect(numbers(seen)).toEqual([[2]]);
});

test('a group of pictures too large to keep is given up up to the next keyframe', async () => {
  const { stream, tell, seen } = live(0);
  await tell(init(1));
  for (let number = 1; number <= 4; number += 1) await tell(fragment(number, number === 1, 1, 8 * 1024 * 1024));
  await tell(fragment(5, false));
  stream.addCredits(100);
  expect(numbers(seen)).toEqual([]);
  await tell(fragment(6, true));
  expect(numbers(seen)).toEqual([[6]]);
});

test('a feed that ends closes the stream with a sentence; a stream that is closed says nothing', async () => {
  const ended = live(1);
  const closing = new Promise<void>((resolve) => ended.feed.once('close', () => resolve()));
  ended.feed.close();
  await closing;
  await expect.poll(() => ended.closed).toHaveLength(1);
  expect(ended.closed[0]).toMatchObject({ kind: 'connection-lost' });

  const shut = live(1);
  const gone = new Promise<void>((resolve) => shut.feed.once('close', () => resolve()));
  shut.stream.close();
  await gone;
  expect(shut.closed).toEqual([]);
});
