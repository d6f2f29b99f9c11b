/** Recordings of a real home, looked at from away over a real relay that gives each session less than they need: the small stream where there is one, and the large one again. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningRelay, startRelay } from '../../relay/server.ts';
import { EngineClient } from '../../renderer/api/engine-client.ts';
import type { EncodedUnit } from '../../renderer/player/demux.ts';
import { FootageFeed } from '../../renderer/player/footage-feed.ts';
import { connectToHome } from '../../renderer/relay/connect-to-home.ts';
import { HomeLine } from '../../renderer/relay/home-line.ts';
import type { Camera } from '../../shared/model/camera.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { pairAway } from '../support/pair-away.ts';
import { waitFor } from '../support/wait.ts';

const LONG_MS = 120_000;
const FPS = 10;
const PICTURE_MS = 1000 / FPS;
const [MAIN_WIDTH, SUB_WIDTH] = [640, 384];
const MAIN_KBPS = 2_000;
/** The line: a little over a third of what the main stream needs. */
const LINE_BITS_PER_S = 700_000;
let simulator: Simulator;
let relay: RunningRelay;
let home: TestEngine;
let away: TestEngine;
let guest: EngineClient;
/** The first records both streams, the second the main one only. */
let [both, mainOnly]: Camera[] = [];

beforeAll(async () => {
  const size = { fps: FPS, gopFrames: FPS, seconds: 10 };
  simulator = await startSimulator({
    cameras: 2, hosts: ['127.0.73.2', '127.0.73.3'], source: 'test', audio: 'none', discovery: false,
    main: { ...size, width: MAIN_WIDTH, height: 360, kbps: MAIN_KBPS, constantRate: true }, sub: { ...size, width: SUB_WIDTH, height: 216, kbps: 100 },
  });
  relay = await startRelay({ limits: { sessionBitsPerS: LINE_BITS_PER_S } });
  [home, away] = await Promise.all([TestEngine.started(), TestEngine.started()]);
  [both, mainOnly] = [await home.add(forceUnwrap('two cameras', simulator.cameras[0])), await home.add(forceUnwrap('two cameras', simulator.cameras[1]))];
  await home.ask('cameras.update', { cameraId: both.id, recorded: ['main', 'sub'] });
  await Promise.all([home.footage(both.id, 25), home.footage(mainOnly.id, 25)]);
  const paired = await pairAway({ home, away, relayUrl: relay.url, grants: { cameras: [both, mainOnly].map(({ id }) => ({ cameraId: id, rights: ['playback'] })), untilMs: null } });
  guest = new EngineClient({ connect: () => connectToHome(paired.id, away.client, new HomeLine()), retryMs: () => 200 });
}, LONG_MS);
afterAll(async () => {
  guest?.close();
  await Promise.all([home?.end(), away?.end()]);
  await relay?.stop(0);
  await simulator?.stop();
}, LONG_MS);

interface Shown {
  readonly feed: FootageFeed;
  /** What was decoded, in order, with the width it came in. */
  readonly pictures: (EncodedUnit & { readonly width: number })[];
  readonly said: boolean[];
  positionMs: number;
  readonly stop: () => void;
}

/** The page's own feed with a clock before it: time goes on while there is footage, as a tile plays, and a chunk is used up when its end has been shown. */
function play(camera: Camera, fromMs: number): Shown {
  let width = 0;
  let receivedMs = fromMs;
  const used: number[] = [];
  const shown: { -readonly [Key in keyof Shown]: Shown[Key] } = { feed: undefined as unknown as FootageFeed, pictures: [], said: [], positionMs: fromMs, stop: () => undefined };
  shown.feed = new FootageFeed(
    { client: guest, cameraId: camera.id, stream: 'main', fromMs, onSmaller: (smaller) => shown.said.push(smaller) },
    {
      onSeek: () => undefined,
      onTrack: (track) => (width = track.width),
      onUnits: ({ video }, chunk) => {
        shown.pictures.push(...video.map((unit) => ({ ...unit, width })));
        used.push(chunk.endMs);
        receivedMs = chunk.endMs;
        shown.feed.landed();
      },
      onTargetMissing: () => undefined,
      onEnd: () => undefined,
      onFailed: () => undefined,
    },
  );
  let atMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    shown.positionMs = Math.min(Math.max(receivedMs, shown.positionMs), shown.positionMs + nowMs - atMs);
    atMs = nowMs;
    shown.feed.tick(shown.positionMs);
    for (; used[0] !== undefined && used[0] <= shown.positionMs; used.shift()) shown.feed.grant();
  }, 20);
  shown.stop = () => {
    clearInterval(timer);
    shown.feed.close();
  };
  return shown;
}

test('recordings that the line does not carry go over to the small stream where they are, without a hole, and keep up', async () => {
  await waitFor('the cameras', async () => (await guest.ask('cameras.list', {})).length === 2);
  const fromMs = Date.now() - 20_000;
  const shown = play(forceUnwrap('it was added', both), fromMs);
  await waitFor('the small stream', () => {
    if (shown.pictures.at(-1)?.width === SUB_WIDTH) return true;
    throw new Error(`${shown.pictures.length} pictures, ${shown.positionMs - fromMs} ms shown`);
  }, 30_000, 20);
  expect(shown.said.at(-1)).toBe(true);
  const [wallMs, playedMs] = [performance.now(), shown.positionMs];
  await waitFor('eight seconds of it', () => shown.positionMs - playedMs > 8_000, 30_000, 20);
  // At its own pace, but for the moment it took to come.
  expect(performance.now() - wallMs).toBeLessThan(10_000);
  shown.stop();
  const times = [...new Set(shown.pictures.filter(({ wallMs: at }) => at >= fromMs).map(({ wallMs: at }) => at))].toSorted((a, b) => a - b);
  expect(Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)))).toBeLessThan(2 * PICTURE_MS);
}, LONG_MS);

test('recordings without a small stream come as they can, and nobody is told otherwise', async () => {
  const fromMs = Date.now() - 20_000;
  const shown = play(forceUnwrap('it was added', mainOnly), fromMs);
  await waitFor('four seconds of it', () => shown.positionMs - fromMs > 4_000, 60_000, 20);
  shown.stop();
  expect(new Set(shown.pictures.map(({ width }) => width))).toEqual(new Set([MAIN_WIDTH]));
  expect(shown.said).not.toContain(true);
  const bytes = shown.pictures.reduce((sum, { data }) => sum + data.length, 0);
  expect((bytes * 8) / (shown.pictures.length * PICTURE_MS)).toBeGreaterThan((MAIN_KBPS * 2) / 3);
}, LONG_MS);
