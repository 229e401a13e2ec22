/** What convolutions and pooling refuse, and what the message must name. */
import { describe, it } from 'vitest';
import { avgPool2d, globalAveragePool } from '../../../src/autograd/ops/avgPool2d.js';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../../../src/autograd/ops/conv2d.js';
import { maxPool2d } from '../../../src/autograd/ops/maxPool2d.js';
import { f32, i32 } from '../../../src/autograd/tape.js';
import { record } from '../../support/operations/case.js';
import { expectRefused, type Refusal } from '../../support/refusals.js';

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
    'a bias of whole numbers',
    [f32(1, 2, 5, 5), f32(4, 2, 3, 3), i32(4)],
    (x, w, bias) => conv2d(x, w, { bias }),
    /^conv2d: operands are f32; an i32 tensor \[4\]/,
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
];

describe('a window that does not fit is refused with the shapes in the message', () => {
  it.each(refusals)('%s', (_, ...refusal) => expectRefused(...refusal));
});
