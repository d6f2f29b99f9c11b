import { describe, expect, it } from 'vitest';
import { StepQueue } from './step-queue.ts';

describe('steps under way', () => {
  it('are as many as allowed, and finish with the last', async () => {
    const queue = new StepQueue(2);
    const works = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const done: number[] = [];
    const adding = (async () => {
      for (const [at, work] of works.entries()) {
        await queue.add(work.promise);
        done.push(at);
      }
      await queue.finish();
      done.push(-1);
    })();
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect(done).toEqual([0, 1]);
    works[0]?.resolve();
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect(done).toEqual([0, 1, 2]);
    works[1]?.resolve();
    works[2]?.resolve();
    await adding;
    expect(done).toEqual([0, 1, 2, -1]);
  });

  it('give their first failure to whoever adds or finishes', async () => {
    const queue = new StepQueue(1);
    await queue.add(Promise.reject(new Error('first')));
    await expect(queue.add(Promise.reject(new Error('second')))).rejects.toThrow('first');
    await expect(queue.finish()).rejects.toThrow('first');
  });
});
