/** The relay's cryptography in a real browser: every usable public vector over its WebCrypto, and private keys that stay inside. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@playwright/test';
import { buildVectorPage } from '../noise/build-page.ts';
import { countsOf, EXPECTED_COUNTS, readVectors, vectorsMissing } from '../noise/vector-files.ts';

test("the browser's WebCrypto holds every usable vector and keeps private keys", async ({ page }) => {
  const missing = vectorsMissing();
  test.skip(missing !== null, missing ?? '');
  const script = await buildVectorPage();
  // WebCrypto is there in secure contexts only; this computer's own address is one.
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html; charset=utf-8').end('<!doctype html><title>vectors</title><link rel="icon" href="data:,">'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.addScriptTag({ type: 'module', content: script });
    await page.waitForFunction(() => typeof window.checkVectors === 'function');
    const reports = await page.evaluate((files) => window.checkVectors(files), await readVectors());
    expect(countsOf(reports)).toEqual(EXPECTED_COUNTS);
    expect(await page.evaluate(() => window.readPrivateKey())).toBe('InvalidAccessError');
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
