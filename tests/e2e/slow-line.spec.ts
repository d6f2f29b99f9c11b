/** Recordings of another home in the real interface, over a real relay that gives less than they need: a word instead of a frozen picture, and the small stream where there is one. */
import path from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { type RunningRelay, startRelay } from '../../relay/server.ts';
import type { Camera } from '../../shared/model/camera.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { pairAway } from '../support/pair-away.ts';
import { waitFor } from '../support/wait.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LONG_MS = 180_000;
const FPS = 10;
const SUB_WIDTH = 384;
/** The main stream needs two and a half times what the line takes. */
const [MAIN_KBPS, LINE_KBPS] = [3_000, 1_200];
const RECORDED_SECONDS = 25;
/** A pause between two painted pictures that a person sees. */
const PAUSE_MS = 500;

test.describe.configure({ mode: 'serial', timeout: LONG_MS });

let simulator: Simulator;
let relay: RunningRelay;
let home: TestEngine;
let away: TestEngine;
let page: Page;
let homeId = '';
/** The first records both streams, the second the main one only. */
let [both, mainOnly]: Camera[] = [];

test.beforeAll(async ({ browser }) => {
  test.setTimeout(LONG_MS);
  const size = { fps: FPS, gopFrames: FPS, seconds: 10 };
  simulator = await startSimulator({
    cameras: 2, hosts: ['127.0.74.2', '127.0.74.3'], source: 'test', audio: 'none', discovery: false,
    main: { ...size, width: 640, height: 360, kbps: MAIN_KBPS, constantRate: true }, sub: { ...size, width: SUB_WIDTH, height: 216, kbps: 150 },
  });
  relay = await startRelay({ limits: { sessionBitsPerS: LINE_KBPS * 1_000 } });
  const entry = path.join(ROOT, 'dist/main/engine-main.js');
  home = await TestEngine.started({ entry });
  away = await TestEngine.make({ entry, init: { mode: 'serve', serve: { address: '127.0.0.1', port: 0, pageDir: path.join(ROOT, 'dist/renderer'), password: null } } });
  const { url } = forceUnwrap('it serves', await away.start());
  [both, mainOnly] = [await home.add(forceUnwrap('two cameras', simulator.cameras[0])), await home.add(forceUnwrap('two cameras', simulator.cameras[1]))];
  await home.ask('cameras.update', { cameraId: both.id, recorded: ['main', 'sub'] });
  homeId = (await pairAway({ home, away, relayUrl: relay.url, grants: { cameras: [both, mainOnly].map(({ id }) => ({ cameraId: id, rights: ['playback'] })), untilMs: null } })).id;
  await Promise.all([home.footage(both.id, RECORDED_SECONDS), home.footage(mainOnly.id, RECORDED_SECONDS)]);
  page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  await page.goto(url);
});

test.afterAll(async () => {
  await page?.context().close();
  await Promise.all([home?.end(), away?.end()]);
  await relay?.stop(0);
  await simulator?.stop();
});

interface Painted {
  readonly frameMs: number;
  readonly atMs: number;
  readonly width: number;
}

const tile = (camera: Camera) => page.locator(`article[data-camera="${camera.id}"]`);

/** Goes to a moment, where it plays by itself, and notes each picture that is painted of it. */
async function play(camera: Camera, fromMs: number): Promise<void> {
  await page.evaluate((hash) => (window.location.hash = hash), `#/home/${homeId}/watch?at=${fromMs}&camera=${camera.id}`);
  await expect(tile(camera).locator('canvas')).toBeVisible({ timeout: 30_000 });
  await page.evaluate((cameraId) => {
    const painted: { frameMs: number; atMs: number; width: number }[] = [];
    Object.assign(window, { painted });
    const canvas = document.querySelector<HTMLCanvasElement>(`article[data-camera="${cameraId}"] canvas`);
    if (canvas === null) throw new Error('no canvas');
    new MutationObserver(() => painted.push({ frameMs: Number(canvas.dataset['frameMs']), atMs: performance.now(), width: canvas.width })).observe(canvas, { attributes: true, attributeFilter: ['data-frame-ms'] });
  }, camera.id);
}

/** What was painted of the moment and of what follows it, once that is so much. */
async function paintedFrom(fromMs: number, footageMs: number): Promise<readonly Painted[]> {
  return await waitFor('pictures', async () => {
    const painted = await page.evaluate(() => (window as unknown as { painted: Painted[] }).painted);
    const wanted = painted.filter(({ frameMs }) => frameMs >= fromMs - 1_000);
    const newestMs = wanted.at(-1)?.frameMs ?? 0;
    if (newestMs < fromMs + footageMs) throw new Error(`${wanted.length} pictures, ${newestMs - fromMs} ms of footage`);
    return wanted;
  }, 90_000, 250);
}

/** The largest step between two pictures that followed each other on the canvas, in ms of footage; and the smallest. */
function stepsOf(painted: readonly Painted[]): { readonly least: number; readonly most: number } {
  const steps = painted.slice(1).map(({ frameMs }, at) => frameMs - (painted[at]?.frameMs ?? frameMs));
  return { least: Math.min(...steps), most: Math.max(...steps) };
}

/** The most footage that was shown without a pause. */
function longestRunMs(painted: readonly Painted[]): number {
  let longestMs = 0;
  let first = painted[0];
  for (const [at, picture] of painted.entries()) {
    if (picture.atMs - (painted[at - 1]?.atMs ?? picture.atMs) > PAUSE_MS) first = picture;
    longestMs = Math.max(longestMs, picture.frameMs - (first?.frameMs ?? picture.frameMs));
  }
  return longestMs;
}

test('a recording that comes slower than it plays pauses with a word, and goes on for a while each time', async () => {
  const camera = forceUnwrap('it was added', mainOnly);
  const fromMs = Date.now() - 20_000;
  await play(camera, fromMs);
  await expect(tile(camera).getByText('The line is slower than this recording; loading…')).toBeVisible({ timeout: 60_000 });
  await expect(tile(camera).getByText('The line is slower than this recording; loading…')).toBeHidden({ timeout: 30_000 });
  const painted = await paintedFrom(fromMs, 7_000);
  const { least, most } = stepsOf(painted);
  expect(least).toBeGreaterThanOrEqual(0);
  // Nothing was passed over.
  expect(most).toBeLessThan(1_000);
  // A group of pictures, which comes at once, is a second long here: it did not stop after each.
  expect(longestRunMs(painted)).toBeGreaterThan(1_500);
  await expect(tile(camera).getByText('Smaller picture: the line is slow')).toBeHidden();
});

test('one with a small stream goes over to it and says so, and neither jumps back nor leaves anything out', async () => {
  const camera = forceUnwrap('it was added', both);
  const fromMs = Date.now() - 20_000;
  await play(camera, fromMs);
  await expect(tile(camera).getByText('Smaller picture: the line is slow')).toBeVisible({ timeout: 60_000 });
  const painted = await paintedFrom(fromMs, 10_000);
  expect(painted.at(-1)?.width).toBe(SUB_WIDTH);
  const { least, most } = stepsOf(painted);
  expect(least).toBeGreaterThanOrEqual(0);
  expect(most).toBeLessThan(1_000);
  await expect(tile(camera).getByText('The line is slower than this recording; loading…')).toBeHidden();
});
