/**
 * The linear probe: multinomial logistic regression on fixed features,
 *
 *     mean cross-entropy(softmax(W x + b), label) + regularisation · Σ W²     (the bias is free)
 *
 * minimised by L-BFGS in float64. The objective is convex, and strictly so in W, so every converged probe
 * gives the same probabilities.
 */
import { NumericsError, ShapeError } from '../errors.js';
import { minimise } from './optimisers/lbfgs.js';

/** The sizes of a linear probe, and its regularisation. */
export interface ProbeOptions {
  /** Number of classes, 2 or more. */
  readonly classes: number;
  /** Features of one example. */
  readonly dimension: number;
  /** The factor of Σ W². */
  readonly regularisation: number;
}

/** A fitted linear probe. */
export interface Probe {
  /** [classes, dimension] */
  readonly weights: Float64Array;
  /** [classes] */
  readonly bias: Float64Array;
  /** The objective's value at these parameters. */
  readonly optimum: number;
  /** Whether the optimiser reached its tolerance. */
  readonly converged: boolean;
}

const MAXIMUM_ITERATIONS = 2000;
/** Per unit of the features' root mean square length, which the gradient scales with. */
const GRADIENT_TOLERANCE = 1e-8;

/**
 * out += a · b with a [rows, inner], b [inner, columns] and out [rows, columns], row-major. Four rows of b
 * are added at a time, so that each value of `out` is loaded and stored once for four products.
 */
function addProduct(out: Float64Array, a: Float64Array, b: Float64Array, inner: number): void {
  const columns = b.length / inner;
  const rows = a.length / inner;
  for (let row = 0; row < rows; row++) {
    const first = row * columns;
    const last = first + columns;
    let k = 0;
    for (; k + 4 <= inner; k += 4) {
      const a0 = a[row * inner + k]!;
      const a1 = a[row * inner + k + 1]!;
      const a2 = a[row * inner + k + 2]!;
      const a3 = a[row * inner + k + 3]!;
      let b0 = k * columns;
      let b1 = b0 + columns;
      let b2 = b1 + columns;
      let b3 = b2 + columns;
      for (let place = first; place < last; place++) {
        out[place]! += a0 * b[b0++]! + a1 * b[b1++]! + (a2 * b[b2++]! + a3 * b[b3++]!);
      }
    }
    for (; k < inner; k++) {
      const factor = a[row * inner + k]!;
      let from = k * columns;
      for (let place = first; place < last; place++) out[place]! += factor * b[from++]!;
    }
  }
}

/** The transpose [columns, rows] of `values` [rows, columns], in float64. */
function transpose(values: Float32Array | Float64Array, columns: number): Float64Array {
  const rows = values.length / columns;
  const out = new Float64Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      out[column * rows + row] = values[row * columns + column]!;
    }
  }
  return out;
}

/** Writes the logits [classes, count] of transposed features [dimension, count]. */
function writeLogits(
  logits: Float64Array,
  transposedFeatures: Float64Array,
  weights: Float64Array,
  bias: Float64Array,
): void {
  const classes = bias.length;
  const count = logits.length / classes;
  for (let c = 0; c < classes; c++) logits.fill(bias[c]!, c * count, (c + 1) * count);
  addProduct(logits, weights, transposedFeatures, weights.length / classes);
}

/**
 * Turns one example's logits, in a column of `values` [classes, count], into probabilities in place, and
 * returns their log-sum-exp.
 */
function softmaxColumn(values: Float64Array, column: number, count: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = column; i < values.length; i += count) largest = Math.max(largest, values[i]!);
  let sum = 0;
  for (let i = column; i < values.length; i += count) {
    const exponential = Math.exp(values[i]! - largest);
    values[i] = exponential;
    sum += exponential;
  }
  for (let i = column; i < values.length; i += count) values[i]! /= sum;
  return largest + Math.log(sum);
}

function checkFeatures(features: Float32Array, dimension: number): number {
  const count = features.length / dimension;
  if (!Number.isInteger(count) || count < 1) {
    throw new ShapeError(
      `The probe got ${features.length} feature values, which are no whole rows of ${dimension}: pass features of shape [count, ${dimension}].`,
    );
  }
  return count;
}

function checkLabels(labels: Int32Array, count: number, classes: number): void {
  if (labels.length !== count) {
    throw new ShapeError(
      `The probe got ${labels.length} labels for ${count} rows of features: pass one label a row.`,
    );
  }
  const place = labels.findIndex((label) => label < 0 || label >= classes);
  if (place >= 0) {
    throw new ShapeError(
      `The probe's label ${labels[place]} of row ${place} is not one of its ${classes} classes: pass labels from 0 to ${classes - 1}.`,
    );
  }
}

/**
 * Fits the probe. `features` are [count, dimension], used as they are (nothing is standardised); `labels`
 * are [count], from 0 to classes − 1.
 *
 * @throws ShapeError when they or the options do not fit.
 * @throws NumericsError when a feature is not finite.
 */
export function fitProbe(features: Float32Array, labels: Int32Array, options: ProbeOptions): Probe {
  const { classes, dimension, regularisation } = options;
  if (!Number.isInteger(classes) || classes < 2 || !Number.isInteger(dimension) || dimension < 1) {
    throw new ShapeError(
      `A probe of ${classes} classes on ${dimension} features does not exist: give at least 2 classes and 1 feature.`,
    );
  }
  const count = checkFeatures(features, dimension);
  checkLabels(labels, count, classes);
  const rows = Float64Array.from(features);
  const meanSquare = rows.reduce((sum, x) => sum + x * x, 0) / count;
  if (!Number.isFinite(meanSquare)) {
    throw new NumericsError(
      'The probe got features that are not finite: the encoder that made them has diverged, lower its learning rate.',
    );
  }
  const columns = transpose(features, dimension);

  const weightCount = classes * dimension;
  const probabilities = new Float64Array(classes * count);
  const objective = (parameters: Float64Array, gradient: Float64Array): number => {
    const weights = parameters.subarray(0, weightCount);
    writeLogits(probabilities, columns, weights, parameters.subarray(weightCount));
    let crossEntropy = 0;
    for (let example = 0; example < count; example++) {
      const labelPlace = labels[example]! * count + example;
      const labelLogit = probabilities[labelPlace]!;
      crossEntropy += softmaxColumn(probabilities, example, count) - labelLogit;
      probabilities[labelPlace]! -= 1;
    }
    // The logits' gradient is (probability − one-hot label) / count.
    const errors = probabilities;
    for (let c = 0, place = 0; c < classes; c++) {
      let sum = 0;
      for (let example = 0; example < count; example++, place++) {
        errors[place]! /= count;
        sum += errors[place]!;
      }
      gradient[weightCount + c] = sum;
    }
    let penalty = 0;
    for (let i = 0; i < weightCount; i++) {
      penalty += weights[i]! * weights[i]!;
      gradient[i] = 2 * regularisation * weights[i]!;
    }
    addProduct(gradient.subarray(0, weightCount), errors, rows, count);
    return crossEntropy / count + regularisation * penalty;
  };

  const { x, value, converged } = minimise(objective, new Float64Array(weightCount + classes), {
    maximumIterations: MAXIMUM_ITERATIONS,
    gradientTolerance: GRADIENT_TOLERANCE * Math.sqrt(1 + meanSquare),
  });
  return { weights: x.slice(0, weightCount), bias: x.slice(weightCount), optimum: value, converged };
}

function probeLogits(probe: Probe, features: Float32Array): { logits: Float64Array; count: number } {
  const { weights, bias } = probe;
  const dimension = weights.length / bias.length;
  const count = checkFeatures(features, dimension);
  const logits = new Float64Array(bias.length * count);
  writeLogits(logits, transpose(features, dimension), weights, bias);
  return { logits, count };
}

/**
 * Class probabilities [count, classes] of features [count, dimension].
 *
 * @throws ShapeError when the features are no whole rows.
 */
export function probeProbabilities(probe: Probe, features: Float32Array): Float64Array {
  const { logits, count } = probeLogits(probe, features);
  for (let example = 0; example < count; example++) softmaxColumn(logits, example, count);
  return transpose(logits, count);
}

/**
 * The share (0 … 1) of rows whose most probable class is their label; a tie goes to the first class.
 *
 * @throws ShapeError when the features are no whole rows, or there is not one label of the probe's classes for each.
 */
export function probeAccuracy(probe: Probe, features: Float32Array, labels: Int32Array): number {
  const { logits, count } = probeLogits(probe, features);
  checkLabels(labels, count, probe.bias.length);
  let correct = 0;
  for (let example = 0; example < count; example++) {
    let best = example;
    for (let i = example + count; i < logits.length; i += count) if (logits[i]! > logits[best]!) best = i;
    if ((best - example) / count === labels[example]) correct++;
  }
  return correct / count;
}
