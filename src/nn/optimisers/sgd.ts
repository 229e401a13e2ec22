/** Stochastic gradient descent as PyTorch defines it, as functions of symbolic tensors. */
import { add, mul, scale, sub } from '../../autograd/ops/elementwise.js';
import type { Tensor } from '../../autograd/trace.js';
import type { InnerOptimiser } from '../../autograd/unroll/problem.js';

/** Settings of stochastic gradient descent. */
export interface SgdSettings {
  /** μ; 0 for plain descent. */
  readonly momentum: number;
  /** ω, added to the gradient as ω·θ. */
  readonly weightDecay: number;
  /** Descends along d + μ·m' instead of m' (Nesterov's momentum as PyTorch has it). */
  readonly nesterov?: boolean;
}

/**
 * One step as PyTorch's SGD takes it, on θ [P] with its gradient g and momentum buffer m of the same shape:
 *
 *     d = g + ω·θ,  m' = μ·m + d,  θ' = θ − α·m'   (MKDT's experts; the buffer m starts at 0)
 *
 * @param inputs θ, its gradient, the momentum buffer, and `learningRate` α, a scalar of shape []
 * @returns the next θ and buffer
 */
export function sgdStep(
  { theta, gradient, buffer, learningRate }: Record<'theta' | 'gradient' | 'buffer' | 'learningRate', Tensor>,
  { momentum, weightDecay, nesterov = false }: SgdSettings,
): { theta: Tensor; buffer: Tensor } {
  const descent = weightDecay === 0 ? gradient : add(gradient, scale(theta, weightDecay));
  const next = add(scale(buffer, momentum), descent);
  const direction = nesterov ? add(descent, scale(next, momentum)) : next;
  return { theta: sub(theta, mul(learningRate, direction)), buffer: next };
}

/** Which parts SGD has; their values are hyperparameters, given and learnt by name. */
export interface InnerSgdSettings {
  /** Adds the hyperparameter `momentum`, μ, and a buffer of θ's size. */
  readonly momentum?: boolean;
  /** Nesterov's momentum; asks for `momentum`. */
  readonly nesterov?: boolean;
  /** Adds the hyperparameter `weightDecay`, ω. */
  readonly weightDecay?: boolean;
}

/**
 * SGD to unroll: the hyperparameters are `learningRate` α, and `momentum` μ and `weightDecay` ω where asked for.
 *
 *     d = g + ω·θ,  m' = μ·m + d,  θ' = θ − α·m'      (Nesterov: θ' = θ − α·(d + μ·m'); m starts at 0)
 */
export function sgd({
  momentum = false,
  nesterov = false,
  weightDecay = false,
}: InnerSgdSettings = {}): InnerOptimiser {
  const hasBuffer = momentum || nesterov;
  return {
    name: 'sgd',
    hyperparameters: [
      'learningRate',
      ...(hasBuffer ? ['momentum'] : []),
      ...(weightDecay ? ['weightDecay'] : []),
    ],
    state: hasBuffer ? { buffer: { extent: 'parameters', start: 0, isDifferentiable: true } } : {},
    step({ theta, gradient, state, hyperparameters: { learningRate, momentum, weightDecay } }) {
      const descent = weightDecay === undefined ? gradient : add(gradient, mul(weightDecay, theta));
      if (momentum === undefined) return { theta: sub(theta, mul(learningRate!, descent)), state: {} };
      const buffer = add(mul(momentum, state.buffer!), descent);
      const direction = nesterov ? add(descent, mul(momentum, buffer)) : buffer;
      return { theta: sub(theta, mul(learningRate!, direction)), state: { buffer } };
    },
  };
}
