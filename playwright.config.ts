import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

const SYSTEM_CHROMIUM = '/usr/bin/chromium';
/** Judged by when pictures come, or too long to be over when the recorder is judged. */
const ALONE = ['player.spec.ts', 'scan.spec.ts', 'slow-line.spec.ts'];

export default defineConfig({
  testDir: 'tests/e2e',
  // One engine, one simulator, two cores. `npm test` runs `browser` beside `recorder`, which lets two minutes go by before it is judged, and `alone` by itself.
  workers: 1,
  fullyParallel: false,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  forbidOnly: process.env['CI'] !== undefined,
  use: {
    launchOptions: {
      ...(existsSync(SYSTEM_CHROMIUM) ? { executablePath: SYSTEM_CHROMIUM } : {}),
      // Chromium's sandbox refuses to run as root, as in containers.
      args: ['--disable-background-networking', '--disable-component-update', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
    },
  },
  projects: [
    { name: 'recorder', testMatch: 'recorder.spec.ts' },
    { name: 'browser', testIgnore: ['electron/**', 'recorder.spec.ts', ...ALONE].map((name) => `**/${name}`), workers: 1 },
    { name: 'electron', testMatch: '**/electron/**/*.spec.ts' },
    { name: 'alone', testMatch: [...ALONE] },
  ],
});
