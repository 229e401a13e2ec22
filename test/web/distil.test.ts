import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDevice } from '../../src/gpu/node/openDevice.js';
import { decodeSafetensors } from '../../src/pipeline/store/safetensors.js';
import { usualSettings } from '../../web/choices.js';
import type { Happening } from '../../web/protocol.js';
import { readDigits } from '../../web/worker/digits.js';
import { Session } from '../../web/worker/session.js';
import { hasBundledChromium } from '../browser/chromium.js';
import { buildSite, Site, type Visit } from './site.js';

/** Enough for two seconds of work on a machine that does much else. */
const PATIENCE = 240_000;
const ITERATIONS = 20;
const SETTINGS = { ...usualSettings, steps: 4, iterations: ITERATIONS, seeds: 1 };
const QUERY = `?steps=4&iterations=${ITERATIONS}&seeds=1`;

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const status = (page: Page) => page.getByRole('status').first();

/** Number of the iteration that the page shows. */
const iteration = async (page: Page): Promise<number> =>
  Number.parseInt(await page.locator('dt:text-is("Iteration") + dd').innerText(), 10);

async function downloaded(page: Page, name: string): Promise<Uint8Array> {
  if ((await page.locator('details.files[open]').count()) === 0) await page.getByText('Files').click();
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, name).click()]);
  return new Uint8Array(await readFile(await download.path()));
}

describe.skipIf(!hasBundledChromium)('the page that distils (Chromium on Linux x64 only)', () => {
  let folder: string;
  let site: Site;
  let visit: Visit;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hypergrad-web-'));
    site = await Site.open(await buildSite('web/vite.config.ts', folder));
    visit = await site.visit(QUERY, { acceptDownloads: true });
  }, PATIENCE);

  afterAll(async () => {
    await site?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is painted before the engine is asked for', async () => {
    const { page } = visit;
    await expect.poll(() => visit.requests.some((url) => /worker/.test(url))).toBe(true);
    const [painted, asked] = await page.evaluate(() => [
      performance.getEntriesByName('first-paint')[0]?.startTime ??
        performance.getEntriesByName('first-contentful-paint')[0]!.startTime,
      performance.getEntriesByType('resource').find(({ name }) => name.includes('worker'))!.startTime,
    ]);
    expect(painted).toBeLessThan(asked!);
  });

  it(
    'prepares digits and experts, and stands still until it is told to start',
    async () => {
      const { page } = visit;
      await expect.poll(() => status(page).innerText(), { timeout: PATIENCE }).toBe('Ready.');
      expect(await iteration(page)).toBe(0);
      await expect(page.getByRole('img', { name: /20 synthetic digits/ }).count()).resolves.toBe(1);
    },
    PATIENCE,
  );

  it(
    'takes one step when asked for one',
    async () => {
      const { page } = visit;
      await button(page, 'One step').click();
      await expect
        .poll(() => status(page).innerText(), { timeout: PATIENCE })
        .toBe('Paused after 1 iterations.');
      expect(await iteration(page)).toBe(1);
    },
    PATIENCE,
  );

  it(
    'iterates until it is paused, and stays there',
    async () => {
      const { page } = visit;
      const before = await page.locator('canvas.images').first().screenshot();
      await button(page, 'Go on').click();
      await expect.poll(() => iteration(page), { timeout: PATIENCE }).toBeGreaterThan(3);
      await button(page, 'Pause').click();
      await expect.poll(() => status(page).innerText(), { timeout: PATIENCE }).toMatch(/^Paused after \d+/);
      const paused = await iteration(page);
      await page.waitForTimeout(500);
      expect(await iteration(page)).toBe(paused);
      expect(await page.locator('canvas.images').first().screenshot()).not.toEqual(before);
    },
    PATIENCE,
  );

  it(
    'goes on from there when the page is closed and opened again',
    async () => {
      const { page } = visit;
      const before = await iteration(page);
      await page.reload();
      await expect
        .poll(() => status(page).innerText(), { timeout: PATIENCE })
        .toBe(`Paused after ${before} iterations.`);
    },
    PATIENCE,
  );

  it(
    'ends with the bits of the same session under Node',
    async () => {
      const { page } = visit;
      await button(page, 'Go on').click();
      await expect
        .poll(() => status(page).innerText(), { timeout: PATIENCE })
        .toBe(`Done: ${ITERATIONS} iterations.`);
      await page.getByText('Accuracy of a linear probe').waitFor();
      const inPage = decodeSafetensors(await downloaded(page, 'Download safetensors'), 'page').tensors;

      const device = await openDevice({ choice: 'bundled' });
      try {
        const happenings: Happening[] = [];
        const session = new Session({
          open: async () => device,
          load: async () => ({
            dataset: await readDigits(new Uint8Array(await readFile('web/.generated/digits.bin'))),
            teacher: new Uint8Array(await readFile('web/recorded/teacher.safetensors')),
          }),
          keeper: { load: async () => undefined, save: async () => undefined },
          tell: (happening) => happenings.push(happening),
        });
        await session.begin(SETTINGS);
        await session.run();
        const inNode = decodeSafetensors(await session.download(), 'node').tensors;
        expect([...inPage.keys()]).toEqual([...inNode.keys()]);
        for (const [name, { data }] of inNode) {
          expect(
            Buffer.compare(Buffer.from(data.buffer), Buffer.from(inPage.get(name)!.data.buffer)),
            name,
          ).toBe(0);
        }
        const losses = session.records.map(({ loss }) => loss);
        const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
        expect(mean(losses.slice(-5))).toBeLessThan(mean(losses.slice(0, 5)));
      } finally {
        device.close();
      }
    },
    PATIENCE,
  );

  it('asks nothing of another host, and leaves no error in the log', () => {
    expect(visit.requests.filter((url) => !url.startsWith(site.address) && !url.startsWith('blob:'))).toEqual(
      [],
    );
    expect(visit.faults).toEqual([]);
  });
});
