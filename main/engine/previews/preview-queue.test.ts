import { expect, test } from 'vitest';
import { PreviewQueue } from './preview-queue.ts';

const init = Uint8Array.of(1, 2, 3);
const otherInit = Uint8Array.of(1, 2, 4);
const STEP_MS = 2_000;

function offer(queue: PreviewQueue, atMs: number, nowMs = atMs, bytes = 10): boolean {
  if (!queue.wants(atMs, STEP_MS)) return false;
  queue.add({ atMs, fragment: new Uint8Array(bytes) }, STEP_MS, nowMs);
  return true;
}

function taken(queue: PreviewQueue): number[] {
  return queue.take()?.keyframes.map((keyframe) => keyframe.atMs) ?? [];
}

test('one keyframe of each step is taken, also when their times jitter around the steps', () => {
  const queue = new PreviewQueue();
  queue.setInit(init);
  const times = [0, 990, 1_999, 3_010, 4_001, 4_980, 6_005, 8_700, 13_000];
  expect(times.filter((atMs) => offer(queue, atMs))).toEqual([0, 3_010, 4_001, 6_005, 8_700, 13_000]);
});

test('every keyframe is taken where they are farther apart than a step', () => {
  const queue = new PreviewQueue();
  queue.setInit(init);
  expect([0, 3_000, 6_000, 9_000, 19_000].every((atMs) => offer(queue, atMs))).toBe(true);
});

test('nothing is taken before the parameters are known', () => {
  expect(offer(new PreviewQueue(), 0)).toBe(false);
});

test('a batch is due when it is full, old or hurried, and not before', () => {
  const queue = new PreviewQueue();
  queue.setInit(init);
  offer(queue, 0, 1_000);
  expect(queue.dueSinceMs(30_999, 30_000)).toBeNull();
  expect(queue.dueSinceMs(31_000, 30_000)).toBe(1_000);
  queue.hurry();
  expect(queue.dueSinceMs(1_001, 30_000)).toBe(1_000);
  expect(taken(queue)).toEqual([0]);
  for (let picture = 1; picture <= 30; picture += 1) offer(queue, picture * STEP_MS, 5_000);
  expect(queue.dueSinceMs(5_000, 30_000)).toBe(5_000);
});

test('keyframes of other parameters never share a batch', () => {
  const queue = new PreviewQueue();
  queue.setInit(init);
  offer(queue, 0);
  queue.setInit(init);
  offer(queue, 2_000);
  queue.setInit(otherInit);
  offer(queue, 4_000);
  expect(queue.dueSinceMs(4_000, 30_000)).toBe(0);
  expect(taken(queue)).toEqual([0, 2_000]);
  expect(queue.dueSinceMs(4_000, 30_000)).toBeNull();
  expect(queue.take()).toMatchObject({ init: otherInit, keyframes: [{ atMs: 4_000 }] });
});

test('a queue nobody takes from drops the oldest, by number and by bytes', () => {
  const queue = new PreviewQueue();
  queue.setInit(init);
  for (let picture = 0; picture < 200; picture += 1) offer(queue, picture * STEP_MS);
  expect(queue.waiting).toBe(90);
  expect(queue.dropped).toBe(110);
  expect(queue.take()?.keyframes[0]?.atMs).toBe(110 * STEP_MS);

  const large = new PreviewQueue();
  large.setInit(init);
  for (let picture = 0; picture < 40; picture += 1) offer(large, picture * STEP_MS, 0, 1_000_000);
  expect(large.waiting).toBeLessThanOrEqual(18);
});
