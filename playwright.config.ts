import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

const SYSTEM_CHROMIUM = '/usr/bin/chromium';

export default defineConfig({
  testDir: 'tests/e2e',
  // Two cores: beside the recorder, which mostly lets two minutes go by, one other file; beside the player, whose pictures are judged by when they come, none.
  workers: 2,
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
    { name: 'browser', testIgnore: ['electron/**', 'recorder.spec.ts', 'player.spec.ts'].map((name) => `**/${name}`), workers: 1 },
    { name: 'electron', testMatch: '**/electron/**/*.spec.ts' },
    { name: 'player', testMatch: 'player.spec.ts', dependencies: ['recorder', 'browser', 'electron'] },
  ],
});
