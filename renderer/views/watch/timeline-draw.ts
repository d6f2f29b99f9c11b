/** Draws the timeline's rows onto a canvas: footage, gaps, events, days, now and the playhead. */
import type { DrawnCamera, EventKind } from '../../../shared/model/timeline.ts';
import type { EpochMs, TimeRange } from '../../../shared/time.ts';
import type { Tick } from './time-window.ts';

export interface TimelineColours {
  readonly footage: string;
  readonly gap: string;
  readonly gapStripe: string;
  readonly line: string;
  readonly muted: string;
  readonly text: string;
  readonly accent: string;
  readonly events: Readonly<Record<EventKind, string>>;
}

export interface TimelinePicture {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly scale: number;
  readonly window: TimeRange;
  readonly rows: readonly (DrawnCamera | null)[];
  /** Ranges of each row that are kept for good. */
  readonly kept: readonly (readonly TimeRange[])[];
  readonly ticks: readonly Tick[];
  readonly labelOf: (tick: Tick) => string;
  readonly nowMs: EpochMs;
  readonly playheadMs: EpochMs;
  readonly hoverMs: EpochMs | null;
  readonly selectedRow: number | null;
  readonly colours: TimelineColours;
}

export const AXIS_PX = 26;
const ROW_GAP_PX = 6;
const ROW_MAX_PX = 20;
const RADIUS_PX = 4;
/** The line under what is kept for good. */
const KEPT_PX = 2;

/** Where a row lies, from the top of the canvas. */
export function rowBox(row: number, rows: number, heightPx: number): { readonly top: number; readonly height: number } {
  const pitch = Math.min(ROW_MAX_PX + ROW_GAP_PX, (heightPx - AXIS_PX) / Math.max(1, rows));
  const gap = Math.min(ROW_GAP_PX, pitch * 0.28);
  return { top: AXIS_PX + row * pitch + gap / 2, height: pitch - gap };
}

/** Gives the canvas as many pixels as the screen shows; returns pixels per CSS pixel. */
export function fitCanvas(canvas: HTMLCanvasElement, widthPx: number, heightPx: number): number {
  const scale = globalThis.devicePixelRatio;
  const [width, height] = [Math.round(widthPx * scale), Math.round(heightPx * scale)];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  return scale;
}

export function readColours(element: Element): TimelineColours {
  const style = getComputedStyle(element);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const motion = token('--motion');
  return {
    footage: token('--footage'),
    gap: token('--gap'),
    gapStripe: token('--faint'),
    line: token('--line'),
    muted: token('--muted'),
    text: token('--text'),
    accent: token('--accent'),
    events: {
      motion,
      person: token('--person'),
      vehicle: token('--vehicle'),
      animal: token('--animal'),
      'camera-offline': token('--wrong'),
      'camera-online': token('--good'),
      note: motion,
      'other-camera': token('--wrong'),
    },
  };
}

export function drawTimeline(context: CanvasRenderingContext2D, picture: TimelinePicture): void {
  const { widthPx, heightPx, scale, window, rows, colours } = picture;
  const xOf = (atMs: EpochMs): number => ((atMs - window.startMs) / (window.endMs - window.startMs)) * widthPx;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, widthPx, heightPx);
  drawAxis(context, picture, xOf);
  const stripes = stripePattern(context, colours.gap, colours.gapStripe, 1.4, false);
  const hatched = stripePattern(context, colours.gap, colours.footage, 3.4, true);
  rows.forEach((row, index) => {
    const { top, height } = rowBox(index, rows.length, heightPx);
    context.globalAlpha = picture.selectedRow === null || picture.selectedRow === index ? 1 : 0.45;
    fillBar(context, 0, top, Math.min(widthPx, Math.max(0, xOf(picture.nowMs))), height, colours.gap);
    if (row !== null) drawRow(context, upToNow(row, picture.nowMs), top, height, xOf, widthPx, colours, stripes, hatched);
    drawKept(context, picture.kept[index] ?? [], top + height, xOf, widthPx, colours);
    context.globalAlpha = 1;
  });
  if (picture.hoverMs !== null) drawLine(context, xOf(picture.hoverMs), heightPx, colours.muted, false);
  drawLine(context, xOf(picture.playheadMs), heightPx, colours.accent, true);
}

/** What the owner records now ends in some time; what is drawn ends now. */
function upToNow(row: DrawnCamera, nowMs: EpochMs): DrawnCamera {
  if (row.events.every(({ endMs }) => endMs <= nowMs)) return row;
  return { ...row, events: row.events.map((event) => ({ ...event, endMs: Math.max(event.startMs, Math.min(event.endMs, nowMs)) })) };
}

function drawRow(context: CanvasRenderingContext2D, row: DrawnCamera, top: number, height: number, xOf: (atMs: EpochMs) => number, widthPx: number, colours: TimelineColours, stripes: CanvasPattern | string, hatched: CanvasPattern | string): void {
  const bar = (startMs: EpochMs, endMs: EpochMs, paint: CanvasPattern | string, least: number, inset = 0): void => {
    const left = Math.max(-RADIUS_PX, xOf(startMs));
    const right = Math.min(widthPx + RADIUS_PX, xOf(endMs));
    if (right > -RADIUS_PX && left < widthPx + RADIUS_PX) fillBar(context, left, top + inset, Math.max(least, right - left), height - 2 * inset, paint);
  };
  for (const { startMs, endMs } of row.spans) bar(startMs, endMs, colours.footage, 1);
  for (const { startMs, endMs } of row.absent ?? []) bar(startMs, endMs, hatched, 2);
  for (const { startMs, endMs } of row.gaps) bar(startMs, endMs, stripes, 2);
  for (const event of row.events) bar(event.startMs, event.endMs, colours.events[event.kind], 3, Math.min(3, height / 6));
}

function drawKept(context: CanvasRenderingContext2D, ranges: readonly TimeRange[], bottom: number, xOf: (atMs: EpochMs) => number, widthPx: number, colours: TimelineColours): void {
  context.fillStyle = colours.accent;
  for (const { startMs, endMs } of ranges) {
    const left = Math.max(0, xOf(startMs));
    const right = Math.min(widthPx, Math.max(xOf(endMs), xOf(startMs) + KEPT_PX));
    if (right > left) context.fillRect(left, bottom - KEPT_PX, right - left, KEPT_PX);
  }
}

function fillBar(context: CanvasRenderingContext2D, left: number, top: number, width: number, height: number, paint: CanvasPattern | string): void {
  if (width <= 0) return;
  context.fillStyle = paint;
  context.beginPath();
  context.roundRect(left, top, width, height, Math.min(RADIUS_PX, width / 2, height / 2));
  context.fill();
}

function drawAxis(context: CanvasRenderingContext2D, { ticks, labelOf, heightPx, widthPx, colours }: TimelinePicture, xOf: (atMs: EpochMs) => number): void {
  context.textBaseline = 'middle';
  let freeFrom = Number.NEGATIVE_INFINITY;
  for (const tick of ticks) {
    const x = xOf(tick.atMs);
    context.fillStyle = colours.line;
    context.fillRect(Math.round(x), tick.day ? 4 : AXIS_PX - 5, 1, tick.day ? heightPx - 4 : 5);
    const label = labelOf(tick);
    context.font = tick.day ? '600 11.5px "Inter Variable", sans-serif' : '11.5px "Inter Variable", sans-serif';
    const width = context.measureText(label).width;
    const left = Math.min(x + 5, widthPx - width - 2);
    if (left < freeFrom) continue;
    context.fillStyle = tick.day ? colours.text : colours.muted;
    context.fillText(label, left, AXIS_PX / 2 - 2);
    freeFrom = left + width + 14;
  }
}

function drawLine(context: CanvasRenderingContext2D, x: number, heightPx: number, colour: string, playhead: boolean): void {
  context.fillStyle = colour;
  context.globalAlpha = playhead ? 1 : 0.6;
  context.fillRect(x - (playhead ? 1 : 0.5), playhead ? AXIS_PX - 6 : AXIS_PX - 2, playhead ? 2 : 1, heightPx);
  if (playhead) {
    context.beginPath();
    // Below the labels, which it would cut.
    context.moveTo(x - 6, AXIS_PX - 8);
    context.lineTo(x + 6, AXIS_PX - 8);
    context.lineTo(x, AXIS_PX + 1);
    context.fill();
  }
  context.globalAlpha = 1;
}

/** Slanted lines for what is missing, and broad ones the other way for what is on a disk that is not here: told apart from footage without colour. */
function stripePattern(context: CanvasRenderingContext2D, ground: string, line: string, widthPx: number, falling: boolean): CanvasPattern | string {
  const tile = new OffscreenCanvas(8, 8);
  const inner = tile.getContext('2d');
  if (inner === null) return ground;
  inner.fillStyle = ground;
  inner.fillRect(0, 0, 8, 8);
  inner.strokeStyle = line;
  inner.lineWidth = widthPx;
  inner.beginPath();
  for (const shift of [-8, 0, 8]) {
    inner.moveTo(shift, falling ? 0 : 8);
    inner.lineTo(shift + 8, falling ? 8 : 0);
  }
  inner.stroke();
  return context.createPattern(tile, 'repeat') ?? ground;
}
