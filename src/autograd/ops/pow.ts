/**
 * Powers. With a number as exponent, y = aⁿ has ȧ = n·aⁿ⁻¹, and n = 0 is told apart so that no 0·∞ arises at a = 0. With
 * a tensor as exponent, y = aᵇ has ∂y/∂a = b·aᵇ⁻¹ and ∂y/∂b = y·log a.
 */
import { apply, type OperationDefinition } from '../operation.js';
import type { Tensor } from '../trace.js';
import { equal, where } from './comparisons.js';
import { attributeNumber, numberAttribute, wgslNumber } from './constants.js';
import { defineAll, type ElementwiseRule } from './defineElementwise.js';
import { applyToOperands, fill, log, mul, type Operand, scale, shift } from './elementwise.js';

/** Whole exponents up to this are written out as products, which are exact for signs and closest for values. */
const LONGEST_PRODUCT = 8;

function wgslPower(a: string, exponent: number): string {
  if (exponent === 0.5) return `sqrt(${a})`;
  if (exponent === -0.5) return `inverseSqrt(${a})`;
  if (!Number.isInteger(exponent) || Math.abs(exponent) > LONGEST_PRODUCT) {
    return `power(${a}, ${wgslNumber(exponent)})`;
  }
  if (exponent === 0) return '1.0';
  const product = Array.from({ length: Math.abs(exponent) }, () => a).join(' * ');
  return exponent > 0 ? `(${product})` : `(1.0 / (${product}))`;
}

const rules = {
  powNumber: {
    wgsl: ([a], { exponent }) => wgslPower(a!, attributeNumber(exponent)),
    float64: ([a], { exponent }) => a! ** attributeNumber(exponent),
    derivatives: [
      (c, { inputs: [a], attributes }) => {
        const exponent = attributeNumber(attributes.exponent);
        if (exponent === 0) return fill(c, c.shape, 0);
        return mul(c, scale(powNumber(a!, exponent - 1), exponent));
      },
    ],
  },
  pow: {
    wgsl: ([a, b]) => `power(${a}, ${b})`,
    float64: ([a, b]) => a! ** b!,
    derivatives: [
      (c, { inputs: [a, b] }) => {
        // 0⁰: the exponent 1 in place of 0 makes 0·0⁰ = 0 of 0·0⁻¹ = NaN, here and in the next derivative.
        const isZeroToZero = mul(equal(a!, 0), equal(b!, 0));
        return mul(c, mul(b!, pow(a!, shift(where(isZeroToZero, 1, b!), -1))));
      },
      (c, { inputs: [a], output }) => {
        const isZero = equal(a!, 0);
        return mul(c, mul(output, where(isZero, 0, log(where(isZero, 1, a!)))));
      },
    ],
  },
} as const satisfies Record<string, ElementwiseRule>;

const definitions = defineAll(rules);

/**
 * aⁿ for a number n known when tracing. A negative base has whole powers; others are NaN. a⁰ = 1 and its derivative is 0
 * for every a; where n < 1 is no whole number, the derivative at 0 is infinite, as for `sqrt`.
 *
 * @throws ShapeError when `exponent` is finite but beyond the range of f32.
 */
export const powNumber = (a: Tensor, exponent: number): Tensor =>
  exponent === 1
    ? a
    : apply(definitions.powNumber, [a], { exponent: numberAttribute('powNumber', exponent) });

/**
 * aᵇ elementwise. Operands broadcast; either may be a number, and a number as exponent is `powNumber`. A negative base has
 * whole powers; others are NaN. The derivative by the exponent is 0 where a = 0, and NaN where a < 0, for there it does
 * not exist.
 */
export function pow(a: Operand, b: Operand): Tensor {
  if (typeof a !== 'number' && typeof b === 'number') return powNumber(a, b);
  return applyToOperands(definitions.pow, [a, b]);
}

export const powOperations: readonly OperationDefinition[] = Object.values(definitions);
