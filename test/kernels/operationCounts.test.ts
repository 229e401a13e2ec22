import { describe, expect, it } from 'vitest';
import { lowerTape } from '../../src/autograd/compile/lower.js';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../../src/autograd/ops/conv2d.js';
import { broadcastTo, exp, fill, mul } from '../../src/autograd/ops/elementwise.js';
import { linear } from '../../src/autograd/ops/matmul.js';
import { sum } from '../../src/autograd/ops/reduce.js';
import { transpose } from '../../src/autograd/ops/transpose.js';
import { f32, type TensorType } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import { targetWith } from '../support/lowered.js';
import { targetWithTile } from '../support/tiling.js';

/** Counts of a function's dispatches. */
function countsOf<T extends Record<string, TensorType>>(
  types: T,
  compute: (inputs: Record<keyof T, Tensor>) => Tensor,
  target = targetWith(),
): [string, number][] {
  const tape = trace(types, (given) => ({ y: compute(given as Record<keyof T, Tensor>) }));
  const { dispatches } = lowerTape(tape, target);
  return dispatches.map(({ kernel, floatingPointOperations }) => [kernel, floatingPointOperations]);
}

describe('the count of floating-point operations', () => {
  const [N, C, O, SIDE] = [2, 3, 4, 5];
  const image = f32(N, C, SIDE, SIDE);
  const output = f32(N, O, SIDE, SIDE);
  const window = f32(O, C, 3, 3);
  const products = 2 * N * O * SIDE * SIDE * C * 9;

  it.each([
    ['conv2d', countsOf({ x: image, w: window }, ({ x, w }) => conv2d(x, w, { padding: 1 }))],
    [
      'conv2dInputGrad',
      countsOf({ c: output, w: window }, ({ c, w }) => conv2dInputGrad(c, w, image.shape, { padding: 1 })),
    ],
    [
      'conv2dWeightGrad',
      countsOf({ x: image, c: output }, ({ x, c }) => conv2dWeightGrad(x, c, window.shape, { padding: 1 })),
    ],
  ])('of %s is two for each product', (_, [first]) => {
    expect(first![1]).toBe(products);
  });

  it('of a strided convolution has its smaller output', () => {
    const counts = countsOf({ x: image, w: window }, ({ x, w }) => conv2d(x, w, { stride: 2 }));
    expect(counts).toEqual([['conv2d', 2 * N * O * 2 * 2 * C * 9]]);
  });

  it('of a matrix product holds the bias', () => {
    const types = { x: f32(6, 7), w: f32(8, 7), b: f32(8) };
    expect(countsOf(types, ({ x, w, b }) => linear(x, w, b))).toEqual([['matmul', 6 * 8 * (2 * 7 + 1)]]);
  });

  it('is the same on tiles', () => {
    const target = targetWithTile(0);
    const options = { padding: 1 };
    const forward = countsOf({ x: image, w: window }, ({ x, w }) => conv2d(x, w, options), target);
    const byInput = ({ c, w }: { c: Tensor; w: Tensor }) => conv2dInputGrad(c, w, image.shape, options);
    const byWeight = ({ x, c }: { x: Tensor; c: Tensor }) => conv2dWeightGrad(x, c, window.shape, options);
    expect(forward).toEqual([['conv2dTiled', products]]);
    expect(countsOf({ c: output, w: window }, byInput, target)).toEqual([['conv2dTiled', products]]);
    expect(countsOf({ x: image, c: output }, byWeight, target)).toEqual([
      ['conv2dWeightGradTiled', products],
    ]);
    const types = { x: f32(6, 7), w: f32(8, 7), b: f32(8) };
    expect(countsOf(types, ({ x, w, b }) => linear(x, w, b), target)).toEqual([
      ['matmulTiled', 6 * 8 * (2 * 7 + 1)],
    ]);
  });

  it('of a fused chain is one for each operation that calculates, of a reduction one more', () => {
    const types = { x: f32(6, 7), y: f32(7) };
    const chain = ({ x, y }: { x: Tensor; y: Tensor }): Tensor =>
      mul(exp(mul(x, broadcastTo(y, [6, 7]))), fill(x, [6, 7], 0.5));
    expect(countsOf(types, chain)).toEqual([['elementwise', 3 * 42]]);
    expect(countsOf(types, (given) => sum(chain(given), [1]))).toEqual([['reduce', 4 * 42]]);
  });

  it('of what only moves numbers is nothing', () => {
    expect(countsOf({ x: f32(6, 7) }, ({ x }) => transpose(x, [1, 0]))).toEqual([['rearrange', 0]]);
  });
});
