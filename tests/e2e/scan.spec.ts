/**
 * Pairing by this computer's camera: the code on a home's screen, photographed from there, is held before the camera of
 * another Porchlight's browser. Whether the camera is on is asked of every track the page was ever given.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Browser, expect, type Page, test } from '@playwright/test';
import { type RunningRelay, startRelay } from '../../relay/server.ts';
import { qrPath } from '../../renderer/views/away/qr-path.ts';
import { HIDDEN_MESSAGE } from '../../shared/contract/shell-api.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { filmScenes } from '../support/camera-film.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FAKE_CAMERA = '--use-fake-device-for-media-stream';
const ALLOW = '--use-fake-ui-for-media-stream';
const REFUSE = '--use-fake-ui-for-media-stream=deny';

let relay: RunningRelay;
let home: TestEngine;
let viewer: TestEngine;
let homeUrl = '';
let viewerUrl = '';
let folder = '';
const complaints: string[] = [];

async function serve(): Promise<[TestEngine, string]> {
  const engine = await TestEngine.make({ entry: path.join(ROOT, 'dist/main/engine-main.js'), init: { mode: 'serve', serve: { address: '127.0.0.1', port: 0, pageDir: path.join(ROOT, 'dist/renderer'), password: null } } });
  const { url } = forceUnwrap('it serves', await engine.start());
  return [engine, url];
}

async function open(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => /Content Security Policy|Permissions policy/i.test(message.text()) && complaints.push(message.text()));
  await page.addInitScript(() => {
    const asked: unknown[] = [];
    const tracks: MediaStreamTrack[] = [];
    Object.assign(window, { asked, tracks });
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wanted) => {
      asked.push(wanted);
      const stream = await ask(wanted);
      tracks.push(...stream.getTracks());
      return stream;
    };
  });
  // At once: without cameras the first view leads to looking for some.
  await page.goto(`${url}#/away`);
  return page;
}

const go = (page: Page, hash: string): Promise<void> =>
  page.evaluate((to) => {
    window.location.hash = to;
  }, hash);
const tracksOf = (page: Page): Promise<readonly string[]> => page.evaluate(() => (window as unknown as { tracks: MediaStreamTrack[] }).tracks.map(({ kind, readyState }) => `${kind} ${readyState}`));
const askedOf = (page: Page): Promise<readonly MediaStreamConstraints[]> => page.evaluate(() => (window as unknown as { asked: MediaStreamConstraints[] }).asked);
const scanButton = (page: Page) => page.getByRole('button', { name: 'Scan with this computer’s camera' });
const addHome = (page: Page): Promise<void> => page.getByRole('button', { name: 'Add a home' }).click();

test.beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-scan-'));
  relay = await startRelay();
  [home, homeUrl] = await serve();
  [viewer, viewerUrl] = await serve();
  await home.ask('remote.setRelays', { enabled: true, relays: [relay.url] });
  await waitFor('the home at its relay', async () => (await home.ask('remote.state', {})).relays.every(({ phase }) => phase === 'connected'));
});

test.afterAll(async () => {
  await home?.end();
  await viewer?.end();
  await relay?.stop(0);
  await rm(folder, { recursive: true, force: true });
});

/** Starts browsers of the viewer's with more switches, for one test. */
const withBrowser = test.extend<{ readonly start: (...switches: readonly string[]) => Promise<Page> }>({
  start: async ({ playwright, launchOptions }, use) => {
    const browsers: Browser[] = [];
    await use(async (...switches) => {
      const browser = await playwright.chromium.launch({ ...launchOptions, args: [...(launchOptions.args ?? []), ...switches] });
      browsers.push(browser);
      return await open(browser, viewerUrl);
    });
    for (const browser of browsers) await browser.close();
  },
});

withBrowser('reads the code on the home’s screen, passes over another one, and calls that home', async ({ browser, start }) => {
  const homePage = await open(browser, homeUrl);
  await homePage.getByRole('button', { name: 'Add a device' }).click();
  const shown = (await homePage.locator('svg.qr').screenshot()).toString('base64');
  const { size, path: other } = qrPath('https://192.168.1.5:8443#sha256=00');
  const otherPicture = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="350" height="350" viewBox="0 0 ${size} ${size}"><rect width="${size}" height="${size}" fill="#fff"/><path d="${other}"/></svg>`)}`;
  const film = path.join(folder, 'film.y4m');
  await filmScenes(homePage, film, [{ picture: null, seconds: 1 }, { picture: otherPicture, seconds: 4 }, { picture: `data:image/png;base64,${shown}`, seconds: 8 }]);

  const page = await start(FAKE_CAMERA, ALLOW, `--use-file-for-fake-video-capture=${film}`);
  await addHome(page);
  expect(await askedOf(page)).toEqual([]);
  await scanButton(page).click();
  await expect(page.getByText('This QR code is not for pairing')).toBeVisible();
  expect(await tracksOf(page)).toEqual(['video live']);
  await expect(page.getByLabel('The code', { exact: true })).toHaveValue(/^porchlight-pair:1\./, { timeout: 30_000 });
  expect(await tracksOf(page)).toEqual(['video ended']);
  expect(await askedOf(page)).toEqual([expect.objectContaining({ audio: false })]);
  await expect(page.getByRole('button', { name: 'Call that home' })).toBeFocused();

  await page.getByLabel('What this computer is called there').fill('Ada’s laptop');
  await page.getByRole('button', { name: 'Call that home' }).click();
  const digitsOf = async (where: Page, place: string): Promise<string> => ((await where.locator(place).getAttribute('aria-label', { timeout: 20_000 })) ?? '').replaceAll(/\D/g, '');
  const digits = await digitsOf(page, '.home-digits');
  expect(digits).toMatch(/^\d{6}$/);
  expect(await digitsOf(homePage, '.digits')).toBe(digits);
  await expect(homePage.getByText('Ada’s laptop wants to look in')).toBeVisible();
  await homePage.context().close();
});

const WAYS_OUT: readonly (readonly [string, (page: Page) => Promise<void>])[] = [
  ['it is stopped', (page) => page.getByRole('button', { name: 'Stop the camera' }).click()],
  ['words are chosen', (page) => page.getByRole('radio', { name: 'Twelve words' }).click()],
  ['adding is cancelled', (page) => page.getByRole('button', { name: 'Cancel' }).click()],
  ['the view is left', (page) => go(page, '#/settings')],
  [
    'the page is hidden',
    (page) =>
      page.evaluate(() => {
        Object.defineProperty(document, 'visibilityState', { configurable: true, value: 'hidden' });
        document.dispatchEvent(new Event('visibilitychange'));
      }),
  ],
  ['the app’s window is minimised', (page) => page.evaluate((message) => window.postMessage(message, window.origin), HIDDEN_MESSAGE)],
];

withBrowser('lets the camera go however one leaves it', async ({ start }) => {
  const page = await start(FAKE_CAMERA, ALLOW);
  for (const [what, leave] of WAYS_OUT) {
    await go(page, '#/away');
    await page.reload();
    await addHome(page);
    await scanButton(page).click();
    await expect(page.locator('.scan-square')).toHaveAttribute('data-state', 'looking');
    expect(await tracksOf(page), what).toEqual(['video live']);
    await leave(page);
    await expect.poll(() => tracksOf(page), what).toEqual(['video ended']);
    await expect(page.locator('.scan-square'), what).toHaveCount(0);
  }
  await expect(page.getByText('The camera was switched off, because this page went out of sight')).toBeVisible();
  await expect(scanButton(page)).toBeFocused();
});

withBrowser('says what to do where the camera is refused, and where there is none', async ({ start }) => {
  for (const [switches, sentence] of [[[FAKE_CAMERA, REFUSE], /The camera was refused to this page: .*, or paste the code, or choose “Twelve words”\./], [[ALLOW], /No camera was found here: .*, or paste the code/]] as const) {
    const page = await start(...switches);
    await addHome(page);
    await scanButton(page).click();
    await expect(page.getByRole('alert')).toHaveText(sentence);
    expect(await tracksOf(page)).toEqual([]);
    // The other ways are open as before.
    await page.getByLabel('The code', { exact: true }).fill('https://example.org');
    await page.getByRole('button', { name: 'Call that home' }).click();
    await expect(page.getByRole('alert')).toHaveText(/This is not a code of Porchlight/);
  }
});

test('no window complained', () => {
  expect(complaints).toEqual([]);
});
