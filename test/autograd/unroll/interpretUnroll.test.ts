import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/autograd/gradient.js';
import { add, mul, scale } from '../../../src/autograd/ops/elementwise.js';
import { squaredDistance } from '../../../src/autograd/ops/mse.js';
import { dropout } from '../../../src/autograd/ops/random.js';
import { dot, reshape, sumAll } from '../../../src/autograd/ops/reduce.js';
import { f32, i32 } from '../../../src/autograd/tape.js';
import {
  interpretForward,
  interpretUnroll,
  type UnrollValues,
} from '../../../src/autograd/unroll/interpretUnroll.js';
import type { UnrollDescription } from '../../../src/autograd/unroll/options.js';
import { type OuterObjective, trajectoryLoss } from '../../../src/autograd/unroll/problem.js';
import { streamWords } from '../../../src/kernels/philox.js';
import { mse, softmaxCrossEntropy } from '../../../src/nn/losses.js';
import { adam } from '../../../src/nn/optimisers/adam.js';
import { expectNear, inner, norm, numbers } from '../../support/compare.js';
import { centralDifference } from '../../support/derivatives.js';
import {
  classification,
  labels,
  manySteps,
  model,
  plain,
  regression,
  sgdCase,
  values,
} from '../../support/tinyUnroll.js';

/** d loss along a direction in one of the inputs, and along the gradient. */
function expectGradients(
  description: UnrollDescription,
  at: UnrollValues,
  names: readonly string[],
  directionsOf: (name: string, length: number) => ArrayLike<number>[] = (name, length) => [
    numbers(2, name, length),
  ],
): void {
  const { gradients } = interpretUnroll(description, at);
  for (const name of names) {
    const analytic = gradients[name]!;
    for (const direction of directionsOf(name, analytic.length)) {
      const difference = centralDifference(
        (x) => interpretForward(description, { ...at, inputs: { ...at.inputs, [name]: x } }).loss,
        at.inputs[name]!,
        direction,
      );
      const along = inner(analytic, direction);
      expect(Math.abs(along - difference), `along ${name}: ${along} and ${difference}`).toBeLessThanOrEqual(
        1e-6 * norm(analytic) * norm(direction) + 1e-9,
      );
    }
    expect(norm(analytic), name).toBeGreaterThan(0);
  }
}

const unit = (length: number, place: number): number[] =>
  Array.from({ length }, (_, k) => Number(k === place));

describe('the hypergradient of the trajectory loss through plain SGD', () => {
  it('is the derivative by each pixel, also of an image that occurs twice in a batch and in two steps', () => {
    expectGradients(plain, values, ['images'], (_, length) =>
      [0, 36 + 14, 36 + 21, 3 * 36 + 35].map((place) => unit(length, place)),
    );
  });

  it('is the derivative by targets and by the learning rate', () => {
    expectGradients(plain, values, ['targets', 'learningRate']);
  });

  it('is the derivative by the start, for a constant denominator', () => {
    const { adjointAtStart } = interpretUnroll(plain, values);
    const direction = numbers(2, 'start', values.start.length);
    const difference = centralDifference(
      (start) => interpretForward(plain, { ...values, start }).loss,
      values.start,
      direction,
    );
    const along = inner(adjointAtStart, direction);
    expect(Math.abs(along - difference)).toBeLessThanOrEqual(1e-6 * norm(adjointAtStart) * norm(direction));
  });

  it('leaves images without a gradient that no batch holds', () => {
    const batches = [Int32Array.of(0, 2), Int32Array.of(2, 4)];
    const { gradients } = interpretUnroll({ ...plain, steps: 2 }, { ...values, batches });
    for (const unused of [1, 3]) {
      expect(norm(gradients.images!.subarray(unused * 36, (unused + 1) * 36))).toBe(0);
      expect(norm(gradients.targets!.subarray(unused * 4, (unused + 1) * 4))).toBe(0);
    }
    expect(norm(gradients.images!.subarray(2 * 36, 3 * 36))).toBeGreaterThan(0);
  });

  it('goes through a cross-entropy on fixed labels, which get no gradient', () => {
    const { images, learningRate } = values.inputs as Record<string, Float32Array>;
    const labelled = { ...values, inputs: { images: images!, labels, learningRate: learningRate! } };
    const description = { ...plain, problem: classification };
    expectGradients(description, labelled, ['images', 'learningRate']);
    expect(Object.keys(interpretUnroll(description, labelled).gradients)).toEqual(['images', 'learningRate']);
  });

  it('moves θ against the gradient of the loss', () => {
    const batches = Array.from({ length: 8 }, () => Int32Array.of(0, 1, 2, 3, 4));
    const inputs = { ...values.inputs, learningRate: [0.05] };
    const { path, innerLosses } = interpretForward({ ...plain, steps: 8 }, { ...values, batches, inputs });
    expect(path).toHaveLength(9);
    innerLosses.slice(1).forEach((loss, k) => {
      expect(loss).toBeLessThan(innerLosses[k]!);
    });
  });
});

describe('the hypergradient through other optimisers', () => {
  it.each([
    ['momentum', { momentum: true }],
    ['weight decay', { weightDecay: true }],
    ['momentum and weight decay', { momentum: true, weightDecay: true }],
    ['Nesterov momentum and weight decay', { momentum: true, nesterov: true, weightDecay: true }],
  ])('is exact for SGD with %s, by every hyperparameter', (_, settings) => {
    const { description, values: at } = sgdCase(settings);
    expectGradients(description, at, description.wrt!);
  });

  it('is exact for Adam, also where a parameter has no gradient', () => {
    // θ has padding, whose gradient and second moment are 0: the root's derivative there must not become NaN.
    const description = {
      ...plain,
      optimiser: adam({ weightDecay: true, epsilon: 1e-3 }),
      wrt: ['images', 'targets', 'learningRate', 'weightDecay'],
    };
    const inputs = { ...values.inputs, learningRate: [0.01], weightDecay: [0.05] };
    expectGradients(description, { ...values, inputs }, description.wrt);
  });

  it('draws other dropout masks at every step, and the same on the way back', () => {
    const problem = {
      ...regression,
      loss: (theta, { images, targets }, { stream }) =>
        mse(model.forward(theta, dropout(images!, stream, 0.3)).output, targets!),
    } satisfies UnrollDescription['problem'];
    const streams = [0, 1, 2].map((index) => streamWords({ seed: 1, purpose: 'test/dropout', index }));
    const description = { ...plain, problem };
    expectGradients(description, { ...values, streams }, ['images', 'targets', 'learningRate']);
    const { innerLosses } = interpretForward(description, { ...values, streams });
    const again = interpretForward(description, { ...values, streams: streams.map(() => streams[0]!) });
    expect(innerLosses[0]).toBe(again.innerLosses[0]);
    expect(innerLosses[1]).not.toBe(again.innerLosses[1]);
  });

  it('agrees with the written-out adjoint of momentum and weight decay', () => {
    // ν and λ of one step by hand: dL/dα = −⟨λ, m'⟩ for the last step, where m' = (θ_0 − θ_1)/α.
    const { description, values: at } = sgdCase({ momentum: true, weightDecay: true });
    const one = { ...at, batches: at.batches.slice(0, 1) };
    const { gradients, path } = interpretUnroll({ ...description, steps: 1 }, one);
    const target = values.outer.target!;
    const squared = path[0] as ArrayLike<number>;
    const denominator = Array.from(squared, (x, i) => (x - target[i]!) ** 2).reduce((a, b) => a + b, 0);
    const lambda = Array.from(path[1]!, (x, i) => (2 * (x - target[i]!)) / denominator);
    const buffer = Array.from(path[1]!, (x, i) => (path[0]![i]! - x) / 0.25);
    expectNear(gradients.learningRate!, [-inner(lambda, buffer)], { relative: 1e-12, absolute: 0 });
    const v = lambda.map((x) => -0.25 * x);
    expectNear(gradients.weightDecay!, [inner(v, path[0]!)], { relative: 1e-12, absolute: 0 });
    expectNear(gradients.momentum!, [0], { relative: 0, absolute: 1e-15 });
  });

  it('gives a learning rate of each step its own gradient, and their sum is that of one for all', () => {
    const rates = Float32Array.of(0.25, 0.1, 0.3);
    const at = { ...values, inputs: { ...values.inputs, learningRate: rates } };
    const description = { ...plain, perStep: ['learningRate'] };
    expectGradients(description, at, ['learningRate', 'images'], (name, length) =>
      name === 'images' ? [numbers(2, name, length)] : [0, 1, 2].map((place) => unit(length, place)),
    );
    const same = { ...values, inputs: { ...values.inputs, learningRate: rates.map(() => 0.25) } };
    const each = interpretUnroll(description, same).gradients.learningRate!;
    const all = interpretUnroll(plain, values).gradients.learningRate!;
    expectNear([each.reduce((a, b) => a + b)], all, { relative: 1e-12, absolute: 0 });
  });
});

describe('problems beyond images and targets', () => {
  it('learns weights of the examples and a hyperparameter of the loss', () => {
    const problem = {
      ...regression,
      tables: { ...regression.tables, weights: f32(5) },
      hyperparameters: { penalty: f32() },
      loss: (theta, { images, targets, weights }, { hyperparameters: { penalty } }) => {
        const difference = add(model.forward(theta, images!).output, scale(targets!, -1));
        const errors = mul(mul(difference, difference), reshape(weights!, [weights!.shape[0]!, 1]));
        return add(sumAll(errors), mul(penalty!, dot(theta, theta)));
      },
    } satisfies UnrollDescription['problem'];
    const inputs = {
      ...values.inputs,
      learningRate: [0.01],
      weights: [0.5, 1, 0.2, 2, 0.7],
      penalty: [0.1],
    };
    const description = { ...plain, problem, wrt: ['weights', 'penalty', 'images'] };
    expectGradients(description, { ...values, inputs }, ['weights', 'penalty', 'images']);
  });

  it('goes through an inner loss that itself takes a gradient', () => {
    const problem = {
      ...regression,
      loss: (theta, { images, targets }) => {
        const fit = mse(model.forward(theta, images!).output, targets!);
        const [byImage] = gradient(fit, [images!]) as [typeof fit];
        return add(fit, scale(dot(byImage, byImage), 0.3));
      },
    } satisfies UnrollDescription['problem'];
    expectGradients({ ...plain, problem, steps: 2 }, { ...values, batches: values.batches.slice(0, 2) }, [
      'images',
      'targets',
      'learningRate',
    ]);
  });
});

describe('outer objectives', () => {
  const validation: OuterObjective = {
    inputs: { validationImages: f32(3, 1, 6, 6), validationLabels: i32(3) },
    loss: (theta, { validationImages, validationLabels }) =>
      softmaxCrossEntropy(model.forward(theta, validationImages!).output, validationLabels!),
  };
  const outer = {
    validationImages: numbers(3, 'validation', 3 * 36),
    validationLabels: Int32Array.of(0, 3, 1),
  };

  it('may be a loss on a batch of its own', () => {
    expectGradients({ ...plain, outer: validation }, { ...values, outer }, [
      'images',
      'targets',
      'learningRate',
    ]);
  });

  it('may be a weighted sum over the path', () => {
    const description = { ...plain, outer: validation, pathWeights: [0.5, 0, 2] };
    expectGradients(description, { ...values, outer }, ['images', 'targets', 'learningRate']);
    const single = (weights: number[]) =>
      interpretUnroll({ ...description, pathWeights: weights }, { ...values, outer });
    const sum = interpretUnroll(description, { ...values, outer });
    const [first, last] = [single([1, 0, 0]), single([0, 0, 1])];
    expect(sum.loss).toBeCloseTo(0.5 * first.loss + 2 * last.loss, 12);
    const want = last.gradients.images!.map((x, i) => 2 * x + 0.5 * first.gradients.images![i]!);
    expectNear(sum.gradients.images!, want, { relative: 1e-12, absolute: 1e-15 });
  });

  it('is the trajectory loss by default', () => {
    const explicit = { ...plain, outer: trajectoryLoss(regression.parameters) };
    expect(interpretUnroll(explicit, values).gradients).toEqual(interpretUnroll(plain, values).gradients);
    const plainDistance: OuterObjective = {
      inputs: { target: f32(regression.parameters) },
      loss: (theta, { target }) => squaredDistance(theta, target!),
    };
    const distance = interpretUnroll(
      { ...plain, outer: plainDistance },
      { ...values, outer: { target: values.outer.target! } },
    );
    const ratio = distance.loss / interpretUnroll(plain, values).loss;
    expectNear(
      distance.gradients.images!,
      interpretUnroll(plain, values).gradients.images!.map((x) => x * ratio),
      { relative: 1e-12, absolute: 0 },
    );
  });
});

describe('truncation and observation', () => {
  const exact = interpretUnroll(plain, values);

  it('gives each step’s own part, and the gradient as their sum', () => {
    for (const name of ['images', 'targets', 'learningRate']) {
      const parts = exact.contributions[name]!;
      const sum = parts.reduce((a, b) => a.map((x, i) => x + b[i]!));
      expectNear(sum, exact.gradients[name]!, { relative: 1e-13, absolute: 0 });
    }
    // The second batch holds rows 4 and 2 only.
    expect(norm(exact.contributions.images![1]!.subarray(0, 2 * 36))).toBe(0);
    expect(norm(exact.contributions.images![1]!.subarray(2 * 36, 3 * 36))).toBeGreaterThan(0);
  });

  it('truncated to the last steps is the sum of their parts', () => {
    for (const truncate of [1, 2, 3]) {
      const truncated = interpretUnroll({ ...plain, truncate }, values);
      const parts = exact.contributions.images!.slice(3 - truncate);
      const sum = parts.reduce((a, b) => a.map((x, i) => x + b[i]!));
      expectNear(truncated.gradients.images!, sum, { relative: 1e-13, absolute: 0 });
      expect(truncated.loss).toBe(exact.loss);
      expect(truncated.adjointNorms.slice(3 - truncate)).toEqual(exact.adjointNorms.slice(3 - truncate));
    }
  });

  it('gives the norm of the adjoint at every step', () => {
    expect(exact.adjointNorms).toHaveLength(4);
    expect(exact.adjointNorms[0]).toBeCloseTo(norm(exact.adjointAtStart), 12);
  });

  it('is one run for any number of steps', () => {
    const { loss, innerLosses } = interpretUnroll({ ...plain, steps: 7 }, manySteps(7));
    expect(Number.isFinite(loss)).toBe(true);
    expect(innerLosses).toHaveLength(7);
  });
});
