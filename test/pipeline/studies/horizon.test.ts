import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { interpretUnroll } from '../../../src/autograd/unroll/interpretUnroll.js';
import { ConfigError } from '../../../src/errors.js';
import { initialParameters } from '../../../src/nn/model.js';
import { sgd } from '../../../src/nn/optimisers/sgd.js';
import {
  files,
  floatTensor,
  integerTensor,
  studentModel,
  takeRows,
  writeTensors,
} from '../../../src/pipeline/stages/context.js';
import { drawBatches } from '../../../src/pipeline/stages/draws.js';
import { innerProblem } from '../../../src/pipeline/stages/innerProblem.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';
import { horizonSteps, measureHorizon } from '../../../src/pipeline/studies/horizon.js';
import { checkHorizon, horizonStudy } from '../../../src/pipeline/studies/horizonStudy.js';
import { inner, norm } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { COUNT, tinyConfig, tinyContext, tinyTargets } from '../../support/study.js';

const device = useDevice();
let path = '';
let folder: RunFolder;
beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), 'hypergrad-horizon-'));
  folder = await RunFolder.open(path);
});
afterAll(async () => {
  await folder.close();
  await rm(path, { recursive: true, force: true });
});

const config = tinyConfig('experts.count=1', 'distil.startEpochs=1', 'distil.pixels.learningRate=10');
const settings = { steps: [1, 3], expertEpochs: [1, 2], draws: 1, iterations: 2 };
const chosen = Int32Array.of(3, 8, 1, 22, 39, 5);

const model = studentModel({ config, dataset: { image: [1, 6, 6] } });
const { total } = model.parameters;
/** The epochs of an expert that was never trained: one initialisation after another. */
const epochs = [0, 1, 2, 3].map((index) =>
  initialParameters(model.parameters, { seed: 9, purpose: 'expert', index }),
);

async function measure() {
  const trajectory = new Float32Array(epochs.length * total);
  epochs.forEach((theta, k) => {
    trajectory.set(theta, k * total);
  });
  await writeTensors(folder, files.expert(0), [
    ['trajectory', floatTensor(trajectory, epochs.length, total)],
  ]);
  await writeTensors(folder, files.targets, [['train', floatTensor(tinyTargets, COUNT, 4)]]);
  await writeTensors(folder, files.subset, [['indices', integerTensor(chosen, chosen.length)]]);
  let done = 0;
  const context = {
    ...tinyContext(await device(), config, (steps) => {
      done = steps;
    }),
    folder,
  };
  const found = await measureHorizon(context, settings);
  return { found, done, images: context.dataset.train.images };
}

describe('measureHorizon', () => {
  it('gives the loss, norms, truncation and adjoints that float64 gives', async () => {
    const { found, done, images } = await measure();
    expect(done).toBe(horizonSteps(settings));
    expect(found.gradients.map(({ steps, expertEpochs }) => [steps, expertEpochs])).toEqual([
      [1, 1],
      [1, 2],
      [3, 1],
      [3, 2],
    ]);
    const row = found.gradients.at(-1)!;
    const exact = interpretUnroll(
      { problem: innerProblem(model, [1, 6, 6], chosen.length), optimiser: sgd(), steps: 3 },
      {
        start: epochs[0]!,
        inputs: {
          images: takeRows(images, 36, chosen),
          targets: takeRows(tinyTargets, 4, chosen),
          learningRate: [0.1],
        },
        batches: drawBatches(1, 0, chosen.length, config.distil.batch, 3),
        outer: { start: epochs[0]!, target: epochs[2]! },
      },
    );
    expect(row.loss).toBeCloseTo(exact.loss, 5);
    for (const name of ['images', 'targets', 'learningRate'] as const) {
      expect(row.norms[name] / norm(exact.gradients[name]!)).toBeCloseTo(1, 3);
    }
    const parts = exact.contributions.images!;
    const lastTwo = Array.from(parts[2]!, (value, i) => value + parts[1]![i]!);
    const whole = exact.gradients.images!;
    expect(row.cosines[1]).toBeCloseTo(inner(lastTwo, whole) / (norm(lastTwo) * norm(whole)), 4);
    expect(row.cosines[2]).toBeCloseTo(1, 6);
    exact.adjointNorms.forEach((size, n) => {
      expect(row.adjoints[n]).toBeCloseTo(size / exact.adjointNorms[3]!, 4);
    });
  });

  it('begins every distillation at the same images, and moves them', async () => {
    const { found } = await measure();
    const again = (await measure()).found;
    for (const [k, { losses, steps, expertEpochs }] of found.distillations.entries()) {
      const gradient = found.gradients.find(
        (row) => row.steps === steps && row.expertEpochs === expertEpochs,
      )!;
      expect(losses).toHaveLength(2);
      expect(losses[0]).toBe(gradient.loss);
      expect(again.distillations[k]!.losses).toEqual(losses);
    }
    expect(again.gradients).toEqual(found.gradients);
  });

  it('is told in tables and figures, one row for each N and M', async () => {
    const { found } = await measure();
    const { tables, figures, findings } = horizonStudy.present(found, settings, config);
    expect(tables.map(({ body }) => body.length)).toEqual([4, 4]);
    expect(figures.every(({ spec }) => spec !== undefined)).toBe(true);
    expect(findings[0]).toContain('N = 3 steps to M = 2');
  });
});

it.each([
  [{ ...settings, expertEpochs: [1, 9] }, /--expert-epochs 9 .* experts\.epochs/],
  [{ ...settings, steps: [0] }, /--steps 0 must be at least 1/],
])('refuses what the experts cannot give', (refused, message) => {
  expect(() => checkHorizon(refused, config)).toThrow(ConfigError);
  expect(() => checkHorizon(refused, config)).toThrow(message);
});
