import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { loadDataset } from '../../../src/pipeline/data/dataset.js';
import type { Progress } from '../../../src/pipeline/progress.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';
import { runStudy } from '../../../src/pipeline/studies/study.js';
import { varianceStudy } from '../../../src/pipeline/studies/varianceStudy.js';
import { useDevice } from '../../support/device.js';

const device = useDevice();
let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-study-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const settings = { batches: 3, batchSizes: [4, 8], trajectories: 3, epochs: 1 };

async function run(name: string, sets: string[] = [], from?: string) {
  const opened: RunFolder[] = [];
  const open = async (at: string): Promise<RunFolder> => {
    opened.push(await RunFolder.open(join(scratch, at)));
    return opened.at(-1)!;
  };
  const ran: string[] = [];
  const skipped: string[] = [];
  const progress: Progress = {
    started: (stage) => ran.push(stage),
    advanced() {},
    finished() {},
    skipped: (stage) => skipped.push(stage),
  };
  try {
    const config = resolveConfig({ preset: 'tiny-test', sets });
    const { record, page } = await runStudy(varianceStudy, settings, {
      config,
      dataset: await loadDataset(config.data, config.seed),
      device: await device(),
      ...(from === undefined ? {} : { source: await open(from) }),
      folder: await open(name),
      command: 'hypergrad study variance --preset tiny-test',
      progress,
    });
    return { record, page, ran, skipped };
  } finally {
    for (const folder of opened) await folder.close();
  }
}

it('runs what it reads, leaves JSON, a page and its figures, and measures nothing twice', async () => {
  const first = await run('own');
  expect(first.ran).toEqual(['teacher', 'targets', 'variance']);
  expect(JSON.parse(await readFile(join(scratch, 'own', 'study.json'), 'utf8'))).toEqual(first.record);
  const page = await readFile(join(scratch, 'own', 'study.html'), 'utf8');
  expect(page).toContain('hypergrad study variance --preset tiny-test');
  expect(page).toContain(first.page.findings[0]!.replaceAll("'", '&#39;'));
  expect(page).not.toMatch(/<script|https?:/);
  for (const name of ['gradients', 'trajectories']) {
    expect(await readFile(join(scratch, 'own', `${name}.svg`), 'utf8')).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/,
    );
    const { width, format } = await sharp(join(scratch, 'own', `${name}.png`)).metadata();
    expect([format, width! > 600]).toEqual(['png', true]);
  }

  const again = await run('own');
  expect(again.skipped).toEqual(['teacher', 'targets', 'variance']);
  expect(again.record).toEqual(first.record);

  const borrowed = await run('borrowed', [], 'own');
  expect(borrowed).toMatchObject({ skipped: ['teacher', 'targets'], ran: ['variance'] });
  expect(borrowed.record).toEqual(first.record);
  await expect(run('refused', ['teacher.steps=4'], 'own')).rejects.toThrow(StoreError);
});
