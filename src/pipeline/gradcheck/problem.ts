/** The unrolled training that is checked: random standardised images and targets, on a fresh student. */

import { f32, sizeOf } from '../../autograd/tape.js';
import type { UnrollValues } from '../../autograd/unroll/interpretUnroll.js';
import type { UnrollDescription } from '../../autograd/unroll/options.js';
import type { InnerOptimiser } from '../../autograd/unroll/problem.js';
import { normal } from '../../kernels/philox.js';
import { convNet } from '../../nn/convNet.js';
import { mse } from '../../nn/losses.js';
import { initialParameters, type Model } from '../../nn/model.js';
import { adam } from '../../nn/optimisers/adam.js';
import { sgd } from '../../nn/optimisers/sgd.js';
import { drawBatches } from '../stages/draws.js';
import type { CheckSettings, OptimiserName } from './settings.js';

/** θ_0's name among the gradients; no table or hyperparameter is called so. */
export const START = 'θ_0';

export interface CheckProblem {
  readonly settings: CheckSettings;
  readonly model: Model;
  readonly description: UnrollDescription & { readonly wrt: readonly string[] };
  /** All numbers are exact in float32, so that the device and float64 start from the same. */
  readonly values: UnrollValues;
}

const optimisers: Readonly<Record<OptimiserName, () => InnerOptimiser>> = {
  sgd: () => sgd(),
  momentum: () => sgd({ momentum: true, weightDecay: true }),
  nesterov: () => sgd({ momentum: true, nesterov: true, weightDecay: true }),
  // With the usual ε a parameter whose gradient is near 0 has a slope of α/ε, which no difference can follow.
  adam: () => adam({ weightDecay: true, epsilon: 1e-2 }),
};

/** How far the outer target lies from θ_0 on the way to another initialisation: about what a few epochs move. */
const TARGET_DISTANCE = 0.1;

/** The problem of some settings; equal settings give equal numbers. */
export function checkProblem(settings: CheckSettings): CheckProblem {
  const { image, depth, width, representation, images, batch, steps, seed } = settings;
  const model = convNet({ image, depth, width, output: representation });
  const optimiser = optimisers[settings.optimiser]();
  const key = (purpose: string, index = 0) => ({ seed, purpose: `gradcheck.${purpose}`, index });
  const start = initialParameters(model.parameters, key('student'));
  const other = initialParameters(model.parameters, key('student', 1));
  const hyperparameters = Object.fromEntries(
    optimiser.hyperparameters.map((name) => [name, Float32Array.of(hyperparameterOf(settings, name))]),
  );
  return {
    settings,
    model,
    description: {
      problem: {
        parameters: model.parameters.total,
        tables: { images: f32(images, ...image), targets: f32(images, representation) },
        loss: (theta, rows) => mse(model.forward(theta, rows.images!).output, rows.targets!),
      },
      optimiser,
      steps,
      wrt: ['images', 'targets', ...optimiser.hyperparameters],
    },
    values: {
      start,
      batches: drawBatches(seed, 0, images, batch, steps),
      inputs: {
        images: normal(key('images'), images * sizeOf(image)),
        targets: normal(key('targets'), images * representation),
        ...hyperparameters,
      },
      outer: { start, target: start.map((value, i) => value + TARGET_DISTANCE * (other[i]! - value)) },
    },
  };
}

function hyperparameterOf({ learningRate, momentum, weightDecay }: CheckSettings, name: string): number {
  return { learningRate, momentum, weightDecay }[name]!;
}

/** Random numbers for directions; equal arguments give equal numbers. */
export const randomLike = (
  { settings: { seed } }: CheckProblem,
  purpose: string,
  count: number,
  index = 0,
): Float32Array => normal({ seed, purpose: `gradcheck.${purpose}`, index }, count);
