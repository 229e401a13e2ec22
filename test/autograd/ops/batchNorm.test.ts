import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/autograd/gradient.js';
import { interpret } from '../../../src/autograd/interpret.js';
import { batchNorm, batchNormWith, moveRunningStatistics } from '../../../src/autograd/ops/batchNorm.js';
import { dot } from '../../../src/autograd/ops/reduce.js';
import { f32, type Shape, sizeOf } from '../../../src/autograd/tape.js';
import { type Tensor, trace } from '../../../src/autograd/trace.js';
import { ShapeError } from '../../../src/errors.js';
import { expectNear, numbers } from '../../support/compare.js';
import { expectFirstDerivatives, expectSecondDerivatives } from '../../support/derivatives.js';
import { useDevice } from '../../support/device.js';
import { expectSameOnDevice } from '../../support/onDevice.js';
import { floats, type OperationCase } from '../../support/operations/case.js';

const openedDevice = useDevice();
const EXACT = { relative: 1e-12, absolute: 1e-12 };
const RUNS = { seed: 20_240_103, numRuns: 30 };
const EPSILON = 0.1;

/** Shapes of two to four axes, some of them single, with more than one value a channel. */
const shapes = (extents: readonly number[]): fc.Arbitrary<number[]> =>
  fc
    .array(fc.constantFrom(...extents), { minLength: 2, maxLength: 4 })
    .filter((shape) => sizeOf(shape) > shape[1]!);

const trainingCase = (shape: Shape): OperationCase => ({
  inputs: {
    x: floats(1, 'x', shape),
    gamma: floats(1, 'gamma', [shape[1]!]),
    beta: floats(1, 'beta', [shape[1]!]),
  },
  build: ({ x, gamma, beta }) => batchNorm(x!, gamma!, beta!, EPSILON).output,
  differentiable: ['x', 'gamma', 'beta'],
});

const evaluationCase = (shape: Shape): OperationCase => ({
  inputs: {
    ...trainingCase(shape).inputs,
    mean: floats(1, 'mean', [shape[1]!]),
    variance: floats(1, 'variance', [shape[1]!], 'positive'),
  },
  build: ({ x, gamma, beta, mean, variance }) =>
    batchNormWith(x!, gamma!, beta!, { mean: mean!, variance: variance! }, EPSILON),
  differentiable: ['x', 'gamma', 'beta', 'mean', 'variance'],
});

/** The derivative of ⟨output, weights⟩ by one of the inputs. */
const derivativeCase = ({ inputs, build }: OperationCase, shape: Shape, name: string): OperationCase => ({
  inputs: { ...inputs, weights: floats(2, 'weights', shape) },
  build: (tensors) => gradient(dot(build(tensors), tensors.weights!), [tensors[name]!])[0]!,
  differentiable: [],
});

describe.each([
  ['batchNorm', trainingCase],
  ['batchNormWith', evaluationCase],
] as const)('%s', (_, caseOf) => {
  it('has the first derivatives that central differences give', () => {
    fc.assert(
      fc.property(shapes([1, 2, 3, 4]), (shape) => expectFirstDerivatives(caseOf(shape))),
      RUNS,
    );
  });

  it('has the second derivatives that central differences give', () => {
    fc.assert(
      fc.property(shapes([1, 2, 3, 4]), (shape) => expectSecondDerivatives(caseOf(shape))),
      RUNS,
    );
  });

  it('gives on the device what its reference gives, backwards too', async () => {
    const check = async (shape: number[]): Promise<void> => {
      const device = await openedDevice();
      const operation = caseOf(shape);
      await expectSameOnDevice(device, operation);
      for (const name of operation.differentiable) {
        await expectSameOnDevice(device, derivativeCase(operation, shape, name));
      }
    };
    await fc.assert(fc.asyncProperty(shapes([1, 3, 8, 17]), check), {
      ...RUNS,
      numRuns: 10,
      endOnFailure: true,
    });
  });
});

/** Mean and biased variance of each channel of x [N,C,H,W], as they are defined. */
function statisticsOf(x: ArrayLike<number>, [N, C, H, W]: readonly [number, number, number, number]) {
  const channels = Array.from({ length: C }, (_, c) =>
    Array.from(x).filter((_, place) => Math.floor(place / (H * W)) % C === c),
  );
  const mean = channels.map((values) => values.reduce((sum, value) => sum + value, 0) / (N * H * W));
  const variance = channels.map(
    (values, c) => values.reduce((sum, value) => sum + (value - mean[c]!) ** 2, 0) / (N * H * W),
  );
  return { mean, variance };
}

describe('the statistics of batchNorm', () => {
  const shape = [4, 3, 5, 6] as const;
  const types = { x: f32(...shape), gamma: f32(3), beta: f32(3), mean: f32(3), variance: f32(3) };
  const inputs = {
    x: numbers(1, 'x', sizeOf(shape)),
    gamma: numbers(1, 'gamma', 3),
    beta: numbers(1, 'beta', 3),
    mean: numbers(1, 'mean', 3),
    variance: numbers(1, 'variance', 3, 'positive'),
  };
  const { mean, variance } = statisticsOf(inputs.x, shape);

  it('are the mean and the biased variance over all axes but the channels’', () => {
    const tape = trace(types, ({ x, gamma, beta }) => ({ ...batchNorm(x, gamma, beta) }));
    const got = interpret(tape, inputs);
    expectNear(got.mean!, mean, EXACT);
    expectNear(got.variance!, variance, EXACT);
    const want = Array.from(inputs.x, (value, place) => {
      const c = Math.floor(place / 30) % 3;
      const standardised = (value - mean[c]!) / Math.sqrt(variance[c]! + 1e-5);
      return standardised * inputs.gamma[c]! + inputs.beta[c]!;
    });
    expectNear(got.output!, want, EXACT);
  });

  it('give the same output when they are handed to the evaluation mode', () => {
    const tape = trace(types, ({ x, gamma, beta, mean, variance }) => ({
      train: batchNorm(x, gamma, beta).output,
      evaluation: batchNormWith(x, gamma, beta, { mean, variance }),
    }));
    const got = interpret(tape, {
      ...inputs,
      mean: Float64Array.from(mean),
      variance: Float64Array.from(variance),
    });
    expectNear(got.evaluation!, got.train!, EXACT);
  });

  it('move the running ones on by a tenth, with the unbiased variance', () => {
    const tape = trace(types, ({ x, gamma, beta, mean, variance }) => ({
      ...moveRunningStatistics({ mean, variance }, batchNorm(x, gamma, beta), x),
    }));
    const got = interpret(tape, inputs);
    const towards = (old: ArrayLike<number>, now: readonly number[]): number[] =>
      now.map((value, c) => 0.9 * old[c]! + 0.1 * value);
    const unbiased = variance.map((value) => (value * 120) / 119);
    expectNear(got.mean!, towards(inputs.mean, mean), EXACT);
    expectNear(got.variance!, towards(inputs.variance, unbiased), EXACT);
  });

  it('keep their digits on the device when the mean is large beside the deviation', async () => {
    const large = floats(1, 'x', [16, 2, 30, 30]);
    const moved = { type: large.type, values: (large.values as Float32Array).map((value) => value + 1000) };
    const build = (part: (x: Tensor) => Tensor): OperationCase => ({
      inputs: { x: moved, gamma: floats(1, 'gamma', [2]), beta: floats(1, 'beta', [2]) },
      build: ({ x }) => part(x!),
      differentiable: [],
    });
    const device = await openedDevice();
    const of = (x: Tensor) => batchNorm(x, x.recorder.tensor(1), x.recorder.tensor(2));
    await expectSameOnDevice(
      device,
      build((x) => of(x).output),
    );
    await expectSameOnDevice(
      device,
      build((x) => of(x).variance),
    );
  });
});

describe('batch norm refuses', () => {
  const attempt =
    (shape: Shape, gamma: number, mean = shape[1]!) =>
    () =>
      trace({ x: f32(...shape), gamma: f32(gamma), beta: f32(3), mean: f32(mean) }, (inputs) => {
        const { x, gamma, beta, mean } = inputs;
        const running = { mean, variance: mean };
        const y = batchNormWith(x, gamma, beta, running);
        return { y, mean: moveRunningStatistics(running, batchNorm(x, gamma, beta), x).mean };
      });

  it.each([
    ['a vector', attempt([3], 3, 3), /batchNorm: x is f32\[3\].*\[N,C,…\]/],
    ['a gamma of other length', attempt([2, 3, 4], 2), /gamma \[2\] must be \[3\].*x \[2,3,4\]/],
    ['a mean of other length', attempt([2, 3, 4], 3, 4), /mean \[4\] must be \[3\]/],
    [
      'running statistics of one value a channel',
      attempt([1, 3, 1], 3),
      /x \[1,3,1\] has one value a channel/,
    ],
  ])('%s', (_, wrong, message) => {
    expect(wrong).toThrow(ShapeError);
    expect(wrong).toThrow(message);
  });
});
