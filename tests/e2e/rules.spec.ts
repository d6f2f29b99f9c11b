/** Rules and locks as their owner meets them: a moment is kept from Watch, and a rule that deletes much is saved with a second press only. */
import path from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import type { CameraId } from '../../shared/model/ids.ts';
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
let cameraId: CameraId;
const complaints: string[] = [];

test.beforeAll(async ({ browser }) => {
  test.setTimeout(PREPARED_MS);
  simulator = await startSimulatorProcess(['--cameras', '1', '--audio', 'none', '--discovery-port', '0']);
  engine = await TestEngine.make({ entry: path.join(ROOT, 'dist/main/engine-main.js'), init: { mode: 'serve', serve: { address: '127.0.0.1', port: 0, pageDir: path.join(ROOT, 'dist/renderer'), password: null } } });
  const serving = forceUnwrap('it serves', await engine.start());
  const { id } = await engine.add(forceUnwrap('one camera is simulated', simulator.cameras[0]));
  cameraId = id;
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

/** Where a moment of the first row is on the screen. */
async function pointOf(atMs: number): Promise<{ readonly x: number; readonly y: number }> {
  const rows = page.getByRole('slider', { name: 'Moment shown' });
  const box = forceUnwrap('the timeline is drawn', await rows.boundingBox());
  const name = forceUnwrap('its name is there', await page.locator('.timeline-names button').first().boundingBox());
  const [startMs, endMs] = [Number(await rows.getAttribute('data-start-ms')), Number(await rows.getAttribute('data-end-ms'))];
  return { x: box.x + ((atMs - startMs) / (endMs - startMs)) * box.width, y: name.y + name.height / 2 };
}

test('a range is drawn on the timeline with Shift, an edge is moved, and it is kept with a note', async () => {
  const { spans } = await engine.timeline(cameraId);
  const first = forceUnwrap('there is footage', spans[0]);
  const [from, to] = [await pointOf(first.startMs), await pointOf(first.endMs)];
  await page.mouse.move(from.x, from.y);
  await page.keyboard.down('Shift');
  await page.mouse.down();
  await page.mouse.move((from.x + to.x) / 2, from.y, { steps: 3 });
  await page.mouse.up();
  await page.keyboard.up('Shift');
  const panel = page.getByRole('dialog', { name: 'Keep a range for good' });
  await expect(panel).toBeVisible();
  const end = page.getByRole('slider', { name: 'End of what is kept' });
  const grip = forceUnwrap('it has an edge to take hold of', await end.boundingBox());
  await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
  await page.mouse.down();
  await page.mouse.move(to.x, grip.y + grip.height / 2, { steps: 3 });
  await page.mouse.up();
  await panel.getByLabel('Note').fill('The parcel');
  await panel.getByRole('button', { name: 'Keep', exact: true }).click();
  await expect(panel).toHaveCount(0);
  await expect(page.locator('.toast').last()).toContainText('Kept for good');
  const lock = forceUnwrap('it is kept', (await waitFor('the lock', async () => {
    const all = await engine.ask('locks.list', {});
    return all.length === 1 ? all : null;
  }))[0]);
  const pixelMs = (first.endMs - first.startMs) / (to.x - from.x);
  expect(lock).toMatchObject({ cameraId, note: 'The parcel' });
  expect(Math.abs(lock.startMs - first.startMs)).toBeLessThan(3 * pixelMs);
  expect(Math.abs(lock.endMs - first.endMs)).toBeLessThan(3 * pixelMs);
  // The timeline says so under the pointer.
  await page.mouse.move((from.x + to.x) / 2, from.y, { steps: 2 });
  await expect(page.locator('.peek')).toContainText('Kept: The parcel');
  await engine.ask('locks.remove', { id: lock.id });
});

test('a range is chosen with keys alone, and given up with Escape', async () => {
  await page.getByRole('slider', { name: 'Moment shown' }).focus();
  await page.keyboard.press('r');
  const [start, end] = [page.getByRole('slider', { name: 'Beginning of what is kept' }), page.getByRole('slider', { name: 'End of what is kept' })];
  await expect(start).toBeFocused();
  const before = Number(await start.getAttribute('aria-valuenow'));
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('.');
  expect(Number(await start.getAttribute('aria-valuenow')) - before).toBe(11_000);
  await page.keyboard.press('Tab');
  await expect(end).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(start).toHaveCount(0);
  expect(await engine.ask('locks.list', {})).toEqual([]);
  await page.getByRole('button', { name: 'Keep this' }).click();
  await page.getByRole('menuitem', { name: 'Choose a range on the timeline' }).click();
  await expect(start).toBeFocused();
  const [fromMs, toMs] = [Number(await start.getAttribute('aria-valuenow')), Number(await end.getAttribute('aria-valuenow'))];
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Seen by keys');
  await page.keyboard.press('Enter');
  const lock = forceUnwrap('it is kept', (await waitFor('the lock', async () => {
    const all = await engine.ask('locks.list', {});
    return all.length === 1 ? all : null;
  }))[0]);
  expect(lock).toMatchObject({ note: 'Seen by keys' });
  expect([Math.round(lock.startMs), Math.round(lock.endMs)]).toEqual([fromMs, toMs]);
  await engine.ask('locks.remove', { id: lock.id });
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
  await expect(page.locator('.toast').last()).toContainText('The rules are in force');
  const [camera] = await engine.ask('cameras.list', {});
  const { id } = forceUnwrap('one camera was added', camera).camera;
  await expect.poll(async () => (await engine.timeline(id)).spans.length, { timeout: 30_000 }).toBe(2);
  expect((await engine.timeline(id)).spans[0]?.startMs).toBeCloseTo(startMs, -2);
  await expect(page.getByText('more than its limit: all that is left there is locked or just being recorded').first()).toBeVisible({ timeout: 20_000 });
  expect(complaints).toEqual([]);
});
