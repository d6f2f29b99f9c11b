/** From a click on the timeline to the right picture at full quality, in a month of sixteen cameras: files in memory, and files that have to come from the disk. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { waitFor } from '../../tests/support/wait.ts';
import { createRandom } from '../sim/media/ambience.ts';
import { BareDecoder } from './bare-decoder.ts';
import { Viewer } from './browser.ts';
import { type BenchReport, type Figure, figure, spread } from './figures.ts';
import { type Month, MONTH_CAMERAS, MONTH_SEGMENTS, openMonth, PLAYABLE_MINUTES } from './month.ts';
import { minuteOfFootage } from './minute-of-footage.ts';
import type { BenchOptions } from './options.ts';
import type { Paint } from './page-probe.ts';
import { shownMoment, TimelinePointer } from './timeline-pointer.ts';
import { type Product, sleep, startProduct, Workplace } from './workplace.ts';

const exec = promisify(execFile);
const SAMPLES = 100;
const FULL_WIDTH = 1920;
const FPS = 30;
const TOLD_WITHIN_MS = 2_000;
const MINUTE_FRAMES = 60 * FPS;
const REST_MS = 250;
/** From the end of a hand's movement to its click; shorter than most. */
const POINTER_RESTS_MS = 150;
/** docs/design/playback.md, "Goals". */
const ENGINE_BUDGET_MS = 10;

export async function run(options: BenchOptions): Promise<BenchReport> {
  const samples = options.samples ?? SAMPLES;
  return await Workplace.with(async (place) => {
    const month = await openMonth(place, options.segments ?? MONTH_SEGMENTS);
    const { product, viewer, pointer } = await openRecording(place, month);
    const engine = await seekWithoutPage(product, month, samples);
    const bare = await BareDecoder.open(viewer.page, await minuteOfFootage('main'));
    const warm = await seekOften({ viewer, pointer, month, bare, seed: 7 }, samples);
    const storage = await storageOf(month);
    const evicted = new Eviction();
    const cold = await seekOften({ viewer, pointer, month, bare, seed: 8, eviction: evicted }, Math.ceil(samples / 2));
    const rested = await seekOften({ viewer, pointer, month, bare, seed: 9, restMs: POINTER_RESTS_MS }, Math.ceil(samples / 2));
    return {
      bench: 'seek',
      figures: [...figuresOf('warm', warm, 60), ...spread('warm: of which the engine, from the request to the bytes of the picture', engine, 'ms', { p95: ENGINE_BUDGET_MS }), ...figuresOf('cold', cold, 150), ...figuresOf(`warm, the pointer having stood ${POINTER_RESTS_MS} ms before it goes down`, rested, 60), figure('files still in memory after eviction', evicted.remaining, 'pages')],
      notes: [
        `${month.segments} segments of ${MONTH_CAMERAS} cameras in the index; ${PLAYABLE_MINUTES} minutes of one camera are files: 1080p30 at 4 Mbit/s, a keyframe each second, a copy each.`,
        'The time runs from the pointer going down; right is the picture whose number in the picture itself is that of the moment clicked.',
        `Cold: the clicked minute's file is evicted from the page cache before each click and looked for with fincore. Storage: ${storage}; what its host keeps in memory is not known.`,
      ],
    };
  });
}

/** The product on the archive, a browser on its one playable camera, standing still. */
export async function openRecording(place: Workplace, month: Month): Promise<{ readonly product: Product; readonly viewer: Viewer; readonly pointer: TimelinePointer }> {
  const product = place.keep(await startProduct(month));
  const middleMs = (month.playable.startMs + month.playable.endMs) / 2;
  const viewer = await Viewer.open(place, product, { route: `watch?camera=${month.cameraId}&at=${Math.round(middleMs)}` });
  if ((await viewer.painted(({ width, code }) => width === FULL_WIDTH && code !== null, 30_000)) === null) throw new Error('the archive does not play');
  await viewer.page.keyboard.press(' ');
  await sleep(500);
  return { product, viewer, pointer: await TimelinePointer.calibrate(viewer.page) };
}

interface Seeks {
  readonly delaysMs: readonly number[];
  /** The same pictures by a bare decoder from memory, each right after its click. */
  readonly bareMs: readonly number[];
  readonly failed: number;
}

function figuresOf(name: string, { delaysMs, bareMs, failed }: Seeks, budget: number): Figure[] {
  const bare = delaysMs.length === 0 ? [] : spread(`${name}: of which a bare decoder with the pictures in memory needs`, bareMs, 'ms');
  return [...spread(`${name}: pointer down to the right picture`, delaysMs, 'ms', { p95: budget }), ...bare, figure(`${name}: clicks without the right picture within 5 s`, failed, '', { budget: 0 })];
}

interface Clicking {
  readonly viewer: Viewer;
  readonly pointer: TimelinePointer;
  readonly month: Month;
  readonly bare: BareDecoder;
  readonly seed: number;
  /** Takes the clicked file out of memory before each click. */
  readonly eviction?: Eviction;
  /** How long the pointer stands on the moment before it goes down; a hand needs that long, a machine does not. */
  readonly restMs?: number;
}

async function seekOften({ viewer, pointer, month, bare, seed, eviction, restMs }: Clicking, samples: number): Promise<Seeks> {
  const random = createRandom(seed);
  const { startMs, endMs } = month.playable;
  const delaysMs: number[] = [];
  const bareMs: number[] = [];
  let failed = 0;
  for (let at = 0; at < samples; at += 1) {
    const wantedMs = pointer.momentAt(pointer.xOf(startMs + (0.02 + 0.96 * random()) * (endMs - startMs)));
    if (eviction !== undefined) await eviction.evict(month.files[Math.floor((wantedMs - startMs) / 60_000)] ?? '');
    await sleep(REST_MS);
    await viewer.forget();
    await pointer.click(wantedMs, restMs);
    const right = await rightPicture(viewer, pointer, month, wantedMs);
    const down = viewer.mark('pointerdown');
    if (right === null || down === null) failed += 1;
    else {
      delaysMs.push(right.atMs - down.atMs);
      await sleep(REST_MS);
      bareMs.push(await bare.show(1 + ((right.code?.frameNumber ?? 0) % FPS)));
    }
  }
  return { delaysMs, bareMs, failed };
}

/** The same seeks by a viewer that decodes nothing, over the local socket. */
async function seekWithoutPage({ client }: Product, { cameraId, playable: { startMs, endMs } }: Month, samples: number): Promise<readonly number[]> {
  const random = createRandom(9);
  const moments = Array.from({ length: samples }, () => startMs + random() * (endMs - startMs - 1_000));
  const delaysMs: number[] = [];
  let answered: (seekId: number, untilMs: number) => void = () => undefined;
  const handle = client.openMedia('playback', { cameraId, stream: 'main', fromMs: startMs, seekId: 0 }, 64, {
    onChunk: (chunk) => {
      handle.grant(1);
      if (chunk.kind === 'media') answered(chunk.seekId, chunk.endMs);
    },
    onClosed: () => undefined,
  });
  for (const [index, toMs] of moments.entries()) {
    const beganMs = performance.now();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the engine did not answer a seek')), 5_000);
      answered = (seekId, untilMs) => {
        if (seekId !== index + 1 || untilMs <= toMs) return;
        clearTimeout(timer);
        resolve();
      };
      handle.control({ kind: 'seek', toMs, seekId: index + 1, one: true });
    });
    delaysMs.push(performance.now() - beganMs);
    await sleep(20);
  }
  handle.close();
  return delaysMs;
}

/** The first picture shown since the click that is the one of the moment the page went to. */
async function rightPicture(viewer: Viewer, pointer: TimelinePointer, month: Month, wantedMs: number): Promise<Paint | null> {
  const shownMs = await waitFor('the moment clicked', async () => {
    const toldMs = await shownMoment(viewer.page);
    return Math.abs(toldMs - wantedMs) < pointer.msPerPx ? toldMs : null;
  }, TOLD_WITHIN_MS, 10).catch(() => null);
  if (shownMs === null) return null;
  const wanted = numbersAt(shownMs - month.playable.startMs);
  return await viewer.painted(({ width, code }) => width === FULL_WIDTH && code !== null && wanted.includes(code.frameNumber));
}

/** The number in the picture of a moment; two where a millisecond's rounding decides between them. */
export function numbersAt(sinceStartMs: number): readonly number[] {
  return [-1, 0, 1].map((byMs) => Math.floor(((sinceStartMs + byMs) * FPS) / 1000) % MINUTE_FRAMES);
}

/** Takes files out of the page cache and counts what stayed in it. */
class Eviction {
  remaining = 0;

  async evict(file: string): Promise<void> {
    await exec('dd', [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']);
    const { stdout } = await exec('fincore', ['--noheadings', '--output', 'PAGES', file]);
    this.remaining += Number(stdout.trim());
  }
}

async function storageOf(month: Month): Promise<string> {
  const { stdout } = await exec('findmnt', ['--noheadings', '--output', 'SOURCE,FSTYPE', '--target', month.mediaDir]);
  return stdout.trim().replaceAll(/\s+/g, ', ');
}
