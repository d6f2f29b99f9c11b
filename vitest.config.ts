import { defineConfig } from 'vitest/config';
import { SlowFirst } from './tools/test/slow-first.ts';

export default defineConfig({
  test: {
    sequence: { sequencer: SlowFirst },
    projects: [
      // Files share a worker's modules, which takes half the time; none keeps a state in them.
      { test: { name: 'unit', include: ['{shared,main,renderer,relay,tools}/**/*.test.ts', 'tests/rules/**/*.test.ts'], environment: 'node', isolate: false } },
      {
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          environment: 'node',
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Most of their time is waiting, for cameras and for promises to be kept late: with four workers, two cores were idle for 40 % of the time.
          maxWorkers: 5,
        },
      },
    ],
  },
});
