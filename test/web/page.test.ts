import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import { openDevice } from '../../src/gpu/node/openDevice.js';
import { normal } from '../../src/kernels/philox.js';
import { floatTensor } from '../../src/pipeline/stages/context.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/pipeline/store/safetensors.js';
import { CALM } from '../../web/app/motion.js';
import { usualSettings } from '../../web/choices.js';
import { hasBundledChromium } from '../browser/chromium.js';
import { askWorker } from './askWorker.js';
import { violationsOf } from './axe.js';
import { button, downloaded, iteration, PATIENCE, says, status } from './controls.js';
import { focused, tabStops } from './keyboard.js';
import { movements, timesBetweenPictures, watchPictures } from './motion.js';
import { nodeSession } from './nodeSession.js';
import { buildSite, Site, type Visit } from './site.js';

const ITERATIONS = 20;
const SETTINGS = { ...usualSettings, steps: 4, iterations: ITERATIONS, seeds: 1 };
/** The worker's file, which holds the engine. */
const ENGINE = /worker/;
const QUERY = `?steps=4&iterations=${ITERATIONS}&seeds=1`;

const bitsOf = (numbers: readonly number[]): Uint32Array =>
  new Uint32Array(Float32Array.from(numbers).buffer);

describe.skipIf(!hasBundledChromium)('the page that distils (Chromium on Linux x64 only)', () => {
  let folder: string;
  let site: Site;
  let visit: Visit;
  /** Lets the engine come, which is held up until then. */
  let bringEngine: () => void;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hypergrad-web-'));
    site = await Site.open(await buildSite('web/vite.config.ts', folder));
    const brought = new Promise<void>((bring) => {
      bringEngine = bring;
    });
    visit = await site.visit(QUERY, { acceptDownloads: true }, async (context) => {
      await context.route(ENGINE, async (route) => {
        await brought;
        await route.continue();
      });
    });
  }, PATIENCE);

  afterAll(async () => {
    await site?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is whole while the engine is still on its way, and asks for it once it is painted', async () => {
    const { page, context } = visit;
    await expect.poll(() => visit.requests.filter((url) => ENGINE.test(url)).length).toBe(1);
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Distil live');
    expect(await status(page).innerText()).toBe('Opening a device…');
    expect(await button(page, 'Start').getAttribute('aria-disabled')).toBe('true');
    expect(await page.locator('.sliders input').count()).toBe(Object.keys(usualSettings).length);
    const { stops, missed } = await tabStops(page);
    expect(missed).toEqual([]);
    expect(stops.slice(0, 4).join()).toMatch(/Distil live.*Inside the gradient.*This device.*Start/);
    const painted = await page.evaluate(
      () => performance.getEntriesByName('first-contentful-paint')[0]!.startTime,
    );
    bringEngine();
    const asked = (): Promise<number> =>
      page.evaluate(
        (name) =>
          performance.getEntriesByType('resource').find((each) => each.name.includes(name))?.startTime ?? 0,
        ENGINE.source,
      );
    await expect.poll(asked).toBeGreaterThan(painted);
    await context.unroute(ENGINE);
  });

  it(
    'prepares digits and experts, and stands still until it is told to start',
    async () => {
      const { page } = visit;
      await says(page, 'Ready.');
      expect(await iteration(page)).toBe(0);
      await expect(page.getByRole('img', { name: /20 synthetic digits/ }).count()).resolves.toBe(1);
    },
    PATIENCE,
  );

  it(
    'takes one step when asked for one by key, and stays where the next one is asked for',
    async () => {
      const { page } = visit;
      await button(page, 'One step').focus();
      await page.keyboard.press('Enter');
      await says(page, 'Paused after 1 iteration.');
      expect(await iteration(page)).toBe(1);
      expect(await focused(page)).toBe('button "One step"');
    },
    PATIENCE,
  );

  it(
    'iterates until it is paused, and stays there',
    async () => {
      const { page } = visit;
      const before = await page.locator('canvas.images').first().screenshot();
      await watchPictures(page);
      await button(page, 'Go on').click();
      await expect.poll(() => iteration(page), { timeout: PATIENCE }).toBeGreaterThan(3);
      await button(page, 'Pause').click();
      await says(page, /^Paused after \d+/);
      const paused = await iteration(page);
      await page.waitForTimeout(500);
      expect(await iteration(page)).toBe(paused);
      expect(await page.locator('canvas.images').first().screenshot()).not.toEqual(before);
      expect(Math.min(...(await timesBetweenPictures(page)))).toBeLessThan(CALM);
    },
    PATIENCE,
  );

  it(
    'goes on when the page is left in the middle of its work and opened again',
    async () => {
      const { page } = visit;
      const before = await iteration(page);
      await button(page, 'Go on').click();
      await expect.poll(() => iteration(page), { timeout: PATIENCE }).toBeGreaterThan(before);
      await page.reload();
      await says(page, /^(Paused after|Done:) \d+ iterations/);
      expect(await iteration(page)).toBeGreaterThan(before);
    },
    PATIENCE,
  );

  it(
    'takes settings by key, one after the other, and comes back to what was left',
    async () => {
      const { page } = visit;
      const left = await status(page).innerText();
      await page.getByLabel('Images').focus();
      for (const key of ['ArrowRight', 'ArrowRight', 'ArrowLeft', 'ArrowLeft']) {
        await page.keyboard.press(key);
        expect(await focused(page)).toMatch(/^slider "Images"/);
      }
      await says(page, left);
      expect(await page.getByRole('img', { name: /^20 synthetic digits/ }).count()).toBe(1);
    },
    PATIENCE,
  );

  it(
    'ends with the bits of the same session under Node',
    async () => {
      const { page } = visit;
      const isDone = (await status(page).innerText()).startsWith('Done');
      await button(page, isDone ? 'Probe' : 'Go on').click();
      await says(page, `Done: ${ITERATIONS} iterations.`);
      await page.getByText('Accuracy of a linear probe').waitFor();
      const inPage = decodeSafetensors(await downloaded(page, 'Download safetensors'), 'page').tensors;

      const device = await openDevice({ choice: 'bundled' });
      try {
        const session = nodeSession(device);
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
        const curve = page.getByRole('slider', { name: 'Trajectory loss, point by point' });
        await curve.focus();
        await page.keyboard.press('Home');
        for (const [k, loss] of losses.entries()) {
          const reading = `iteration ${k + 1}: ${loss.toFixed(3)}`;
          expect(await curve.getAttribute('aria-valuetext')).toBe(reading);
          expect(await page.getByText(reading).isVisible()).toBe(true);
          await page.keyboard.press('ArrowRight');
        }
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
      await says(page, /^given.safetensors has taken/);
      await page.goBack();
      await says(page, `Done: ${ITERATIONS} iterations.`);
      await page.goForward();
      await page.reload();
      await says(page, 'Ready.');
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
    for (let k = 0; k < 3; k++) await page.goBack();
    await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).toBe('Distil live');
    // Nothing is on its way here: what the gradient had told of is no business of this view.
    expect(await page.locator('progress').count()).toBe(0);
    for (let k = 0; k < 3; k++) await page.goForward();
    await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).toBe('Inside the gradient');
    expect(page.url()).toBe(address);
    await expect.poll(() => page.getByLabel('Steps gone back through, k').inputValue()).toBe('1');
  });

  it(
    'says which iteration a gradient was taken before, also when more have been done',
    async () => {
      const { page } = visit;
      await says(page, /^The gradient before iteration 1,/);
      await page.getByRole('link', { name: 'Distil live' }).click();
      await button(page, 'One step').click();
      await says(page, 'Paused after 1 iteration.');
      await page.getByRole('link', { name: 'Inside the gradient' }).click();
      await says(page, /^The gradient before iteration 1,/);
      await button(page, 'Take it again').click();
      await says(page, /^The gradient before iteration 2,/);
    },
    PATIENCE,
  );

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
    'keeps nobody out, in any view, width or scheme',
    async () => {
      const { page } = visit;
      const views = { 'Distil live': '.live', 'Inside the gradient': '.modes', 'This device': '.kernels' };
      for (const [view, content] of Object.entries(views)) {
        await page.getByRole('link', { name: view }).click();
        // The heading of a view that has changed takes the focus.
        await page.locator('h1:focus').waitFor();
        await page.locator(content).waitFor();
        const { stops, missed } = await tabStops(page);
        expect(missed, view).toEqual([]);
        for (const stop of stops) expect(stop, view).toMatch(/^[a-z]+ ".+"/);
        expect(await movements(page), view).toEqual([]);
        for (const [width, colorScheme] of [[360, 'light'] as const, [1440, 'dark'] as const]) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 900 });
          expect(await violationsOf(page), `${view}, ${width}, ${colorScheme}`).toEqual([]);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth);
          expect(wide).toBeLessThanOrEqual(width);
        }
      }
    },
    PATIENCE,
  );

  it(
    'opens a lost device again, and goes on; calmly for those who want less motion',
    async () => {
      const { page } = visit;
      await page.emulateMedia({ reducedMotion: 'reduce' });
      await page.goto(`${site.address}?steps=4&iterations=40&seeds=1`);
      await says(page, 'Ready.');
      await watchPictures(page);
      await button(page, 'Start').click();
      await expect.poll(() => iteration(page), { timeout: PATIENCE }).toBeGreaterThan(2);
      await askWorker(page, 'loseDevice');
      await says(page, /opened again/);
      await expect.poll(() => iteration(page), { timeout: PATIENCE }).toBe(40);
      // The last picture is shown as soon as it is the last.
      const between = (await timesBetweenPictures(page)).slice(0, -1);
      expect(between.length).toBeGreaterThan(0);
      expect(Math.min(...between)).toBeGreaterThanOrEqual(CALM);
      await page.emulateMedia({ reducedMotion: 'no-preference' });
    },
    PATIENCE,
  );

  it('says that its worker does not load where the browser does have WebGPU', async () => {
    const { page, context } = await site.visit('', {}, async (context) => {
      await context.route(ENGINE, (route) => route.abort());
    });
    await page.getByText('No device could be opened here: The page’s worker cannot be loaded').waitFor();
    await page.getByRole('img', { name: 'after 120 recorded iterations' }).waitFor();
    await context.close();
  });

  it('asks nothing of another host, and leaves no error in the log', () => {
    expect(visit.requests.filter((url) => !url.startsWith(site.address) && !url.startsWith('blob:'))).toEqual(
      [],
    );
    expect(visit.faults).toEqual([]);
  });
});
