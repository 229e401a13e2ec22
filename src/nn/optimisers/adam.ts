/** Adam (Kingma & Ba 2015) as functions of symbolic tensors. */
import { greater, where } from '../../autograd/ops/comparisons.js';
import { add, div, mul, scale, shift, sqrt, sub } from '../../autograd/ops/elementwise.js';
import type { Tensor } from '../../autograd/trace.js';
import type { InnerOptimiser, OptimiserState } from '../../autograd/unroll/problem.js';

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
  const step = div(div(first, correction(decay1)), shift(root(div(second, correction(decay2))), epsilon));
  return {
    theta: sub(theta, mul(learningRate, step)),
    first,
    second,
    decay1: scale(decay1, beta1),
    decay2: scale(decay2, beta2),
  };
}

/** √a with derivative 0 at 0: a parameter that the loss does not reach has moments of 0 and moves nothing. */
function root(a: Tensor): Tensor {
  const isAbove = greater(a, 0);
  return where(isAbove, sqrt(where(isAbove, a, 1)), 0);
}

/** Which parts Adam has to unroll, and its constants. */
export interface InnerAdamSettings extends AdamSettings {
  /** Adds the hyperparameter `weightDecay`, ω, as ω·θ to the gradient. */
  readonly weightDecay?: boolean;
}

/**
 * Adam to unroll: the hyperparameters are `learningRate` α, and `weightDecay` ω where asked for; β₁, β₂ and ε are constants.
 * The moments start at 0. Where |g| is far below ε the update's slope is α/ε: a larger ε than the usual one makes gradients
 * through many steps better conditioned.
 */
export function adam({ weightDecay = false, ...constants }: InnerAdamSettings = {}): InnerOptimiser {
  const { beta1, beta2 } = { ...adamDefaults, ...constants };
  const moment: OptimiserState = { extent: 'parameters', start: 0, isDifferentiable: true };
  const decay = (start: number): OptimiserState => ({ extent: 'scalar', start, isDifferentiable: false });
  return {
    name: 'adam',
    hyperparameters: ['learningRate', ...(weightDecay ? ['weightDecay'] : [])],
    state: { first: moment, second: moment, decay1: decay(beta1), decay2: decay(beta2) },
    step({ theta, gradient, state, hyperparameters: { learningRate, weightDecay } }) {
      const descent = weightDecay === undefined ? gradient : add(gradient, mul(weightDecay, theta));
      const inputs = { theta, gradient: descent, learningRate: learningRate!, ...state };
      const { theta: next, ...nextState } = adamStep(inputs as Parameters<typeof adamStep>[0], constants);
      return { theta: next, state: nextState };
    },
  };
}
