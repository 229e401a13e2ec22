/** Spread and length over axes: compositions of sums and means. */
import { ShapeError } from '../../errors.js';
import { shapeText } from '../tape.js';
import type { Tensor } from '../trace.js';
import { greater, where } from './comparisons.js';
import { mul, rsqrt, scale, sqrt, sub } from './elementwise.js';
import {
  type Axes,
  mean,
  type ReductionOptions,
  reducedCount,
  resolveAxes,
  sum,
  withDimensions,
} from './reduce.js';

/** Which divisor a variance has, and whether reduced axes stay. */
export interface VarianceOptions extends ReductionOptions {
  /** The sum of squares is divided by the count less this: 0 (default) is the biased estimate, 1 the unbiased one. */
  readonly correction?: number;
}

/** √a whose derivative at 0 is 0 rather than infinite. */
function rootOfSquares(a: Tensor): Tensor {
  const isPositive = greater(a, 0);
  return where(isPositive, sqrt(where(isPositive, a, 1)), 0);
}

function varianceOver(operation: string, a: Tensor, axes: readonly number[], correction: number): Tensor {
  const count = reducedCount(a.shape, axes);
  if (!(count > correction)) {
    throw new ShapeError(
      `${operation}: ${count} elements of ${shapeText(a.shape)} less a correction of ${correction} leave nothing to ` +
        'divide by; reduce over more elements, or take a smaller correction.',
    );
  }
  const centred = sub(a, mean(a, axes));
  return scale(sum(mul(centred, centred), axes), 1 / (count - correction));
}

/**
 * Mean squared distance from the mean over axes (all by default): Σ (a − mean)² / (count − correction).
 *
 * @throws ShapeError for an axis that is not there or named twice, or when the correction is not less than the count.
 */
export function variance(a: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  const resolved = resolveAxes('variance', a.shape, axes);
  return withDimensions(varianceOver('variance', a, resolved, options.correction ?? 0), resolved, options);
}

/**
 * Square root of `variance`. Where all values are equal, its derivative is taken as 0.
 *
 * @throws ShapeError for an axis that is not there or named twice, or when the correction is not less than the count.
 */
export function standardDeviation(a: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  const resolved = resolveAxes('standardDeviation', a.shape, axes);
  const squared = varianceOver('standardDeviation', a, resolved, options.correction ?? 0);
  return withDimensions(rootOfSquares(squared), resolved, options);
}

/**
 * Euclidean norm √Σ a² over axes (all by default). At a zero vector its derivative is taken as 0.
 *
 * @throws ShapeError for an axis that is not there or named twice.
 */
export function norm(a: Tensor, axes?: Axes, options: ReductionOptions = {}): Tensor {
  const resolved = resolveAxes('norm', a.shape, axes);
  return withDimensions(rootOfSquares(sum(mul(a, a), resolved)), resolved, options);
}

/** What keeps a normalisation finite. */
export interface NormaliseOptions {
  /** Least norm that is divided by; a vector below it is divided by this instead. 1e-12 by default, as in PyTorch. */
  readonly epsilon?: number;
}

/**
 * a divided by its Euclidean norm over axes (the last by default): a / max(‖a‖, ε). Derivatives of every order are finite
 * at a zero vector, where the first is 1/ε.
 *
 * @throws ShapeError for an axis that is not there or named twice, or an epsilon that f32 cannot square and invert.
 */
export function l2Normalise(a: Tensor, axes: Axes = -1, { epsilon = 1e-12 }: NormaliseOptions = {}): Tensor {
  if (!(epsilon >= 1e-18 && epsilon <= 1e18)) {
    throw new ShapeError(
      `l2Normalise: epsilon is ${epsilon}; it must lie between 1e-18 and 1e18, so that f32 holds its square.`,
    );
  }
  const squares = sum(mul(a, a), resolveAxes('l2Normalise', a.shape, axes));
  const isLong = greater(squares, epsilon * epsilon);
  // The root is taken of 1 where it is not used: what it computes there must be finite for the gradient to be.
  return mul(a, where(isLong, rsqrt(where(isLong, squares, 1)), 1 / epsilon));
}
