/** What the operations refuse, and what the message must name; convolution and pooling are in windowShapes. */
import { describe, expect, it } from 'vitest';
import { takeAlongAxis } from '../../../src/autograd/ops/alongAxis.js';
import { augment } from '../../../src/autograd/ops/augment.js';
import { barlowTwinsLoss } from '../../../src/autograd/ops/barlowTwins.js';
import { blur } from '../../../src/autograd/ops/blur.js';
import { clamp, less, maximum } from '../../../src/autograd/ops/comparisons.js';
import { concat, stack } from '../../../src/autograd/ops/concat.js';
import { add, broadcastTo, exp, fill, scale, shift } from '../../../src/autograd/ops/elementwise.js';
import { gather, scatterAdd } from '../../../src/autograd/ops/gather.js';
import {
  instanceNorm,
  meanProductRows,
  projectRows,
  reciprocalDeviation,
  standardiseRows,
} from '../../../src/autograd/ops/instanceNorm.js';
import { crossCorrelation, linear, matmul } from '../../../src/autograd/ops/matmul.js';
import { mse } from '../../../src/autograd/ops/mse.js';
import { oneHot } from '../../../src/autograd/ops/oneHot.js';
import { pack, segment } from '../../../src/autograd/ops/pack.js';
import { dropout } from '../../../src/autograd/ops/random.js';
import { max, mean, reshape, sum } from '../../../src/autograd/ops/reduce.js';
import { expandDims, repeat, squeeze, tile } from '../../../src/autograd/ops/shape.js';
import { pad, place, slice, split } from '../../../src/autograd/ops/slice.js';
import { softmax } from '../../../src/autograd/ops/softmax.js';
import { l2Normalise, variance } from '../../../src/autograd/ops/statistics.js';
import { transpose } from '../../../src/autograd/ops/transpose.js';
import { warp, warpAdjoint } from '../../../src/autograd/ops/warp.js';
import { f32, i32 } from '../../../src/autograd/tape.js';
import { Recorder, type Tensor } from '../../../src/autograd/trace.js';
import { ShapeError } from '../../../src/errors.js';
import { expectRefused, type Refusal } from '../../support/refusals.js';

/** What each operation refuses, and what the message must name. */
const refusals: readonly Refusal[] = [
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
  [
    'a bias of whole numbers',
    [f32(2, 3), f32(5, 3), i32(5)],
    linear,
    /^matmul: operands are f32; an i32 tensor \[5\]/,
  ],
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
  ['whole numbers', [i32(2), f32(2)], add, /add: operands are f32; an i32 tensor \[2\] was given/],
  [
    'a shrinking axis',
    [f32(2, 3)],
    (a) => broadcastTo(a, [2, 1]),
    /broadcastTo: \[2,3\] does not fit into \[2,1\]/,
  ],
  [
    'an index of floats',
    [f32(4, 3), f32(2)],
    (table, index) => gather(table, index),
    /gather: index is f32\[2\]/,
  ],
  [
    'a scalar table',
    [f32(), i32(2)],
    (table, index) => gather(table, index),
    /gather: axis 0.*a scalar has none/,
  ],
  [
    'rows of other length',
    [f32(4, 3), i32(2), f32(2, 4)],
    (base, index, rows) => scatterAdd(base, index, rows),
    /rows f32\[2,4\] must be f32\[2,3\]/,
  ],
  ['no classes', [i32(4)], (labels) => oneHot(labels, 0), /oneHot: classes is 0/],
  [
    'a vector to normalise',
    [f32(3), f32(3), f32(3)],
    (x, gamma, beta) => instanceNorm(x, gamma, beta),
    /instanceNorm: x is f32\[3\].*\[N,C,…\]/,
  ],
  [
    'a negative extent',
    [f32(2, 3)],
    (a) => reshape(a, [-2, -3]),
    /reshape: its result has shape \[-2,-3\].*at least 1/,
  ],
  ['labels of floats', [f32(4)], (labels) => oneHot(labels, 3), /oneHot: labels are f32\[4\]/],
  [
    'a matrix of whole numbers',
    [i32(2, 2)],
    (f) => barlowTwinsLoss(f, 1),
    /^barlowTwinsLoss: operands are f32; an i32 tensor \[2,2\]/,
  ],
  ['a weight beyond f32', [f32(2, 2)], (f) => barlowTwinsLoss(f, 1e39), /barlowTwinsLoss: lambda is 1e\+39/],
  ['a weight of NaN', [f32(2, 2)], (f) => barlowTwinsLoss(f, Number.NaN), /lambda is NaN.* a finite f32/],
  [
    'an epsilon that is no number',
    [f32(2, 3)],
    (x) => standardiseRows(x, Number.NaN),
    /standardiseRows: epsilon is NaN/,
  ],
  [
    'an epsilon below 0',
    [f32(1, 2, 3, 3), f32(2), f32(2)],
    (x, gamma, beta) => instanceNorm(x, gamma, beta, -1e-5),
    /epsilon is -0.00001, but must be a finite f32 of at least 0/,
  ],
  ['an endless epsilon', [f32(2, 3)], (x) => reciprocalDeviation(x, 1e39), /epsilon is 1e\+39/],
  ['a matrix that is not square', [f32(2, 3)], (f) => barlowTwinsLoss(f, 1), /F is \[2,3\].*square/],
  ['a vector', [f32(3)], (x) => standardiseRows(x), /standardiseRows: x is f32\[3\].*\[N,C,…\]/],
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
    (a) => max(a, [2]),
    /max: axis 2 is not an axis of \[2,3\].* from -2 to 1/,
  ],
  ['an axis before the first', [f32(2, 3)], (a) => mean(a, -3), /mean: axis -3 is not an axis of \[2,3\]/],
  ['an axis of a scalar', [f32()], (a) => softmax(a), /softmax: axis -1 .* a scalar has none/],
  ['an axis named twice', [f32(2, 3)], (a) => sum(a, [-1, 1]), /sum: axis 1 of \[2,3\] is named twice/],
  ['whole numbers', [i32(2)], (a) => sum(a), /sum: operands are f32; an i32 tensor/],
  [
    'too great a correction',
    [f32(1, 3)],
    (a) => variance(a, 0, { correction: 1 }),
    /variance: 1 elements of \[1,3\] less a correction of 1/,
  ],
  ['an epsilon of 0', [f32(3)], (a) => l2Normalise(a, -1, { epsilon: 0 }), /l2Normalise: epsilon is 0/],
  ['numbers alone', [f32()], () => maximum(1, 2), /maximum: the operands 1 and 2 are all numbers/],
  ['a number beyond f32', [f32(3)], (a) => scale(a, 1e300), /scale: 1e\+300 is beyond the range of f32/],
  ['a number beyond f32', [f32(3)], (a) => less(a, -4e38), /less: -4e\+38 is beyond/],
  ['a number beyond f32', [f32(3)], (a) => fill(a, [2], 1e39), /fill: 1e\+39 is beyond/],
  ['bounds in disorder', [f32(3)], (a) => clamp(a, 1, 0), /clamp: the bounds 1 and 0 hold no number/],
  ['a bound that is no number', [f32(3)], (a) => clamp(a, 0, Number.NaN), /clamp: the bounds 0 and NaN/],
  ['a range past the end', [f32(9)], (flat) => segment(flat, 8, [2]), /\[8, 10\) does not lie in.*\[9\]/],
  [
    'pieces that overlap',
    [f32(3), f32(2)],
    (a, b) => pack([a, b], [0, 2], 9),
    /piece 1 \[2\] starts at 2, inside the one before it, which ends at 3/,
  ],
  [
    'pieces past the end',
    [f32(3), f32(2)],
    (a, b) => pack([a, b], [0, 3], 4),
    /end at 5, past the total of 4/,
  ],
  [
    'pieces of whole numbers',
    [f32(2), i32(2)],
    (a, b) => pack([a, b], [0, 2], 4),
    /^pack: operands are f32; an i32 tensor/,
  ],
  ['images of whole numbers', [i32(2, 1, 4, 4), f32(2, 12), i32(4)], augment, /^augment: operands are f32/],
  ['images of whole numbers', [i32(2, 1, 4, 4), f32(2, 12)], warp, /^warp: operands are f32/],
  ['views of whole numbers', [f32(2, 1, 4, 4), i32(2, 12)], warpAdjoint, /^warpAdjoint: operands are f32/],
  [
    'weights of whole numbers',
    [f32(2, 1, 4, 4), i32(2, 2)],
    (x, w) => blur(x, w, 3),
    /^blur: operands are f32; an i32 tensor \[2,2\]/,
  ],
  ['a view of other length', [f32(2, 1, 4, 4), f32(2, 3), i32(4)], augment, /view \[2,3\] \[B,12\]/],
  [
    'weights of other images',
    [f32(2, 1, 4, 4), f32(3, 2)],
    (x, w) => blur(x, w, 2),
    /weights \[3,2\] must be \[2,reach \+ 1\]/,
  ],
  ['a stream of floats', [f32(2, 1, 4, 4), f32(2, 12), f32(4)], augment, /stream is f32\[4\]/],
  [
    'a stream of floats',
    [f32(3), f32(4)],
    (x, stream) => dropout(x, stream, 0.5),
    /dropout: stream is f32\[4\]/,
  ],
  [
    'an order that names an axis twice',
    [f32(2, 3)],
    (a) => transpose(a, [0, -2]),
    /\[0,0\] must name each of the 2/,
  ],
  ['an order of too few axes', [f32(2, 3)], (a) => transpose(a, [0]), /transpose: the permutation \[0\]/],
  [
    'an empty slice',
    [f32(4)],
    (a) => slice(a, { starts: [2], ends: [2] }),
    /slice: axis 0 of \[4\] from 2 to 2.*empty/,
  ],
  ['a slice past the end', [f32(4)], (a) => slice(a, { ends: [5] }), /to 5 with step 1.*leaves the axis/],
  ['a slice before the start', [f32(4)], (a) => slice(a, { starts: [-5] }), /from -5/],
  ['half a start', [f32(4)], (a) => slice(a, { starts: [0.5] }), /slice: along axis 0/],
  ['a step of 0', [f32(4)], (a) => slice(a, { steps: [0] }), /slice: the step 0/],
  ['more starts than axes', [f32(4)], (a) => slice(a, { starts: [0, 0] }), /2 entries was given for \[4\]/],
  [
    'a box past the end',
    [f32(3)],
    (a) => place(a, [4], { starts: [2] }),
    /box of 3 from 2 .*does not lie in \[4\]/,
  ],
  ['a box of other rank', [f32(3)], (a) => place(a, [4, 4]), /place: .*each axis of \[4,4\]/],
  [
    'padding without end',
    [f32(3)],
    (a) => pad(a, [1], [0], Number.POSITIVE_INFINITY),
    /value Infinity is no finite f32/,
  ],
  ['padding of whole numbers by half', [i32(3)], (a) => pad(a, [1], [0], 0.5), /value 0.5 is no finite i32/],
  ['negative padding', [f32(3)], (a) => pad(a, [-1], [0]), /pad: before \[-1\]/],
  ['an uneven cut', [f32(5)], (a) => split(a, 2)[0]!, /split: axis 0 of \[5\].*2 equal parts/],
  ['a cut of other length', [f32(5)], (a) => split(a, [2, 2])[0]!, /pieces of \[2,2\].*add up to 5/],
  [
    'pieces of other extents',
    [f32(2, 3), f32(3, 3)],
    (a, b) => concat([a, b], 1),
    /tensor 1 is f32\[3,3\].*f32\[2,3\]/,
  ],
  ['pieces of other types', [f32(2), i32(2)], (a, b) => concat([a, b]), /concat: tensor 1 is i32\[2\]/],
  ['a stack of two shapes', [f32(2), f32(3)], (a, b) => stack([a, b]), /stack: shapes \[2\] and \[3\]/],
  ['an axis too many', [f32(2)], (a) => expandDims(a, 2), /expandDims: axis 2/],
  ['an axis that is long', [f32(2, 1)], (a) => squeeze(a, [0]), /axis 0 of \[2,1\] has extent 2/],
  ['too few counts', [f32(2, 1)], (a) => tile(a, [2]), /tile: counts \[2\].*\[2,1\]/],
  ['no repetition', [f32(2)], (a) => repeat(a, 0), /repeat: the count 0/],
  [
    'an axis that is not there',
    [f32(2), i32(1)],
    (a, index) => gather(a, index, 1),
    /gather: axis 1 is not an axis of \[2\]/,
  ],
  [
    'whole rows into floats',
    [f32(4), i32(2), i32(2)],
    (a, index, rows) => scatterAdd(a, index, rows),
    /rows i32\[2\] must be f32/,
  ],
  [
    'an index of other extents',
    [f32(2, 3), i32(3, 1)],
    (a, index) => takeAlongAxis(a, index, 1),
    /takeAlongAxis: index is i32\[3,1\].*only axis 1 may differ/,
  ],
];

/** Calculations with whole numbers would give kernels that do not compile. */
const calculations: readonly (readonly [string, (a: Tensor) => Tensor])[] = [
  ['broadcastTo', (a) => broadcastTo(a, [2, 3])],
  ['exp', exp],
  ['max', (a) => max(a, [0])],
  ['repeat', (a) => repeat(a, 2)],
  ['scale', (a) => scale(a, 2)],
  ['shift', (a) => shift(a, 2)],
  ['sum', (a) => sum(a)],
  ['tile', (a) => tile(a, [2])],
];

it.each(calculations)('%s refuses whole numbers and says what they are for', (name, build) => {
  const attempt = () => build(new Recorder().input('a', i32(3)));
  expect(attempt).toThrow(ShapeError);
  expect(attempt).toThrow(new RegExp(`^${name}: operands are f32; an i32 tensor \\[3\\].*oneHot`));
});

describe('a shape that does not fit is refused with the shapes in the message', () => {
  it.each(refusals)('%s', (_, ...refusal) => expectRefused(...refusal));
});
