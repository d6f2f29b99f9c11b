/** The real window, where Electron's runtime is present; elsewhere the shell is type-checked and tested against a fake (main/shell/*.test.ts). */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { _electron, expect, test } from '@playwright/test';
import { electronRuntime, ROOT } from '../../support/electron-runtime.ts';

test('the window opens on looking for cameras, locked down', async () => {
  const executablePath = electronRuntime();
  test.skip(executablePath === null, "Electron's runtime is not installed here");
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-window-'));
  const file = path.join(folder, 'start.json');
  const init = { version: '0.0.0-test', mode: 'app', demo: false, dataDir: path.join(folder, 'data'), mediaDir: path.join(folder, 'media'), binDir: null, secrets: 'shell', serve: null, cameras: [] };
  await writeFile(file, JSON.stringify(init), { mode: 0o600 });
  const app = await _electron.launch({ executablePath: executablePath ?? '', args: [ROOT, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])], env: { ...process.env, PORCHLIGHT_START_FILE: file } as Record<string, string> });
  try {
    const page = await app.firstWindow();
    await expect(page.getByRole('heading', { name: /Looking for cameras|No new camera/ })).toBeVisible({ timeout: 30_000 });
    expect(await page.evaluate(() => [typeof Reflect.get(globalThis, 'require'), typeof Reflect.get(globalThis, 'process')])).toEqual(['undefined', 'undefined']);
    expect(await page.evaluate(() => window.open('https://example.org') === null)).toBe(true);
  } finally {
    await app.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
