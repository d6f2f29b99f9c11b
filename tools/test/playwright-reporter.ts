/** Counts Playwright's results for tools/test.ts, with the reason of every skip. */
import { writeFileSync } from 'node:fs';
import type { FullConfig, Reporter, Suite } from '@playwright/test/reporter';

class CountingReporter implements Reporter {
  #suite: Suite | null = null;

  onBegin(_config: FullConfig, suite: Suite): void {
    this.#suite = suite;
  }

  onEnd(): void {
    const file = process.env['PORCHLIGHT_TEST_REPORT'];
    if (file === undefined || this.#suite === null) return;
    let passed = 0;
    let failed = 0;
    const skipped: { name: string; reason: string }[] = [];
    for (const test of this.#suite.allTests()) {
      const outcome = test.outcome();
      if (outcome === 'expected') passed += 1;
      else if (outcome === 'skipped') skipped.push({ name: test.titlePath().filter(Boolean).join(' > '), reason: test.annotations.find(({ type }) => type === 'skip')?.description ?? '' });
      else failed += 1;
    }
    writeFileSync(file, JSON.stringify({ passed, failed, skipped }));
  }
}

// Playwright loads a reporter by its default export.
// oxlint-disable-next-line import/no-default-export
export default CountingReporter;
