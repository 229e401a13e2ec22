/** What every model offers: a layout of parameters, and a forward pass written in operations. */
import { sizeOf } from '../autograd/tape.js';
import type { Tensor } from '../autograd/trace.js';
import { ShapeError } from '../errors.js';
import type { StreamKey } from '../kernels/philox.js';
import { heNormal, uniformFanIn } from './initialisation.js';
import type { ParameterLayout } from './parameters.js';

/** What a model computes of a batch. */
export interface ModelOutput {
  /** What a linear probe sees: the features in front of the head [B, features]. */
  readonly features: Tensor;
  /** The representation [B, representation]. */
  readonly output: Tensor;
}

/** A network as a layout of parameters and a function of symbolic tensors. */
export interface Model {
  /** Where each named tensor lies in θ. */
  readonly parameters: ParameterLayout;
  /** Shape of one image [C, H, W]. */
  readonly image: readonly [channels: number, height: number, width: number];
  /** Features of one image in front of the head. */
  readonly featureCount: number;
  /** Length of the representation. */
  readonly outputCount: number;
  /**
   * Records the forward pass: theta [parameters.total], images [B,C,H,W].
   *
   * @throws ShapeError when θ or the images do not fit the model.
   */
  forward(theta: Tensor, images: Tensor): ModelOutput;
}

/** A model that normalises over the batch, and so holds running statistics beside its parameters. */
export interface ModelWithBuffers extends Model {
  /** Layout of the running statistics, which start as `initialParameters` gives them and are not learnt. */
  readonly buffers: ParameterLayout;
  /** Training mode: statistics of this batch; the running ones play no part. */
  forward(theta: Tensor, images: Tensor): ModelOutput;
  /** Training mode, and the running statistics [buffers.total] moved on by this batch. */
  train(theta: Tensor, running: Tensor, images: Tensor): ModelOutput & { readonly buffers: Tensor };
  /** Evaluation mode: running statistics [buffers.total] in place of the batch's. */
  evaluate(theta: Tensor, running: Tensor, images: Tensor): ModelOutput;
}

/** @throws ShapeError when one of a model's sizes, by their names, is no whole number of at least 1. */
export function requireCounts(model: string, counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ShapeError(`${model}: the ${name} ${value} must be a whole number ≥ 1.`);
    }
  }
}

/**
 * A fresh θ as each entry says: by default as in PyTorch, weights and biases uniform within ±1/√fan_in, norms at 1 and
 * 0; convolutions of residual networks normal with variance 2/fan_out. Each tensor draws from a stream of its own, named by the key's purpose and the tensor's name.
 */
export function initialParameters(layout: ParameterLayout, key: StreamKey): Float32Array {
  const theta = new Float32Array(layout.total);
  for (const { name, shape, offset, fanIn, start } of layout.entries) {
    if (start === 'uniform') {
      theta.set(uniformFanIn({ ...key, purpose: `${key.purpose}/${name}` }, shape, fanIn), offset);
    } else if (start === 'heNormal') {
      theta.set(heNormal({ ...key, purpose: `${key.purpose}/${name}` }, shape), offset);
    } else if (start === 'ones') theta.fill(1, offset, offset + sizeOf(shape));
  }
  return theta;
}
