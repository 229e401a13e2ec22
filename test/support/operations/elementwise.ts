/** Cases of the elementwise operations, with operands that broadcast. */
import fc from 'fast-check';
import * as elementwise from '../../../src/autograd/ops/elementwise.js';
import type { Shape } from '../../../src/autograd/tape.js';
import type { Tensor } from '../../../src/autograd/trace.js';
import type { Domain } from '../compare.js';
import { floats, type OperationProperty, property, record, type Sizes, seed } from './case.js';

export const shapes = ({ extent }: Sizes) => fc.array(extent, { minLength: 0, maxLength: 3 });

/** Shapes that broadcast to `shape`: some extents are 1, some leading axes left out. */
export const operandShape = (shape: Shape): fc.Arbitrary<number[]> =>
  fc
    .tuple(
      fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
      fc.nat(shape.length),
      fc.boolean(),
    )
    .map(([single, dropped, full]) =>
      full ? [...shape] : shape.map((extent, axis) => (single[axis] ? 1 : extent)).slice(dropped),
    );

/** Shapes of two operands that broadcast to one. */
export const pairs = (sizes: Sizes) =>
  shapes(sizes).chain((shape) => fc.record({ seed, left: operandShape(shape), right: operandShape(shape) }));

export function binary(
  name: string,
  apply: (a: Tensor, b: Tensor) => Tensor,
  sizes: Sizes,
  rightDomain: Domain = 'any',
  leftDomain: Domain = 'any',
  differentiable: readonly string[] = ['a', 'b'],
): OperationProperty {
  return property(name, pairs(sizes), ({ seed, left, right }) => ({
    inputs: { a: floats(seed, 'a', left, leftDomain), b: floats(seed, 'b', right, rightDomain) },
    build: ({ a, b }) => apply(a!, b!),
    differentiable,
  }));
}

export function unary(
  name: string,
  apply: (a: Tensor) => Tensor,
  sizes: Sizes,
  domain: Domain = 'any',
  differentiable: readonly string[] = ['a'],
): OperationProperty {
  return property(name, fc.record({ seed, shape: shapes(sizes) }), ({ seed, shape }) => ({
    inputs: { a: floats(seed, 'a', shape, domain) },
    build: ({ a }) => apply(a!),
    differentiable,
  }));
}

// None is so small that what it gives lies below the tolerances.
const factors = fc.constantFrom(-3, -1 / 3, 0, 0.5, 7);

export const elementwiseProperties = (sizes: Sizes): OperationProperty[] => [
  binary('add', elementwise.add, sizes),
  binary('sub', elementwise.sub, sizes),
  binary('mul', elementwise.mul, sizes),
  binary('div', elementwise.div, sizes, 'positive'),
  // `neg` is written as a scale, so that it fuses; the operation itself stays in the table.
  unary('neg', (a) => record('neg', [a]), sizes),
  unary('exp', elementwise.exp, sizes),
  unary('log', elementwise.log, sizes, 'positive'),
  unary('sqrt', elementwise.sqrt, sizes, 'positive'),
  unary('rsqrt', elementwise.rsqrt, sizes, 'positive'),
  unary('abs', elementwise.abs, sizes, 'awayFromZero'),
  unary('sign', elementwise.sign, sizes, 'awayFromZero', []),
  unary('relu', elementwise.relu, sizes, 'awayFromZero'),
  unary('isPositive', elementwise.isPositive, sizes, 'awayFromZero', []),
  unary('stopGradient', elementwise.stopGradient, sizes, 'any', []),
  property('scale', fc.record({ seed, shape: shapes(sizes), by: factors }), ({ seed, shape, by }) => ({
    inputs: { a: floats(seed, 'a', shape) },
    build: ({ a }) => record('scale', [a!], { by }),
    differentiable: ['a'],
  })),
  property('shift', fc.record({ seed, shape: shapes(sizes), by: factors }), ({ seed, shape, by }) => ({
    inputs: { a: floats(seed, 'a', shape) },
    build: ({ a }) => record('shift', [a!], { by }),
    differentiable: ['a'],
  })),
  property('fill', fc.record({ shape: shapes(sizes), value: factors }), ({ shape, value }) => ({
    inputs: { like: floats(0, 'like', []) },
    build: ({ like }) => elementwise.fill(like!, shape, value),
    differentiable: [],
  })),
  property(
    'broadcastTo',
    shapes(sizes).chain((shape) => fc.record({ seed, shape: fc.constant(shape), from: operandShape(shape) })),
    ({ seed, shape, from }) => ({
      inputs: { a: floats(seed, 'a', from) },
      build: ({ a }) => record('broadcastTo', [a!], { shape }),
      differentiable: ['a'],
    }),
  ),
];
