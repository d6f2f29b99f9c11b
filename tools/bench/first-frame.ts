/** From a click on a camera to its first painted picture of the main stream, and from a loaded page to the first picture. */
import { mkdir } from 'node:fs/promises';
import { startSimulatorProcess } from '../../tests/support/simulator-process.ts';
import { Viewer } from './browser.ts';
import { type BenchReport, figure, spread } from './figures.ts';
import type { BenchOptions } from './options.ts';
import { listCamera, sleep, startProduct, waitForRecording, Workplace } from './workplace.ts';

const SAMPLES = 30;
const CAMERAS = 4;
const MAIN_WIDTH = 1920;
const REST_MS = 700;

export async function run(options: BenchOptions): Promise<BenchReport> {
  const samples = options.samples ?? SAMPLES;
  const cameras = options.cameras ?? CAMERAS;
  return await Workplace.with(async (place) => {
    const simulator = place.keep(await startSimulatorProcess(['--source', 'bench', '--cameras', String(cameras), '--audio', 'aac', '--discovery-port', '0'], 300_000));
    await mkdir(place.path('home'));
    const product = place.keep(await startProduct({ dataDir: place.path('home', 'data'), mediaDir: place.path('home', 'media'), cameras: simulator.cameras.map((camera) => listCamera(camera)) }));
    await waitForRecording(product, cameras);
    const viewer = await Viewer.open(place, product);
    if ((await viewer.painted(({ code }) => code !== null, 20_000)) === null) throw new Error('the grid shows no camera');
    const clicks = await clickCameras(viewer, samples);
    const visits = await comeBack(viewer, Math.ceil(samples / 2));
    return {
      bench: 'first-frame',
      figures: [
        ...spread('click on a camera to a picture of its main stream', clicks.delaysMs, 'ms', { p95: 150 }),
        figure('clicks without a picture within 5 s', clicks.failed, '', { budget: 0 }),
        ...spread('from another view to the first picture of any camera', visits.delaysMs, 'ms'),
      ],
      notes: [`${cameras} cameras, 1080p30 at 4 Mbit/s with a sub stream, all decoded without a graphics card; the grid shows sub streams, and the picture waited for is the opened camera's main stream.`],
    };
  });
}

interface Delays {
  readonly delaysMs: readonly number[];
  readonly failed: number;
}

async function clickCameras(viewer: Viewer, samples: number): Promise<Delays> {
  const delaysMs: number[] = [];
  let failed = 0;
  for (let at = 0; at < samples; at += 1) {
    const tiles = viewer.page.locator('.tile');
    const tile = tiles.nth(at % (await tiles.count()));
    const cameraId = await tile.getAttribute('data-camera');
    await sleep(REST_MS);
    await viewer.forget();
    await tile.click({ position: { x: 60, y: 60 } });
    const paint = await viewer.painted(({ width, cameraId: of, code }) => width === MAIN_WIDTH && of === cameraId && code !== null);
    const click = viewer.mark('click');
    if (paint === null || click === null) failed += 1;
    else delaysMs.push(paint.atMs - click.atMs);
    await viewer.page.keyboard.press('Escape');
  }
  return { delaysMs, failed };
}

/** The Watch screen is left and entered again: all its pictures begin anew. */
async function comeBack(viewer: Viewer, samples: number): Promise<Delays> {
  const delaysMs: number[] = [];
  let failed = 0;
  for (let at = 0; at < samples; at += 1) {
    await viewer.goTo('settings');
    await sleep(REST_MS);
    await viewer.forget();
    await viewer.goTo('watch');
    const paint = await viewer.painted(({ code }) => code !== null);
    const left = viewer.mark('hashchange');
    if (paint === null || left === null) failed += 1;
    else delaysMs.push(paint.atMs - left.atMs);
  }
  return { delaysMs, failed };
}
