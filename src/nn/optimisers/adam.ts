/** Adam (Kingma & Ba 2015) as a function of symbolic tensors. */
import { add, div, mul, scale, shift, sqrt, sub } from '../../autograd/ops/elementwise.js';
import type { Tensor } from '../../autograd/trace.js';

/** Settings of Adam; the paper's by default. */
export interface AdamSettings {
  /** β₁, the decay of the first moment; 0.9 by default. */
  readonly beta1?: number;
  /** β₂, the decay of the second moment; 0.999 by default. */
  readonly beta2?: number;
  /** ε, added to the root of the second moment; 1e-8 by default. */
  readonly epsilon?: number;
}

/** The settings of the paper, and of every framework. */
export const adamDefaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/**
 * One step of Adam (Kingma and Ba 2015, algorithm 1) on θ [P] with its gradient g and moments m, v of the same shape:
 *
 *     m' = β₁m + (1−β₁)g,  v' = β₂v + (1−β₂)g²,  θ' = θ − α · (m'/c₁) / (√(v'/c₂) + ε),  c_k = 1 − β_k^t
 *
 * @param inputs θ, its gradient, the moments `first` and `second`, `learningRate` α, and `decay1` β₁^t and `decay2` β₂^t of
 *   this step, the last three scalars of shape []
 * @returns the next θ, moments and decays
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
