/** The pointer on the interface's timeline, and which moment lies under it. */
import type { Page } from '@playwright/test';
import { rowBox } from '../../renderer/views/watch/timeline-draw.ts';
import { sleep } from './workplace.ts';

/** Time for the page to tell its moment after a click. */
const TOLD_MS = 150;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export class TimelinePointer {
  readonly #page: Page;
  readonly #box: Box;
  readonly #msPerPx: number;
  readonly #zeroMs: number;

  private constructor(page: Page, box: Box, msPerPx: number, zeroMs: number) {
    this.#page = page;
    this.#box = box;
    this.#msPerPx = msPerPx;
    this.#zeroMs = zeroMs;
  }

  /** Learns by two clicks which moments the timeline shows; the page must stand (paused), so that it says where it went. */
  static async calibrate(page: Page): Promise<TimelinePointer> {
    const box = await page.locator('.timeline-rows').boundingBox();
    if (box === null) throw new Error('no timeline on the page');
    const momentAfterClick = async (x: number): Promise<number> => {
      await page.mouse.click(box.x + x, box.y + box.height - 8);
      await sleep(TOLD_MS);
      return await shownMoment(page);
    };
    const [left, right] = [Math.round(box.width * 0.3), Math.round(box.width * 0.8)];
    const leftMs = await momentAfterClick(left);
    const rightMs = await momentAfterClick(right);
    const msPerPx = (rightMs - leftMs) / (right - left);
    if (!(msPerPx > 0)) throw new Error('clicks on the timeline went nowhere');
    return new TimelinePointer(page, box, msPerPx, leftMs - left * msPerPx);
  }

  /** Client x of a moment; rounded to a whole pixel. */
  xOf(atMs: number): number {
    return Math.round(this.#box.x + (atMs - this.#zeroMs) / this.#msPerPx);
  }

  momentAt(clientX: number): number {
    return this.#zeroMs + (clientX - this.#box.x) * this.#msPerPx;
  }

  /** A line in the lowest row. */
  get y(): number {
    return Math.round(this.#box.y + this.#box.height - 8);
  }

  /** A line in the row of the first of `rows` cameras. */
  firstRowY(rows: number): number {
    const { top, height } = rowBox(0, rows, this.#box.height);
    return Math.round(this.#box.y + top + height / 2);
  }

  /** Milliseconds a pixel stands for. */
  get msPerPx(): number {
    return this.#msPerPx;
  }

  /** `restMs`: how long the pointer stands there first. */
  async click(atMs: number, restMs = 0): Promise<void> {
    await this.#page.mouse.move(this.xOf(atMs), this.y);
    if (restMs > 0) await sleep(restMs);
    await this.#page.mouse.click(this.xOf(atMs), this.y);
  }
}

/** The moment the timeline's slider names, in whole milliseconds. */
export async function shownMoment(page: Page): Promise<number> {
  return Number(await page.locator('.timeline-rows').getAttribute('aria-valuenow'));
}
