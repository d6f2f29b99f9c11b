/** From a move of the pressed pointer along the timeline to the right picture: a preview of the moment, or the footage itself. */
import { Viewer } from './browser.ts';
import { type BenchReport, figure, spread } from './figures.ts';
import { type Month, MONTH_CAMERAS, MONTH_SEGMENTS, openMonth, PLAYABLE_MINUTES } from './month.ts';
import type { BenchOptions } from './options.ts';
import type { Paint } from './page-probe.ts';
import { numbersAt, openRecording } from './seek.ts';
import { TimelinePointer } from './timeline-pointer.ts';
import { sleep, Workplace } from './workplace.ts';

const SAMPLES = 150;
const FULL_WIDTH = 1920;
const FPS = 30;
/** Between two moves that are waited for. */
const MOVE_MS = 120;
/** A hand that moves without a stop. */
const DRAG_MS = 4_000;
const DRAG_STEP_MS = 16;
/** A preview within this of the moment is the right one: they are two seconds apart. */
const PREVIEW_NEAR_MS = 2_500;

export async function run(options: BenchOptions): Promise<BenchReport> {
  const samples = options.samples ?? SAMPLES;
  return await Workplace.with(async (place) => {
    const month = await openMonth(place, options.segments ?? MONTH_SEGMENTS);
    const { viewer, pointer } = await openRecording(place, month);
    const moves = await moveOften(viewer, pointer, month, samples);
    const drag = await dragOn(viewer, pointer, month);
    const either = moves.flatMap(({ previewMs, footageMs }) => (previewMs === null && footageMs === null ? [] : [Math.min(previewMs ?? Infinity, footageMs ?? Infinity)]));
    return {
      bench: 'scrub',
      figures: [
        ...spread('move to the right picture, preview or footage', either, 'ms', { p95: 33 }),
        figure('moves that showed neither before the next', moves.length - either.length, '', { budget: 0 }),
        ...spread('move to the preview', moves.flatMap(({ previewMs }) => previewMs ?? []), 'ms'),
        ...spread('move to the footage at full quality', moves.flatMap(({ footageMs }) => footageMs ?? []), 'ms'),
        figure('dragging on without a stop: pictures at full quality', drag.pictures / (DRAG_MS / 1000), '/s'),
        ...spread('dragging on without a stop: between two pictures', drag.pausesMs, 'ms'),
      ],
      notes: [
        `${month.segments} segments of ${MONTH_CAMERAS} cameras in the index; ${PLAYABLE_MINUTES} minutes of one camera are files with a preview every two seconds. A pixel is ${(pointer.msPerPx / 1000).toFixed(1)} s.`,
        `A move every ${MOVE_MS} ms, by pixels up and down; right is footage whose number is that of the moment, or a preview within ${PREVIEW_NEAR_MS} ms of it. A preview that is on screen already, because its moment was passed before, counts from its own load only and is left out.`,
      ],
    };
  });
}

interface Move {
  readonly previewMs: number | null;
  readonly footageMs: number | null;
}

async function moveOften(viewer: Viewer, pointer: TimelinePointer, month: Month, samples: number): Promise<Move[]> {
  const { startMs, endMs } = month.playable;
  const { mouse } = viewer.page;
  const y = pointer.firstRowY(MONTH_CAMERAS);
  let x = pointer.xOf((startMs + endMs) / 2);
  await mouse.move(x, y);
  await mouse.down();
  await sleep(500);
  const moves: Move[] = [];
  const [left, right] = [pointer.xOf(startMs) + 3, pointer.xOf(endMs) - 3];
  for (let at = 0; at < samples; at += 1) {
    // Through the whole stretch in steps that do not come back to the same pixel soon.
    x = left + ((x - left + 37) % (right - left));
    await viewer.forget();
    await mouse.move(x, y);
    await sleep(MOVE_MS);
    await viewer.look();
    moves.push(moveOf(viewer, pointer.momentAt(x) - startMs));
  }
  await mouse.up();
  return moves;
}

function moveOf(viewer: Viewer, sinceStartMs: number): Move {
  const movedMs = viewer.mark('pointermove')?.atMs ?? null;
  if (movedMs === null) return { previewMs: null, footageMs: null };
  const after = (wanted: (paint: Paint) => boolean): number | null => {
    const paint = viewer.paints.find((one) => one.atMs >= movedMs && wanted(one));
    return paint === undefined ? null : paint.atMs - movedMs;
  };
  const wanted = numbersAt(sinceStartMs);
  const offsetMs = sinceStartMs % 60_000;
  return {
    footageMs: after(({ kind, width, code }) => kind !== 'preview' && width === FULL_WIDTH && code !== null && wanted.includes(code.frameNumber)),
    previewMs: after(({ kind, code }) => kind === 'preview' && code !== null && distance((code.frameNumber * 1000) / FPS, offsetMs) <= PREVIEW_NEAR_MS),
  };
}

/** Around the minute: its end is next to its beginning. */
function distance(aMs: number, bMs: number): number {
  const apart = Math.abs(aMs - bMs) % 60_000;
  return Math.min(apart, 60_000 - apart);
}

async function dragOn(viewer: Viewer, pointer: TimelinePointer, month: Month): Promise<{ readonly pictures: number; readonly pausesMs: readonly number[] }> {
  const { startMs, endMs } = month.playable;
  const { mouse } = viewer.page;
  const y = pointer.firstRowY(MONTH_CAMERAS);
  const [left, right] = [pointer.xOf(startMs) + 3, pointer.xOf(endMs) - 3];
  await mouse.move(left, y);
  await mouse.down();
  await sleep(300);
  await viewer.forget();
  const beganMs = performance.now();
  for (let passedMs = 0; passedMs < DRAG_MS; passedMs = performance.now() - beganMs) {
    const there = (passedMs / DRAG_MS) * 2;
    await mouse.move(left + (right - left) * (there < 1 ? there : 2 - there), y);
    await sleep(DRAG_STEP_MS);
  }
  await viewer.look();
  await mouse.up();
  const shown = viewer.paints.filter(({ kind, code }) => kind !== 'preview' && code !== null).filter(({ code }, index, all) => code?.frameNumber !== all[index - 1]?.code?.frameNumber);
  return { pictures: shown.length, pausesMs: shown.slice(1).map(({ atMs }, index) => atMs - (shown[index]?.atMs ?? atMs)) };
}
