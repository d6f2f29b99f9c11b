/** The real sessions over a bad line: a live picture that has to fall to the sub stream, previews beside it, and how long a session takes to begin. */
import { decideFall, beginFall, noteChunk } from '../../main/engine/relay/line-fall.ts';
import { homeOptions, household, send, viewerOptions } from '../../main/engine/relay/testing/session-pair.ts';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { cameraNumber } from '../../shared/relay/derive.ts';
import { acceptSession } from '../../shared/relay/session-home.ts';
import type { HomeSession, ViewerSession } from '../../shared/relay/session-types.ts';
import { openSession } from '../../shared/relay/session-viewer.ts';
import { realClock, WaitingHome } from '../../tests/support/relay-wire.ts';
import { type Figure, figure, percentile } from './figures.ts';
import { startBenchRelay } from './relay-rig.ts';
import { openShapedLine, type Shape } from './shaped-line.ts';

const CAMERA = 'gate';
const LIVE = { kind: 'live', stream: 1 } as const;
const FRAMES_PER_S = 30;
/** 4 Mbit/s on a line of half that; the sub stream of such a camera. */
const MAIN_BYTES_PER_S = 500_000;
const SUB_BYTES_PER_S = 64_000;
const KEYFRAME_FACTOR = 4;
const PREVIEW_BYTES = 40_000;
const PREVIEW_EACH_S = 2;

interface Watched {
  /** From before the seal to delivered. */
  readonly agesMs: readonly number[];
  readonly deliveredAtMs: readonly number[];
  readonly previewsMs: readonly number[];
  readonly openingMs: number;
  readonly fellAfterS: number | null;
}

/** A frame of the stream that the line bears at the moment, and after a dropped one nothing before the next keyframe. */
async function film(home: HomeSession, camera: number, seconds: number): Promise<number | null> {
  const startMs = performance.now();
  let fall = beginFall('main', startMs);
  let isDropping = false;
  let fellAfterS: number | null = null;
  for (let number = 0; number < seconds * FRAMES_PER_S; number += 1) {
    const nowMs = performance.now();
    const isKey = number % FRAMES_PER_S === 0;
    const bytesPerS = fall.stream === 'main' ? MAIN_BYTES_PER_S : SUB_BYTES_PER_S;
    const bytes = (bytesPerS * (isKey ? KEYFRAME_FACTOR : 1)) / (FRAMES_PER_S - 1 + KEYFRAME_FACTOR);
    if (isKey || !isDropping) isDropping = !send(home, LIVE, camera, { type: 'chunk', stream: 1, atMs: nowMs }, new Uint8Array(bytes));
    fall = noteChunk(fall, isDropping, nowMs);
    const next = decideFall(fall, nowMs, 0.5);
    if (next.stream !== fall.stream) {
      if (next.stream === 'sub') fellAfterS ??= (nowMs - startMs) / 1000;
      // A stream begins with a keyframe; here with the next.
      isDropping = true;
    }
    fall = next;
    const waitMs = startMs + ((number + 1) * 1000) / FRAMES_PER_S - performance.now();
    if (waitMs > 0) await new Promise<void>((resolve) => realClock.after(waitMs, resolve));
  }
  return fellAfterS;
}

/** Asks for a preview again and again; how long each took. */
function askForPreviews({ home, viewer, camera }: { readonly home: HomeSession; readonly viewer: ViewerSession; readonly camera: number }, askedMs: Map<number, number>): () => void {
  home.onMessage((frame) => {
    const text = Buffer.from(frame).toString('latin1');
    const id = /"id":(\d+)/.exec(text)?.[1];
    if (id !== undefined && text.includes('previews.at')) send(home, { kind: 'previews', id: Number(id) }, camera, { type: 'result', id: Number(id), value: {} }, new Uint8Array(PREVIEW_BYTES));
  });
  let id = 100;
  const timer = setInterval(() => {
    id += 1;
    askedMs.set(id, performance.now());
    viewer.send({ head: { type: 'request', id, name: 'previews.at', input: { cameraId: CAMERA } }, payload: null });
  }, PREVIEW_EACH_S * 1000);
  return () => clearInterval(timer);
}

/** A picture and previews over such a line; the reason where this machine cannot make one. */
async function watchOver(shape: Shape, seconds: number): Promise<Watched | string> {
  const relay = await startBenchRelay({ secure: false, args: ['--address', '0.0.0.0'] });
  try {
    const line = await openShapedLine(relay.port, shape);
    if (typeof line === 'string') return line;
    try {
      return await watch(relay.port, line.port, seconds);
    } finally {
      await line.close();
    }
  } finally {
    await relay.stop();
  }
}

/** The home at the relay, the viewer at the far end of the line. */
async function watch(relayPort: number, linePort: number, seconds: number): Promise<Watched> {
  const ending = new AbortController();
  const house = await household();
  const camera = await cameraNumber(nodeSuite, CAMERA);
  const waiting = await WaitingHome.at(`ws://127.0.0.1:${relayPort}`, house.token, ending.signal);
  const openedMs = performance.now();
  const { sessionKey, ...wires } = await waiting.meet(`ws://127.0.0.1:${linePort}`, ending.signal);
  const options = { clock: realClock, ...wires, sessionKey };
  const [home, viewer] = await Promise.all([acceptSession(homeOptions(house, options)), openSession(viewerOptions(house, options))]);
  const openingMs = performance.now() - openedMs;
  const got: { readonly agesMs: number[]; readonly deliveredAtMs: number[]; readonly previewsMs: number[] } = { agesMs: [], deliveredAtMs: [], previewsMs: [] };
  const askedMs = new Map<number, number>();
  const over: string[] = [];
  viewer.onClose((reason) => over.push(reason));
  viewer.onMessage(({ head }) => {
    const nowMs = performance.now();
    const { type, id, atMs } = head as { type: string; id: number; atMs: number };
    if (type === 'chunk') {
      got.agesMs.push(nowMs - atMs);
      got.deliveredAtMs.push(nowMs);
    } else got.previewsMs.push(nowMs - (askedMs.get(id) ?? nowMs));
  });
  viewer.send({ head: { type: 'open', stream: 1, name: 'live', input: { cameraId: CAMERA }, credits: 8 }, payload: null });
  const stopAsking = askForPreviews({ home, viewer, camera }, askedMs);
  try {
    const fellAfterS = await film(home, camera, seconds);
    if (over.length > 0) throw new Error(`the session ended: ${over.join()}`);
    return { ...got, openingMs, fellAfterS };
  } finally {
    stopAsking();
    home.close('It is over.');
    waiting.close();
    ending.abort();
  }
}

/** Least frames of any second, after the first five, in which the picture finds out about the line. */
function leastRate({ deliveredAtMs }: Watched): number {
  const startMs = deliveredAtMs[0] ?? 0;
  const seconds = Map.groupBy(deliveredAtMs, (atMs) => Math.floor((atMs - startMs) / 1000));
  const last = Math.max(...seconds.keys());
  return Math.min(...Array.from({ length: Math.max(0, last - 5) }, (_, at) => seconds.get(at + 5)?.length ?? 0));
}

export interface LineReport {
  readonly figures: readonly Figure[];
  readonly notes: readonly string[];
}

/** A line of half the picture's rate, and one with 50 ms and 1 % loss. */
export async function measureLines(seconds: number): Promise<LineReport> {
  const figures: Figure[] = [];
  const notes: string[] = [];
  const slow = await watchOver(['tbf', 'rate', '2mbit', 'burst', '16kb', 'latency', '200ms'], seconds);
  if (typeof slow === 'string') notes.push(`Not measured, a line of half the rate: ${slow}.`);
  else {
    const name = '4 Mbit/s over a line of 2';
    figures.push(
      figure(`${name}: age of pictures, p99 of ${slow.agesMs.length}`, percentile(slow.agesMs, 0.99), 'ms', { budget: 1_000 }),
      figure(`${name}: fell to the sub stream after`, slow.fellAfterS ?? Number.NaN, 's'),
      figure(`${name}: least pictures in any second after the fifth`, leastRate(slow), '', { budget: 5, atLeast: true }),
      figure(`${name}: slowest preview of ${slow.previewsMs.length}`, Math.max(...slow.previewsMs), 'ms', { budget: 2_000 }),
    );
  }
  const lossy = await watchOver(['netem', 'delay', '12.5ms', 'loss', '1%'], seconds);
  if (typeof lossy === 'string') notes.push(`Not measured, a line with 50 ms and 1 % loss: ${lossy}.`);
  else {
    const name = '4 Mbit/s over 50 ms and 1 % loss';
    figures.push(
      figure(`${name}: dial to session`, lossy.openingMs, 'ms', { budget: 1_500 }),
      figure(`${name}: age of pictures, p99 of ${lossy.agesMs.length}`, percentile(lossy.agesMs, 0.99), 'ms', { budget: 1_000 }),
      figure(`${name}: least pictures in any second after the fifth`, leastRate(lossy), '', { budget: 5, atLeast: true }),
    );
  }
  return { figures, notes };
}
