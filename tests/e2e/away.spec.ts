/**
 * Watching from away as both people meet it: a home with two cameras, another Porchlight that looks in over a relay, each
 * in its own browser. Paired by a picture of the code; what is seen is judged by what is burnt into the pictures. The relay
 * runs here, so that it can misroute and delay.
 */
import path from 'node:path';
import { type Browser, expect, type Page, test } from '@playwright/test';
import { type RunningRelay, startRelay } from '../../relay/server.ts';
import type { HandOver, Passage } from '../../relay/splice.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import { MAX_RECORD_BYTES } from '../../shared/relay/protocol.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { readFrameCode } from '../../tools/sim/frame-code.ts';
import { TestEngine } from '../support/engine.ts';
import { type SimulatorProcess, startSimulatorProcess } from '../support/simulator-process.ts';
import { waitFor } from '../support/wait.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PREPARED_MS = 120_000;
const HIDDEN_NAME = 'Hidden nursery';
const SHOWN_NAME = 'Front door';
/** What tells that a picture is of now: the clock burnt into it against this machine's. */
const NOW_MS = 5_000;
const LOOK_MS = 500;

test.describe.configure({ mode: 'serial', timeout: 120_000 });

interface Porchlight {
  readonly engine: TestEngine;
  readonly page: Page;
}

let simulator: SimulatorProcess;
let relay: RunningRelay;
let home: Porchlight;
let viewer: Porchlight;
let shown: CameraId;
let hidden: CameraId;
/** What the relay does with each message; the honest thing unless a test says otherwise. */
let meddle: HandOver | null = null;
const honest = ({ to, message, deliver }: Passage): void => deliver(to, message);
const complaints: string[] = [];

async function open(browser: Browser): Promise<Porchlight> {
  const engine = await TestEngine.make({ entry: path.join(ROOT, 'dist/main/engine-main.js'), init: { mode: 'serve', serve: { address: '127.0.0.1', port: 0, pageDir: path.join(ROOT, 'dist/renderer'), password: null } } });
  const serving = forceUnwrap('it serves', await engine.start());
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => /Content Security Policy/.test(message.text()) && complaints.push(message.text()));
  await page.goto(serving.url);
  return { engine, page };
}

test.beforeAll(async ({ browser }) => {
  test.setTimeout(PREPARED_MS);
  simulator = await startSimulatorProcess(['--cameras', '2', '--source', 'live', '--audio', 'none', '--discovery-port', '0']);
  relay = await startRelay({ handOver: (passage) => (meddle ?? honest)(passage) });
  [home, viewer] = [await open(browser), await open(browser)];
  const ids: CameraId[] = [];
  for (const [index, name] of [SHOWN_NAME, HIDDEN_NAME].entries()) {
    const { id } = await home.engine.add(forceUnwrap('two cameras are simulated', simulator.cameras[index]));
    await home.engine.ask('cameras.update', { cameraId: id, name });
    ids.push(id);
  }
  [shown, hidden] = [forceUnwrap('it was added', ids[0]), forceUnwrap('it was added', ids[1])];
  await home.engine.ask('settings.set', { homeName: 'Lakeside' });
  await home.engine.ask('remote.setRelays', { enabled: true, relays: [relay.url] });
  await waitFor('the home at its relay', async () => (await home.engine.ask('remote.state', {})).relays.every(({ phase }) => phase === 'connected'));
});

test.afterAll(async () => {
  for (const one of [home, viewer]) {
    await one?.page.context().close();
    await one?.engine.end();
  }
  await relay?.stop(0);
  await simulator?.stop();
});

const go = (page: Page, hash: string): Promise<void> =>
  page.evaluate((to) => {
    window.location.hash = to;
  }, hash);
const tile = () => viewer.page.locator(`article[data-camera="${shown}"]`);
const canvas = () => tile().locator('canvas');

interface Seen {
  /** Every point of it is black. */
  readonly isBlack: boolean;
  /** What is burnt into it; the smaller picture of a slow line is too coarse to be read every time. */
  readonly code: ReturnType<typeof readFrameCode>;
  readonly frameMs: number;
}

/** What is in the canvas's own pixels, whatever is drawn over it. Only the strip with the code leaves the page: a whole picture each time would keep it from its work. */
async function look(): Promise<Seen> {
  const { width, height, strip, isBlack, frameMs } = await canvas().evaluate((element: HTMLCanvasElement) => {
    const pixels = element.getContext('2d', { alpha: false, desynchronized: true })?.getImageData(0, 0, element.width, element.height).data ?? new Uint8ClampedArray();
    let sum = 0;
    for (let at = 1; at < pixels.length; at += 4) sum += pixels[at] ?? 0;
    const strip: number[] = [];
    for (let at = element.width * Math.floor(element.height * 0.9) * 4 + 1; at < pixels.length; at += 4) strip.push(pixels[at] ?? 0);
    return { width: element.width, height: element.height, strip, isBlack: sum === 0, frameMs: Number(element.dataset['frameMs']) };
  });
  const grey = new Uint8Array(width * height);
  grey.set(strip, grey.length - strip.length);
  return { isBlack, code: readFrameCode(grey, width, height), frameMs };
}

/** A live picture of now. */
async function seeNow(): Promise<void> {
  await expect(canvas()).toHaveAttribute('data-state', 'live', { timeout: 30_000 });
  await waitFor('a picture of now', async () => {
    const seen = await look();
    if (seen.isBlack || Math.abs(Date.now() - (seen.code?.clockMs ?? seen.frameMs)) > NOW_MS) throw new Error(`at ${Date.now()} the picture says ${JSON.stringify(seen)}`);
    return true;
  }, 45_000, LOOK_MS);
}

/** Notes each change of what may be seen, with this machine's clock. */
async function noteSight(): Promise<void> {
  await viewer.page.evaluate((cameraId) => {
    const notes: { kind: string; reason: string; atMs: number }[] = [];
    Object.assign(window, { sightNotes: notes });
    const note = (): void => {
      const article = document.querySelector<HTMLElement>(`article[data-camera="${cameraId}"]`);
      const reason = article?.querySelector('[data-blank] p')?.textContent ?? '';
      const kind = article?.dataset['sight'] ?? 'gone';
      if (notes.at(-1)?.kind !== kind || notes.at(-1)?.reason !== reason) notes.push({ kind, reason, atMs: Date.now() });
    };
    note();
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  }, shown);
}

const notes = (): Promise<readonly { readonly kind: string; readonly reason: string; readonly atMs: number }[]> => viewer.page.evaluate(() => (window as unknown as { sightNotes: { kind: string; reason: string; atMs: number }[] }).sightNotes);

test('pairs by a picture of the code, with the same six digits on both screens', async () => {
  await go(home.page, '#/away');
  await home.page.getByRole('button', { name: 'Add a device' }).click();
  const qr = await home.page.locator('svg.qr').screenshot();
  await go(viewer.page, '#/away');
  await viewer.page.getByRole('button', { name: 'Add a home' }).click();
  await viewer.page.locator('input[type=file]').setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: qr });
  await expect(viewer.page.getByLabel('The code', { exact: true })).toHaveValue(/^porchlight-pair:1\./);
  await viewer.page.getByLabel('What this computer is called there').fill('Ada’s laptop');
  await viewer.page.getByRole('button', { name: 'Call that home' }).click();
  const digitsOf = async (page: Page, place: string): Promise<string> => ((await page.locator(place).getAttribute('aria-label', { timeout: 20_000 })) ?? '').replaceAll(/\D/g, '');
  const digits = [await digitsOf(viewer.page, '.home-digits'), await digitsOf(home.page, '.digits')];
  expect(digits[0]).toMatch(/^\d{6}$/);
  expect(digits[1]).toBe(digits[0]);
  await expect(home.page.getByText('Ada’s laptop wants to look in')).toBeVisible();
  await home.page.getByRole('checkbox', { name: HIDDEN_NAME }).first().click();
  await expect(home.page.getByRole('checkbox', { name: HIDDEN_NAME }).first()).not.toBeChecked();
  await home.page.getByRole('button', { name: /digits.*allow/i }).click();
  await expect(home.page.getByText('It may look in now')).toBeVisible({ timeout: 20_000 });
  await home.page.getByRole('button', { name: 'Done' }).click();
  await expect(viewer.page.getByText('Looking into Lakeside')).toBeVisible({ timeout: 20_000 });
});

test('shows the live picture of the camera that was granted, and never names the other', async () => {
  await seeNow();
  await expect(viewer.page.locator('article')).toHaveCount(1);
  await expect(tile().getByText(SHOWN_NAME)).toBeVisible();
  const page = await viewer.page.content();
  expect(page).not.toContain(HIDDEN_NAME);
  expect(page).not.toContain(hidden);
  // Nothing is run from away, and no view is offered that would be refused.
  await expect(viewer.page.locator('nav.rail a')).toHaveCount(2);
  await expect(viewer.page.getByRole('button', { name: 'Keep this' })).toHaveCount(0);
  await expect(viewer.page.getByRole('button', { name: /Record now/ })).toHaveCount(0);
  for (const view of ['storage', 'settings', 'cameras']) {
    await go(viewer.page, `${await homeHash()}/${view}`);
    await expect(viewer.page.locator('main')).toHaveAttribute('data-view', 'watch');
  }
});

/** `#/home/<id>` of the home that is looked into. */
async function homeHash(): Promise<string> {
  const [{ id } = { id: '' }] = await viewer.engine.ask('homes.list', {});
  return `#/home/${id}`;
}

test('plays recordings from away, with the timeline and the previews', async () => {
  await home.engine.footage(shown, 15);
  const atMs = Date.now() - 8_000;
  // Standing still, so that a slow machine does not play past the moment.
  await viewer.page.keyboard.press('k');
  await go(viewer.page, `${await homeHash()}/watch?at=${atMs}&camera=${shown}`);
  await waitFor('a picture of then', async () => {
    const { code } = await look();
    if (code === null || Math.abs(code.clockMs - atMs) > 1_000) throw new Error(`${JSON.stringify(code)} for ${atMs}`);
    return true;
  }, 45_000, LOOK_MS);
  const slider = viewer.page.getByRole('slider', { name: 'Moment shown' });
  await expect(slider).toBeVisible();
  // The timeline knows when there is footage, and shows a picture of it under the pointer.
  await waitFor('a preview under the pointer', async () => {
    const box = forceUnwrap('the timeline is drawn', await slider.boundingBox());
    const [startMs, endMs] = [Number(await slider.getAttribute('data-start-ms')), Number(await slider.getAttribute('data-end-ms'))];
    await viewer.page.mouse.move(box.x + ((atMs - startMs) / (endMs - startMs)) * box.width, box.y + box.height - 6);
    return await viewer.page.locator('.peek img').isVisible();
  }, 30_000, 500);
  await viewer.page.mouse.move(5, 5);
  await viewer.page.keyboard.press('End');
  await seeNow();
});

test('fills the line up evenly once that is chosen, at once, and goes on showing pictures', async () => {
  const [{ id: homeId } = { id: '' }] = await viewer.engine.ask('homes.list', {});
  const sizes: number[] = [];
  let session: Buffer | null = null;
  meddle = ({ to, message, deliver }) => {
    if (to.role === 'viewer') {
      // The first message of a session is its greeting.
      if (session?.equals(to.sessionKey) === true) sizes.push(message.length);
      session = to.sessionKey;
    }
    deliver(to, message);
  };
  await waitFor('pictures', () => sizes.length > 50);
  expect(sizes.filter((size) => size !== MAX_RECORD_BYTES && size !== 256).length).toBeGreaterThan(5);
  const before = session;
  await viewer.engine.ask('homes.setEvenRate', { homeId, mbit: 4 });
  await waitFor('another session', () => session !== before);
  await seeNow();
  sizes.splice(0);
  await waitFor('two seconds of it', () => sizes.length > 62);
  expect(new Set(sizes)).toEqual(new Set([MAX_RECORD_BYTES, 256]));
  await viewer.engine.ask('homes.setEvenRate', { homeId, mbit: null });
  meddle = null;
  await seeNow();
});

test('tells at home who is watching, and writes it down', async () => {
  await expect(home.page.locator('.watched')).toContainText('Ada’s laptop is watching from away');
  const { entries, chain } = await home.engine.ask('remote.log', {});
  expect(chain.intact).toBe(true);
  const kinds = entries.map(({ kind }) => kind);
  for (const kind of ['paired', 'live', 'playback'] as const) expect(kinds).toContain(kind);
  // Whatever the page asked, it was allowed to.
  expect(entries.filter(({ kind }) => kind === 'refused')).toEqual([]);
  expect(entries.flatMap(({ kind, cameraIds }) => (kind === 'live' ? cameraIds : []))).not.toContain(hidden);
});

test('goes grey, then blank with its reason, when a relay delays everything by 10 s', async () => {
  await noteSight();
  const delayedMs = Date.now();
  meddle = ({ from, to, message, deliver }) => (from.role === 'home-session' ? void setTimeout(() => deliver(to, message), 10_000) : deliver(to, message));
  await expect(tile()).toHaveAttribute('data-sight', 'blank', { timeout: 15_000 });
  await expect(canvas()).toBeHidden();
  await waitFor('a black canvas', async () => (await look()).isBlack, 2_000, 50);
  await expect(tile().getByText(/No sign of life from there for \d+ s/)).toBeVisible();
  // Of previews that were seen before, none is shown either.
  await viewer.page.getByRole('slider', { name: 'Moment shown' }).hover();
  await expect(viewer.page.locator('.peek')).toBeVisible();
  await expect(viewer.page.locator('.peek img')).toBeHidden();
  const seen = await notes();
  // On a busy machine a sign of life may be late before anything is delayed: the way from the last clear picture counts.
  const blankAt = seen.findIndex(({ kind }) => kind === 'blank');
  const way = seen.slice(seen.findLastIndex(({ kind }, at) => kind === 'clear' && at < blankAt), blankAt + 1).filter(({ kind }, at, all) => kind !== all[at - 1]?.kind);
  expect(way.map(({ kind }) => kind)).toEqual(['clear', 'grey', 'blank']);
  test.info().annotations.push({ type: 'delayed by 10 s', description: way.slice(1).map(({ kind, atMs }) => `${kind} after ${atMs - delayedMs} ms`).join(', ') });
  // Signs of life come again, regularly, each 10 s late: still nothing to see, and another reason.
  await expect(tile().getByText(/Everything from there comes 10 s late/)).toBeVisible({ timeout: 20_000 });
  expect((await look()).isBlack).toBe(true);
  meddle = null;
  await seeNow();
});

test('goes blank with its reason when a relay misroutes, and opens nothing of the other session', async () => {
  const other = await viewer.page.context().newPage();
  await other.goto(new URL(`/${await homeHash()}/watch`, viewer.page.url()).href);
  await expect(other.locator(`article[data-camera="${shown}"] canvas[data-state="live"]`)).toBeVisible({ timeout: 30_000 });
  await seeNow();
  await noteSight();
  const ends = new Set<Passage['to']>();
  const crossedMs = Date.now();
  meddle = ({ from, to, message, deliver }) => {
    if (from.role !== 'home-session') return deliver(to, message);
    ends.add(to);
    return deliver([...ends].findLast((end) => end !== to && end.isOpen) ?? to, message);
  };
  await expect.poll(async () => (await notes()).some(({ kind }) => kind === 'blank'), { timeout: 20_000 }).toBe(true);
  const blank = forceUnwrap('it went blank', (await notes()).find(({ kind, reason }) => kind === 'blank' && reason !== ''));
  expect(blank.reason).toMatch(/not sealed by the other end|No sign of life|line to the home ended/);
  test.info().annotations.push({ type: 'misrouted: blank after', description: `${blank.atMs - crossedMs} ms: ${blank.reason}` });
  await other.close();
  meddle = null;
  await seeNow();
});

test('is black at once when the home revokes it', async () => {
  await noteSight();
  await go(home.page, '#/away');
  const revokedMs = Date.now();
  await home.page.getByRole('button', { name: 'Revoke Ada’s laptop at once' }).click();
  await expect(tile()).toHaveAttribute('data-sight', 'blank', { timeout: 10_000 });
  const blank = forceUnwrap('it went blank', (await notes()).find(({ kind }) => kind === 'blank'));
  test.info().annotations.push({ type: 'revoked: black after', description: `${blank.atMs - revokedMs} ms from the click` });
  expect(blank.atMs - revokedMs).toBeLessThan(3_000);
  expect((await look()).isBlack).toBe(true);
  await expect(home.page.locator('.watched')).toContainText('Nobody is watching from away');
  // It stays out.
  await expect(tile().getByText(/does not answer|may not look in/)).toBeVisible({ timeout: 30_000 });
  await viewer.page.getByRole('link', { name: 'Back to this home' }).click();
  await expect(viewer.page.getByText('Looking into Lakeside')).toHaveCount(0);
});

test('calls by twelve words, and says what became of it', async () => {
  await home.page.getByRole('button', { name: 'Add a device' }).click();
  await home.page.getByRole('radio', { name: 'Twelve words' }).click();
  const words = await waitFor('twelve words', async () => {
    const { offer } = await home.engine.ask('remote.state', {});
    return offer?.kind === 'words' ? offer.text : null;
  });
  await go(viewer.page, '#/away');
  await viewer.page.getByRole('button', { name: 'Add a home' }).click();
  await viewer.page.getByRole('radio', { name: 'Twelve words' }).click();
  const call = viewer.page.getByRole('button', { name: 'Call that home' });
  await viewer.page.getByLabel('The twelve words').fill(words.split(' ').slice(1).join(' '));
  await call.click();
  await expect(viewer.page.getByText('These are 11 words; the home shows 12.')).toBeVisible();
  await viewer.page.getByLabel('The twelve words').fill(words);
  await viewer.page.getByLabel('The relay’s address').fill(relay.url);
  await call.click();
  await expect(viewer.page.locator('.home-digits')).toBeVisible({ timeout: 20_000 });
  await home.page.getByRole('button', { name: 'Not mine' }).click();
  await expect(viewer.page.getByText('The home did not let this computer in.')).toBeVisible({ timeout: 20_000 });
  await home.engine.ask('remote.cancelPairing', {});
  await call.click();
  await expect(viewer.page.getByText(/No home waits with this offer/)).toBeVisible({ timeout: 20_000 });
});

test('forgets a home, and takes that back', async () => {
  await go(viewer.page, '#/watch');
  await go(viewer.page, '#/away');
  const [before] = await viewer.engine.ask('homes.list', {});
  await viewer.page.getByLabel('Even amounts').selectOption('8 Mbit/s');
  await expect(viewer.page.getByText('3.6 GB an hour')).toBeVisible();
  await viewer.page.getByRole('button', { name: 'Forget Lakeside' }).click();
  await expect(viewer.page.getByRole('link', { name: 'Look in' })).toHaveCount(0);
  await viewer.page.locator('.toast').getByRole('button', { name: 'Undo' }).click();
  await expect(viewer.page.getByRole('link', { name: 'Look in' })).toBeVisible();
  expect(await viewer.engine.ask('homes.list', {})).toMatchObject([{ id: before?.id, name: 'Lakeside', relays: [relay.url] }]);
  await expect(viewer.page.getByLabel('Even amounts')).toHaveValue('8');
});

test('neither window complained', () => {
  expect(complaints).toEqual([]);
});
