import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { interpretForward, interpretUnroll } from '../../../src/autograd/unroll/interpretUnroll.js';
import type { UnrollDescription } from '../../../src/autograd/unroll/options.js';
import { ConfigError, ShapeError } from '../../../src/errors.js';
import { convNet } from '../../../src/nn/convNet.js';
import { initialParameters } from '../../../src/nn/model.js';
import { sgd } from '../../../src/nn/optimisers/sgd.js';
import { withProjector } from '../../../src/nn/selfSupervised.js';
import { type PairSettings, pairTypes } from '../../../src/nn/viewPairs.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { loadDataset } from '../../../src/pipeline/data/dataset.js';
import { silentProgress } from '../../../src/pipeline/progress.js';
import type { RunResult } from '../../../src/pipeline/report/types.js';
import { runPipeline } from '../../../src/pipeline/run.js';
import { wholeBatches } from '../../../src/pipeline/stages/draws.js';
import {
  drawSteps,
  drawWholeBatches,
  selfSupervisedProblem,
} from '../../../src/pipeline/stages/selfSupervised.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';
import { decodeSafetensors } from '../../../src/pipeline/store/safetensors.js';
import { expectNear, inner, numbers } from '../../support/compare.js';
import { centralDifference } from '../../support/derivatives.js';
import { useDevice } from '../../support/device.js';
import { createUnroll, readUnroll, submitUnroll } from '../../support/unroll.js';

const device = useDevice();

describe('batches', () => {
  it('leave out a rest that is too short', () => {
    expect(wholeBatches(Int32Array.of(4, 2, 0, 1, 3), 2)).toEqual([Int32Array.of(4, 2), Int32Array.of(0, 1)]);
  });

  it('of an unroll are whole, and no image comes twice in a permutation', () => {
    const batches = drawWholeBatches(1, 3, 7, 3, 5);
    expect(batches.map(({ length }) => length)).toEqual([3, 3, 3, 3, 3]);
    for (const k of [0, 2]) expect(new Set([...batches[k]!, ...batches[k + 1]!]).size).toBe(6);
    expect(drawWholeBatches(1, 4, 7, 3, 5)).not.toEqual(batches);
  });
});

describe('drawSteps', () => {
  it('lays the pairs of the steps one after another, each of its own stream', () => {
    const { augmentation } = resolveConfig({ preset: 'tiny-test', sets: [] }).teacher;
    const settings = { lambda: 0.01, projector: 4, augmentation };
    const images = { image: [1, 6, 6] as const, mean: [0], deviation: [1] };
    const key = { seed: 1, purpose: 'test', index: 10 };
    const two = drawSteps(key, 2, 3, images, settings);
    const second = drawSteps({ ...key, index: 11 }, 1, 3, images, settings);
    for (const [name, { shape }] of Object.entries(pairTypes(settings, [1, 6, 6], 3))) {
      const each = shape.reduce((product, extent) => product * extent, 1);
      expect(two[name]!.length).toBe(2 * each);
      expect(two[name]!.slice(each)).toEqual(second[name]);
      expect(two[name]!.slice(0, each)).not.toEqual(second[name]);
    }
  });
});

describe('the hypergradient through self-supervised steps', () => {
  const COUNT = 4;
  const model = convNet({ image: [1, 6, 6], depth: 1, width: 3, output: 4 });
  const { augmentation } = resolveConfig({ preset: 'tiny-test', sets: [] }).teacher;
  const caseOf = (extra: Partial<PairSettings>) => {
    const settings: PairSettings = { lambda: 0.02, projector: 5, augmentation, ...extra };
    const description: UnrollDescription = {
      problem: selfSupervisedProblem(model, settings, COUNT, 3),
      optimiser: sgd(),
      steps: 2,
      wrt: ['images', 'learningRate'],
      perStep: Object.keys(pairTypes(settings, [1, 6, 6], 3)),
    };
    const theta = (index: number) =>
      initialParameters(withProjector(model, settings), { seed: 5, purpose: 'student', index });
    const key = { seed: 1, purpose: 'test', index: 0 };
    const standardisation = { image: [1, 6, 6] as const, mean: [0], deviation: [1] };
    const values = {
      start: theta(0),
      batches: [Int32Array.of(0, 3, 1), Int32Array.of(2, 1, 3)],
      inputs: {
        images: numbers(1, 'images', COUNT * 36),
        learningRate: Float32Array.of(0.05),
        ...drawSteps(key, 2, 3, standardisation, settings),
      } as Record<string, Float32Array | Int32Array>,
      outer: { start: theta(0), target: theta(1) },
    };
    return { description, values };
  };

  it.each([
    ['Barlow Twins', {}],
    ['SimCLR', { method: 'simClr' as const }],
  ])('of %s is float64’s, by pixels, inner step and start', async (_, extra) => {
    const { description, values } = caseOf(extra);
    const want = interpretUnroll(description, values);
    const unroll = await createUnroll(await device(), description, values);
    try {
      submitUnroll(unroll, values);
      const got = await readUnroll(unroll, 2);
      const tolerance = { relative: 2e-4, absolute: 1e-7 };
      expect(got.loss).toBeCloseTo(want.loss, 5);
      expectNear(got.innerLosses, want.innerLosses, { relative: 1e-4, absolute: 0 }, 'inner losses');
      expectNear(got.gradients.images!, want.gradients.images!, tolerance, 'the gradient by pixels');
      expectNear(got.gradients.learningRate!, want.gradients.learningRate!, tolerance, 'that by α');
      expectNear(got.adjointAtStart, want.adjointAtStart, tolerance, 'the adjoint at θ₀');
    } finally {
      unroll.release();
    }
  });

  it('is what differences of the outer loss give', () => {
    const { description, values } = caseOf({});
    const { gradients } = interpretUnroll(description, values);
    const direction = numbers(2, 'direction', COUNT * 36);
    const lossOf = (images: Float64Array): number =>
      interpretForward(description, { ...values, inputs: { ...values.inputs, images } }).loss;
    const difference = centralDifference(lossOf, values.inputs.images!, direction);
    expect(inner(gradients.images!, direction) / difference).toBeCloseTo(1, 5);
  });

  it('is not to be had by whole numbers, such as the streams of the noise', () => {
    const { description, values } = caseOf({});
    const wrong = { ...description, wrt: ['images', 'noiseA'] };
    expect(() => interpretUnroll(wrong, values)).toThrow(ShapeError);
    expect(() => interpretUnroll(wrong, values)).toThrow(/'noiseA', which holds whole numbers/);
  });
});

describe('a run with the row trajectoryMatchingOnSsl', () => {
  const sets = [
    'evaluate.rows=[mkdt, trajectoryMatchingOnSsl]',
    'evaluate.transfer=[{architecture: mlp, depth: 1, width: 8}]',
    'evaluate.seeds=1',
    'distil.iterations=1',
    'experts.count=1',
    'selfSupervised.experts.count=1',
    'selfSupervised.experts.epochs=2',
    'selfSupervised.experts.batch=64',
    'selfSupervised.iterations=2',
    'selfSupervised.steps=3',
    'selfSupervised.expertEpochs=1',
    'selfSupervised.startEpochs=1',
    'selfSupervised.batch=4',
  ];
  let scratch = '';
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'hypergrad-ssl-'));
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  async function run(extra: string[] = []): Promise<{ result: RunResult; ran: string[] }> {
    const folder = await RunFolder.open(scratch);
    const ran: string[] = [];
    try {
      const config = resolveConfig({ preset: 'tiny-test', sets: [...sets, ...extra] });
      const dataset = await loadDataset(config.data, config.seed);
      const progress = { ...silentProgress, started: (stage: string) => ran.push(stage) };
      const options = { config, dataset, folder, device: await device(), command: 'test', progress };
      return { result: await runPipeline(options), ran };
    } finally {
      await folder.close();
    }
  }

  it('moves the images along the experts of that loss and probes the student; another setting runs just its stages', async () => {
    const whole = vi.spyOn(RunFolder.prototype, 'readBytes');
    const { result, ran } = await run();
    // A trajectory is as large as all of its checkpoints: it is read one at a time.
    const inOne = whole.mock.calls.map(([name]) => name);
    expect(inOne.filter((name) => name.startsWith('self-supervised-experts/'))).toEqual([]);
    whole.mockRestore();
    expect(ran).toContain('selfSupervisedExperts');
    expect(ran).toContain('selfSupervised');
    const names = result.rows.map(({ name }) => name);
    expect(new Set(names)).toEqual(new Set(['MKDT', 'MTT on the SSL loss']));
    expect(result.transfer[0]!.rows.map(({ name }) => name)).toContain('MTT on the SSL loss');
    const read = async () => {
      const file = 'self-supervised-synthetic.safetensors';
      const { tensors } = decodeSafetensors(await readFile(join(scratch, file)), file);
      return (name: string) => tensors.get(name)!.data;
    };
    const first = await read();
    expect(first('images')).not.toEqual(first('start.images'));
    expect(first('innerStep')[0]).toBeGreaterThan(0);

    expect((await run(['selfSupervised.steps=2'])).ran).toEqual(['selfSupervised', 'evaluate']);
    expect((await run()).ran).toEqual(['selfSupervised', 'evaluate']);
    const again = await read();
    for (const name of ['images', 'innerStep']) expect(again(name)).toEqual(first(name));
  });

  it.each([
    ['selfSupervised.batch=11', /selfSupervised\.batch = 11 .* the 10 synthetic images/],
    [
      'selfSupervised.startEpochs=3',
      /selfSupervised\.expertEpochs .* within selfSupervised\.experts\.epochs/,
    ],
    [
      'evaluate.transfer=[{architecture: resNet18, width: 8}]',
      /evaluate\.transfer .* must not name resNet18/,
    ],
  ])('refuses %s, which a run without that row does not mind', (setting, message) => {
    const resolve = (...extra: string[]) =>
      resolveConfig({ preset: 'tiny-test', sets: [...sets, setting, ...extra] });
    expect(() => resolve()).toThrow(ConfigError);
    expect(() => resolve()).toThrow(message);
    expect(() => resolve('evaluate.rows=[mkdt]')).not.toThrow();
  });
});
