import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Admission } from './admission.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

function rig(lateMs = 0) {
  const [admitted, dropped]: [number[], number[]] = [[], []];
  let nowMs = 0;
  const admission = new Admission<number>({ admit: (item) => admitted.push(item), drop: (item) => dropped.push(item), mostWaitMs: 5_000, nowMs: () => nowMs });
  const step = (): void => {
    nowMs += 10 + lateMs;
    vi.advanceTimersByTime(10);
  };
  return { admission, admitted, dropped, step };
}

it('lets in at once whoever comes alone', () => {
  const { admission, admitted } = rig();
  admission.add(1);
  expect(admitted).toEqual([1]);
});

it('lets in a storm in lots that grow while the loop keeps up, in order', () => {
  const { admission, admitted, step } = rig();
  for (let each = 0; each < 1_000; each += 1) admission.add(each);
  const lots = [admitted.length];
  while (admission.waiting > 0) {
    const before = admitted.length;
    step();
    lots.push(admitted.length - before);
  }
  expect(lots.slice(0, 4)).toEqual([8, 9, 10, 11]);
  expect(Math.max(...lots)).toBe(40);
  expect(admitted).toEqual(Array.from({ length: 1_000 }, (_, at) => at));
});

it('goes down to one at a time while the loop is late, and drops who waited too long', () => {
  const { admission, admitted, dropped, step } = rig(100);
  for (let each = 0; each < 1_000; each += 1) admission.add(each);
  for (let each = 0; each < 10; each += 1) step();
  expect(admitted.length).toBe(8 + 4 + 2 + 8);
  for (let each = 0; each < 60; each += 1) step();
  expect(admitted.length + dropped.length).toBe(1_000);
  expect(dropped.length).toBeGreaterThan(900);
  expect(admission.waiting).toBe(0);
});

it('drops who waits when it stops', () => {
  const { admission, admitted, dropped } = rig();
  for (let each = 0; each < 20; each += 1) admission.add(each);
  admission.stop();
  expect([admitted.length, dropped.length]).toEqual([8, 12]);
});
