import { expect, test } from 'vitest';
import { afterSecondTry, failedFiles, type StepResult } from './step-result.ts';

const first: StepResult = {
  'a.test.ts': { passed: 3, failed: [], skipped: [] },
  'b.test.ts': { passed: 1, failed: ['b > one', 'b > two'], skipped: [{ name: 'b > three', reason: 'no root' }] },
};

test('only files that hold a failure are tried again', () => {
  expect(failedFiles(first)).toEqual(['b.test.ts']);
});

test('what failed both times fails, what failed once is named', () => {
  const second: StepResult = { 'b.test.ts': { passed: 2, failed: ['b > two'], skipped: [] } };
  expect(afterSecondTry(first, second)).toEqual({ results: { 'a.test.ts': first['a.test.ts'], 'b.test.ts': second['b.test.ts'] }, flaky: ['b > one'] });
});

test('a test that passed the first time and not the second is named, and has passed', () => {
  const second: StepResult = { 'b.test.ts': { passed: 2, failed: ['b > four'], skipped: [] } };
  expect(afterSecondTry(first, second)).toEqual({
    results: { 'a.test.ts': first['a.test.ts'], 'b.test.ts': { passed: 3, failed: [], skipped: [] } },
    flaky: ['b > one', 'b > two', 'b > four'],
  });
});

test('in a file that could not be loaded the first time, whatever fails the second time fails', () => {
  const broken: StepResult = { 'c.test.ts': { passed: 0, failed: ['c.test.ts'], skipped: [] } };
  const second: StepResult = { 'c.test.ts': { passed: 1, failed: ['c > one'], skipped: [] } };
  expect(afterSecondTry(broken, second)).toEqual({ results: second, flaky: ['c.test.ts'] });
});

test('a second try that came to nothing leaves the failures where they are', () => {
  expect(afterSecondTry(first, null)).toEqual({ results: first, flaky: [] });
  expect(afterSecondTry(first, {})).toEqual({ results: first, flaky: [] });
});
