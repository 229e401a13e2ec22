/** The losses of MKDT as functions of symbolic tensors. */
import { barlowTwinsLoss } from '../autograd/ops/barlowTwins.js';
import { div, mul, neg, shift, sqrt, sub } from '../autograd/ops/elementwise.js';
import { NORM_EPSILON } from '../autograd/ops/instanceNorm.js';
import { crossCorrelation } from '../autograd/ops/matmul.js';
import { oneHot } from '../autograd/ops/oneHot.js';
import { mean, reshape, sum } from '../autograd/ops/reduce.js';
import { logSoftmax, logSumExpOfFinite } from '../autograd/ops/softmax.js';
import { sameShape, shapeText } from '../autograd/tape.js';
import type { Tensor } from '../autograd/trace.js';
import { ShapeError } from '../errors.js';

export { mse } from '../autograd/ops/mse.js';

/** Each feature (column) of z [B,D] shifted and scaled to mean 0 and biased variance 1 over the batch. */
export function standardiseColumns(z: Tensor, epsilon = NORM_EPSILON): Tensor {
  const centred = sub(z, mean(z, [0]));
  const variance = mean(mul(centred, centred), [0]);
  return div(centred, sqrt(shift(variance, epsilon)));
}

/** Settings of the Barlow Twins loss. */
export interface BarlowTwinsOptions {
  /** Weight of the off-diagonal terms. */
  readonly lambda: number;
  /** Standardise each feature over the batch first, as Barlow Twins does; `false` takes eq. 2 as written. */
  readonly standardise?: boolean;
}

/**
 * Barlow Twins (Zbontar et al. 2021; MKDT eqs. 1, 2) on two views' representations [B,D], a scalar of shape [].
 *
 * @throws ShapeError when the two are no f32 matrices of one shape.
 */
export function barlowTwins(
  z1: Tensor,
  z2: Tensor,
  { lambda, standardise = true }: BarlowTwinsOptions,
): Tensor {
  const [left, right] = standardise ? [standardiseColumns(z1), standardiseColumns(z2)] : [z1, z2];
  return barlowTwinsLoss(crossCorrelation(left, right), lambda);
}

function requireBatch(logits: Tensor, targets: Tensor): void {
  const wanted = targets.type.dataType === 'i32' ? [logits.shape[0]!] : logits.shape;
  if (logits.shape.length !== 2 || !sameShape(targets.shape, wanted)) {
    const kind = targets.type.dataType === 'i32' ? 'labels' : 'probabilities';
    throw new ShapeError(
      `softmaxCrossEntropy: logits ${shapeText(logits.shape)} must be [B,classes] for ${kind} ` +
        `${shapeText(targets.shape)}; targets are labels [B] of i32 or probabilities [B,classes] of f32.`,
    );
  }
}

/**
 * Mean over the batch of the cross-entropy −Σ p·log softmax(logits), a scalar of shape []. Logits must be finite where targets
 * are labels, and a label outside 0 … classes − 1 is not noticed: its loss is log Σ exp(logits).
 *
 * @param logits [B,classes]
 * @param targets labels [B] (i32), or probabilities p [B,classes] (f32), through which a gradient flows as well
 * @throws ShapeError when the shapes do not fit each other.
 */
export function softmaxCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  requireBatch(logits, targets);
  if (targets.type.dataType === 'f32') {
    return reshape(neg(mean(sum(mul(targets, logSoftmax(logits)), [1]))), []);
  }
  const chosen = sum(mul(oneHot(targets, logits.shape[1]!), logits), [1]);
  return reshape(mean(sub(logSumExpOfFinite(logits, [1]), chosen)), []);
}
