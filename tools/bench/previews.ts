/** How many previews one core makes in a second: the engine's own decoder on keyframes of a sub stream, and of a main stream. */
import { systemClock } from '../../main/engine/core/clock.ts';
import { runBatch } from '../../main/engine/ffmpeg/jobs.ts';
import { PictureDecoder } from '../../main/engine/previews/picture-decoder.ts';
import { type BenchReport, type Figure, figure } from './figures.ts';
import { keyframesOf, minuteOfFootage, type MinuteSize } from './minute-of-footage.ts';
import type { BenchOptions } from './options.ts';
import { cpuSecondsOf } from './process-usage.ts';

/** A minute's worth, as the engine batches them. */
const BATCH = 30;
const BATCHES = 20;
const QUALITY = 9;

export async function run(options: BenchOptions): Promise<BenchReport> {
  const batches = options.samples ?? BATCHES;
  const figures: Figure[] = [...(await measure('sub', batches, 100)), ...(await measure('main', Math.max(1, Math.round(batches / 4)), null))];
  return { bench: 'previews', figures, notes: [`Batches of ${BATCH} keyframes with one short ffmpeg each, as beside recording; CPU of ffmpeg and of this process.`] };
}

async function measure(size: MinuteSize, batches: number, budget: number | null): Promise<Figure[]> {
  const minute = await minuteOfFootage(size);
  const keyframes = keyframesOf(minute).slice(0, BATCH);
  const decoder = new PictureDecoder((job) => runBatch('ffmpeg', job, systemClock));
  const batch = { init: minute.init, keyframes: keyframes.map(({ fragment }, index) => ({ atMs: index * 2_000, fragment })) };
  const signal = new AbortController().signal;
  // The first decode pays for what is only loaded once.
  await decoder.decode(batch, QUALITY, signal);
  const cpuBefore = cpuSecondsOf(process.pid);
  const beforeMs = performance.now();
  let made = 0;
  for (let at = 0; at < batches; at += 1) made += (await decoder.decode(batch, QUALITY, signal)).previews.length;
  const cpu = cpuSecondsOf(process.pid) - cpuBefore;
  const seconds = (performance.now() - beforeMs) / 1000;
  const name = `previews from ${minute.width} × ${minute.height}`;
  return [
    figure(`${name} per CPU second`, made / cpu, '/s', budget === null ? {} : { budget, atLeast: true }),
    figure(`${name} per second, one decoder at low priority`, made / seconds, '/s'),
  ];
}
