/** A distillation of whose loss nothing finite is left: what stops it, and what it keeps. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NumericsError } from '../../../src/errors.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import type { Config } from '../../../src/pipeline/config/schema.js';
import { loadDataset } from '../../../src/pipeline/data/dataset.js';
import { silentProgress } from '../../../src/pipeline/progress.js';
import { runPipeline } from '../../../src/pipeline/run.js';
import { requireFiniteLoss } from '../../../src/pipeline/stages/setWatch.js';
import { readEvents } from '../../../src/pipeline/store/events.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';
import { decodeSafetensors } from '../../../src/pipeline/store/safetensors.js';
import { useDevice } from '../../support/device.js';

const device = useDevice();

let path = '';
beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), 'hypergrad-divergence-'));
});
afterAll(() => rm(path, { recursive: true, force: true }));

type Distil = Config['distil'];

/** Runs the preset in the one folder, where finished stages stay; the settings may be ones that no user can give. */
async function run(change: (distil: Distil) => Partial<Distil> = () => ({})): Promise<void> {
  const given = resolveConfig({
    preset: 'tiny-test',
    sets: ['evaluate.rows=[randomEncoder]', 'evaluate.seeds=1'],
    seed: 1,
  });
  const config = { ...given, distil: { ...given.distil, ...change(given.distil) } };
  const dataset = await loadDataset(config.data, config.seed);
  const folder = await RunFolder.open(path);
  try {
    const opened = await device();
    await runPipeline({ config, dataset, folder, device: opened, command: 'test', progress: silentProgress });
  } finally {
    dataset.close();
    await folder.close();
  }
}

/** What a run that diverges is ended with. */
async function divergence(change: (distil: Distil) => Partial<Distil>): Promise<string> {
  const error = await run(change).then(
    () => new Error('it did not diverge'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(NumericsError);
  expect((error as NumericsError).exitCode).toBe(7);
  return (error as NumericsError).message;
}

const lastGood = (extension: string): string => join(path, 'snapshots', `last-good.${extension}`);

describe('a distillation that diverges', () => {
  it('names the first iteration whose loss is no number, and keeps the set of the one before', async () => {
    const message = await divergence(({ targets }) => ({ targets: { ...targets, learningRate: 1e19 } }));
    const [, what, iteration] = /: (.*) of the stage distil at iteration (\d+) is/.exec(message)!;
    expect(what).toMatch(/trajectory loss|gradient|Norm/);
    const good = Number(/as it was before iteration (\d+)/.exec(message)![1]);
    expect(good).toBe(Number(iteration) - 1);
    expect(message).toMatch(
      /distil\.pixels\.learningRate \(now \d+\).*: try --set distil\.pixels\.learningRate=\d+/,
    );
    expect(message).toContain(lastGood('safetensors'));

    const { tensors, metadata } = decodeSafetensors(await readFile(lastGood('safetensors')), 'last good');
    expect(metadata.iterations).toBe(String(good));
    for (const name of ['images', 'targets', 'innerStep']) {
      expect([...(tensors.get(name)!.data as Float32Array)].every(Number.isFinite)).toBe(true);
    }
    expect((await stat(lastGood('png'))).size).toBeGreaterThan(100);
    const events = (await readEvents(join(path, 'events.jsonl'))).filter(({ stage }) => stage === 'distil');
    expect(events.map(({ iteration }) => iteration)).toEqual(Array.from({ length: good + 1 }, (_, k) => k));
  });

  it('is stopped by the very update that leaves pixels without numbers', async () => {
    const message = await divergence(({ pixels }) => ({ pixels: { ...pixels, learningRate: 1e38 } }));
    expect(message).toMatch(
      /the pixels after their update of the stage distil at iteration 0 is (Infinity|NaN)/,
    );
    expect(message).toContain('as it was before iteration 0');
    const { tensors } = decodeSafetensors(await readFile(lastGood('safetensors')), 'last good');
    expect(tensors.get('images')!.data).toEqual(tensors.get('start.images')!.data);
  });

  it('keeps no set where there never was a good one', async () => {
    const message = await divergence(({ innerStep }) => ({ innerStep: { ...innerStep, initial: 1e30 } }));
    expect(message).toMatch(/at iteration 0 is/);
    expect(message).toContain('distil.innerStep.initial (now 1e+30)');
    expect(message).not.toContain('last-good');
    await expect(stat(lastGood('safetensors'))).rejects.toThrow(/ENOENT/);
  });

  it('leaves nothing behind once it runs with better settings', async () => {
    await run();
    await expect(stat(lastGood('safetensors'))).rejects.toThrow(/ENOENT/);
  });
});

it('names the norm of a gradient in words', () => {
  const { distil } = resolveConfig({ preset: 'tiny-test', sets: [] });
  const seen = { loss: 1, slope: null, norms: [['pixelNorm', Number.NaN]] as const };
  expect(() => requireFiniteLoss(seen, 3, distil)).toThrow(
    /^Training diverged: the norm of the gradient by the pixels of the stage distil at iteration 3 is NaN\./,
  );
});
