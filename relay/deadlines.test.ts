import { expect, it } from 'vitest';
import { Deadlines } from './deadlines.ts';

it('gives what is due, oldest first, once', () => {
  const deadlines = new Deadlines<string>(100);
  deadlines.add('a', 0);
  deadlines.add('b', 10);
  deadlines.add('c', 20);
  deadlines.delete('b');
  expect(deadlines.takeDue(99)).toEqual([]);
  expect(deadlines.takeDue(100)).toEqual(['a']);
  deadlines.add('a', 100);
  expect(deadlines.takeDue(1_000, 1)).toEqual(['c']);
  expect(deadlines.takeDue(1_000)).toEqual(['a']);
  expect(deadlines.size).toBe(0);
});

it('counts anew for what is added again', () => {
  const deadlines = new Deadlines<string>(100);
  deadlines.add('a', 0);
  deadlines.add('b', 10);
  deadlines.add('a', 50);
  expect(deadlines.takeDue(120)).toEqual(['b']);
  expect(deadlines.takeDue(150)).toEqual(['a']);
});
