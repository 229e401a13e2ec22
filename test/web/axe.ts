/** axe-core in a page: what would keep somebody from using it. */
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

const script = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

declare const axe: { run(): Promise<AxeResults> };

/** A line for each violation: the rule, and the elements that break it. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: script });
  const { violations } = await page.evaluate(() => axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
