/**
 * Takes pictures of the states of a running Porchlight, in both themes and three sizes, and names what is wrong with them:
 * `node tests/screens/shoot.ts URL FOLDER [STATE…] [--size 390] [--theme dark]`. A state that is not possible in this home is left out;
 * what is no state's name is taken for a place (home/ID/watch).
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Browser, type BrowserContext, chromium } from '@playwright/test';
import { complaintsAbout } from './audit.ts';
import { type ScreenState, STATES, untilLive } from './states.ts';

const SIZES = [
  [1280, 800],
  [1920, 1080],
  [390, 844],
] as const;
const THEMES = ['dark', 'light'] as const;
const PHONE_PX = 500;

interface Look {
  readonly theme: (typeof THEMES)[number];
  readonly size: (typeof SIZES)[number];
}

/** The address's key opens the home once for all pages of the browser. */
async function enter(browser: Browser, url: string, { theme, size: [width, height] }: Look): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, hasTouch: width < PHONE_PX, ignoreHTTPSErrors: true, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(url);
  await page.close();
  return context;
}

async function shoot(context: BrowserContext, base: string, folder: string, state: ScreenState, { theme, size: [width] }: Look): Promise<void> {
  const page = await context.newPage();
  page.setDefaultTimeout(8_000);
  const name = `${state.name}-${theme}-${width}`;
  page.on('console', (message) => message.type() === 'error' && console.error(`${name}: ${message.text()}`));
  page.on('pageerror', (error) => console.error(`${name}: ${error.message}`));
  try {
    await page.goto(`${base}#/${state.hash}`);
    await page.locator('main > *').first().waitFor();
    await page.evaluate(() => document.fonts.ready);
    await state.open?.(page);
    // What appears has appeared.
    await page.evaluate(async () => {
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      await Promise.all(document.getAnimations().map(async ({ finished }) => await finished.catch(() => undefined)));
    });
    await page.screenshot({ path: path.join(folder, `${name}.png`) });
    for (const complaint of await complaintsAbout(page, width < PHONE_PX)) console.log(`${name}: ${complaint}`);
  } catch (error) {
    console.error(`${name} left out: ${(error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''}`);
  }
  await page.close();
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { size: { type: 'string' }, theme: { type: 'string' } } });
const [url, folder, ...names] = positionals;
if (url === undefined || folder === undefined) throw new Error('usage: node tests/screens/shoot.ts URL FOLDER [STATE…] [--size 390] [--theme dark]');
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const theme of THEMES.filter((each) => (values.theme ?? each) === each)) {
  for (const size of SIZES.filter(([width]) => (values.size ?? String(width)) === String(width))) {
    const look = { theme, size };
    const context = await enter(browser, url, look);
    const base = new URL(url);
    base.search = '';
    const places = names.filter((name) => STATES.every((state) => state.name !== name)).map((name) => ({ name: name.replaceAll('/', '-'), hash: name, ...(name.endsWith('/watch') ? { open: untilLive } : {}) }));
    for (const state of [...STATES.filter(({ name }) => names.length === 0 || names.includes(name)), ...places]) await shoot(context, base.href, folder, state, look);
    await context.close();
  }
}
await browser.close();
