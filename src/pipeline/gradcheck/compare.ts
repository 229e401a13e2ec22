/** How close two results are, and whether that is close enough; and derivatives by differences. */

/** A measured error beside what is allowed. */
export interface Agreement {
  readonly error: number;
  readonly tolerance: number;
  readonly agrees: boolean;
}

/** Relative errors of float32 that are allowed on the device for so many steps. */
export function float32Tolerance(steps: number): number {
  // A step, forward and back, chains some dozens of roundings of 6e-8 and sums whose errors grow with the root of their
  // length: about 1e-6. Steps add up: 4e-5 after 40 of them. A ReLU whose input is within rounding of 0 may open in one
  // precision and not in the other, which adds a jump of the same size; 1e-4 leaves room for it.
  return 1e-4 * Math.max(1, steps / 40);
}

/** Relative errors that are allowed where the intermediates of so many steps were stored as float16. */
export function float16Tolerance(steps: number): number {
  // Each is off by up to 5e-4 of itself, either way: 2e-4 of a gradient through plain SGD. Momentum adds up ten steps, and a
  // hyperparameter's gradient is a sum that partly cancels: up to 3e-3 there.
  return 1e-2 * Math.max(1, steps / 40);
}

/**
 * Relative error of float64 derivatives to central differences that is allowed. Differences of a loss near 1, known to
 * 1e-15, over a step of 1e-6 are known to 1e-9 of it, and to 1e-6 of a derivative a thousand times smaller.
 */
export const DIFFERENCE_TOLERANCE = 1e-5;

export function agreement(error: number, tolerance: number): Agreement {
  // Not a number agrees with nothing.
  return { error, tolerance, agrees: error <= tolerance };
}

/** ‖a‖. */
export function norm(a: ArrayLike<number>): number {
  return Math.sqrt(inner(a, a));
}

/** ⟨a, b⟩. */
export function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

/** ‖got − want‖ / ‖want‖; 0 where both are zero, infinite where only `want` is or the lengths differ. */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return Number.POSITIVE_INFINITY;
  const error = norm(Float64Array.from(want, (value, i) => got[i]! - value));
  return error === 0 ? 0 : error / norm(want);
}

/** Steps of differences, as parts of the point's norm (at least 1). */
const STEPS = [1e-5, 1e-6, 1e-7, 1e-8];
/** Two steps that agree so well need no third. */
const SETTLED = 1e-7;

/**
 * The derivative of a scalar function along a unit direction by central differences, (f(x + h·d) − f(x − h·d)) / 2h. Of
 * all steps h the one is taken that agrees best with the next smaller: a longer one would meet the function's
 * curvature, or a ReLU that changes sides (where θ_N jumps); a shorter one its rounding. The derivative that is to be
 * checked has no part in the choice.
 */
export function centralDifference(
  evaluate: (x: Float64Array) => number,
  at: ArrayLike<number>,
  direction: ArrayLike<number>,
): number {
  const scale = Math.max(1, norm(at));
  const estimate = (step: number): number => {
    const moved = (by: number) => Float64Array.from(at, (value, i) => value + by * direction[i]!);
    return (evaluate(moved(step)) - evaluate(moved(-step))) / (2 * step);
  };
  let chosen = Number.NaN;
  let smallest = Number.POSITIVE_INFINITY;
  let longer = estimate(STEPS[0]! * scale);
  for (const step of STEPS.slice(1)) {
    const shorter = estimate(step * scale);
    const gap = Math.abs(shorter - longer);
    if (gap < smallest) {
      smallest = gap;
      chosen = longer;
    }
    if (gap <= SETTLED * Math.abs(shorter)) break;
    longer = shorter;
  }
  return chosen;
}

/**
 * A unit direction to check a gradient along: half the gradient's own, so that the derivative is not lost in rounding,
 * half random, so that what is missing from the gradient is seen.
 */
function checkDirection(gradient: ArrayLike<number>, random: ArrayLike<number>): Float64Array {
  const along = norm(gradient) || 1;
  const aside = norm(random) || 1;
  const sum = Float64Array.from(gradient, (value, i) => value / along + random[i]! / aside);
  const length = norm(sum);
  // A single number's two halves may cancel.
  return length > 1e-3 ? sum.map((value) => value / length) : Float64Array.from(random, (x) => x / aside);
}

/** Relative error of a gradient's derivatives along directions to differences of the function: the largest. */
export function differenceError(
  evaluate: (x: Float64Array) => number,
  at: ArrayLike<number>,
  gradient: ArrayLike<number>,
  randoms: readonly ArrayLike<number>[],
): number {
  const errors = randoms.map((random) => {
    const direction = checkDirection(gradient, random);
    const difference = centralDifference(evaluate, at, direction);
    return relativeError([inner(gradient, direction)], [difference]);
  });
  return Math.max(...errors);
}
