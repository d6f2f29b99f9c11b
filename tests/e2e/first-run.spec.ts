/** A computer without cameras of its own begins with looking for some, and is left alone where it looks into another home. */
import path from 'node:path';
import { expect, test } from '@playwright/test';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import type { RemoteHomeKeys } from '../../shared/model/remote.ts';
import { toBase64url } from '../../shared/relay/bytes.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { TestEngine } from '../support/engine.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

test('the first run leads to adding cameras, and never into another home', async ({ page }) => {
  const engine = await TestEngine.make({ entry: path.join(ROOT, 'dist/main/engine-main.js'), init: { mode: 'serve', serve: { address: '127.0.0.1', port: 0, pageDir: path.join(ROOT, 'dist/renderer'), password: null } } });
  try {
    const serving = forceUnwrap('it serves', await engine.start());
    const key = (): string => toBase64url(nodeSuite.random(32));
    const keys: RemoteHomeKeys = { homePublicKey: key(), devicePrivateKey: key(), psk: key(), ringSeed: key(), routeSeed: key() };
    // Its relay is on this computer, where nothing listens.
    const { id } = await engine.ask('homes.add', { name: 'Cabin', relays: ['ws://127.0.0.1:9'], bytes: new TextEncoder().encode(JSON.stringify(keys)) });
    await page.goto(serving.url);
    await expect(page).toHaveURL(/#\/welcome$/);
    const addresses: string[] = [];
    page.on('framenavigated', (frame) => addresses.push(new URL(frame.url()).hash));
    for (const from of ['#/away', '#/settings', '#/welcome']) {
      await page.evaluate((to) => (window.location.hash = to), from);
      await expect(page).toHaveURL(new RegExp(`${from}$`));
      addresses.length = 0;
      await page.evaluate((to) => (window.location.hash = to), `#/home/${id}/watch`);
      await expect(page.getByRole('heading', { name: 'No line to that home yet' })).toBeVisible();
      expect(addresses).toEqual([`#/home/${id}/watch`]);
    }
    // Back in this home there is still nothing to watch.
    await page.evaluate(() => (window.location.hash = '#/watch'));
    await expect(page).toHaveURL(/#\/welcome$/);
  } finally {
    await engine.end();
  }
});
