/** Cases of the public functions that are compositions of operations. */
import fc from 'fast-check';
import { gelu, leakyRelu, silu } from '../../../src/autograd/ops/activations.js';
import { add, div, mul, sub } from '../../../src/autograd/ops/elementwise.js';
import { type Axes, max, mean, min, sum } from '../../../src/autograd/ops/reduce.js';
import { logSoftmax, logSumExp, softmax } from '../../../src/autograd/ops/softmax.js';
import { l2Normalise, norm, standardDeviation, variance } from '../../../src/autograd/ops/statistics.js';
import type { Tensor } from '../../../src/autograd/trace.js';
import type { Domain } from '../compare.js';
import { floats, type OperationProperty, property, type Sizes, seed } from './case.js';
import { unary } from './elementwise.js';

/** Shapes with some of their axes, counted from either end, over which `least` elements or more are reduced to one. */
const withAxes = ({ few, summed }: Sizes, least: number) =>
  fc
    .array(fc.record({ extent: fc.oneof(few, summed), reduced: fc.boolean(), fromEnd: fc.boolean() }), {
      minLength: 1,
      maxLength: 3,
    })
    .map((axes) => ({
      shape: axes.map(({ extent }) => extent),
      axes: axes.flatMap(({ reduced, fromEnd }, axis) =>
        reduced ? [fromEnd ? axis - axes.length : axis] : [],
      ),
    }))
    .filter(
      ({ shape, axes }) =>
        axes.reduce((count, axis) => count * shape.at(axis)!, 1) >= least &&
        shape.reduce((size, extent) => size * extent, 1) < 20_000,
    );

interface Over {
  readonly axes: Axes;
  readonly keepDimensions: boolean;
}

function overAxes(
  name: string,
  apply: (a: Tensor, over: Over) => Tensor,
  sizes: Sizes,
  least = 1,
  domain: Domain = 'any',
): OperationProperty {
  const parameters = fc.record({ seed, over: withAxes(sizes, least), keepDimensions: fc.boolean() });
  return property(name, parameters, ({ seed, over: { shape, axes }, keepDimensions }) => ({
    inputs: { a: floats(seed, 'a', shape, domain) },
    build: ({ a }) => apply(a!, { axes, keepDimensions }),
    differentiable: ['a'],
  }));
}

export const compositionProperties = (sizes: Sizes): OperationProperty[] => [
  unary('gelu', gelu, sizes),
  unary('gelu by tanh', (a) => gelu(a, { approximate: 'tanh' }), sizes),
  unary('silu', silu, sizes),
  unary('leakyRelu', (a) => leakyRelu(a, 0.2), sizes, 'awayFromZero'),
  unary('a number on the left', (a) => sub(3, div(2, add(1, mul(2, a)))), sizes, 'positive'),
  unary('a number on the right', (a) => sub(div(mul(add(a, 1), a), 3), 0.5), sizes),
  overAxes('sum', (a, { axes, ...options }) => sum(a, axes, options), sizes),
  overAxes('mean', (a, { axes, ...options }) => mean(a, axes, options), sizes),
  overAxes('max', (a, { axes, ...options }) => max(a, axes, options), sizes),
  overAxes('min', (a, { axes, ...options }) => min(a, axes, options), sizes),
  overAxes('variance', (a, { axes, ...options }) => variance(a, axes, options), sizes),
  overAxes(
    'variance unbiased',
    (a, { axes, ...options }) => variance(a, axes, { correction: 1, ...options }),
    sizes,
    2,
  ),
  overAxes('standardDeviation', (a, { axes, ...options }) => standardDeviation(a, axes, options), sizes, 3),
  overAxes('norm', (a, { axes, ...options }) => norm(a, axes, options), sizes, 1, 'awayFromZero'),
  overAxes('l2Normalise', (a, { axes }) => l2Normalise(a, axes), sizes, 1, 'awayFromZero'),
  overAxes('logSumExp', (a, { axes, ...options }) => logSumExp(a, axes, options), sizes),
  overAxes('softmax', (a, { axes }) => softmax(a, axes), sizes),
  overAxes('logSoftmax', (a, { axes }) => logSoftmax(a, axes), sizes),
];
