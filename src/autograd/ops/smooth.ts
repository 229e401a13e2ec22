/**
 * Smooth functions of one variable. Their WGSL is in kernels/functions.wgsl: written for f32 accuracy near 0 and without
 * overflow, where WGSL's own is coarse, undefined or missing.
 */
import { apply, type OperationDefinition } from '../operation.js';
import type { Tensor } from '../trace.js';
import { defineAll, type ElementwiseRule } from './defineElementwise.js';
import { div, exp, mul, neg, scale, shift, sub } from './elementwise.js';

/**
 * erf x in float64, by the series e^(−x²)·2/√π·Σ 2ⁿ x²ⁿ⁺¹/(2n+1)!!, all of whose terms have one sign. (Abramowitz &
 * Stegun 7.1.6)
 */
export function errorFunction(x: number): number {
  // 1 − erf 6 = 2e-17 is less than float64 can tell from 1.
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = 0;
  for (let n = 0; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    total += term;
    term *= (2 * x * x) / (2 * n + 3);
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

const logistic = (x: number): number => {
  const e = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : e) / (1 + e);
};

const rules = {
  sin: {
    wgsl: ([a]) => `sine_after(${a}, 0)`,
    float64: ([a]) => Math.sin(a!),
    derivatives: [(c, { inputs }) => mul(c, cos(inputs[0]!))],
  },
  cos: {
    wgsl: ([a]) => `sine_after(${a}, 1)`,
    float64: ([a]) => Math.cos(a!),
    derivatives: [(c, { inputs }) => neg(mul(c, sin(inputs[0]!)))],
  },
  tanh: {
    wgsl: ([a]) => `hyperbolic_tangent(${a})`,
    float64: ([a]) => Math.tanh(a!),
    derivatives: [(c, { output }) => mul(c, sub(1, mul(output, output)))],
  },
  sigmoid: {
    wgsl: ([a]) => `logistic(${a})`,
    float64: ([a]) => logistic(a!),
    derivatives: [(c, { output }) => mul(c, mul(output, sub(1, output)))],
  },
  softplus: {
    wgsl: ([a]) => `soft_plus(${a})`,
    float64: ([a]) => Math.max(a!, 0) + Math.log1p(Math.exp(-Math.abs(a!))),
    derivatives: [(c, { inputs }) => mul(c, sigmoid(inputs[0]!))],
  },
  erf: {
    wgsl: ([a]) => `error_function(${a})`,
    float64: ([a]) => errorFunction(a!),
    derivatives: [(c, { inputs: [a] }) => mul(c, scale(exp(neg(mul(a!, a!))), 2 / Math.sqrt(Math.PI)))],
  },
  expm1: {
    wgsl: ([a]) => `exp_minus_one(${a})`,
    float64: ([a]) => Math.expm1(a!),
    derivatives: [(c, { inputs }) => mul(c, exp(inputs[0]!))],
  },
  log1p: {
    wgsl: ([a]) => `log_one_plus(${a})`,
    float64: ([a]) => Math.log1p(a!),
    derivatives: [(c, { inputs }) => div(c, shift(inputs[0]!, 1))],
  },
} as const satisfies Record<string, ElementwiseRule>;

const definitions = defineAll(rules);

/** Sine of an angle in radians; on a device, digits are lost beyond |a| = 50 000. */
export const sin = (a: Tensor): Tensor => apply(definitions.sin, [a]);

/** Cosine of an angle in radians; on a device, digits are lost beyond |a| = 50 000. */
export const cos = (a: Tensor): Tensor => apply(definitions.cos, [a]);

/** Hyperbolic tangent. */
export const tanh = (a: Tensor): Tensor => apply(definitions.tanh, [a]);

/** 1 / (1 + e⁻ᵃ). */
export const sigmoid = (a: Tensor): Tensor => apply(definitions.sigmoid, [a]);

/** log(1 + eᵃ), the smooth rectifier. */
export const softplus = (a: Tensor): Tensor => apply(definitions.softplus, [a]);

/** The error function 2/√π ∫₀ᵃ exp(−t²) dt. */
export const erf = (a: Tensor): Tensor => apply(definitions.erf, [a]);

/** eᵃ − 1, accurate near 0. */
export const expm1 = (a: Tensor): Tensor => apply(definitions.expm1, [a]);

/** log(1 + a), accurate near 0: −∞ at −1, NaN below. */
export const log1p = (a: Tensor): Tensor => apply(definitions.log1p, [a]);

export const smoothOperations: readonly OperationDefinition[] = Object.values(definitions);
