import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import { openDevice } from '../../src/gpu/node/openDevice.js';
import { normal } from '../../src/kernels/philox.js';
import { floatTensor } from '../../src/pipeline/stages/context.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/pipeline/store/safetensors.js';
import { usualSettings } from '../../web/choices.js';
import type { InsideGradient } from '../../web/inside.js';
import type { Happening } from '../../web/protocol.js';
import { readDigits } from '../../web/worker/digits.js';
import { Session } from '../../web/worker/session.js';
import { hasBundledChromium } from '../browser/chromium.js';
import { violationsOf } from './axe.js';
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

const bitsOf = (numbers: readonly number[]): Uint32Array =>
  new Uint32Array(Float32Array.from(numbers).buffer);

/** The parts of a hypergradient, in a form that a worker can hand over. */
interface Parts {
  readonly contributions: number[][];
  readonly adjointNorms: number[];
}

/** Asks the page's worker past the page. */
async function askWorker(page: Page, method: 'lookInside' | 'loseDevice'): Promise<Parts | null> {
  return await page.workers()[0]!.evaluate(
    (name) =>
      new Promise<Parts | null>((resolve, reject) => {
        const post = globalThis.postMessage;
        globalThis.postMessage = (response: {
          id?: number;
          result: InsideGradient | null;
          error?: unknown;
        }) => {
          if (response.id !== -1) return post.call(globalThis, response);
          globalThis.postMessage = post;
          const { result, error } = response;
          if (error !== undefined) reject(new Error(JSON.stringify(error)));
          else if (result === null) resolve(null);
          else {
            const contributions = result.contributions.map((part) => [...part]);
            resolve({ contributions, adjointNorms: [...result.adjointNorms] });
          }
        };
        const data = { id: -1, method: name, arguments: [] };
        globalThis.dispatchEvent(new MessageEvent('message', { data }));
      }),
    method,
  );
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
        const within = await session.lookInside();
        const seen = await askWorker(page, 'lookInside');
        for (const [step, part] of within.contributions.entries()) {
          expect(bitsOf(seen!.contributions[step]!), `step ${step}`).toEqual(bitsOf([...part]));
        }
        expect(seen!.adjointNorms).toEqual(within.adjointNorms);
        const losses = session.records.map(({ loss }) => loss);
        const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
        expect(mean(losses.slice(-5))).toBeLessThan(mean(losses.slice(0, 5)));
      } finally {
        device.close();
      }
    },
    PATIENCE,
  );

  it(
    'evaluates what it hands out, and takes what a run leaves',
    async () => {
      const { page } = visit;
      const file = join(folder, 'synthetic.safetensors');
      await writeFile(file, await downloaded(page, 'Download safetensors'));
      const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
      try {
        const sets = ['data.pool=2', 'evaluate.rows=[mkdt]'].flatMap((value) => ['--set', value]);
        const words = ['evaluate', file, '--preset', 'tiny-test', '--device', 'bundled', ...sets];
        await createProgram().parseAsync(words, { from: 'user' });
        expect(printed.mock.calls.map(([text]) => text).join('')).toMatch(/MKDT +\d/);
      } finally {
        printed.mockRestore();
      }

      const images = normal({ seed: 3, purpose: 'given', index: 0 }, 12 * 196);
      const given = encodeSafetensors(new Map([['images', floatTensor(images, 12, 1, 14, 14)]]));
      const upload = page.getByLabel('Upload a set');
      await upload.setInputFiles({ name: 'given.safetensors', mimeType: '', buffer: Buffer.from(given) });
      await expect
        .poll(() => status(page).innerText(), { timeout: PATIENCE })
        .toMatch(/^given.safetensors has taken/);
      const { tensors } = decodeSafetensors(await downloaded(page, 'Download safetensors'), 'page');
      expect(tensors.get('images')!.shape).toEqual([12, 1, 14, 14]);
      expect(tensors.get('images')!.data).toEqual(images);
      await upload.setInputFiles({ name: 'rubbish', mimeType: '', buffer: Buffer.from('no tensors at all') });
      await expect.poll(() => page.getByRole('alert').innerText(), { timeout: PATIENCE }).toMatch(/rubbish/);
    },
    PATIENCE,
  );

  it('hands out a picture that a reader of PNG understands', async () => {
    const png = await downloaded(visit.page, 'Download PNG');
    const { format, width, height } = await sharp(png).metadata();
    expect({ format, isWide: width > height }).toEqual({ format: 'png', isWide: true });
  });

  it(
    'lays one gradient out by steps, whose parts add up to it',
    async () => {
      const { page } = visit;
      await page.getByRole('link', { name: 'Inside the gradient' }).click();
      await page.locator('table.modes').waitFor({ timeout: PATIENCE });
      expect(
        await page.getByRole('radio', { name: /^Step \d: inner loss [\d.]+, norm of the adjoint/ }).count(),
      ).toBe(4);
      expect(await page.locator('table.modes tbody tr').count()).toBe(3);
      const cosine = (): Promise<number> =>
        page.locator('dt:text-is("Cosine to the exact gradient") + dd').innerText().then(Number);
      expect(await cosine()).toBe(1);
      await page.getByLabel('Steps gone back through, k').fill('1');
      await expect.poll(cosine).toBeLessThan(1);
      expect(await page.locator('label.left-out').count()).toBe(3);
      expect(new URL(page.url()).searchParams.get('last')).toBe('1');
    },
    PATIENCE,
  );

  it('lets the arrow keys go from step to step', async () => {
    const { page } = visit;
    await page.getByRole('radio', { name: /^Step 4/ }).focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => page.getByRole('heading', { name: 'Step 3 of 4' }).count()).toBe(1);
  });

  it('keeps its state when going back and forward', async () => {
    const { page } = visit;
    const address = page.url();
    await page.goBack();
    await page.goBack();
    await page.goBack();
    await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).toBe('Distil live');
    for (let k = 0; k < 3; k++) await page.goForward();
    await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).toBe('Inside the gradient');
    expect(page.url()).toBe(address);
    await expect.poll(() => page.getByLabel('Steps gone back through, k').inputValue()).toBe('1');
  });

  it(
    'measures the device',
    async () => {
      const { page } = visit;
      await page.getByRole('link', { name: 'This device' }).click();
      await page.locator('table.kernels').waitFor({ timeout: PATIENCE });
      expect(await page.locator('table.kernels tbody tr').count()).toBeGreaterThan(5);
      await expect(page.locator('table.facts').innerText()).resolves.toMatch(/swiftshader/);
    },
    PATIENCE,
  );

  it(
    'opens a lost device again, and goes on',
    async () => {
      const { page } = visit;
      await page.goto(`${site.address}?steps=4&iterations=40&seeds=1`);
      await expect.poll(() => status(page).innerText(), { timeout: PATIENCE }).toBe('Ready.');
      await button(page, 'Start').click();
      await expect.poll(() => iteration(page), { timeout: PATIENCE }).toBeGreaterThan(2);
      await askWorker(page, 'loseDevice');
      await expect.poll(() => status(page).innerText(), { timeout: PATIENCE }).toMatch(/opened again/);
      await expect.poll(() => iteration(page), { timeout: PATIENCE }).toBe(40);
    },
    PATIENCE,
  );

  it(
    'keeps nobody out, in any view, width or scheme',
    async () => {
      const { page } = visit;
      for (const view of ['Distil live', 'Inside the gradient', 'This device']) {
        await page.getByRole('link', { name: view }).click();
        await page.waitForTimeout(300);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          for (const width of [360, 1440]) {
            await page.setViewportSize({ width, height: 900 });
            expect(await violationsOf(page), `${view}, ${width}, ${colorScheme}`).toEqual([]);
            expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
              width,
            );
          }
        }
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
