/** A training of a few steps that is small enough for finite differences: 6×6 images, one block. */
import { f32, i32, type Tape } from '../../src/autograd/tape.js';
import { selectOutputs } from '../../src/autograd/tapeTransforms.js';
import type { UnrollValues } from '../../src/autograd/unroll/interpretUnroll.js';
import type { UnrollDescription } from '../../src/autograd/unroll/options.js';
import type { InnerProblem } from '../../src/autograd/unroll/problem.js';
import { reverseOutputs, stepTape } from '../../src/autograd/unroll/tapes.js';
import { convNet } from '../../src/nn/convNet.js';
import { mse, softmaxCrossEntropy } from '../../src/nn/losses.js';
import { initialParameters } from '../../src/nn/model.js';
import { type InnerSgdSettings, sgd } from '../../src/nn/optimisers/sgd.js';
import { numbers } from './compare.js';

const IMAGES = 5;
export const REPRESENTATION = 4;

export const model = convNet({ image: [1, 6, 6], depth: 1, width: 3, output: REPRESENTATION });

/** The representation's regression, whose targets are learnt. */
export const regression: InnerProblem = {
  parameters: model.parameters.total,
  tables: { images: f32(IMAGES, 1, 6, 6), targets: f32(IMAGES, REPRESENTATION) },
  loss: (theta, { images, targets }) => mse(model.forward(theta, images!).output, targets!),
};

/** Classification, whose labels are fixed. */
export const classification: InnerProblem = {
  ...regression,
  tables: { images: f32(IMAGES, 1, 6, 6), labels: i32(IMAGES) },
  loss: (theta, { images, labels }) => softmaxCrossEntropy(model.forward(theta, images!).output, labels!),
};

export const labels = Int32Array.of(3, 0, 1, 2, 2);

const theta = (index: number) => initialParameters(model.parameters, { seed: 5, purpose: 'student', index });

/** Row 1 occurs twice in the first batch, and again in the third. */
const batches = [Int32Array.of(0, 1, 1), Int32Array.of(4, 2), Int32Array.of(3, 1, 0)];

export const values = {
  start: theta(0),
  batches,
  inputs: {
    images: numbers(1, 'images', IMAGES * 36),
    targets: numbers(1, 'targets', IMAGES * REPRESENTATION),
    learningRate: Float32Array.of(0.25),
  } as Readonly<Record<string, Float32Array>>,
  outer: { start: theta(0), target: theta(1) } as Readonly<Record<string, Float32Array>>,
} satisfies UnrollValues;

/** Three steps of plain SGD on the regression. */
export const plain: UnrollDescription = { problem: regression, optimiser: sgd(), steps: 3 };

/** The way back of a step of it, with a batch of three. */
export function reverseTape(): Tape {
  const description = { ...plain, wrt: ['images', 'targets', 'learningRate'], perStep: [] };
  return selectOutputs(stepTape(description, 3), reverseOutputs(description));
}

/** SGD in any of its forms, with gradients by all of its hyperparameters, and values for them. */
export function sgdCase(settings: InnerSgdSettings): {
  description: UnrollDescription;
  values: UnrollValues;
} {
  const optimiser = sgd(settings);
  const given: Record<string, Float32Array> = {
    ...values.inputs,
    momentum: Float32Array.of(0.8),
    weightDecay: Float32Array.of(0.05),
  };
  const names = ['images', 'targets', ...optimiser.hyperparameters];
  return {
    description: { ...plain, optimiser, wrt: names },
    values: { ...values, inputs: Object.fromEntries(names.map((name) => [name, given[name]!])) },
  };
}

/** N batches of three rows or two, in turn. */
export function manySteps(steps: number): UnrollValues {
  return { ...values, batches: Array.from({ length: steps }, (_, step) => batches[step % batches.length]!) };
}
