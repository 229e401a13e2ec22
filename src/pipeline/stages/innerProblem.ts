/** The inner training of a distillation. */
import { f32 } from '../../autograd/tape.js';
import type { InnerProblem } from '../../autograd/unroll/problem.js';
import { mse } from '../../nn/losses.js';
import type { Model } from '../../nn/model.js';
import type { Dataset } from '../data/dataset.js';

/** What a student learns by: to give `count` images their targets. */
export const innerProblem = (model: Model, image: Dataset['image'], count: number): InnerProblem => ({
  parameters: model.parameters.total,
  tables: { images: f32(count, ...image), targets: f32(count, model.outputCount) },
  loss: (theta, { images, targets }) => mse(model.forward(theta, images!).output, targets!),
});
