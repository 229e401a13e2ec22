/** A model that normalises over the batch, as a model like any other for whoever only looks at what it gives. */
import { segment } from '../autograd/ops/pack.js';
import type { Model, ModelWithBuffers } from './model.js';
import { layOut } from './parameters.js';

/** Whether a model holds running statistics beside its parameters. */
export const hasBuffers = (model: Model): model is ModelWithBuffers => 'buffers' in model;

/**
 * The model in evaluation mode: its θ is the parameters and, after them, the running statistics, under the names of both.
 * A model without running statistics is returned as it is.
 */
export function evaluationMode(model: Model): Model {
  if (!hasBuffers(model)) return model;
  const { parameters, buffers, image, featureCount, outputCount } = model;
  return {
    image,
    featureCount,
    outputCount,
    parameters: layOut([...parameters.entries, ...buffers.entries]),
    forward: (theta, images) =>
      model.evaluate(
        segment(theta, 0, [parameters.total]),
        segment(theta, parameters.total, [buffers.total]),
        images,
      ),
  };
}
