import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['{shared,main,renderer,relay,tools}/**/*.test.ts', 'tests/rules/**/*.test.ts'], environment: 'node' } },
      {
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          environment: 'node',
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Most of their time is waiting for cameras; more at once would make them late for each other on two cores.
          maxWorkers: 2,
        },
      },
    ],
  },
});
