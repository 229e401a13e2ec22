/** Adam (Kingma & Ba 2015) as a function of symbolic tensors. */
import { add, div, mul, scale, shift, sqrt, sub } from '../../autograd/ops/elementwise.js';
import type { Tensor } from '../../autograd/trace.js';

export interface AdamSettings {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** The settings of the paper, and of every framework. */
export const adamDefaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/**
 * m' = β₁m + (1−β₁)g,  v' = β₂v + (1−β₂)g²,  θ' = θ − α · (m'/c₁) / (√(v'/c₂) + ε),  c_k = 1 − β_k^t
 *
 * @param inputs θ, its gradient and the two moments of one shape; α, `decay1` β₁^t and `decay2` β₂^t of this step as
 *   scalars of shape []: the decays change from step to step
 */
export function adamStep(
  inputs: Record<'theta' | 'gradient' | 'first' | 'second' | 'learningRate' | 'decay1' | 'decay2', Tensor>,
  settings: AdamSettings = {},
): { theta: Tensor; first: Tensor; second: Tensor; decay1: Tensor; decay2: Tensor } {
  const { beta1, beta2, epsilon } = { ...adamDefaults, ...settings };
  const { theta, gradient, learningRate, decay1, decay2 } = inputs;
  const first = add(scale(inputs.first, beta1), scale(gradient, 1 - beta1));
  const second = add(scale(inputs.second, beta2), scale(mul(gradient, gradient), 1 - beta2));
  const correction = (decay: Tensor): Tensor => shift(scale(decay, -1), 1);
  const step = div(div(first, correction(decay1)), shift(sqrt(div(second, correction(decay2))), epsilon));
  return {
    theta: sub(theta, mul(learningRate, step)),
    first,
    second,
    decay1: scale(decay1, beta1),
    decay2: scale(decay2, beta2),
  };
}
