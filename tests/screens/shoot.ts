/** Takes pictures of every view of a running Porchlight, in both themes and three sizes: `node tests/screens/shoot.ts URL FOLDER [VIEW…]`. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium } from '@playwright/test';

const SIZES = [
  [1280, 800],
  [1920, 1080],
  [390, 844],
] as const;
const VIEWS = ['watch', 'welcome', 'events', 'cameras', 'storage', 'away', 'settings'];

async function shoot(browser: Browser, url: string, folder: string, views: readonly string[], theme: 'dark' | 'light', [width, height]: readonly [number, number]): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme, hasTouch: width < 500 });
  page.on('console', (message) => message.type() === 'error' && console.error(`${theme} ${width}: ${message.text()}`));
  page.on('pageerror', (error) => console.error(`${theme} ${width}: ${error.message}`));
  await page.goto(url);
  for (const view of views) {
    await page.evaluate((hash) => {
      window.location.hash = hash;
    }, `#/${view}`);
    await page.locator(`main[data-view="${view}"] > *`).first().waitFor();
    if (view === 'watch') await page.locator('canvas[data-state="live"]').first().waitFor({ timeout: 20_000 }).catch(() => undefined);
    await page.evaluate(() => document.fonts.ready);
    await page.screenshot({ path: path.join(folder, `${view}-${theme}-${width}.png`) });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (overflow > 0) console.error(`${view} ${theme} ${width}: ${overflow} px too wide`);
  }
  await page.close();
}

const [url, folder, ...views] = process.argv.slice(2);
if (url === undefined || folder === undefined) throw new Error('usage: node tests/screens/shoot.ts URL FOLDER [VIEW…]');
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const theme of ['dark', 'light'] as const) for (const size of SIZES) await shoot(browser, url, folder, views.length > 0 ? views : VIEWS, theme, size);
await browser.close();
