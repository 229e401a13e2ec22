/** What a visitor sees and presses. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';

export const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
export const status = (page: Page) => page.getByRole('status').first();

/** Number of the iteration that the page shows. */
export const iteration = async (page: Page): Promise<number> =>
  Number.parseInt(await page.locator('dt:text-is("Iteration") + dd').innerText(), 10);

/** The bytes of what a button hands out. */
export async function downloaded(page: Page, name: string): Promise<Uint8Array> {
  if ((await page.locator('details.files[open]').count()) === 0) await page.getByText('Files').click();
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, name).click()]);
  return new Uint8Array(await readFile(await download.path()));
}
