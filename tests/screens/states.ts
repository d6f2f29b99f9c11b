/** Every state of the interface that is looked at as a picture: where it is, and what brings it there. */
import type { Page } from '@playwright/test';

export interface ScreenState {
  /** Of the picture's file. */
  readonly name: string;
  readonly hash: string;
  /** What is done once the view is there. */
  readonly open?: (page: Page) => Promise<void>;
}

const SOON_MS = 20_000;

const button = (name: string | RegExp) => async (page: Page) => page.getByRole('button', { name }).first().click();
const key = (pressed: string) => async (page: Page) => page.keyboard.press(pressed);

/** Waits for the first live picture, or for nothing where none can come. */
export async function untilLive(page: Page): Promise<void> {
  await page.locator('canvas[data-state="live"]').first().waitFor({ timeout: SOON_MS }).catch(() => undefined);
}

async function back(page: Page): Promise<void> {
  await untilLive(page);
  await page.getByRole('button', { name: '10 seconds back' }).click();
  await page.locator('canvas[data-state="showing"], canvas[data-state="playing"]').first().waitFor({ timeout: 5_000 }).catch(() => undefined);
}

async function openFirst(page: Page): Promise<void> {
  await untilLive(page);
  await page.getByRole('button', { name: /^Open / }).first().click();
  await untilLive(page);
}

/** A part of a long page, with what is asked there. */
const at = (selector: string, act?: (page: Page) => Promise<void>) => async (page: Page) => {
  await act?.(page);
  await page.locator(selector).first().evaluate((element) => element.scrollIntoView({ block: 'start' }));
};

async function firstCamera(page: Page): Promise<void> {
  await page.locator('.camera-row').first().click();
  await page.locator('.camera-page img').first().waitFor();
}

async function shiftDrag(page: Page): Promise<void> {
  await untilLive(page);
  await page.keyboard.press('r');
  await page.locator('.to-keep').waitFor();
}

export const STATES: readonly ScreenState[] = [
  { name: 'watch', hash: 'watch', open: untilLive },
  { name: 'watch-back', hash: 'watch', open: back },
  { name: 'watch-opened', hash: 'watch', open: openFirst },
  { name: 'watch-opened-back', hash: 'watch', open: async (page) => (await openFirst(page), back(page)) },
  { name: 'watch-peek', hash: 'watch', open: async (page) => (await untilLive(page), page.locator('.timeline-rows').hover()) },
  { name: 'watch-keep', hash: 'watch', open: async (page) => (await untilLive(page), button('Keep this')(page)) },
  { name: 'watch-range', hash: 'watch', open: shiftDrag },
  { name: 'watch-go-to', hash: 'watch', open: async (page) => (await untilLive(page), key('g')(page)) },
  { name: 'watch-sheet', hash: 'watch', open: async (page) => (await openFirst(page), key('c')(page), page.locator('.sheet img').first().waitFor({ timeout: SOON_MS })) },
  { name: 'watch-keys', hash: 'watch', open: async (page) => (await untilLive(page), key('?')(page)) },
  { name: 'watch-focus', hash: 'watch', open: async (page) => { await untilLive(page); for (let press = 0; press < 8; press += 1) await page.keyboard.press('Tab'); } },
  { name: 'welcome', hash: 'welcome' },
  { name: 'welcome-error', hash: 'welcome', open: at('.address-form', async (page) => {
    await page.getByLabel('Address').fill('127.0.0.9');
    await page.locator('.address-form').getByRole('button', { name: 'Add' }).click();
    await page.locator('.error-line').waitFor({ timeout: SOON_MS });
  }) },
  { name: 'events', hash: 'events' },
  { name: 'cameras', hash: 'cameras', open: async (page) => page.locator('.camera-list li:last-child img, .empty').last().waitFor({ timeout: SOON_MS }) },
  { name: 'cameras-order', hash: 'cameras', open: button('Change the order') },
  { name: 'camera', hash: 'cameras', open: firstCamera },
  { name: 'camera-recording', hash: 'cameras', open: async (page) => (await firstCamera(page), at('.recording-card')(page)) },
  { name: 'camera-foot', hash: 'cameras', open: async (page) => { await firstCamera(page); await page.locator('summary').last().click(); await page.locator('.camera-page > :last-child').evaluate((element) => element.scrollIntoView({ block: 'end' })); } },
  { name: 'storage', hash: 'storage' },
  { name: 'storage-rules', hash: 'storage', open: at('.rules, .card:has(.what-if), form:has(.what-if)', async (page) => {
    await page.getByLabel('Use at most (GB)').first().fill('0.0001');
    await page.locator('.what-if').waitFor({ timeout: SOON_MS });
  }) },
  { name: 'storage-foot', hash: 'storage', open: at('.page > :last-child') },
  { name: 'storage-add', hash: 'storage', open: at('.add-folder', button('Add a folder')) },
  { name: 'away', hash: 'away' },
  { name: 'away-relays', hash: 'away', open: at('.relays') },
  { name: 'away-log', hash: 'away', open: at('.view-log, [aria-label="Who watched when"]') },
  { name: 'away-prove', hash: 'away', open: at('.prove', async (page) => page.getByText('What the relay sees').click({ timeout: 3_000 })) },
  { name: 'away-doors', hash: 'away', open: at('.doors') },
  { name: 'away-homes', hash: 'away', open: at('[aria-label*="omes"]', button('Add a home')) },
  { name: 'away-ways', hash: 'away', open: at('.ways', async (page) => { await page.locator('.other-ways > summary').click({ timeout: 2_000 }).catch(() => undefined); await page.locator('.ways input').nth(1).check(); }) },
  { name: 'away-see', hash: 'away', open: at('.ways + *', async (page) => page.locator('.other-ways > summary').click({ timeout: 2_000 }).catch(() => undefined)) },
  { name: 'away-pair', hash: 'away', open: async (page) => (await button('Add a device')(page), page.locator('.offer').waitFor()) },
  { name: 'away-words', hash: 'away', open: async (page) => { await button('Add a device')(page); await page.getByRole('radio', { name: 'Twelve words' }).click(); await page.locator('.words').waitFor(); } },
  { name: 'away-change', hash: 'away', open: button('Change') },
  { name: 'settings', hash: 'settings' },
  { name: 'settings-check', hash: 'settings', open: at('.check, .card:has(.check-line)', async (page) => { await page.getByRole('button', { name: /Check/ }).first().click(); await page.waitForFunction(() => document.querySelector('[role="progressbar"]') === null, undefined, { timeout: 60_000 }); }) },
  { name: 'settings-foot', hash: 'settings', open: at('.page > :last-child') },
];
