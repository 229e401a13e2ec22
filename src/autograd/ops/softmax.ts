/**
 * Sums of exponentials: compositions, shifted by the greatest value so that nothing overflows. The shift cancels in
 * value and derivative alike, so no gradient flows through it.
 */
import type { Tensor } from '../trace.js';
import { equal, less, where } from './comparisons.js';
import { abs, add, div, exp, log, stopGradient, sub } from './elementwise.js';
import { type Axes, max, type ReductionOptions, resolveAxes, sum, withDimensions } from './reduce.js';

/** `logSumExp` for operands of which no slice is −∞ throughout or holds +∞: fewer operations. */
export function logSumExpOfFinite(a: Tensor, axes: readonly number[]): Tensor {
  const highest = stopGradient(max(a, axes));
  return add(log(sum(exp(sub(a, highest)), axes)), highest);
}

/**
 * log Σ exp(a) over axes (all by default). Huge values do not overflow; where all values are −∞ it is −∞, with derivative 0.
 *
 * @throws ShapeError for an axis that is not there or named twice.
 */
export function logSumExp(a: Tensor, axes?: Axes, options: ReductionOptions = {}): Tensor {
  const resolved = resolveAxes('logSumExp', a.shape, axes);
  const highest = stopGradient(max(a, resolved));
  const finite = where(less(abs(highest), Number.POSITIVE_INFINITY), highest, 0);
  const total = sum(exp(sub(a, finite)), resolved);
  const isEmpty = equal(total, 0);
  const value = add(log(where(isEmpty, 1, total)), finite);
  return withDimensions(where(isEmpty, Number.NEGATIVE_INFINITY, value), resolved, options);
}

/**
 * exp(a) / Σ exp(a) over an axis (the last by default) or several. Huge values do not overflow, and −∞ gives 0; NaN where
 * all values are −∞.
 *
 * @throws ShapeError for an axis that is not there or named twice.
 */
export function softmax(a: Tensor, axes: Axes = -1): Tensor {
  const resolved = resolveAxes('softmax', a.shape, axes);
  const exponentials = exp(sub(a, stopGradient(max(a, resolved))));
  return div(exponentials, sum(exponentials, resolved));
}

/**
 * a − log Σ exp(a) over an axis (the last by default) or several: the logarithm of `softmax`, without its loss of digits.
 *
 * @throws ShapeError for an axis that is not there or named twice.
 */
export function logSoftmax(a: Tensor, axes: Axes = -1): Tensor {
  const resolved = resolveAxes('logSoftmax', a.shape, axes);
  const shifted = sub(a, stopGradient(max(a, resolved)));
  return sub(shifted, log(sum(exp(shifted), resolved)));
}
