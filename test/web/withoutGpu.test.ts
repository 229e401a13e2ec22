import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALM } from '../../web/app/motion.js';
import { hasBundledChromium } from '../browser/chromium.js';
import { violationsOf } from './axe.js';
import { tabStops } from './keyboard.js';
import { movements, timesBetweenPictures, watchPictures } from './motion.js';
import { buildSite, Site, type Visit } from './site.js';

const PATIENCE = 120_000;

describe.skipIf(!hasBundledChromium)(
  'the page in a browser without WebGPU (Chromium on Linux x64 only)',
  () => {
    let folder: string;
    let site: Site;
    let visit: Visit;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'hypergrad-web-'));
      site = await Site.open(await buildSite('web/vite.config.ts', folder), { hasGpu: false });
      visit = await site.visit('', { reducedMotion: 'reduce' });
    }, PATIENCE);
    afterAll(async () => {
      await site?.close();
      await rm(folder, { recursive: true, force: true });
    });

    it('says so, and how to switch it on in this browser', async () => {
      const { page } = visit;
      await page.getByText('This browser offers no WebGPU').waitFor({ timeout: PATIENCE });
      const notice = page.locator('.notice > p');
      expect(await notice.allInnerTexts()).toEqual([
        expect.stringContaining('recorded'),
        expect.stringContaining('chrome://flags/#enable-unsafe-webgpu'),
      ]);
    });

    it('shows the recorded run at its end, at any iteration, and as it went', async () => {
      const { page } = visit;
      const picture = page.locator('.hero canvas');
      await page.getByRole('img', { name: 'after 120 recorded iterations' }).waitFor({ timeout: PATIENCE });
      expect(await page.locator('table.probe tbody tr').count()).toBe(4);
      const end = await picture.screenshot();
      await page.getByRole('slider', { name: 'Iteration' }).fill('0');
      await page.getByRole('img', { name: 'after 0 recorded iterations' }).waitFor();
      expect(await picture.screenshot()).not.toEqual(end);
      await watchPictures(page);
      await page.getByRole('button', { name: 'Play' }).click();
      const slider = page.getByRole('slider', { name: 'Iteration' });
      await expect
        .poll(async () => Number(await slider.inputValue()), { timeout: PATIENCE })
        .toBeGreaterThan(4);
      // This visitor wants less motion.
      expect(Math.min(...(await timesBetweenPictures(page)))).toBeGreaterThan(CALM / 2);
      await page.getByRole('button', { name: 'Pause' }).click();
    });

    it('keeps nobody out, and leaves nothing in the log', async () => {
      expect(await violationsOf(visit.page)).toEqual([]);
      const { stops, missed } = await tabStops(visit.page);
      expect(missed).toEqual([]);
      for (const stop of stops) expect(stop).toMatch(/^[a-z]+ ".+"/);
      expect(await movements(visit.page)).toEqual([]);
      expect(visit.requests.filter((url) => !url.startsWith(site.address))).toEqual([]);
      expect(visit.faults).toEqual([]);
    });
  },
);
