/** What a step of `npm test` came to, file by file: what its reporters write and tools/test.ts adds up. */
import { readFileSync, writeFileSync } from 'node:fs';

export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

/** One file's tests. `failed` has the full names; a file that could not be loaded is one failure by its own name. */
export interface FileResult {
  passed: number;
  readonly failed: string[];
  readonly skipped: Skipped[];
}

/** By the file's path from the project's root. */
export type StepResult = Record<string, FileResult>;

/** The entry of a file, made when it is not there. */
export function resultOf(results: StepResult, file: string): FileResult {
  results[file] ??= { passed: 0, failed: [], skipped: [] };
  return results[file];
}

/** For a reporter: writes to the file that `PORCHLIGHT_TEST_REPORT` names; nothing where a person runs the tests by hand. */
export function writeResult(results: StepResult): void {
  const file = process.env['PORCHLIGHT_TEST_REPORT'];
  if (file !== undefined) writeFileSync(file, JSON.stringify(results));
}

/** What a reporter wrote; null when it did not come to that. */
export function readResult(file: string): StepResult | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as StepResult;
  } catch {
    return null;
  }
}

/** The files that hold a failure. */
export function failedFiles(results: StepResult): string[] {
  return Object.keys(results).filter((file) => (results[file]?.failed.length ?? 0) > 0);
}

/**
 * A first run with some of its files run again: a test fails that failed both times, and what failed only once is named.
 * A file that the second run says nothing of keeps what it had.
 */
export function afterSecondTry(first: StepResult, second: StepResult | null): { readonly results: StepResult; readonly flaky: readonly string[] } {
  const results: StepResult = { ...first };
  const flaky: string[] = [];
  for (const file of failedFiles(first)) {
    const before = first[file];
    const again = second?.[file];
    if (before === undefined || again === undefined) continue;
    // A file that could not be loaded the first time has passed nothing yet: what fails in it now has failed each time it ran.
    const ranBefore = before.passed > 0;
    const failedTwice = again.failed.filter((name) => !ranBefore || before.failed.includes(name));
    const once = [...new Set([...before.failed, ...again.failed])].filter((name) => !failedTwice.includes(name));
    flaky.push(...once);
    results[file] = { ...again, passed: again.passed + again.failed.length - failedTwice.length, failed: failedTwice };
  }
  return { results, flaky };
}
