/** Counts Vitest's results for tools/test.ts, with the reason of every skip. */
import path from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import { resultOf, writeResult, type StepResult } from './step-result.ts';

class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly object[]): void {
    const results: StepResult = {};
    // What nobody awaited fails the file it happened in.
    for (const error of unhandled) {
      const file = 'VITEST_TEST_PATH' in error && typeof error.VITEST_TEST_PATH === 'string' ? path.relative(process.cwd(), error.VITEST_TEST_PATH) : 'outside all files';
      resultOf(results, file).failed.push(`${file}: ${'message' in error ? String(error.message) : 'an error'}, caught by nobody`);
    }
    for (const module of modules) {
      const file = path.relative(process.cwd(), module.moduleId);
      const mine = resultOf(results, file);
      if (module.state() === 'failed' && module.errors().length > 0) mine.failed.push(file);
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') mine.passed += 1;
        else if (result.state === 'failed') mine.failed.push(test.fullName);
        else mine.skipped.push({ name: test.fullName, reason: ('note' in result ? result.note : undefined) ?? '' });
      }
    }
    writeResult(results);
  }
}

// Vitest loads a reporter by its default export.
// oxlint-disable-next-line import/no-default-export
export default CountingReporter;
