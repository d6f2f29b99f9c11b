/** How long the timeline's question takes in a month of sixteen cameras, at every zoom: inside the reader, and as a viewer asks it. */
import path from 'node:path';
import { DATABASE_FILE, openForReading, openForWriting } from '../../main/engine/storage/database.ts';
import { idLookup } from '../../main/engine/storage/stream-ids.ts';
import { timelineReader } from '../../main/engine/storage/timeline.read.ts';
import { askTimeline } from '../../renderer/api/ask-timeline.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/time.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import { waitFor } from '../../tests/support/wait.ts';
import { createRandom } from '../sim/media/ambience.ts';
import { type BenchReport, type Figure, figure, spread } from './figures.ts';
import { type Month, MONTH_CAMERAS, MONTH_SEGMENTS, openMonth } from './month.ts';
import type { BenchOptions } from './options.ts';
import { cpuSecondsOf } from './process-usage.ts';
import { type Product, startProduct, Workplace } from './workplace.ts';

/** Of each zoom. */
const SAMPLES = 40;
/** What the interface asks for (renderer/views/watch/use-timeline.ts). */
const MAX_ITEMS = 4096;
const ZOOMS_MS = [30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS, 2 * DAY_MS, 7 * DAY_MS, 14 * DAY_MS, 30 * DAY_MS];
const BUDGET_MS = 5;
/** One in so many windows is asked in words too. */
const WHOLE_OF = 4;
/** Of a second: an engine that uses less has finished its check. */
const IDLE_CPU_SECONDS = 0.1;
const IDLE_LIMIT_MS = 180_000;

interface Window {
  readonly zoomMs: number;
  readonly startMs: number;
  readonly endMs: number;
}

export async function run(options: BenchOptions): Promise<BenchReport> {
  return await Workplace.with(async (place) => {
    const month = await openMonth(place, options.segments ?? MONTH_SEGMENTS);
    const windows = windowsOf(month, options.samples ?? SAMPLES);
    const { first, inside } = askReader(month, windows);
    const product = place.keep(await startProduct(month));
    await waitUntilIdle(product);
    const drawn = await askProduct(month, windows, (query) => askTimeline(product.client, query));
    const whole = await askProduct(month, windows.filter((_, index) => index % WHOLE_OF === 0), (query) => product.client.ask('timeline.get', query));
    return {
      bench: 'timeline',
      figures: [
        ...spread('inside the reader', inside.map(({ ms }) => ms), 'ms', { p95: BUDGET_MS }),
        ...zooms('inside the reader', inside, true),
        figure('inside the reader: the first question, 30 days of which nothing is remembered', first, 'ms'),
        ...spread('through the contract, as drawn', drawn.map(({ ms }) => ms), 'ms', { p95: BUDGET_MS }),
        ...zooms('through the contract, as drawn', drawn, false),
        ...spread('through the contract, in words (timeline.get)', whole.map(({ ms }) => ms), 'ms'),
      ],
      notes: [
        `${month.segments} segments, ${MONTH_CAMERAS} cameras at once, up to ${MAX_ITEMS} items each, windows from ${(ZOOMS_MS[0] ?? 0) / 1000} s to 30 days at random places; one camera drops every few minutes. Each zoom was asked once before.`,
        'Inside the reader: rows, their columns and the bounds of all footage. Through the contract: from the question to the objects that are drawn, over the local socket of an engine that has finished its check at start; the budget is the query’s.',
      ],
    };
  });
}

interface Sample {
  readonly zoomMs: number;
  readonly ms: number;
}

type Query = { readonly cameraIds: CameraId[]; readonly startMs: number; readonly endMs: number; readonly maxItems: number };

function queryOf(month: Month, { startMs, endMs }: Pick<Window, 'startMs' | 'endMs'>): Query {
  return { cameraIds: [...month.cameraIds], startMs, endMs, maxItems: MAX_ITEMS };
}

/** One question of each zoom first: an engine that has just started is another figure. */
function warmUp(month: Month): Query[] {
  return ZOOMS_MS.toReversed().map((zoomMs) => queryOf(month, { startMs: month.endMs - zoomMs, endMs: month.endMs }));
}

async function askProduct(month: Month, windows: readonly Window[], ask: (query: Query) => Promise<unknown>): Promise<Sample[]> {
  for (const query of warmUp(month)) await ask(query);
  const samples: Sample[] = [];
  for (const window of windows) {
    const query = queryOf(month, window);
    const beganMs = performance.now();
    await ask(query);
    samples.push({ zoomMs: window.zoomMs, ms: performance.now() - beganMs });
  }
  return samples;
}

/** The check of the archive at start is not what is measured here. */
async function waitUntilIdle({ pid }: Product): Promise<void> {
  let before = cpuSecondsOf(pid);
  await waitFor('an engine that has nothing to do', () => {
    const spent = cpuSecondsOf(pid) - before;
    before += spent;
    return spent < IDLE_CPU_SECONDS;
  }, IDLE_LIMIT_MS, 1_000);
}

function windowsOf(month: Month, samples: number): Window[] {
  const random = createRandom(5);
  const beginMs = month.endMs - 30 * DAY_MS;
  const windows = ZOOMS_MS.flatMap((zoomMs) =>
    Array.from({ length: samples }, (): Window => {
      const startMs = beginMs + random() * Math.max(0, month.endMs - zoomMs - beginMs);
      return { zoomMs, startMs, endMs: startMs + zoomMs };
    }),
  );
  // Zooms in turn, as nobody asks the same twice.
  return windows.map((window) => ({ window, order: random() })).sort((a, b) => a.order - b.order).map(({ window }) => window);
}

function askReader(month: Month, windows: readonly Window[]): { readonly first: number; readonly inside: readonly Sample[] } {
  const file = path.join(month.dataDir, DATABASE_FILE);
  // A kept archive may be of an older version; the product would bring it up to date too.
  openForWriting(file).close();
  const db = openForReading(file);
  try {
    const reader = timelineReader(db, idLookup(db));
    const timed = (query: Query): number => {
      const beganMs = performance.now();
      reader.drawn(query);
      return performance.now() - beganMs;
    };
    const first = warmUp(month).map(timed)[0] ?? 0;
    return { first, inside: windows.map((window) => ({ zoomMs: window.zoomMs, ms: timed(queryOf(month, window)) })) };
  } finally {
    db.close();
  }
}

/** Median and 95th percentile of each zoom. */
function zooms(name: string, samples: readonly Sample[], judged: boolean): Figure[] {
  const title = (zoomMs: number): string => (zoomMs >= HOUR_MS ? `${zoomMs / HOUR_MS} h` : `${zoomMs / 1000} s`);
  return [...Map.groupBy(samples, ({ zoomMs }) => zoomMs)]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([zoomMs, all]) => spread(`${name}: ${title(zoomMs)}`, all.map(({ ms }) => ms), 'ms', judged ? { p95: BUDGET_MS } : {}));
}
