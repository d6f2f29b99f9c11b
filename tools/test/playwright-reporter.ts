/** Counts Playwright's results for tools/test.ts, with the reason of every skip. */
import path from 'node:path';
import type { FullConfig, Reporter, Suite } from '@playwright/test/reporter';
import { resultOf, writeResult, type StepResult } from './step-result.ts';

class CountingReporter implements Reporter {
  #suite: Suite | null = null;

  onBegin(_config: FullConfig, suite: Suite): void {
    this.#suite = suite;
  }

  onEnd(): void {
    if (this.#suite === null) return;
    const results: StepResult = {};
    for (const test of this.#suite.allTests()) {
      const mine = resultOf(results, path.relative(process.cwd(), test.location.file));
      const name = test.titlePath().filter(Boolean).join(' > ');
      const reason = test.annotations.find(({ type }) => type === 'skip')?.description ?? '';
      if (test.outcome() === 'expected') mine.passed += 1;
      // In a serial file, what comes behind a failure is not run: it did not pass, and nobody decided to leave it out.
      else if (test.outcome() === 'skipped' && test.expectedStatus === 'skipped') mine.skipped.push({ name, reason });
      else mine.failed.push(name);
    }
    writeResult(results);
  }
}

// Playwright loads a reporter by its default export.
// oxlint-disable-next-line import/no-default-export
export default CountingReporter;
