/** Self-supervised training of an encoder: a projector behind it while it trains, and the loss of two views. */
import { relu } from '../autograd/ops/elementwise.js';
import { linear } from '../autograd/ops/matmul.js';
import type { Tensor } from '../autograd/trace.js';
import { barlowTwins } from './losses.js';
import type { Model } from './model.js';
import { ntXent } from './ntXent.js';
import { layOut, type ParameterLayout } from './parameters.js';

/** The projector: `layers` hidden layers with ReLU, and a linear one, all of `width`. */
export interface ProjectorSettings {
  readonly width: number;
  readonly layers: number;
}

/** Which loss, and its settings. */
export interface SelfSupervisedLoss {
  readonly method: 'barlowTwins' | 'simClr';
  /** Barlow Twins: weight of the off-diagonal terms. */
  readonly lambda: number;
  /** Barlow Twins: whether each feature is standardised over the batch first. */
  readonly standardise: boolean;
  /** SimCLR: τ. */
  readonly temperature: number;
}

/** Encoder and projector side by side in one θ. */
export function withProjector(model: Model, { width, layers }: ProjectorSettings): ParameterLayout {
  const linearEntries = (name: string, inputs: number) => [
    { name: `${name}.weight`, shape: [width, inputs], fanIn: inputs, start: 'uniform' as const },
    { name: `${name}.bias`, shape: [width], fanIn: inputs, start: 'uniform' as const },
  ];
  return layOut([
    ...model.parameters.entries,
    ...Array.from({ length: layers + 1 }, (_, layer) =>
      linearEntries(`projector${layer}`, layer === 0 ? model.outputCount : width),
    ).flat(),
  ]);
}

/** What the projector makes of representations [B, D], from the named tensors of `withProjector`'s layout. */
export function project(
  representation: Tensor,
  parameters: Readonly<Record<string, Tensor>>,
  { layers }: ProjectorSettings,
): Tensor {
  let x = representation;
  for (let layer = 0; layer <= layers; layer++) {
    if (layer > 0) x = relu(x);
    x = linear(x, parameters[`projector${layer}.weight`]!, parameters[`projector${layer}.bias`]!);
  }
  return x;
}

/** The loss of two views' projections [B, width], row by row of the same images. */
export function selfSupervisedLoss(z1: Tensor, z2: Tensor, settings: SelfSupervisedLoss): Tensor {
  return settings.method === 'simClr' ? ntXent(z1, z2, settings.temperature) : barlowTwins(z1, z2, settings);
}
