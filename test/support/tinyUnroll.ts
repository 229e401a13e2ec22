/** A student small enough to unroll in float64: 6×6 images, three steps, one image twice in a batch. */

import { f32, i32 } from '../../src/autograd/tape.js';
import type { InnerProblem } from '../../src/autograd/unroll/tapes.js';
import { convNet } from '../../src/nn/convNet.js';
import { mse, softmaxCrossEntropy } from '../../src/nn/losses.js';
import { initialParameters } from '../../src/nn/model.js';
import { numbers } from './compare.js';
import type { UnrollInputs } from './unrollInFloat64.js';

const IMAGES = 5;
export const REPRESENTATION = 4;

const model = convNet({ image: [1, 6, 6], depth: 1, width: 3, output: REPRESENTATION });

/** The representation's regression, whose targets are learnt. */
export const regression: InnerProblem = {
  parameters: model.parameters.total,
  images: [IMAGES, 1, 6, 6],
  targets: f32(IMAGES, REPRESENTATION),
  loss: (theta, x, y) => mse(model.forward(theta, x).output, y),
};

/** Classification, whose labels are fixed. */
export const classification: InnerProblem = {
  ...regression,
  targets: i32(IMAGES),
  loss: (theta, x, y) => softmaxCrossEntropy(model.forward(theta, x).output, y),
};

export const labels = Int32Array.of(3, 0, 1, 2, 2);

const theta = (index: number) => initialParameters(model.parameters, { seed: 5, purpose: 'student', index });

export const inputs: UnrollInputs & { readonly start: Float32Array; readonly target: Float32Array } & {
  readonly images: Float32Array;
  readonly targets: Float32Array;
} = {
  start: theta(0),
  target: theta(1),
  images: numbers(1, 'images', IMAGES * 36),
  targets: numbers(1, 'targets', IMAGES * REPRESENTATION),
  learningRate: 0.25,
  batches: [Int32Array.of(0, 1, 1), Int32Array.of(4, 2), Int32Array.of(3, 1, 0)],
};
