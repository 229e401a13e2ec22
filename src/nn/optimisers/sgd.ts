/** Stochastic gradient descent as PyTorch defines it, as functions of symbolic tensors. */
import { add, mul, scale, sub } from '../../autograd/ops/elementwise.js';
import type { Tensor } from '../../autograd/trace.js';

/** Settings of stochastic gradient descent. */
export interface SgdSettings {
  /** μ; 0 for plain descent. */
  readonly momentum: number;
  /** ω, added to the gradient as ω·θ. */
  readonly weightDecay: number;
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
  { momentum, weightDecay }: SgdSettings,
): { theta: Tensor; buffer: Tensor } {
  const descent = weightDecay === 0 ? gradient : add(gradient, scale(theta, weightDecay));
  const next = add(scale(buffer, momentum), descent);
  return { theta: sub(theta, mul(learningRate, next)), buffer: next };
}
