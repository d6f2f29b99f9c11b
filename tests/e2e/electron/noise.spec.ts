/** The relay's cryptography inside Electron, whose node:crypto is BoringSSL's and not OpenSSL's: every usable public vector, in the main process and in a window. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { _electron, expect, test } from '@playwright/test';
import { buildVectorMain, buildVectorPage } from '../../noise/build-page.ts';
import type { VectorFiles, VectorReports } from '../../noise/vector-checks.ts';
import { countsOf, EXPECTED_COUNTS, readVectors, vectorsMissing } from '../../noise/vector-files.ts';
import { electronRuntime } from '../../support/electron-runtime.ts';

const MAIN = `
import { app, BrowserWindow } from 'electron';
import './checks.mjs';
await app.whenReady();
await new BrowserWindow({ show: false }).loadFile('index.html');
`;

test("Electron's node:crypto and its window hold every usable vector", async () => {
  const executablePath = electronRuntime();
  test.skip(executablePath === null, "Electron's runtime is not installed here");
  const missing = vectorsMissing();
  test.skip(missing !== null, missing ?? '');
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-vectors-'));
  const files = {
    'package.json': JSON.stringify({ name: 'vectors', type: 'module', main: 'main.mjs' }),
    'main.mjs': MAIN,
    'checks.mjs': await buildVectorMain(),
    'index.html': `<!doctype html><title>vectors</title><script type="module">${(await buildVectorPage()).replaceAll('</script', '<\\/script')}</script>`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  const app = await _electron.launch({ executablePath: executablePath ?? '', args: [folder, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])] });
  try {
    const vectors = await readVectors();
    const page = await app.firstWindow();
    await page.waitForFunction(() => typeof window.checkVectors === 'function');
    const inMain = await app.evaluate((_electronModule, given) => (Reflect.get(globalThis, 'checkVectors') as (files: VectorFiles) => Promise<VectorReports>)(given), vectors);
    expect(countsOf(inMain)).toEqual(EXPECTED_COUNTS);
    expect(countsOf(await page.evaluate((given) => window.checkVectors(given), vectors))).toEqual(EXPECTED_COUNTS);
  } finally {
    await app.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
