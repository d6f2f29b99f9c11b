/** How long the timeline's question takes in a month of sixteen cameras, at every zoom: inside the reader, and as a viewer asks it. */
import path from 'node:path';
import { DATABASE_FILE, openForReading } from '../../main/engine/storage/database.ts';
import { idLookup } from '../../main/engine/storage/stream-ids.ts';
import { timelineReader } from '../../main/engine/storage/timeline.read.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/time.ts';
import { createRandom } from '../sim/media/ambience.ts';
import { type BenchReport, type Figure, percentile, figure, spread } from './figures.ts';
import { type Month, MONTH_CAMERAS, MONTH_SEGMENTS, openMonth } from './month.ts';
import type { BenchOptions } from './options.ts';
import { startProduct, Workplace } from './workplace.ts';

/** Of each zoom. */
const SAMPLES = 40;
/** What the interface asks for (renderer/views/watch/use-timeline.ts). */
const MAX_ITEMS = 4096;
const ZOOMS_MS = [30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS, 2 * DAY_MS, 7 * DAY_MS, 14 * DAY_MS, 30 * DAY_MS];
const BUDGET_MS = 5;

interface Window {
  readonly zoomMs: number;
  readonly startMs: number;
  readonly endMs: number;
}

export async function run(options: BenchOptions): Promise<BenchReport> {
  return await Workplace.with(async (place) => {
    const month = await openMonth(place, options.segments ?? MONTH_SEGMENTS);
    const windows = windowsOf(month, options.samples ?? SAMPLES);
    const inside = askReader(month, windows);
    const product = place.keep(await startProduct(month));
    for (const zoomMs of ZOOMS_MS) await product.client.ask('timeline.get', { cameraIds: [...month.cameraIds], startMs: month.endMs - zoomMs, endMs: month.endMs, maxItems: MAX_ITEMS });
    const asked: number[] = [];
    for (const { startMs, endMs } of windows) {
      const beganMs = performance.now();
      await product.client.ask('timeline.get', { cameraIds: [...month.cameraIds], startMs, endMs, maxItems: MAX_ITEMS });
      asked.push(performance.now() - beganMs);
    }
    return {
      bench: 'timeline',
      figures: [...spread('inside the reader', inside, 'ms', { p95: BUDGET_MS }), ...worstZoom('inside the reader', windows, inside), ...spread('through the contract', asked, 'ms', { p95: BUDGET_MS }), ...worstZoom('through the contract', windows, asked)],
      notes: [
        `${month.segments} segments, ${MONTH_CAMERAS} cameras at once, up to ${MAX_ITEMS} items each, windows from ${(ZOOMS_MS[0] ?? 0) / 1000} s to 30 days at random places; one camera drops every few minutes.`,
        'Through the contract: over the local socket, with JSON on both sides; the budget is the query’s.',
      ],
    };
  });
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

function askReader(month: Month, windows: readonly Window[]): number[] {
  const db = openForReading(path.join(month.dataDir, DATABASE_FILE));
  try {
    const reader = timelineReader(db, idLookup(db));
    // One question of each zoom first: an engine that has just started is another figure.
    for (const zoomMs of ZOOMS_MS) reader.timeline({ cameraIds: month.cameraIds, startMs: month.endMs - zoomMs, endMs: month.endMs, maxItems: MAX_ITEMS });
    return windows.map(({ startMs, endMs }) => {
      const beganMs = performance.now();
      reader.timeline({ cameraIds: month.cameraIds, startMs, endMs, maxItems: MAX_ITEMS });
      return performance.now() - beganMs;
    });
  } finally {
    db.close();
  }
}

function worstZoom(name: string, windows: readonly Window[], samples: readonly number[]): Figure[] {
  const zooms = [...Map.groupBy(windows.map(({ zoomMs }, index) => ({ zoomMs, ms: samples[index] ?? 0 })), ({ zoomMs }) => zoomMs)].map(([zoomMs, all]) => ({ zoomMs, p95: percentile(all.map(({ ms }) => ms), 0.95) }));
  const worst = zooms.toSorted((a, b) => b.p95 - a.p95)[0];
  return worst === undefined ? [] : [figure(`${name}: p95 of the slowest zoom (${worst.zoomMs >= HOUR_MS ? `${worst.zoomMs / HOUR_MS} h` : `${worst.zoomMs / 1000} s`})`, worst.p95, 'ms')];
}
