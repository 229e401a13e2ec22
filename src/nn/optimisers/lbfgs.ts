/**
 * Limited-memory BFGS in float64: the two-loop recursion (Nocedal and Wright, "Numerical Optimization",
 * 2nd ed., algorithm 7.4) with a line search for the strong Wolfe conditions (algorithms 3.5 and 3.6).
 */
import { ShapeError } from '../../errors.js';

/** Returns the value at `x` and writes the gradient there into `gradient`. */
export type SmoothFunction = (x: Float64Array, gradient: Float64Array) => number;

export interface LbfgsOptions {
  readonly maximumIterations: number;
  /** Converged when the gradient's Euclidean norm is no greater. */
  readonly gradientTolerance: number;
}

export interface LbfgsResult {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** False when the iterations ran out, or rounding left no lower point to be found. */
  readonly converged: boolean;
  readonly gradientNorm: number;
}

const SUFFICIENT_DECREASE = 1e-4;
const CURVATURE = 0.9;
/** Pairs of steps and gradient differences that are kept. */
const HISTORY = 10;
const MAXIMUM_TRIALS = 30;

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** out += factor · x */
function addScaled(out: Float64Array, factor: number, x: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i]! += factor * x[i]!;
}

/** A point on the search line: its step length, the value there, and the slope along the line. */
interface LinePoint {
  readonly step: number;
  readonly value: number;
  readonly slope: number;
}

/** The minimum of the cubic through two points' values and slopes, kept well inside their interval. */
function interpolate(a: LinePoint, b: LinePoint): number {
  const width = b.step - a.step;
  const d1 = a.slope + b.slope - (3 * (b.value - a.value)) / width;
  const square = d1 * d1 - a.slope * b.slope;
  const middle = a.step + width / 2;
  if (!(square >= 0)) return middle;
  const d2 = Math.sign(width) * Math.sqrt(square);
  const step = b.step - (width * (b.slope + d2 - d1)) / (b.slope - a.slope + 2 * d2);
  const margin = 0.1 * Math.abs(width);
  const low = Math.min(a.step, b.step) + margin;
  const high = Math.max(a.step, b.step) - margin;
  return Number.isFinite(step) ? Math.min(Math.max(step, low), high) : middle;
}

/**
 * A step along a descent direction that meets the strong Wolfe conditions, or undefined where none is found
 * within the trials. `at` evaluates a step length; the accepted point is the last one that it was asked for.
 */
function searchLine(
  start: LinePoint,
  firstStep: number,
  at: (step: number) => LinePoint,
): LinePoint | undefined {
  // Close to the optimum a decrease is smaller than the value's own rounding; the slope then decides.
  const rounding = 8 * Number.EPSILON * Math.abs(start.value);
  const tooHigh = (point: LinePoint) =>
    !(point.value <= start.value + SUFFICIENT_DECREASE * point.step * start.slope + rounding);
  const flat = (point: LinePoint) => Math.abs(point.slope) <= -CURVATURE * start.slope;

  let trials = 0;
  let low = start;
  let high: LinePoint | undefined;
  let point = at(firstStep);
  // Widen until the interval between two points holds a step that fits.
  for (; trials < MAXIMUM_TRIALS; trials++) {
    if (tooHigh(point) || (low !== start && point.value > low.value + rounding)) {
      high = point;
      break;
    }
    if (flat(point)) return point;
    if (point.slope >= 0) {
      high = low;
      low = point;
      break;
    }
    low = point;
    point = at(2 * point.step);
  }
  // Narrow it: `low` always meets the decrease, and the slope there points into the interval.
  for (; high !== undefined && trials < MAXIMUM_TRIALS; trials++) {
    point = at(Number.isFinite(high.value) ? interpolate(low, high) : (low.step + high.step) / 2);
    if (tooHigh(point) || point.value > low.value + rounding) {
      high = point;
    } else {
      if (flat(point)) return point;
      if (point.slope * (high.step - low.step) >= 0) high = low;
      low = point;
    }
  }
  return undefined;
}

interface Correction {
  readonly step: Float64Array;
  readonly change: Float64Array;
  /** 1 / ⟨step, change⟩ */
  readonly rho: number;
}

/** Writes −H · gradient into `direction`, H being the history's estimate of the inverse Hessian. */
function writeDirection(
  direction: Float64Array,
  gradient: Float64Array,
  corrections: readonly Correction[],
): void {
  for (let i = 0; i < direction.length; i++) direction[i] = -gradient[i]!;
  const newest = corrections.at(-1);
  if (newest === undefined) return;
  const weights = new Float64Array(corrections.length);
  for (let k = corrections.length - 1; k >= 0; k--) {
    const { step, change, rho } = corrections[k]!;
    weights[k] = rho * dot(step, direction);
    addScaled(direction, -weights[k]!, change);
  }
  const scale = 1 / (newest.rho * dot(newest.change, newest.change));
  for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  for (const [k, { step, change, rho }] of corrections.entries()) {
    addScaled(direction, weights[k]! - rho * dot(change, direction), step);
  }
}

/**
 * Minimises a smooth function from `start` (which is left as it is). A run is deterministic.
 *
 * @throws ShapeError when the value or gradient at `start` is not finite.
 */
export function minimise(objective: SmoothFunction, start: Float64Array, options: LbfgsOptions): LbfgsResult {
  const { maximumIterations, gradientTolerance } = options;
  const size = start.length;
  let x = start.slice();
  let gradient = new Float64Array(size);
  let trialX = new Float64Array(size);
  let trialGradient = new Float64Array(size);
  const direction = new Float64Array(size);
  let corrections: Correction[] = [];

  let value = objective(x, gradient);
  let gradientNorm = Math.sqrt(dot(gradient, gradient));
  if (!Number.isFinite(value) || !Number.isFinite(gradientNorm)) {
    throw new ShapeError(
      `The objective is ${value} with a gradient of norm ${gradientNorm} at the start: give finite inputs.`,
    );
  }

  let iterations = 0;
  while (gradientNorm > gradientTolerance && iterations < maximumIterations) {
    writeDirection(direction, gradient, corrections);
    const slope = dot(gradient, direction);
    const at = (step: number): LinePoint => {
      for (let i = 0; i < size; i++) trialX[i] = x[i]! + step * direction[i]!;
      const trialValue = objective(trialX, trialGradient);
      return { step, value: trialValue, slope: dot(trialGradient, direction) };
    };
    // Without a history the direction has the gradient's length, which says nothing of the step's.
    const firstStep = corrections.length > 0 ? 1 : Math.min(1, 1 / gradientNorm);
    const accepted = slope < 0 ? searchLine({ step: 0, value, slope }, firstStep, at) : undefined;
    if (accepted === undefined) {
      if (corrections.length === 0) break;
      corrections = []; // A misleading history: once more, along the gradient itself.
      continue;
    }

    const step = new Float64Array(size);
    const change = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      step[i] = trialX[i]! - x[i]!;
      change[i] = trialGradient[i]! - gradient[i]!;
    }
    const curvature = dot(step, change);
    if (curvature > Number.EPSILON * dot(change, change)) {
      corrections.push({ step, change, rho: 1 / curvature });
      if (corrections.length > HISTORY) corrections.shift();
    }
    [x, trialX] = [trialX, x];
    [gradient, trialGradient] = [trialGradient, gradient];
    value = accepted.value;
    gradientNorm = Math.sqrt(dot(gradient, gradient));
    iterations++;
  }
  return { x, value, iterations, converged: gradientNorm <= gradientTolerance, gradientNorm };
}
