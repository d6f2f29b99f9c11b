import { defineConfig } from 'vitest/config';
import { SlowFirst } from './tools/test/slow-first.ts';

export default defineConfig({
  test: {
    sequence: { sequencer: SlowFirst },
    projects: [
      { test: { name: 'unit', include: ['{shared,main,renderer,relay,tools}/**/*.test.ts', 'tests/rules/**/*.test.ts'], environment: 'node' } },
      {
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          environment: 'node',
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Two thirds of their time is waiting, for cameras and for promises to be kept late; two workers left two cores half idle.
          maxWorkers: 4,
        },
      },
    ],
  },
});
