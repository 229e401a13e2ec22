import { describe, expect, it } from 'vitest';
import { interpret } from '../../../src/autograd/interpret.js';
import { f32 } from '../../../src/autograd/tape.js';
import { permutation } from '../../../src/kernels/philox.js';
import { initialParameters } from '../../../src/nn/model.js';
import { withProjector } from '../../../src/nn/selfSupervised.js';
import { distillation, selfSupervision } from '../../../src/pipeline/objectives.js';
import { studentModel } from '../../../src/pipeline/stages/context.js';
import { gramMatrix, noiseOf } from '../../../src/pipeline/studies/statistics.js';
import {
  checkpointsOf,
  displacementNoise,
  measureVariance,
  varianceSteps,
} from '../../../src/pipeline/studies/variance.js';
import { useDevice } from '../../support/device.js';
import { COUNT, tinyConfig, tinyContext, tinyTargets } from '../../support/study.js';

const device = useDevice();
const settings = { batches: 3, batchSizes: [4], trajectories: 3, epochs: 1 };

describe('checkpointsOf', () => {
  it('is the powers of two and the last step', () => {
    expect(checkpointsOf(1)).toEqual([1]);
    expect(checkpointsOf(8)).toEqual([1, 2, 4, 8]);
    expect(checkpointsOf(11)).toEqual([1, 2, 4, 8, 11]);
  });
});

describe('displacementNoise', () => {
  it("measures from each training's own start", () => {
    const starts = [Float32Array.of(0, 2), Float32Array.of(2, 0)];
    const ends = [Float32Array.of(1, 2), Float32Array.of(2, 1)];
    const { length, divergence, cosine } = displacementNoise(ends, starts);
    expect(length).toBeCloseTo(0.5, 12);
    expect(divergence).toBeCloseTo(2, 12);
    expect(cosine).toBeCloseTo(0, 12);
  });
});

describe('measureVariance', () => {
  it('gives the same bits twice, of both losses, at every checkpoint, with the progress that it announced', async () => {
    const config = tinyConfig();
    let done = 0;
    const context = tinyContext(await device(), config, (steps) => {
      done = steps;
    });
    const first = await measureVariance(context, tinyTargets, settings);
    expect(done).toBe(varianceSteps(settings, COUNT, config.experts.batch));
    expect(await measureVariance(context, tinyTargets, settings)).toEqual(first);
    expect(first.gradients.map(({ objective, step }) => [objective, step])).toEqual([
      ['selfSupervised', 0],
      ['selfSupervised', 5],
      ['distillation', 0],
      ['distillation', 5],
    ]);
    expect(first.trajectories.map(({ over, step }) => `${over} ${step}`)).toEqual(
      ['selfSupervised', 'distillation'].flatMap(() =>
        ['orders', 'starts'].flatMap((over) => [1, 2, 4, 5].map((step) => `${over} ${step}`)),
      ),
    );
    for (const { length, divergence } of first.trajectories) {
      expect(length).toBeGreaterThan(0);
      expect(divergence).toBeGreaterThan(0);
    }
  });

  it.each(['selfSupervised', 'distillation'] as const)(
    'measures the gradients of the %s loss that float64 gives, of the student alone and of all',
    async (name) => {
      const config = tinyConfig();
      const context = tinyContext(await device(), config);
      const model = studentModel(context);
      const found = await measureVariance(context, tinyTargets, settings);
      const layout = name === 'distillation' ? model.parameters : withProjector(model, config.teacher);
      const objective =
        name === 'distillation'
          ? distillation(model, config.experts)
          : selfSupervision(model, config.teacher, config.selfSupervised.experts, context.dataset);
      const data = { imageShape: [COUNT, 1, 6, 6], targetType: f32(COUNT, 4) };
      const tape = objective.tape(data, 4);
      const theta = initialParameters(layout, { seed: 1, purpose: 'study.student', index: 0 });
      const gradients = Array.from({ length: 3 }, (_, index) => {
        const key = { seed: 1, purpose: 'study.batch/start/4', index };
        const { images } = context.dataset.train;
        const inputs = { theta, images, targets: tinyTargets, batch: permutation(key, COUNT).slice(0, 4) };
        const given: Record<string, ArrayLike<number>> = { ...inputs, ...objective.draw(key, 4) };
        const read = Object.keys(tape.inputs).map((input) => [input, given[input]!]);
        return interpret(tape, Object.fromEntries(read)).gradient!;
      });
      const own = noiseOf(gramMatrix(gradients.map((g) => g.subarray(0, model.parameters.total))), 3);
      const whole = noiseOf(gramMatrix(gradients), 3);
      const row = found.gradients.find(({ objective, step }) => objective === name && step === 0)!;
      expect(row.variance / own.variance).toBeCloseTo(1, 4);
      expect(row.cosine).toBeCloseTo(own.cosine!, 4);
      expect(row.whole.variance / whole.variance).toBeCloseTo(1, 4);
      if (name === 'selfSupervised') expect(whole.variance).toBeGreaterThan(own.variance);
      else expect(whole).toEqual(own);
    },
  );
});
