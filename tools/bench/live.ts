/** From the camera's clock to the painted picture, in Chromium, with WebCodecs and without: delay, stalls, drift, and what a stalled network leaves behind. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type RunningChild, startChild } from '../../tests/support/child.ts';
import type { SendLogLine, SimulatedCamera } from '../../tests/support/simulator-process.ts';
import { Viewer } from './browser.ts';
import { type BenchReport, type Figure, figure, percentile, spread } from './figures.ts';
import type { BenchOptions } from './options.ts';
import type { Paint } from './page-probe.ts';
import { listCamera, type Product, ROOT, sleep, startProduct, waitForRecording, Workplace } from './workplace.ts';

const SECONDS = 40;
const PICTURE = { width: 1280, height: 720, fps: 30, kbps: 2000 };
const NETWORK_STALL_MS = 2_000;
const SETTLE_MS = 3_000;
const AFTER_STALL_S = 10;
/** Pictures that come later than this after the one before are seen as a stop. */
const STALL_MS = 200;
/** Delay is known to a refresh of the screen; drift below that is none. */
const NO_DRIFT_MS = 17;

interface LiveCamera {
  readonly child: RunningChild;
  readonly camera: SimulatedCamera;
  stallNetwork(ms: number): Promise<void>;
  /** For each picture since a moment: milliseconds from its clock to its last packet. */
  ownDelaysMs(sinceMs: number): Promise<readonly number[]>;
}

interface Sample {
  readonly atMs: number;
  readonly delayMs: number;
}

export async function run(options: BenchOptions): Promise<BenchReport> {
  const seconds = options.seconds ?? SECONDS;
  return await Workplace.with(async (place) => {
    const camera = await startLiveCamera();
    place.keep(camera.child);
    await mkdir(place.path('home'));
    const product = place.keep(await startProduct({ dataDir: place.path('home', 'data'), mediaDir: place.path('home', 'media'), cameras: [listCamera(camera.camera, true)] }));
    await waitForRecording(product, 1);
    const figures = [
      ...(await measure(place, product, camera, seconds, { name: 'WebCodecs', withoutWebCodecs: false, p50: 90, p95: 120 })),
      ...(await measure(place, product, camera, seconds, { name: 'MediaSource', withoutWebCodecs: true, p50: 160, p95: 200 })),
    ];
    const { width, height, fps } = PICTURE;
    return {
      bench: 'live',
      figures,
      notes: [
        `Camera: ${width} × ${height}, ${fps} pictures a second with the clock in each, encoded while it is watched; ${seconds} s, then a network that is silent for ${NETWORK_STALL_MS} ms and sends everything at once.`,
        `Drift: median delay of the last tenth minus the first tenth; up to ${NO_DRIFT_MS} ms (one refresh) counts as none. The time is taken when the page has rendered the frame; a screen adds its own refresh.`,
      ],
    };
  });
}

async function startLiveCamera(): Promise<LiveCamera> {
  const child = startChild(process.execPath, [path.join(ROOT, 'tools/bench/live-camera.ts'), ...Object.entries(PICTURE).flatMap(([name, value]) => [`--${name}`, String(value)])]);
  const ready = await child.waitForLine((line) => (line.startsWith('{') ? (JSON.parse(line) as { readonly cameras: readonly SimulatedCamera[]; readonly controlUrl: string }) : null), 90_000);
  const [camera] = ready.cameras;
  if (camera === undefined) throw new Error('the camera did not start');
  const stallNetwork = async (ms: number): Promise<void> => {
    const answer = await fetch(new URL('/cameras/1/quirks/network-stall', ready.controlUrl), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ value: ms }) });
    if (!answer.ok) throw new Error(`the camera refused to stall: ${answer.status}`);
  };
  const ownDelaysMs = async (sinceMs: number): Promise<readonly number[]> => {
    const answer = await fetch(new URL(`/cameras/1/sendlog?stream=main&since=${sinceMs}`, ready.controlUrl));
    return ((await answer.json()) as readonly SendLogLine[]).map(({ capturedMs, sentMs }) => sentMs - capturedMs);
  };
  return { child, camera, stallNetwork, ownDelaysMs };
}

interface Player {
  readonly name: string;
  readonly withoutWebCodecs: boolean;
  readonly p50: number;
  readonly p95: number;
}

async function measure(place: Workplace, product: Product, camera: LiveCamera, seconds: number, player: Player): Promise<Figure[]> {
  const viewer = await Viewer.open(place, product, { withoutWebCodecs: player.withoutWebCodecs });
  try {
    if ((await viewer.painted((paint) => paint.code !== null, 20_000)) === null) throw new Error(`${player.name} painted no picture of the camera`);
    await sleep(SETTLE_MS);
    await viewer.forget();
    const sinceMs = Date.now();
    await watch(viewer, seconds * 1000);
    const inCamera = await camera.ownDelaysMs(sinceMs);
    const steady = samplesOf(viewer.paints);
    const delays = steady.map(({ delayMs }) => delayMs);
    await viewer.forget();
    await camera.stallNetwork(NETWORK_STALL_MS);
    await watch(viewer, NETWORK_STALL_MS + AFTER_STALL_S * 1000);
    const recovering = samplesOf(viewer.paints);
    const { name } = player;
    const before = percentile(delays, 0.5);
    return [
      ...spread(`${name}: delay`, delays, 'ms', player),
      ...spread(`${name}: of which inside the camera`, inCamera, 'ms'),
      figure(`${name}: pictures painted`, steady.length / seconds, '/s'),
      figure(`${name}: stops of more than ${STALL_MS} ms`, stops(steady), ''),
      figure(`${name}: drift over ${seconds} s`, Math.abs(driftOf(delays)), 'ms', { budget: NO_DRIFT_MS }),
      figure(`${name}: drift ${AFTER_STALL_S} s after a stall of the network`, Math.abs(percentile(lastTenth(recovering.map(({ delayMs }) => delayMs)), 0.5) - before), 'ms', { budget: NO_DRIFT_MS }),
      figure(`${name}: back to normal after the network was`, backAfterMs(recovering, percentile(delays, 0.95)), 'ms'),
    ];
  } finally {
    await viewer.close();
  }
}

/** Takes pictures out of the page while time passes, so that they do not pile up there. */
async function watch(viewer: Viewer, ms: number): Promise<void> {
  for (const endMs = performance.now() + ms; performance.now() < endMs; ) {
    await sleep(Math.min(1_000, Math.max(10, endMs - performance.now())));
    await viewer.look();
  }
}

/** Each picture once: when it was first seen. */
function samplesOf(paints: readonly Paint[]): Sample[] {
  const seen = new Set<number>();
  return paints.flatMap(({ code, atMs, wallClockMs }) => {
    if (code === null || code.clockMs === 0 || seen.has(code.frameNumber)) return [];
    seen.add(code.frameNumber);
    return [{ atMs, delayMs: wallClockMs - code.clockMs }];
  });
}

function stops(samples: readonly Sample[]): number {
  return samples.filter(({ atMs }, index) => index > 0 && atMs - (samples[index - 1]?.atMs ?? atMs) > STALL_MS).length;
}

function lastTenth(values: readonly number[]): readonly number[] {
  return values.slice(-Math.max(1, Math.floor(values.length / 10)));
}

function driftOf(delays: readonly number[]): number {
  return percentile(lastTenth(delays), 0.5) - percentile(delays.slice(0, Math.max(1, Math.floor(delays.length / 10))), 0.5);
}

/** From the first picture after the longest pause until delays are as before for half a second. */
function backAfterMs(samples: readonly Sample[], usualMs: number): number {
  const pauses = samples.map(({ atMs }, index) => atMs - (samples[index - 1]?.atMs ?? atMs));
  const resumed = samples[pauses.indexOf(Math.max(...pauses))]?.atMs ?? 0;
  const after = samples.filter(({ atMs }) => atMs >= resumed);
  const lastLate = after.findLast(({ delayMs, atMs }, index) => delayMs > usualMs + STALL_MS && index < after.length && atMs >= resumed);
  return lastLate === undefined ? 0 : lastLate.atMs - resumed;
}
