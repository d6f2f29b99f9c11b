/** Counts Vitest's results for tools/test.ts, with the reason of every skip. */
import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const file = process.env['PORCHLIGHT_TEST_REPORT'];
    if (file === undefined) return;
    let passed = 0;
    let failed = 0;
    const skipped: { name: string; reason: string }[] = [];
    for (const module of modules) {
      if (module.state() === 'failed' && module.errors().length > 0) failed += 1;
      for (const test of module.children.allTests()) {
        const result = test.result();
        // Told, so that nobody gets used to it.
        if (test.diagnostic()?.flaky === true) console.log(`passed at its second try only: ${test.fullName}`);
        if (result.state === 'passed') passed += 1;
        else if (result.state === 'failed') failed += 1;
        else skipped.push({ name: test.fullName, reason: ('note' in result ? result.note : undefined) ?? '' });
      }
    }
    writeFileSync(file, JSON.stringify({ passed, failed, skipped }));
  }
}

// Vitest loads a reporter by its default export.
// oxlint-disable-next-line import/no-default-export
export default CountingReporter;
