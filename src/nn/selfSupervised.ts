/** Self-supervised learning on pairs of random views: the projector behind an encoder, and the losses on its outputs. */
import { relu } from '../autograd/ops/elementwise.js';
import { linear } from '../autograd/ops/matmul.js';
import type { Tensor } from '../autograd/trace.js';
import { barlowTwins } from './losses.js';
import type { Model } from './model.js';
import { ntXent } from './ntXent.js';
import { layOut, type ParameterLayout, unpack } from './parameters.js';

/** How views are compared. */
export interface SelfSupervisedSettings {
  /** Barlow Twins by default. */
  readonly method?: 'barlowTwins' | 'simClr';
  /** Width of the projector's layers. */
  readonly projector: number;
  /** Hidden layers of the projector; 1 by default. */
  readonly projectorLayers?: number;
  /** Barlow Twins' weight λ of the off-diagonal terms. */
  readonly lambda: number;
  /** Whether Barlow Twins standardises each feature over the batch first; true by default. */
  readonly standardise?: boolean;
  /** NT-Xent's temperature τ; 0.5 by default. */
  readonly temperature?: number;
}

/** Encoder and projector side by side in one θ, the encoder's tensors first: hidden layers with ReLU, then a linear one. */
export function withProjector(
  model: Model,
  { projector, projectorLayers = 1 }: Pick<SelfSupervisedSettings, 'projector' | 'projectorLayers'>,
): ParameterLayout {
  const layers = Array.from({ length: projectorLayers + 1 }, (_, layer) => {
    const fanIn = layer === 0 ? model.outputCount : projector;
    return [
      { name: `projector${layer}.weight`, shape: [projector, fanIn], fanIn, start: 'uniform' as const },
      { name: `projector${layer}.bias`, shape: [projector], fanIn, start: 'uniform' as const },
    ];
  });
  return layOut([...model.parameters.entries, ...layers.flat()]);
}

/** What the loss compares: representations [B, D] behind the projector [B, projector]. */
export function project(
  layout: ParameterLayout,
  theta: Tensor,
  representation: Tensor,
  { projectorLayers = 1 }: Pick<SelfSupervisedSettings, 'projectorLayers'>,
): Tensor {
  const parameters = unpack(layout, theta);
  let x = representation;
  for (let layer = 0; layer <= projectorLayers; layer++) {
    x = linear(x, parameters[`projector${layer}.weight`]!, parameters[`projector${layer}.bias`]!);
    if (layer < projectorLayers) x = relu(x);
  }
  return x;
}

/** The loss of two views' projections [B, projector], a scalar of shape []: Barlow Twins or NT-Xent. */
export function selfSupervisedLoss(z1: Tensor, z2: Tensor, settings: SelfSupervisedSettings): Tensor {
  const { method = 'barlowTwins', lambda, standardise = true, temperature = 0.5 } = settings;
  return method === 'simClr' ? ntXent(z1, z2, temperature) : barlowTwins(z1, z2, { lambda, standardise });
}
