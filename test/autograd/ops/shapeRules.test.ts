import { describe, expect, it } from 'vitest';
import { augment } from '../../../src/autograd/ops/augment.js';
import { avgPool2d, globalAveragePool } from '../../../src/autograd/ops/avgPool2d.js';
import { barlowTwinsLoss } from '../../../src/autograd/ops/barlowTwins.js';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../../../src/autograd/ops/conv2d.js';
import { add, broadcastTo } from '../../../src/autograd/ops/elementwise.js';
import { gather, scatterAdd } from '../../../src/autograd/ops/gather.js';
import {
  instanceNorm,
  meanProductRows,
  projectRows,
  standardiseRows,
} from '../../../src/autograd/ops/instanceNorm.js';
import { crossCorrelation, linear, matmul } from '../../../src/autograd/ops/matmul.js';
import { maxPool2d } from '../../../src/autograd/ops/maxPool2d.js';
import { mse } from '../../../src/autograd/ops/mse.js';
import { oneHot } from '../../../src/autograd/ops/oneHot.js';
import { pack, segment } from '../../../src/autograd/ops/pack.js';
import { maximum, reshape, sum } from '../../../src/autograd/ops/reduce.js';
import { f32, i32, type TensorType } from '../../../src/autograd/tape.js';
import { Recorder, type Tensor } from '../../../src/autograd/trace.js';
import { ShapeError } from '../../../src/errors.js';
import { record } from '../../support/operations/case.js';

type Refusal = readonly [
  what: string,
  types: readonly TensorType[],
  build: (...inputs: [Tensor, Tensor, Tensor]) => Tensor,
  message: RegExp,
];

/** What each operation refuses, and what the message must name. */
const refusals: readonly Refusal[] = [
  [
    'other channels',
    [f32(1, 2, 5, 5), f32(4, 3, 3, 3)],
    (x, w) => conv2d(x, w),
    /conv2d: x \[1,2,5,5\] has 2 channels.*takes 3/,
  ],
  [
    'a window too large',
    [f32(1, 2, 2, 5), f32(4, 2, 3, 3)],
    (x, w) => conv2d(x, w),
    /3×3 window.*does not fit.*padding 0/,
  ],
  ['a matrix', [f32(5, 5), f32(4, 2, 3, 3)], (x, w) => conv2d(x, w), /conv2d: x is f32\[5,5\].*four axes/],
  ['stride 0', [f32(1, 2, 5, 5), f32(4, 2, 3, 3)], (x, w) => conv2d(x, w, { stride: 0 }), /stride 0/],
  ['padding −1', [f32(1, 2, 5, 5), f32(4, 2, 3, 3)], (x, w) => conv2d(x, w, { padding: -1 }), /padding -1/],
  [
    'a bias of other length',
    [f32(1, 2, 5, 5), f32(4, 2, 3, 3), f32(3)],
    (x, w, bias) => conv2d(x, w, { bias }),
    /bias \[3\] must be \[4\]/,
  ],
  [
    'an input gradient of other shape',
    [f32(1, 4, 3, 2), f32(4, 2, 3, 3)],
    (c, w) => conv2dInputGrad(c, w, [1, 2, 5, 5]),
    /cotangent \[1,4,3,2\] must be \[1,4,3,3\]/,
  ],
  [
    'a weight gradient of other shape',
    [f32(1, 2, 5, 5), f32(1, 4, 3, 2)],
    (x, c) => conv2dWeightGrad(x, c, [4, 2, 3, 3]),
    /cotangent \[1,4,3,2\] must be \[1,4,3,3\]/,
  ],
  [
    'a window larger than the image',
    [f32(1, 1, 2, 3)],
    (x) => avgPool2d(x, { size: 3 }),
    /window of 3 with stride 3 does not fit into x \[1,1,2,3\]/,
  ],
  ['three axes', [f32(1, 2, 3)], (x) => avgPool2d(x, { size: 1 }), /avgPool2d: x is f32\[1,2,3\]/],
  ['three axes', [f32(1, 2, 3)], (x) => maxPool2d(x, { size: 1 }), /maxPool2d: x is f32\[1,2,3\]/],
  ['three axes', [f32(1, 2, 3)], (x) => globalAveragePool(x), /globalAveragePool: x is \[1,2,3\]/],
  [
    'padding of more than half the window',
    [f32(1, 1, 5, 5)],
    (x) => maxPool2d(x, { size: [3, 2], padding: [1, 2] }),
    /maxPool2d: padding \[1,2\] is more than half of the window of \[3,2\]/,
  ],
  [
    'a window larger than the padded image',
    [f32(1, 1, 2, 3)],
    (x) => maxPool2d(x, { size: 5, padding: 1, stride: [1, 2] }),
    /window of 5 with stride \[1,2\] does not fit into x \[1,1,2,3\] with padding 1/,
  ],
  [
    'a size of a half',
    [f32(1, 1, 5, 5)],
    (x) => avgPool2d(x, { size: 1.5 }),
    /avgPool2d: size 1.5 must be a whole number ≥ 1/,
  ],
  [
    'a stride of three numbers',
    [f32(1, 2, 5, 5), f32(4, 2, 3, 3)],
    (x, w) => conv2d(x, w, { stride: [1, 1, 1] as unknown as [number, number] }),
    /conv2d: stride \[1,1,1\] must be a whole number ≥ 1, or two of them/,
  ],
  [
    'a padding below 0 in one direction',
    [f32(1, 2, 5, 5), f32(4, 2, 3, 3)],
    (x, w) => conv2d(x, w, { padding: [0, -1] }),
    /padding \[0,-1\] must be a whole number ≥ 0/,
  ],
  [
    'an averaged gradient of other shape',
    [f32(1, 1, 2, 3)],
    (c) => record('avgPool2dInputGrad', [c], { size: 2, stride: 2, padding: 0, shape: [1, 1, 4, 4] }),
    /avgPool2dInputGrad: cotangent \[1,1,2,3\] must be \[1,1,2,2\]/,
  ],
  [
    'a maximum’s gradient of other shape',
    [f32(1, 1, 2, 3), f32(1, 1, 4, 4)],
    (c, x) => record('maxPool2dInputGrad', [c, x], { size: 2, stride: 2, padding: 0 }),
    /maxPool2dInputGrad: cotangent \[1,1,2,3\] must be \[1,1,2,2\]/,
  ],
  [
    'a choice from another shape',
    [f32(1, 1, 4, 4), f32(1, 1, 4, 5)],
    (x, u) => record('maxPool2d', [x, u], { size: 2, stride: 2, padding: 0 }),
    /maxPool2d: u is f32\[1,1,4,5\], but must be f32\[1,1,4,4\]/,
  ],
  ['inner extents that differ', [f32(2, 3), f32(4, 5)], (a, b) => matmul(a, b), /inner extents are 3 and 4/],
  [
    'inner extents that differ when transposed',
    [f32(2, 3), f32(4, 5)],
    (a, b) => matmul(a, b, { transposeA: true, transposeB: true }),
    /transposed.*inner extents are 2 and 5/,
  ],
  ['a vector', [f32(3), f32(3, 5)], (a, b) => matmul(a, b), /matmul: a is f32\[3\].*matrix/],
  ['whole numbers', [i32(2, 3), f32(3, 5)], (a, b) => matmul(a, b), /a is i32\[2,3\]/],
  ['a bias of other length', [f32(2, 3), f32(5, 3), f32(3)], linear, /bias \[3\] must be \[5\]/],
  ['two batches', [f32(2, 3), f32(4, 3)], crossCorrelation, /same batch/],
  ['two shapes', [f32(2, 3), f32(3, 2)], mse, /mse: shapes \[2,3\] and \[3,2\] must be equal/],
  ['labels as targets', [f32(2), i32(2)], mse, /mse: operands are f32 and i32/],
  [
    'rows of two shapes',
    [f32(2, 3, 4), f32(2, 3, 5)],
    projectRows,
    /projectRows: f32\[2,3,4\] and f32\[2,3,5\]/,
  ],
  ['rows of two shapes', [f32(2, 3, 4), f32(2, 3)], meanProductRows, /meanProductRows: .* one shape/],
  ['shapes that do not broadcast', [f32(2, 3), f32(2)], add, /add: shapes/],
  ['whole numbers', [i32(2), f32(2)], add, /add: operands are f32; an i32/],
  ['a shrinking axis', [f32(2, 3)], (a) => broadcastTo(a, [2, 1]), /broadcastTo/],
  ['an index of floats', [f32(4, 3), f32(2)], gather, /gather: index is f32\[2\]/],
  ['a scalar table', [f32(), i32(2)], gather, /scalar and has no rows/],
  ['rows of other length', [f32(4, 3), i32(2), f32(2, 4)], scatterAdd, /rows \[2,4\] must be \[2,3\]/],
  ['labels of floats', [f32(4)], (labels) => oneHot(labels, 3), /oneHot: labels are f32\[4\]/],
  ['a matrix that is not square', [f32(2, 3)], (f) => barlowTwinsLoss(f, 1), /F is \[2,3\].*square/],
  ['a vector', [f32(3)], (x) => standardiseRows(x), /standardiseRows: f32\[3\]/],
  [
    'a gamma of other length',
    [f32(1, 2, 3, 3), f32(3), f32(2)],
    (x, gamma, beta) => instanceNorm(x, gamma, beta),
    /gamma \[3\] must be \[2\]/,
  ],
  [
    'a beta of other length',
    [f32(1, 2, 3, 3), f32(2), f32(1)],
    (x, gamma, beta) => instanceNorm(x, gamma, beta),
    /beta \[1\] must be \[2\]/,
  ],
  ['another count', [f32(2, 3)], (a) => reshape(a, [5]), /\[2,3\] has 6 elements and \[5\] 5/],
  [
    'an axis that is not there',
    [f32(2, 3)],
    (a) => maximum(a, [2]),
    /maximum: axis 2 is not an axis of \[2,3\]/,
  ],
  ['a negative axis', [f32(2, 3)], (a) => sum(a, [-1, 0]), /sum: axis -1/],
  ['a range past the end', [f32(9)], (flat) => segment(flat, 8, [2]), /\[8, 10\) does not lie in.*\[9\]/],
  [
    'pieces that overlap',
    [f32(3), f32(2)],
    (a, b) => pack([a, b], [0, 2], 9),
    /piece 1 starts at 2, inside the one before/,
  ],
  [
    'pieces past the end',
    [f32(3), f32(2)],
    (a, b) => pack([a, b], [0, 3], 4),
    /end at 5, past the total of 4/,
  ],
  ['a view of other length', [f32(2, 1, 4, 4), f32(2, 3), i32(4)], augment, /view \[2,3\] \[B,12\]/],
  ['a stream of floats', [f32(2, 1, 4, 4), f32(2, 12), f32(4)], augment, /stream is f32\[4\]/],
];

describe('a shape that does not fit is refused with the shapes in the message', () => {
  it.each(refusals)('%s', (_, types, build, message) => {
    const recorder = new Recorder();
    const tensors = types.map((type, k) => recorder.input(`input${k}`, type)) as [Tensor, Tensor, Tensor];
    const attempt = () => build(...tensors);
    expect(attempt).toThrow(ShapeError);
    expect(attempt).toThrow(message);
  });
});
