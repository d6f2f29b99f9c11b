/** What is held in memory before an event: from a keyframe on, within its bounds, the largest giving first. */
import { expect, it } from 'vitest';
import type { SessionFragment } from './media.ts';
import { PreRoll, PreRollMemory } from './pre-roll.ts';

const KB = 1_024;
const fragment = (mediaMs: number, keyframe: boolean, sizeBytes = KB): SessionFragment => ({ bytes: new Uint8Array(sizeBytes).fill(mediaMs / 100), keyframe, video: true, startMediaMs: mediaMs, endMediaMs: mediaMs + 100, wallMs: mediaMs }) as unknown as SessionFragment;

/** Groups of ten pictures, a second each. */
function fill(preRoll: PreRoll, seconds: number, sizeBytes = KB): void {
  for (let mediaMs = 0; mediaMs < seconds * 1_000; mediaMs += 100) preRoll.add(fragment(mediaMs, mediaMs % 1_000 === 0, sizeBytes));
}
function readAll(preRoll: PreRoll): readonly number[] {
  const times: number[] = [];
  for (let next = preRoll.peek(); next !== null; next = preRoll.peek()) {
    expect(next.bytes.every((byte) => byte === next?.startMediaMs / 100)).toBe(true);
    times.push(next.startMediaMs);
    preRoll.shift();
  }
  return times;
}

it('begins with the keyframe at or before the moment that is asked for, and gives everything once, in order', () => {
  const preRoll = new PreRoll(new PreRollMemory());
  preRoll.add(fragment(0, false));
  expect(preRoll.isEmpty).toBe(true);
  fill(preRoll, 5);
  preRoll.read(2_500);
  expect(readAll(preRoll)).toEqual(Array.from({ length: 30 }, (_, index) => 2_000 + index * 100));
  expect([preRoll.isEmpty, preRoll.sizeBytes]).toEqual([true, 0]);
});

it('takes on what comes while it is read, and keeps what was not read for the next time', () => {
  const preRoll = new PreRoll(new PreRollMemory(), 15 * KB);
  fill(preRoll, 1);
  preRoll.read(0);
  preRoll.peek();
  preRoll.shift();
  for (let mediaMs = 1_000; mediaMs < 2_000; mediaMs += 100) preRoll.add(fragment(mediaMs, mediaMs === 1_000));
  // Nothing is forgotten that is to be written, but it is said.
  expect([preRoll.isOverfull, preRoll.peek()?.startMediaMs]).toEqual([true, 100]);
  for (let count = 0; count < 9; count += 1) preRoll.shift();
  preRoll.stopReading();
  preRoll.add(fragment(2_000, true));
  expect([preRoll.peek()?.startMediaMs, preRoll.sizeBytes]).toEqual([1_000, 11 * KB]);
});

it('forgets its oldest groups beyond its bound, and whole groups only', () => {
  const preRoll = new PreRoll(new PreRollMemory(), 25 * KB);
  fill(preRoll, 6);
  expect([preRoll.cutShort, preRoll.sizeBytes <= 25 * KB]).toEqual([true, true]);
  expect(readAll(preRoll)[0]).toBe(4_000);
  // A group that is larger than everything is not kept at all.
  fill(preRoll, 1, 10 * KB);
  expect(preRoll.isEmpty).toBe(true);
});

it('shares the memory of the thread: the largest gives first', () => {
  const memory = new PreRollMemory(60 * KB);
  const small = new PreRoll(memory);
  const large = new PreRoll(memory);
  fill(small, 2);
  fill(large, 9, KB);
  expect([small.sizeBytes, small.cutShort, large.cutShort]).toEqual([20 * KB, false, true]);
  expect(large.sizeBytes).toBeLessThanOrEqual(40 * KB);
  large.close();
  fill(small, 4);
  expect(small.cutShort).toBe(false);
});
