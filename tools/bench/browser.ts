/** A browser in front of the product, as a person has one, with the probe in its page. */
import { existsSync } from 'node:fs';
import { chromium, type Page } from '@playwright/test';
import { waitFor } from '../../tests/support/wait.ts';
import { addProbe, type Paint, type PointerMark, takeProbe } from './page-probe.ts';
import type { Product, Workplace } from './workplace.ts';

const SYSTEM_CHROMIUM = '/usr/bin/chromium';

export interface BrowserOptions {
  /** Takes WebCodecs away, so that the player of last resort is used. */
  readonly withoutWebCodecs?: boolean;
  /** Part of the address after `#/`. */
  readonly route?: string;
}

export class Viewer {
  readonly page: Page;
  /** Everything shown and done since `forget`, in order. */
  paints: Paint[] = [];
  marks: PointerMark[] = [];

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens the product's interface in a window of 1280 × 720; it is closed with the place. */
  static async open(place: Workplace, product: Product, options: BrowserOptions = {}): Promise<Viewer> {
    const browser = await chromium.launch({
      ...(existsSync(SYSTEM_CHROMIUM) ? { executablePath: SYSTEM_CHROMIUM } : {}),
      args: ['--disable-background-networking', '--disable-component-update', '--autoplay-policy=no-user-gesture-required', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
    });
    place.keep({ stop: () => browser.close() });
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    if (options.withoutWebCodecs === true) {
      await page.addInitScript(() => {
        Reflect.deleteProperty(window, 'VideoDecoder');
      });
    }
    await addProbe(page);
    const viewer = new Viewer(page);
    await page.goto(product.url);
    if (options.route !== undefined) await viewer.goTo(options.route);
    return viewer;
  }

  async goTo(route: string): Promise<void> {
    await this.page.evaluate((hash) => {
      window.location.hash = hash;
    }, `#/${route}`);
  }

  /** Reads what has happened in the page since the last look. */
  async look(): Promise<void> {
    const { paints, marks } = await takeProbe(this.page);
    this.paints.push(...paints);
    this.marks.push(...marks);
  }

  async forget(): Promise<void> {
    await this.look();
    this.paints = [];
    this.marks = [];
  }

  /** Waits for a picture since `forget`; null when none comes in time. */
  async painted(wanted: (paint: Paint) => boolean, limitMs = 5_000): Promise<Paint | null> {
    return await waitFor('a picture', async () => {
      await this.look();
      return this.paints.find(wanted) ?? null;
    }, limitMs, 15).catch(() => null);
  }

  mark(type: string): PointerMark | null {
    return this.marks.find((mark) => mark.type === type) ?? null;
  }

  async close(): Promise<void> {
    await this.page.context().browser()?.close();
  }
}
