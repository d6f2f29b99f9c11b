/**
 * The recorder from end to end as its owner meets it: four cameras are found, added and recorded; one is stopped and
 * returns; a moment is sought; the engine is killed. Judged by what is burnt into the pictures and by the simulator's
 * own log of what it sent, never by Porchlight's rows.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, type Page, test } from '@playwright/test';
import type { CameraId } from '../../shared/model/ids.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { readFrameCode } from '../../tools/sim/frame-code.ts';
import { decodeFrames } from '../support/decoded-frames.ts';
import { TestEngine } from '../support/engine.ts';
import { type SimulatorProcess, startSimulatorProcess } from '../support/simulator-process.ts';
import { waitFor } from '../support/wait.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CAMERAS = 4;
const RECORDED_MS = 120_000;
/** The simulator's live cameras send 15 pictures a second and a keyframe each second. */
const FRAME_MS = 1000 / 15;
const KEYFRAME_MS = 1_000;

test.describe.configure({ mode: 'serial', timeout: 300_000 });

let simulator: SimulatorProcess;
let engine: TestEngine;
let page: Page;
let startedMs = 0;
let stoppedMs = 0;
let firstCamera: CameraId;

test.beforeAll(async ({ browser }) => {
  simulator = await startSimulatorProcess(['--cameras', String(CAMERAS), '--source', 'live', '--audio', 'aac,none,pcma,aac']);
  engine = await TestEngine.make({ entry: path.join(ROOT, 'dist/main/engine-main.js'), init: { mode: 'serve', serve: { address: '127.0.0.1', port: 0, pageDir: path.join(ROOT, 'dist/renderer'), password: null } } });
  const serving = forceUnwrap('it serves', await engine.start());
  // The simulated cameras are on loopback, which is not searched by itself.
  await engine.ask('settings.set', { searchInterfaces: ['127.0.0.1'] });
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(serving.url);
  test.info().annotations.push({ type: 'console', description: complaints.join('\n') });
});

test.afterAll(async () => {
  await page?.close();
  await engine?.end();
  await simulator?.stop();
});

test('finds four cameras and adds them with one password', async () => {
  await expect(page.getByRole('heading', { name: `${CAMERAS} cameras found` })).toBeVisible({ timeout: 30_000 });
  const { username, password } = forceUnwrap('four cameras are simulated', simulator.cameras[0]);
  const form = page.locator('form.found');
  await form.getByLabel('User').fill(username);
  await form.getByLabel('Password').fill(password);
  await form.getByRole('button', { name: `Add ${CAMERAS} cameras` }).click();
  await page.getByRole('button', { name: `Watch your ${CAMERAS} cameras` }).click({ timeout: 60_000 });
  await expect(page.locator('canvas[data-state="live"]')).toHaveCount(CAMERAS, { timeout: 30_000 });
  await expect(page.getByText(`All ${CAMERAS} cameras recording`)).toBeVisible({ timeout: 30_000 });
  startedMs = Date.now();
  const listed = await engine.ask('cameras.list', {});
  const first = forceUnwrap('four cameras are simulated', simulator.cameras[0]);
  firstCamera = forceUnwrap('the first simulated camera was added', listed.find(({ camera }) => camera.deviceUrl?.includes(`//${first.host}:`))).camera.id;
});

test('names the cause when a camera stops, and goes on when it returns', async () => {
  const stopped = forceUnwrap('four cameras are simulated', simulator.cameras[1]);
  const listed = await engine.ask('cameras.list', {});
  const { camera } = forceUnwrap('it was added', listed.find((entry) => entry.camera.deviceUrl?.includes(`//${stopped.host}:`)));
  stoppedMs = Date.now();
  await simulator.tell(stopped.index, 'unplug');
  await expect(page.locator(`article[data-camera="${camera.id}"]`).getByText(/No answer from/)).toBeVisible({ timeout: 40_000 });
  await simulator.tell(stopped.index, 'replug');
  const gap = await engine.closedGap(camera.id, 'camera-unreachable', stoppedMs, 60_000);
  expect(gap.startMs).toBeGreaterThan(stoppedMs - 1_500);
  await expect(page.locator(`article[data-camera="${camera.id}"] canvas[data-state="live"]`)).toBeVisible({ timeout: 30_000 });
  // The same gap, named on the timeline under the pointer.
  const slider = page.getByRole('slider', { name: 'Moment shown' });
  const name = page.locator('.timeline-names button', { hasText: camera.name });
  await waitFor('the gap under the pointer', async () => {
    const [rows, label] = [forceUnwrap('the timeline is drawn', await slider.boundingBox()), forceUnwrap('its name is there', await name.boundingBox())];
    const [startMs, endMs] = [Number(await slider.getAttribute('data-start-ms')), Number(await slider.getAttribute('data-end-ms'))];
    const share = ((gap.startMs + gap.endMs) / 2 - startMs) / (endMs - startMs);
    await page.mouse.move(rows.x + share * rows.width, label.y + label.height / 2);
    return (await page.locator('.peek').textContent())?.includes('Camera could not be reached') === true;
  });
});

test('paints the frame that the index names for a moment', async () => {
  await waitFor('two minutes of footage', () => Date.now() - startedMs > RECORDED_MS, RECORDED_MS + 10_000, 1_000);
  await page.keyboard.press('k');
  for (const beforeMs of [20_000, 47_300, 75_512, 100_250]) {
    const atMs = Math.round(startedMs + RECORDED_MS - beforeMs);
    const painted = await seekAndRead(atMs);
    expect(Math.abs(painted.clockMs - atMs), `burnt-in clock against ${atMs}`).toBeLessThanOrEqual(200);
    const located = forceUnwrap('there is footage', await engine.ask('footage.locate', { cameraId: firstCamera, stream: 'main', atMs }));
    const named = await frameNamedByIndex(located.path, located.segmentStartMs, atMs);
    expect(Math.abs(painted.frameNumber - named), 'frames between the painted and the named one').toBeLessThanOrEqual(1);
  }
  await page.keyboard.press('End');
  await expect(page.locator('canvas[data-state="live"]').first()).toBeVisible();
});

test('loses at most a second when the engine is killed, and is back within three', async () => {
  const camera = forceUnwrap('four cameras are simulated', simulator.cameras[0]);
  const killedMs = Date.now();
  engine.kill();
  await waitFor('recording to be back', async () => (await engine.status(firstCamera)).recording, 30_000);
  await engine.footage(firstCamera, 5);
  const sent = await simulator.sendLog(camera.index, 'main', startedMs);
  await engine.stop();
  const files = (await engine.files()).filter((file) => file.includes(`${firstCamera}${path.sep}main${path.sep}`));
  const frames = (await Promise.all(files.map((file) => decodeFrames(file, 640, 360)))).flat();
  const have = new Set(frames.map(({ frameNumber }) => frameNumber));
  const arrived = sent.filter(({ sentMs }) => sentMs >= startedMs && sentMs < killedMs);
  expect(arrived.length).toBeGreaterThan(RECORDED_MS / FRAME_MS / 2);
  const lost = arrived.filter(({ frameIndex }) => !have.has(frameIndex));
  expect(lost.length * FRAME_MS, 'milliseconds that had arrived and are lost').toBeLessThanOrEqual(1_000);
  // Nothing earlier than the last second is missing.
  expect(lost.every(({ sentMs }) => sentMs > killedMs - 1_100)).toBe(true);
  const back = Math.min(...frames.filter(({ clockMs }) => clockMs > killedMs).map(({ clockMs }) => clockMs));
  expect(back - killedMs, 'milliseconds until the next recorded frame').toBeLessThanOrEqual(3_000 + KEYFRAME_MS);
});

test('leaves an archive in which the check finds nothing', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(ROOT, 'tools/check.ts'), '--media', engine.init.mediaDir, '--data', engine.init.dataDir, '--json'], { cwd: ROOT });
  expect(JSON.parse(stdout.slice(stdout.indexOf('{')))).toMatchObject({ wrong: 0, engine: 'stopped', check: { findings: [] } });
});

/** Goes to a moment by the address, waits until a frame of then is painted, and reads what is burnt into it. */
async function seekAndRead(atMs: number): Promise<{ readonly frameNumber: number; readonly clockMs: number }> {
  await page.evaluate((hash) => {
    window.location.hash = hash;
  }, `#/watch?at=${atMs}&camera=${firstCamera}`);
  const canvas = page.locator(`article[data-camera="${firstCamera}"] canvas`);
  await waitFor(`a frame of ${atMs}`, async () => {
    const frameMs = Number(await canvas.getAttribute('data-frame-ms'));
    if (Math.abs(frameMs - atMs) > 200) throw new Error(`shows ${frameMs}, ${frameMs - atMs} ms off`);
    return true;
  });
  const { width, height, grey } = await canvas.evaluate((element: HTMLCanvasElement) => {
    const pixels = element.getContext('2d')?.getImageData(0, 0, element.width, element.height).data ?? new Uint8ClampedArray();
    return { width: element.width, height: element.height, grey: Array.from({ length: pixels.length / 4 }, (_, index) => pixels[index * 4 + 1] ?? 0) };
  });
  return forceUnwrap('the picture carries a code', readFrameCode(Uint8Array.from(grey), width, height));
}

/** The number in the last frame that begins at or before a moment, by the file's own times. */
async function frameNamedByIndex(file: string, segmentStartMs: number, atMs: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'frame=pts_time', '-of', 'csv=p=0', file]);
  const times = stdout.split('\n').map((line) => Number.parseFloat(line)).filter(Number.isFinite);
  const first = times[0] ?? 0;
  const index = times.findLastIndex((seconds) => segmentStartMs + (seconds - first) * 1000 <= atMs);
  const frames = await decodeFrames(file, 640, 360);
  return forceUnwrap('the file holds the moment', frames[index]).frameNumber;
}
