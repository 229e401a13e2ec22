/** Activations that are compositions of other operations; a device computes each in one fused kernel. */
import type { Tensor } from '../trace.js';
import { greater, where } from './comparisons.js';
import { mul, scale, shift } from './elementwise.js';
import { erf, sigmoid, tanh } from './smooth.js';

/** Which form of the GELU is computed. */
export interface GeluOptions {
  /** `none` (default) is a·Φ(a) by erf; `tanh` is the cheaper approximation that some models were trained with. */
  readonly approximate?: 'none' | 'tanh';
}

/** a·Φ(a) with the normal distribution function Φ, or its approximation by tanh (Hendrycks & Gimpel 2016). */
export function gelu(a: Tensor, { approximate = 'none' }: GeluOptions = {}): Tensor {
  const step =
    approximate === 'tanh'
      ? tanh(scale(mul(a, shift(scale(mul(a, a), 0.044715), 1)), Math.sqrt(2 / Math.PI)))
      : erf(scale(a, Math.SQRT1_2));
  return mul(scale(a, 0.5), shift(step, 1));
}

/** a·sigmoid(a), also known as swish (Ramachandran et al. 2017). */
export const silu = (a: Tensor): Tensor => mul(a, sigmoid(a));

/** a where a > 0, else slope·a; the derivative at 0 is the slope, as in PyTorch. */
export const leakyRelu = (a: Tensor, slope = 0.01): Tensor => where(greater(a, 0), a, scale(a, slope));
