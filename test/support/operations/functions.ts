/** Cases of comparisons, choices, powers and smooth functions. */
import fc from 'fast-check';
import { clamp, maximum, minimum, where } from '../../../src/autograd/ops/comparisons.js';
import { pow } from '../../../src/autograd/ops/pow.js';
import * as smooth from '../../../src/autograd/ops/smooth.js';
import {
  type CaseInput,
  floats,
  type OperationProperty,
  property,
  record,
  type Sizes,
  seed,
} from './case.js';
import { binary, operandShape, pairs, shapes, unary } from './elementwise.js';

const COMPARISONS = ['less', 'lessEqual', 'greater', 'greaterEqual', 'equal', 'notEqual'] as const;

/** Numbers of which many are equal: whole ones from −2 to 2. */
function coarse(seed: number, name: string, shape: readonly number[]): CaseInput {
  const { type, values } = floats(seed, name, shape);
  return { type, values: Float32Array.from(values, (x) => Math.max(-2, Math.min(2, Math.round(x)))) };
}

const comparisonProperties = (sizes: Sizes): OperationProperty[] =>
  COMPARISONS.map((name) =>
    property(name, pairs(sizes), ({ seed, left, right }) => ({
      inputs: { a: coarse(seed, 'a', left), b: coarse(seed, 'b', right) },
      build: ({ a, b }) => record(name, [a!, b!]),
      differentiable: [],
    })),
  );

const whereProperty = (sizes: Sizes): OperationProperty =>
  property(
    'where',
    shapes(sizes).chain((shape) =>
      fc.record({
        seed,
        condition: operandShape(shape),
        left: operandShape(shape),
        right: operandShape(shape),
      }),
    ),
    ({ seed, condition, left, right }) => ({
      inputs: {
        condition: coarse(seed, 'condition', condition),
        a: floats(seed, 'a', left),
        b: floats(seed, 'b', right),
      },
      build: ({ condition, a, b }) => where(condition!, a!, b!),
      differentiable: ['a', 'b'],
    }),
  );

const clampProperty = (sizes: Sizes): OperationProperty =>
  property(
    'clamp',
    fc.record({
      seed,
      shape: shapes(sizes),
      low: fc.constantFrom(Number.NEGATIVE_INFINITY, -0.5, 0.1),
      high: fc.constantFrom(0.1, 0.7, Number.POSITIVE_INFINITY),
    }),
    ({ seed, shape, low, high }) => ({
      inputs: { a: floats(seed, 'a', shape) },
      build: ({ a }) => clamp(a!, low, high),
      differentiable: ['a'],
    }),
  );

const powNumberProperty = (sizes: Sizes): OperationProperty =>
  property(
    'powNumber',
    fc.record({
      seed,
      shape: shapes(sizes),
      exponent: fc.constantFrom(-2, -1, 0, 1, 2, 3, 11, -0.5, 0.5, 1.7, -2.3),
    }),
    ({ seed, shape, exponent }) => ({
      inputs: {
        a: floats(seed, 'a', shape, exponent >= 0 && exponent < 4 && exponent % 1 === 0 ? 'any' : 'positive'),
      },
      build: ({ a }) => record('powNumber', [a!], { exponent }),
      differentiable: ['a'],
    }),
  );

export const functionProperties = (sizes: Sizes): OperationProperty[] => [
  ...comparisonProperties(sizes),
  whereProperty(sizes),
  binary('maximum', maximum, sizes),
  binary('minimum', minimum, sizes),
  clampProperty(sizes),
  binary('pow', pow, sizes, 'any', 'positive'),
  powNumberProperty(sizes),
  unary('sin', smooth.sin, sizes),
  unary('cos', smooth.cos, sizes),
  unary('tanh', smooth.tanh, sizes),
  unary('sigmoid', smooth.sigmoid, sizes),
  unary('softplus', smooth.softplus, sizes),
  unary('erf', smooth.erf, sizes),
  unary('expm1', smooth.expm1, sizes),
  unary('log1p', smooth.log1p, sizes, 'positive'),
];
