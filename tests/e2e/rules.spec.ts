/** Rules and locks as their owner meets them: a moment is kept from Watch, and a rule that deletes much is saved with a second press only. */
import path from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { forceUnwrap } from '../../shared/result.ts';
import { TestEngine } from '../support/engine.ts';
import { type SimulatorProcess, startSimulatorProcess } from '../support/simulator-process.ts';
import { waitFor } from '../support/wait.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

test.describe.configure({ mode: 'serial', timeout: 60_000 });
/** Footage in pieces takes its time on a slow machine. */
const PREPARED_MS = 120_000;

let simulator: SimulatorProcess;
let engine: TestEngine;
let page: Page;
const complaints: string[] = [];

test.beforeAll(async ({ browser }) => {
  test.setTimeout(PREPARED_MS);
  simulator = await startSimulatorProcess(['--cameras', '1', '--audio', 'none']);
  engine = await TestEngine.make({ entry: path.join(ROOT, 'dist/main/engine-main.js'), init: { mode: 'serve', serve: { address: '127.0.0.1', port: 0, pageDir: path.join(ROOT, 'dist/renderer'), password: null } } });
  const serving = forceUnwrap('it serves', await engine.start());
  const { id } = await engine.add(forceUnwrap('one camera is simulated', simulator.cameras[0]));
  // Two pieces that are closed, and one that is being recorded.
  for (let piece = 0; piece < 2; piece += 1) {
    await engine.footage(id, 5);
    await engine.ask('cameras.pause', { cameraId: id, untilMs: null });
    const pausedMs = Date.now();
    await waitFor('the pause', async () => Date.now() - pausedMs > 2_500 && !(await engine.status(id)).recording);
    await engine.ask('cameras.resume', { cameraId: id });
  }
  await engine.footage(id, 2);
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(serving.url);
});

test.afterAll(async () => {
  await page?.close();
  await engine?.end();
  await simulator?.stop();
});

const go = (hash: string): Promise<void> =>
  page.evaluate((to) => {
    window.location.hash = to;
  }, hash);
const locks = () => page.locator('.locks li');

test('a key on Watch keeps the moment, and an undo takes it back', async () => {
  await go('#/watch');
  await expect(page.getByRole('button', { name: 'Keep this' })).toBeEnabled();
  await page.keyboard.press('p');
  await expect(page.locator('.toast')).toContainText('Kept for good');
  await expect.poll(async () => (await engine.ask('locks.list', {})).length).toBe(1);
  await page.locator('.toast').getByRole('button', { name: 'Undo' }).click();
  await expect.poll(async () => (await engine.ask('locks.list', {})).length).toBe(0);
});

test('Storage lists what is kept, and takes the lock off with an undo', async () => {
  const [camera] = await engine.ask('cameras.list', {});
  const { id } = forceUnwrap('one camera was added', camera).camera;
  const first = forceUnwrap('there is footage', (await engine.timeline(id)).spans[0]);
  await engine.ask('locks.add', { cameraId: id, startMs: first.startMs, endMs: first.endMs, note: 'the parcel' });
  await go('#/storage');
  await expect(locks()).toHaveCount(1);
  await expect(locks()).toContainText('the parcel');
  await locks().getByRole('button', { name: 'Take off' }).click();
  await expect(locks()).toHaveCount(0);
  await page.locator('.toast', { hasText: 'The rules decide about it again' }).getByRole('button', { name: 'Undo' }).click();
  await expect(locks()).toHaveCount(1);
  await expect(locks().getByRole('link', { name: 'Show' })).toHaveAttribute('href', new RegExp(`camera=${id}`));
});

test('a rule that deletes much says how much while it is typed, and is saved with a second press', async () => {
  const [kept] = await engine.ask('locks.list', {});
  const { startMs } = forceUnwrap('one is kept', kept);
  await page.getByLabel('Use at most (GB)').fill('0.0001');
  const answer = page.locator('.what-if');
  await expect(answer).toHaveAttribute('data-asks', 'true');
  await expect(answer).toContainText(/of footage, \d+ % of it, is deleted at once/);
  await expect(page.getByRole('button', { name: 'Save rules' })).toHaveCount(0);
  expect((await engine.ask('storage.rules', {})).quotaBytes).toEqual({});
  // Thought better of it: nothing has changed.
  await page.getByLabel('Use at most (GB)').fill('');
  await expect(answer).toHaveCount(0);
  await page.getByLabel('Use at most (GB)').fill('0.0001');
  await page.getByRole('button', { name: 'Delete it and save' }).click();
  await expect(page.locator('.toast')).toContainText('The rules are in force');
  const [camera] = await engine.ask('cameras.list', {});
  const { id } = forceUnwrap('one camera was added', camera).camera;
  await expect.poll(async () => (await engine.timeline(id)).spans.length, { timeout: 30_000 }).toBe(2);
  expect((await engine.timeline(id)).spans[0]?.startMs).toBeCloseTo(startMs, -2);
  await expect(page.getByText('more than its limit: all that is left there is locked or just being recorded').first()).toBeVisible({ timeout: 20_000 });
  expect(complaints).toEqual([]);
});
