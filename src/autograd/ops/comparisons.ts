/**
 * Comparisons, choice by a condition, and the greater or lesser of two tensors. A derivative through a choice is itself
 * a choice, never a product with 0: what the branch not taken computes, NaN or infinite, does not reach the gradient.
 */
import { ShapeError } from '../../errors.js';
import { apply, type OperationDefinition } from '../operation.js';
import type { Tensor } from '../trace.js';
import { attributeNumber, numberAttribute, wgslNumber } from './constants.js';
import { defineAll, type ElementwiseRule } from './defineElementwise.js';
import { applyToOperands, type Operand, scale } from './elementwise.js';

const comparison = (
  wgsl: (a: string, b: string) => string,
  float64: (a: number, b: number) => boolean,
): ElementwiseRule => ({
  wgsl: ([a, b]) => `select(0.0, 1.0, ${wgsl(a!, b!)})`,
  float64: ([a, b]) => Number(float64(a!, b!)),
  derivatives: [null, null],
});

/** WGSL of a = b for numbers that may be NaN, which a compiler may assume not to occur. */
const areEqual = (a: string, b: string): string => `(${a} == ${b} && !is_nan(${a}) && !is_nan(${b}))`;

/** The cotangent's share of the operand that is chosen where `isChosen`: half of it where both are equal. */
const shareOf = (c: Tensor, isChosen: Tensor, [a, b]: readonly Tensor[]): Tensor =>
  where(isChosen, c, scale(where(equal(a!, b!), c, 0), 0.5));

const comparisonRules = {
  less: comparison(
    (a, b) => `${a} < ${b}`,
    (a, b) => a < b,
  ),
  lessEqual: comparison(
    (a, b) => `${a} <= ${b}`,
    (a, b) => a <= b,
  ),
  greater: comparison(
    (a, b) => `${a} > ${b}`,
    (a, b) => a > b,
  ),
  greaterEqual: comparison(
    (a, b) => `${a} >= ${b}`,
    (a, b) => a >= b,
  ),
  equal: comparison(areEqual, (a, b) => a === b),
  notEqual: comparison(
    (a, b) => `!${areEqual(a, b)}`,
    (a, b) => a !== b,
  ),
};

const choiceRules = {
  where: {
    wgsl: ([condition, a, b]) => `select(${a}, ${b}, ${condition} == 0.0)`,
    float64: ([condition, a, b]) => (condition !== 0 ? a! : b!),
    derivatives: [
      null,
      (c, { inputs }) => where(inputs[0]!, c, 0),
      (c, { inputs }) => where(inputs[0]!, 0, c),
    ],
  },
  maximum: {
    wgsl: ([a, b]) => `greater_of(${a}, ${b})`,
    float64: ([a, b]) => Math.max(a!, b!),
    derivatives: [
      (c, { inputs }) => shareOf(c, greater(inputs[0]!, inputs[1]!), inputs),
      (c, { inputs }) => shareOf(c, less(inputs[0]!, inputs[1]!), inputs),
    ],
  },
  minimum: {
    wgsl: ([a, b]) => `lesser_of(${a}, ${b})`,
    float64: ([a, b]) => Math.min(a!, b!),
    derivatives: [
      (c, { inputs }) => shareOf(c, less(inputs[0]!, inputs[1]!), inputs),
      (c, { inputs }) => shareOf(c, greater(inputs[0]!, inputs[1]!), inputs),
    ],
  },
  clamp: {
    wgsl: ([a], { low, high }) =>
      `lesser_of(greater_of(${a}, ${wgslNumber(attributeNumber(low))}), ${wgslNumber(attributeNumber(high))})`,
    float64: ([a], { low, high }) => Math.min(Math.max(a!, attributeNumber(low)), attributeNumber(high)),
    derivatives: [
      (c, { inputs: [a], attributes: { low, high } }) =>
        where(greaterEqual(a!, attributeNumber(low)), where(lessEqual(a!, attributeNumber(high)), c, 0), 0),
    ],
  },
} as const satisfies Record<string, ElementwiseRule>;

const comparisons = defineAll(comparisonRules);
const choices = defineAll(choiceRules);

/** 1 where a < b, else 0; 0 where one is NaN. Operands broadcast; either may be a number. No derivative. */
export const less = (a: Operand, b: Operand): Tensor => applyToOperands(comparisons.less, [a, b]);

/** 1 where a ≤ b, else 0; 0 where one is NaN. Operands broadcast; either may be a number. No derivative. */
export const lessEqual = (a: Operand, b: Operand): Tensor => applyToOperands(comparisons.lessEqual, [a, b]);

/** 1 where a > b, else 0; 0 where one is NaN. Operands broadcast; either may be a number. No derivative. */
export const greater = (a: Operand, b: Operand): Tensor => applyToOperands(comparisons.greater, [a, b]);

/** 1 where a ≥ b, else 0; 0 where one is NaN. Operands broadcast; either may be a number. No derivative. */
export const greaterEqual = (a: Operand, b: Operand): Tensor =>
  applyToOperands(comparisons.greaterEqual, [a, b]);

/** 1 where a = b, else 0; 0 where one is NaN. Operands broadcast; either may be a number. No derivative. */
export const equal = (a: Operand, b: Operand): Tensor => applyToOperands(comparisons.equal, [a, b]);

/** 1 where a ≠ b, else 0; 1 where one is NaN. Operands broadcast; either may be a number. No derivative. */
export const notEqual = (a: Operand, b: Operand): Tensor => applyToOperands(comparisons.notEqual, [a, b]);

/**
 * a where the condition is not 0, else b. All three broadcast; a and b may be numbers. The gradient of the branch not
 * taken is 0 whatever that branch holds, so long as what it is computed from has finite derivatives there: for
 * √a at 0, choose the operand as well (see `sqrt`).
 */
export const where = (condition: Tensor, a: Operand, b: Operand): Tensor =>
  applyToOperands(choices.where, [condition, a, b]);

/**
 * The greater of a and b, NaN where one is NaN. Operands broadcast; either may be a number. Where they are equal, each
 * gets half of the cotangent, as in PyTorch and JAX. The greatest value along axes is `max`.
 */
export const maximum = (a: Operand, b: Operand): Tensor => applyToOperands(choices.maximum, [a, b]);

/** The lesser of a and b, otherwise like `maximum`. The least value along axes is `min`. */
export const minimum = (a: Operand, b: Operand): Tensor => applyToOperands(choices.minimum, [a, b]);

/**
 * a brought into [low, high]; either bound may be infinite. The derivative is 1 inside and on the bounds, 0 outside.
 *
 * @throws ShapeError when low > high or a bound is NaN.
 */
export function clamp(a: Tensor, low: number, high: number): Tensor {
  if (!(low <= high)) {
    throw new ShapeError(
      `clamp: the bounds ${low} and ${high} hold no number between them; give the lower bound first.`,
    );
  }
  return apply(choices.clamp, [a], {
    low: numberAttribute('clamp', low),
    high: numberAttribute('clamp', high),
  });
}

export const comparisonOperations: readonly OperationDefinition[] = [
  ...Object.values(comparisons),
  ...Object.values(choices),
];
