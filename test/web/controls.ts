/** What a visitor sees and presses. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** Enough for two seconds of work on a machine that does much else. */
export const PATIENCE = 240_000;

export const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
export const status = (page: Page) => page.getByRole('status').first();

/** Waits until the page tells this of what it does. */
export async function says(page: Page, words: string | RegExp): Promise<void> {
  const told = expect.poll(() => status(page).innerText(), { timeout: PATIENCE });
  await (typeof words === 'string' ? told.toBe(words) : told.toMatch(words));
}

/** Number of the iteration that the page shows. */
export const iteration = async (page: Page): Promise<number> =>
  Number.parseInt(await page.locator('dt:text-is("Iteration") + dd').innerText(), 10);

/** The bytes of what a button hands out. */
export async function downloaded(page: Page, name: string): Promise<Uint8Array> {
  if ((await page.locator('details.files[open]').count()) === 0) await page.getByText('Files').click();
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, name).click()]);
  return new Uint8Array(await readFile(await download.path()));
}
