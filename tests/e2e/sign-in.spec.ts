/** The password's form as a phone in the house meets it: a browser, TLS with this home's own certificate, and the page's headers between them. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Browser, type BrowserContext, expect, type Page, test } from '@playwright/test';
import { forceUnwrap } from '../../shared/result.ts';
import { TestEngine } from '../support/engine.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PASSWORD = 'correct horse';

test.describe.configure({ mode: 'serial', timeout: 60_000 });

const contexts: BrowserContext[] = [];
const engines: TestEngine[] = [];

async function serveOn(address: string, password: string | null): Promise<{ readonly engine: TestEngine; readonly url: string; readonly port: number; readonly fingerprint: string | null }> {
  const engine = await TestEngine.make({ entry: path.join(ROOT, 'dist/main/engine-main.js'), init: { mode: 'serve', serve: { address, port: 0, pageDir: path.join(ROOT, 'dist/renderer'), password } } });
  engines.push(engine);
  return { engine, ...forceUnwrap('it serves', await engine.start()) };
}

/** A browser that took the certificate for good, as its owner does after a look at the fingerprint. */
async function newBrowser(browser: Browser): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  contexts.push(context);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // Chromium reports what is answered with 401 as an error too: the form, and the socket of somebody who was signed out.
    if (message.type() === 'error' && !/401|HTTP Authentication failed/.test(message.text())) complaints.push(message.text());
  });
  return { page, complaints };
}

async function signIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test.afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  for (const engine of engines.splice(0)) await engine.end();
});

test('the right password opens the home over TLS, a wrong one says so, and the browser stays signed in', async ({ browser }) => {
  const { port, fingerprint } = await serveOn('0.0.0.0', PASSWORD);
  expect(fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  const home = `https://127.0.0.1:${port}/`;
  const { page, complaints } = await newBrowser(browser);
  expect((await page.goto(home))?.status()).toBe(401);
  await signIn(page, 'wrong horse');
  await expect(page.getByRole('alert')).toHaveText('That is not the password.');
  expect(await page.context().cookies()).toEqual([]);

  await signIn(page, PASSWORD);
  await expect(page).toHaveURL(/#\/welcome$/);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  expect(new URL(page.url()).origin).toBe(new URL(home).origin);
  const cookies = await page.context().cookies();
  expect(cookies).toMatchObject([{ name: `__Host-porchlight-${port}`, httpOnly: true, secure: true, sameSite: 'Strict' }]);
  // The interface speaks with the engine through the socket the cookie opens: it knows that there are no cameras.
  await page.goto(`${home}#/settings`);
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  expect(complaints).toEqual([]);

  // Another browser is not signed in, and a page of elsewhere cannot send the form.
  const other = await newBrowser(browser);
  await other.page.goto(home);
  await expect(other.page.getByLabel('Password')).toBeVisible();
  const { page: strange } = await newBrowser(browser);
  await strange.setContent(`<form method="post" action="${home}sign-in"><input name="password" value="${PASSWORD}"><button>Go</button></form>`);
  const [answer] = await Promise.all([strange.waitForResponse(`${home}sign-in`), strange.getByRole('button').click()]);
  expect(answer.status()).toBe(403);
  expect(await strange.context().cookies()).toEqual([]);
});

test('the owner opens the way in under Away, and a new password signs everybody else out', async ({ browser }) => {
  const { engine, url } = await serveOn('127.0.0.1', null);
  const owner = await newBrowser(browser);
  await owner.page.goto(url);
  await expect(owner.page).toHaveURL(/#\/welcome$/);
  await owner.page.goto(`${new URL(url).origin}/#/away`);
  const doors = owner.page.getByRole('region', { name: 'Other devices in the house' });
  await doors.getByLabel('First choose a password').fill(PASSWORD);
  await doors.getByRole('button', { name: 'Set' }).click();
  await doors.getByRole('switch', { name: 'Open to other devices' }).click();
  await expect.poll(async () => (await engine.ask('doors.state', {})).open).toBe(true);
  const { port } = JSON.parse(await readFile(path.join(engine.init.dataDir, 'config', 'doors.json'), 'utf8')) as { port: number };

  const phone = await newBrowser(browser);
  await phone.page.goto(`https://127.0.0.1:${port}/`);
  await signIn(phone.page, PASSWORD);
  await expect(phone.page).toHaveURL(/#\/welcome$/);
  await expect(phone.page.getByRole('heading', { level: 1 })).toBeVisible();

  await doors.getByRole('button', { name: 'Change the password' }).click();
  await doors.getByLabel('New password').fill('another horse');
  await doors.getByRole('button', { name: 'Set' }).click();
  await expect(doors.getByRole('button', { name: 'Change the password' })).toBeVisible();
  await phone.page.reload();
  await signIn(phone.page, PASSWORD);
  await expect(phone.page.getByRole('alert')).toHaveText('That is not the password.');
  await signIn(phone.page, 'another horse');
  await expect(phone.page.getByRole('heading', { level: 1 })).toBeVisible();
  expect([owner.complaints, phone.complaints]).toEqual([[], []]);
});
