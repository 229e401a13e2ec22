/** SimCLR's loss as a function of symbolic tensors. */
import { concat } from '../autograd/ops/concat.js';
import { add, broadcastTo, fill, mul, scale, sub } from '../autograd/ops/elementwise.js';
import { matmul } from '../autograd/ops/matmul.js';
import { pack, segment } from '../autograd/ops/pack.js';
import { mean, reshape, sum } from '../autograd/ops/reduce.js';
import { logSumExp } from '../autograd/ops/softmax.js';
import { l2Normalise } from '../autograd/ops/statistics.js';
import { sameShape, shapeText } from '../autograd/tape.js';
import type { Tensor } from '../autograd/trace.js';
import { ShapeError } from '../errors.js';

/** Taken from a row's similarity with itself: far below any other, and e to it is 0. */
const EXCLUDED = -1e9;

/** [n,n] with `value` on the diagonal and zeros elsewhere: every (n+1)-th number of n rows of n+1, laid out flat. */
function diagonal(like: Tensor, n: number, value: number): Tensor {
  const row = pack([fill(like, [1], value)], [0], n + 1);
  return segment(reshape(broadcastTo(row, [n, n + 1]), [n * (n + 1)]), 0, [n, n]);
}

/**
 * NT-Xent, the normalised temperature-scaled cross-entropy of SimCLR (Chen et al. 2020, eq. 1). Of the 2B rows of both
 * views, each is an anchor: it must find the other view of its own image among all others but itself, by their cosine
 * similarities over the temperature.
 *
 *     loss = mean over anchors i of  −log( exp(s(i, partner i)/τ) / Σ_{k ≠ i} exp(s(i, k)/τ) )
 *
 * @param z1 the first views' representations [B,D]
 * @param z2 the second views', row by row of the same images [B,D]
 * @param temperature τ, above 0
 * @returns a scalar of shape []
 * @throws ShapeError when the views are not two matrices of one shape, or the temperature is not above 0.
 */
export function ntXent(z1: Tensor, z2: Tensor, temperature: number): Tensor {
  if (z1.shape.length !== 2 || !sameShape(z1.shape, z2.shape)) {
    throw new ShapeError(
      `ntXent: z1 ${shapeText(z1.shape)} and z2 ${shapeText(z2.shape)} must be two matrices [B,D] of one shape.`,
    );
  }
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new ShapeError(`ntXent: the temperature ${temperature} must be a number above 0.`);
  }
  const batch = z1.shape[0]!;
  const [left, right] = [l2Normalise(z1), l2Normalise(z2)];
  const rows = concat([left, right]);
  const similarities = scale(matmul(rows, rows, { transposeB: true }), 1 / temperature);
  const others = add(similarities, diagonal(rows, 2 * batch, EXCLUDED));
  const partners = scale(sum(mul(left, right), [1]), 1 / temperature);
  return reshape(sub(mean(logSumExp(others, 1)), mean(partners)), []);
}
