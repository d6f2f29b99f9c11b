import { expect, type Page, test } from '@playwright/test';
import { BROKEN_SECOND, CAMERA, FPS, FRAME_MS, GAP_AT_MS, GAP_MS, NOISE_SECOND, type PlayerRig, SEGMENT_SECONDS, startPlayerRig, TONE_HERTZ, type ArchiveName } from '../player/player-rig.ts';
import type { Paint } from '../player/page.ts';

// Only what is served from this computer or with TLS is a secure context; another name for it is not, and has no WebCodecs.
test.use({
  launchOptions: [
    async ({ launchOptions }, use) => {
      await use({ ...launchOptions, args: [...(launchOptions.args ?? []), '--host-resolver-rules=MAP insecure.test 127.0.0.1'] });
    },
    { scope: 'worker' },
  ],
});

let rig: PlayerRig;

test.beforeAll(async () => {
  rig = await startPlayerRig();
});
test.afterAll(async () => {
  await rig.stop();
});

/** A page with the player's harness; what goes wrong in it fails the test. */
async function openPage(page: Page, archive: ArchiveName, host?: string): Promise<string[]> {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(rig.url(archive, host));
  await page.evaluate(() => window.harness.ready());
  return errors;
}

async function openPlayback(page: Page, archive: ArchiveName, fromMs: number, options: { host?: string; tiles?: number } = {}): Promise<string[]> {
  const errors = await openPage(page, archive, options.host);
  await page.evaluate(([camera, ms, tiles]) => window.harness.playback(camera, ms, tiles), [CAMERA, fromMs, options.tiles ?? 1] as const);
  await page.waitForFunction(() => window.harness.paints.length > 0);
  return errors;
}

const paintsOf = (page: Page, from = 0): Promise<Paint[]> => page.evaluate((first) => window.harness.paints.slice(first), from);
const countPaints = (page: Page): Promise<number> => page.evaluate(() => window.harness.paints.length);

/** Seeks and waits until a picture of that moment is painted; what the canvas then says and shows. */
async function seekAndRead(page: Page, toMs: number): Promise<{ paint: Paint | null; code: number | null; ms: number }> {
  const askedMs = await page.evaluate((ms) => {
    const now = performance.now();
    window.harness.controller.seek(ms);
    return now;
  }, toMs);
  await page.waitForFunction(
    ([ms, frameMs]) => {
      const newest = window.harness.newest();
      return newest !== null && newest.frameMs <= ms + 0.06 && newest.frameMs > ms - frameMs - 0.06;
    },
    [toMs, FRAME_MS] as const,
  );
  return await page.evaluate((asked) => {
    const paint = window.harness.newest();
    return { paint, code: window.harness.code(), ms: Math.max(0, (paint?.atMs ?? asked) - asked) };
  }, askedMs);
}

/** Every picture that was painted is the one whose time the canvas gave, give or take `tolerance` pictures. */
function expectHonest(paints: readonly Paint[], tolerance = 0): void {
  expect(paints.filter(({ frameMs, code }) => Math.abs((code ?? -9) - (rig.home.pictureAt(frameMs + FRAME_MS / 2) ?? -9)) > tolerance)).toEqual([]);
}

/** Figures for whoever reads the report; the machine decides them, so nothing is asserted. */
function note(what: string, ms: readonly number[]): void {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0);
  test.info().annotations.push({ type: what, description: `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms of ${ms.length}` });
}

const codes = (paints: readonly Paint[]): number[] => paints.map(({ code }) => code ?? -1);

/** The same places on every run: moments spread over the footage without a pattern, none in the gap. */
function someMoments(count: number): number[] {
  let state = 7;
  const moments: number[] = [];
  while (moments.length < count) {
    state = (state * 48_271) % 2_147_483_647;
    const moment = rig.home.startMs + (state / 2_147_483_647) * (60_000 + GAP_MS);
    if (rig.home.pictureAt(moment) !== null) moments.push(moment);
  }
  return moments;
}

for (const [path, host] of [['webcodecs', '127.0.0.1'], ['mse', 'insecure.test']] as const) {
  test.describe(path, () => {
    test('live is painted within seconds and goes on, without falling behind', async ({ page }) => {
      const errors = await openPage(page, 'plain', host);
      expect(await page.evaluate(() => typeof VideoDecoder)).toBe(path === 'webcodecs' ? 'function' : 'undefined');
      await page.evaluate((camera) => window.harness.live(camera), CAMERA);
      await page.waitForFunction(() => window.harness.paints.length >= 60, undefined, { timeout: 20_000 });
      expect(await page.evaluate(() => window.harness.path())).toBe(path);
      const paints = await paintsOf(page);
      const seen = codes(paints);
      // Numbers rise, and begin again with the loop.
      const backwards = seen.filter((code, index) => index > 0 && code <= (seen[index - 1] ?? -1) && !((seen[index - 1] ?? 0) > 60 * FPS - 30 && code < 30));
      expect(backwards).toEqual([]);
      expect(await page.evaluate(() => window.harness.phase()?.kind)).toBe('live');
      const behindMs = await page.evaluate(() => Date.now() - (window.harness.newest()?.frameMs ?? 0));
      expect(behindMs).toBeLessThan(1_500);
      const originMs = await page.evaluate(() => performance.timeOrigin);
      note('live: end of a picture to painted', paints.slice(30).map(({ atMs, frameMs }) => originMs + atMs - frameMs - FRAME_MS));
      expect(errors).toEqual([]);
    });

    test('60 seeks each paint the picture that covers the moment', async ({ page }) => {
      const errors = await openPlayback(page, 'plain', rig.home.startMs + 1_000, { host });
      const took: number[] = [];
      for (const moment of someMoments(60)) {
        const { paint, code, ms } = await seekAndRead(page, moment);
        took.push(ms);
        expect({ code, said: rig.home.pictureAt((paint?.frameMs ?? 0) + FRAME_MS / 2) }).toEqual({ code: rig.home.pictureAt(moment), said: code });
      }
      expectHonest(await paintsOf(page));
      note('seek to painted', took);
      expect(errors).toEqual([]);
    });

    test('seeks to pictures coded out of order are right as well', async ({ page }) => {
      await openPlayback(page, 'reordered', rig.home.startMs + 1_000, { host });
      expect(rig.reorderMs).toBeGreaterThan(FRAME_MS / 2);
      // A segment's first picture is shown a little after the segment's start (playback.md, known limits).
      const moments = someMoments(14).filter((moment) => (moment - rig.home.startMs) % (SEGMENT_SECONDS * 1_000) > rig.reorderMs);
      for (const moment of moments) expect((await seekAndRead(page, moment)).code).toBe(rig.home.pictureAt(moment - rig.reorderMs));
    });

    test('a pointer that moves fast ends on its picture, with at most one request under way', async ({ page }) => {
      await openPlayback(page, 'plain', rig.home.startMs + 1_000, { host });
      const fromMs = rig.home.startMs + GAP_AT_MS + GAP_MS + 500;
      const targetMs = rig.home.timeOf(620) + FRAME_MS / 2;
      const before = await countPaints(page);
      // 120 moves in 120 animation frames, then it rests.
      await page.evaluate(
        async ([from, to]) => {
          for (let move = 1; move <= 120; move += 1) {
            window.harness.controller.seek(from + ((to - from) * move) / 120, true);
            await new Promise(requestAnimationFrame);
          }
        },
        [fromMs, targetMs] as const,
      );
      await expect.poll(() => page.evaluate(() => window.harness.code())).toBe(620);
      const sent = await page.evaluate(() => window.harness.controls.length);
      expect(sent).toBeGreaterThan(1);
      // Letting go asks for the rest: the picture stays that one.
      await page.evaluate((ms) => window.harness.controller.seek(ms), targetMs);
      await page.evaluate(async () => {
        for (let frame = 0; frame < 30; frame += 1) await new Promise(requestAnimationFrame);
      });
      const paints = await paintsOf(page, before);
      const last = paints.findIndex(({ code }) => code === 620);
      expect(codes(paints.slice(last)).filter((code) => code !== 620)).toEqual([]);
      expect(sent).toBeLessThanOrEqual(paints.length + 2);
      // Pictures were seen on the way.
      expect(last).toBeGreaterThan(5);
      expectHonest(paints);
    });

    for (const rate of [1, 4, 16]) {
      test(`plays over a border of segments and jumps the gap at ${rate}×`, async ({ page }) => {
        const fromMs = rig.home.startMs + GAP_AT_MS - Math.max(2_000, 1_200 * rate) - (rate === 1 ? 0 : 2_000);
        const errors = await openPlayback(page, 'plain', Math.max(rig.home.startMs, fromMs), { host });
        const before = await countPaints(page);
        await page.evaluate((speed) => {
          window.harness.controller.setRate(speed);
          window.harness.controller.play();
        }, rate);
        const behindGapMs = rig.home.startMs + GAP_AT_MS + GAP_MS + 500 * rate;
        await page.waitForFunction((ms) => (window.harness.newest()?.frameMs ?? 0) > ms, behindGapMs, { timeout: 30_000 });
        const paints = await paintsOf(page, before);
        // A running element may be a picture further than it says by the time it is drawn.
        expectHonest(paints, path === 'mse' ? 1 : 0);
        const seen = codes(paints);
        expect(seen.filter((code, index) => index > 0 && code < (seen[index - 1] ?? -1))).toEqual([]);
        if (rate === 1 && path === 'webcodecs') expect(paints.length).toBeGreaterThan(15);
        // 20 s are missing; they took no time.
        const jump = paints.findIndex(({ frameMs }) => frameMs > rig.home.startMs + GAP_AT_MS + GAP_MS - 1);
        expect((paints[jump]?.atMs ?? 0) - (paints[jump - 1]?.atMs ?? 0)).toBeLessThan(3_000);
        expect(errors).toEqual([]);
      });
    }

    test('steps go one picture on and one back, over a border of segments too', async ({ page }) => {
      await openPlayback(page, 'plain', rig.home.startMs + 1_000, { host });
      await seekAndRead(page, rig.home.timeOf(147) + 5);
      const step = async (direction: 1 | -1, wanted: number): Promise<void> => {
        await page.evaluate((by) => window.harness.controller.stepPicture(by), direction);
        await expect.poll(() => page.evaluate(() => window.harness.code())).toBe(wanted);
      };
      for (let code = 148; code <= 152; code += 1) await step(1, code);
      for (let code = 151; code >= 147; code -= 1) await step(-1, code);
      expect(await page.evaluate(() => window.harness.controller.playing)).toBe(false);
    });

    test('several cameras play in step and give everything back', async ({ page }) => {
      const errors = await openPlayback(page, 'plain', rig.home.startMs + 7_000, { host, tiles: 3 });
      await page.evaluate(() => window.harness.controller.play());
      await page.waitForFunction((ms) => [0, 1, 2].every((tile) => (window.harness.newest(tile)?.frameMs ?? 0) > ms), rig.home.startMs + 11_000, { timeout: 30_000 });
      const paints = await paintsOf(page);
      for (const tile of [0, 1, 2]) expect(paints.filter((paint) => paint.tile === tile).length).toBeGreaterThan(5);
      const apart = await page.evaluate(async () => {
        const { harness } = window;
        let worst = 0;
        for (let frame = 0; frame < 30; frame += 1) {
          await new Promise(requestAnimationFrame);
          const shown = [0, 1, 2].map((tile) => harness.newest(tile)?.frameMs ?? 0);
          worst = Math.max(worst, Math.max(...shown) - Math.min(...shown));
        }
        return worst;
      });
      expect(apart).toBeLessThan(path === 'webcodecs' ? 2.1 * FRAME_MS : 1_000);
      await page.evaluate(() => window.harness.closeAll());
      await page.waitForFunction(() => window.heldPictures.count === 0 && window.harness.openStreams === 0 && document.querySelector('video') === null);
      expect(errors).toEqual([]);
    });

    test('a lost connection is a pause: playback goes on where it was, live at now', async ({ page }) => {
      const errors = await openPlayback(page, 'plain', rig.home.startMs + 5_000, { host });
      await page.evaluate((camera) => {
        window.harness.live(camera);
        window.harness.controller.play();
      }, CAMERA);
      await page.waitForFunction(() => window.harness.newest(1) !== null);
      const [before, lost] = [await countPaints(page), Date.now()];
      rig.dropChannels();
      await page.waitForFunction((ms) => (window.harness.newest(0)?.frameMs ?? 0) > ms, rig.home.startMs + 8_000, { timeout: 30_000 });
      await page.waitForFunction((ms) => (window.harness.newest(1)?.frameMs ?? 0) > ms, lost + 2_000, { timeout: 30_000 });
      const played = (await paintsOf(page, before)).filter(({ tile }) => tile === 0);
      expectHonest(played, path === 'mse' ? 1 : 0);
      const steps = played.map(({ frameMs }, index) => frameMs - (played[index - 1]?.frameMs ?? frameMs));
      expect(Math.min(...steps)).toBeGreaterThan(-1_000);
      expect(Math.max(...steps)).toBeLessThan(4_000);
      expect(errors).toEqual([]);
    });

    test('recorded sound is heard as it was recorded, piece behind piece', async ({ page }) => {
      const errors = await openPlayback(page, 'sounding', rig.home.startMs + 2_000, { host });
      expect(await page.evaluate(() => typeof AudioDecoder)).toBe(path === 'webcodecs' ? 'function' : 'undefined');
      await page.mouse.click(5, 5);
      await page.evaluate(() => {
        window.harness.listen();
        window.harness.controller.play();
      });
      await page.waitForFunction(() => window.harness.heard.reduce((sum, { lengthSeconds }) => sum + lengthSeconds, 0) > 2);
      await page.evaluate(() => window.harness.controller.pause());
      const heard = await page.evaluate(() => window.harness.heard);
      // The first piece has the encoder's run-in; all after it is the tone, one piece right behind the other.
      const whole = heard.slice(1);
      const tone = whole.reduce((sum, { hertz, lengthSeconds }) => sum + hertz * lengthSeconds, 0) / whole.reduce((sum, { lengthSeconds }) => sum + lengthSeconds, 0);
      expect(Math.abs(tone - TONE_HERTZ)).toBeLessThan(25);
      const seams = whole.filter(({ startSeconds }, index) => Math.abs(startSeconds - ((heard[index]?.startSeconds ?? 0) + (heard[index]?.lengthSeconds ?? 0))) > 0.001);
      expect(seams.length).toBeLessThanOrEqual(Math.ceil(whole.length / 4));
      expect(errors).toEqual([]);
    });

    test('damaged footage does not end playback', async ({ page }) => {
      const errors = await openPlayback(page, 'damaged', rig.home.startMs + (NOISE_SECOND - 1) * 1_000, { host });
      for (const second of [NOISE_SECOND, BROKEN_SECOND]) {
        await page.evaluate((ms) => window.harness.controller.seek(ms), rig.home.startMs + (second - 1) * 1_000 + 300);
        await page.evaluate(() => window.harness.controller.play());
        await page.waitForFunction((ms) => (window.harness.newest()?.frameMs ?? 0) > ms, rig.home.startMs + (second + 1) * 1_000 + 500, { timeout: 20_000 });
      }
      expect(await page.evaluate(() => window.harness.tiles.flatMap(({ phases }) => phases.map(({ kind }) => kind)))).not.toContain('unsupported');
      // Standing still, so that a slow machine does not read the next picture.
      await page.evaluate(() => window.harness.controller.pause());
      expect((await seekAndRead(page, rig.home.timeOf(400))).code).toBe(400);
      expect(errors).toEqual([]);
    });
  });
}

test('where the pointer stood, the picture is painted with the click, and playback goes on from it', async ({ page }) => {
  const errors = await openPlayback(page, 'plain', rig.home.startMs + 1_000);
  for (const moment of someMoments(6)) {
    await page.evaluate(([camera, atMs]) => window.harness.ahead.rest({ cameraId: camera, stream: 'main' }, atMs), [CAMERA, moment] as const);
    await page.waitForFunction((atMs) => Math.abs((window.harness.ahead.readyMs ?? 0) - atMs) < 1_000, moment);
    const painted = await page.evaluate((atMs) => {
      window.harness.controller.seek(atMs);
      return window.harness.code();
    }, moment);
    expect(painted).toBe(rig.home.pictureAt(moment));
    // What follows comes by the usual way: a step on is another picture.
    await page.evaluate(() => window.harness.controller.stepPicture(1));
    await page.waitForFunction((shown) => window.harness.code() !== shown, painted);
  }
  expectHonest(await paintsOf(page));
  await page.evaluate(() => window.harness.closeAll());
  expect(await page.evaluate(() => window.harness.openStreams)).toBe(0);
  expect(errors).toEqual([]);
});

test('live that stood still goes on at now, and a hidden page lets go of its streams', async ({ page }) => {
  const errors = await openPage(page, 'plain');
  await page.evaluate((camera) => window.harness.live(camera), CAMERA);
  await page.waitForFunction(() => window.harness.paints.length > 10);
  rig.stallLive(true);
  await page.waitForFunction(() => performance.now() - (window.harness.newest()?.atMs ?? 0) > 1_500);
  rig.stallLive(false);
  await page.waitForFunction(() => Date.now() - (window.harness.newest()?.frameMs ?? 0) < 400);

  const hide = (hidden: boolean): Promise<void> =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await hide(true);
  await page.waitForFunction(() => window.harness.openStreams === 0);
  const before = await countPaints(page);
  await hide(false);
  await page.waitForFunction((count) => window.harness.openStreams === 1 && window.harness.paints.length > count + 5, before);
  await page.waitForFunction(() => Date.now() - (window.harness.newest()?.frameMs ?? 0) < 400);
  await page.evaluate(() => window.harness.closeAll());
  await page.waitForFunction(() => window.heldPictures.count === 0);
  expect(errors).toEqual([]);
});
