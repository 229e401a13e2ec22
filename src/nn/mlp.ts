/** A multilayer perceptron: the image as one row, D × [linear, ReLU], then a linear head to the representation. */
import { relu } from '../autograd/ops/elementwise.js';
import { linear } from '../autograd/ops/matmul.js';
import { reshape } from '../autograd/ops/reduce.js';
import { sizeOf } from '../autograd/tape.js';
import type { Tensor } from '../autograd/trace.js';
import { type Model, requireCounts } from './model.js';
import { layOut, type ParameterEntry, unpack } from './parameters.js';

/** The sizes of a multilayer perceptron. */
export interface MlpOptions {
  /** Shape of one image. */
  readonly image: readonly [channels: number, height: number, width: number];
  /** Number of hidden layers, 1 or more. */
  readonly depth: number;
  /** Units of each hidden layer. */
  readonly width: number;
  /** Length of the representation. */
  readonly output: number;
}

function linearEntries(name: string, inputs: number, outputs: number): Omit<ParameterEntry, 'offset'>[] {
  return [
    { name: `${name}.weight`, shape: [outputs, inputs], fanIn: inputs, start: 'uniform' },
    { name: `${name}.bias`, shape: [outputs], fanIn: inputs, start: 'uniform' },
  ];
}

/**
 * A multilayer perceptron without normalisation, in PyTorch's default initialisation. Its features are the last hidden layer's.
 *
 * @throws ShapeError when depth, width or output is no whole number of at least 1.
 */
export function mlp({ image, depth, width, output }: MlpOptions): Model {
  requireCounts('mlp', { depth, width, output });
  const layers = Array.from({ length: depth }, (_, layer) => `hidden${layer}`);
  const parameters = layOut([
    ...layers.flatMap((name, layer) => linearEntries(name, layer === 0 ? sizeOf(image) : width, width)),
    ...linearEntries('head', width, output),
  ]);

  const forward = (theta: Tensor, images: Tensor) => {
    const p = unpack(parameters, theta);
    const apply = (x: Tensor, name: string): Tensor => linear(x, p[`${name}.weight`]!, p[`${name}.bias`]!);
    let features = reshape(images, [images.shape[0]!, sizeOf(images.shape.slice(1))]);
    for (const name of layers) features = relu(apply(features, name));
    return { features, output: apply(features, 'head') };
  };
  return { parameters, image, featureCount: width, outputCount: output, forward };
}
