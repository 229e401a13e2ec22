/**
 * Batch normalisation (Ioffe & Szegedy 2015) as a composition of reductions and elementwise operations, so that every
 * order of derivative follows from theirs:
 *
 *     y = (x − mean) / √(variance + epsilon) · gamma + beta        for each channel, axis 1 of x [N,C,…]
 */
import { ShapeError } from '../../errors.js';
import { shapeText, sizeOf, typeText } from '../tape.js';
import type { Tensor } from '../trace.js';
import { add, div, mul, scale, shift, sqrt, stopGradient, sub } from './elementwise.js';
import { NORM_EPSILON } from './instanceNorm.js';
import { mean, reshape } from './reduce.js';

/** Share of a new batch in the running statistics, PyTorch's default. */
const RUNNING_MOMENTUM = 0.1;

/** Mean and variance of each channel [C]. */
export interface ChannelStatistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

export interface BatchNormOutput extends ChannelStatistics {
  /** The normalised tensor, of x's shape. */
  readonly output: Tensor;
}

function requireChannels(x: Tensor, parameters: Readonly<Record<string, Tensor>>): void {
  if (x.shape.length < 2 || x.type.dataType !== 'f32') {
    throw new ShapeError(`batchNorm: x is ${typeText(x.type)}, but an f32 tensor [N,C,…] is needed.`);
  }
  for (const [name, parameter] of Object.entries(parameters)) {
    if (parameter.shape.length !== 1 || parameter.shape[0] !== x.shape[1]) {
      throw new ShapeError(
        `batchNorm: ${name} ${shapeText(parameter.shape)} must be [${x.shape[1]}], one number a channel of x ` +
          `${shapeText(x.shape)}.`,
      );
    }
  }
}

/** [C] so that it broadcasts along x's channels: [C,1,…]. */
const alongChannels = (parameter: Tensor, x: Tensor): Tensor =>
  reshape(parameter, [x.shape[1]!, ...x.shape.slice(2).map(() => 1)]);

/** Centred values · gamma / √(variance + epsilon) + beta, all but the first one number a channel. */
function scaleAndShift(
  centred: Tensor,
  { variance, gamma, beta }: Readonly<Record<'variance' | 'gamma' | 'beta', Tensor>>,
  epsilon: number,
): Tensor {
  const factor = div(gamma, sqrt(shift(variance, epsilon)));
  return add(mul(centred, alongChannels(factor, centred)), alongChannels(beta, centred));
}

/**
 * Batch normalisation with the batch's own statistics, over all axes but 1: the training mode. The variance is the mean
 * square of the centred values (biased). Move running statistics on with `moveRunningStatistics`.
 *
 * @param x [N,C,…], at least two axes
 * @param gamma [C]
 * @param beta [C]
 * @throws ShapeError when x has fewer than two axes, or gamma or beta is not [C].
 */
export function batchNorm(x: Tensor, gamma: Tensor, beta: Tensor, epsilon = NORM_EPSILON): BatchNormOutput {
  requireChannels(x, { gamma, beta });
  const channels = [x.shape[1]!];
  const axes = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  // The sum of large equal values loses digits in float32; the mean of what is left around a first mean does not.
  const firstMean = stopGradient(mean(x, axes));
  const around = sub(x, firstMean);
  const secondMean = mean(around, axes);
  const centred = sub(around, secondMean);
  const variance = reshape(mean(mul(centred, centred), axes), channels);
  return {
    output: scaleAndShift(centred, { variance, gamma, beta }, epsilon),
    mean: reshape(add(firstMean, secondMean), channels),
    variance,
  };
}

/**
 * Batch normalisation with given statistics: the evaluation mode.
 *
 * @param x [N,C,…], at least two axes
 * @param gamma [C]
 * @param beta [C]
 * @param statistics the mean [C] and variance [C] to normalise with, such as the running ones
 * @throws ShapeError when x has fewer than two axes, or one of the others is not [C].
 */
export function batchNormWith(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  { mean, variance }: ChannelStatistics,
  epsilon = NORM_EPSILON,
): Tensor {
  requireChannels(x, { gamma, beta, mean, variance });
  return scaleAndShift(sub(x, alongChannels(mean, x)), { variance, gamma, beta }, epsilon);
}

/**
 * Running statistics after one more batch: `(1 − momentum) · running + momentum · batch`, with the batch's variance made
 * unbiased, as in PyTorch. No gradient flows back into the batch.
 *
 * @param running the statistics so far
 * @param batch what `batchNorm` gave for x
 * @param x the tensor that was normalised [N,C,…]; only its shape counts
 * @throws ShapeError when the batch holds a single value a channel, whose unbiased variance does not exist.
 */
export function moveRunningStatistics(
  running: ChannelStatistics,
  batch: ChannelStatistics,
  x: Tensor,
  momentum = RUNNING_MOMENTUM,
): ChannelStatistics {
  const count = sizeOf(x.shape) / x.shape[1]!;
  if (count < 2) {
    throw new ShapeError(
      `moveRunningStatistics: x ${shapeText(x.shape)} has one value a channel, which has no unbiased variance; use a ` +
        'larger batch.',
    );
  }
  const move = (old: Tensor, now: Tensor, factor: number): Tensor =>
    add(scale(old, 1 - momentum), scale(stopGradient(now), momentum * factor));
  return {
    mean: move(running.mean, batch.mean, 1),
    variance: move(running.variance, batch.variance, count / (count - 1)),
  };
}
