/** Cases of the operations that choose by whole numbers, and of those that draw random numbers. */
import fc from 'fast-check';
import { scatterAddAlongAxis, takeAlongAxis } from '../../../src/autograd/ops/alongAxis.js';
import { gather, scatterAdd } from '../../../src/autograd/ops/gather.js';
import { oneHot } from '../../../src/autograd/ops/oneHot.js';
import { dropoutMask, randomNormal, randomUniform } from '../../../src/autograd/ops/random.js';
import { i32, type Shape, sizeOf } from '../../../src/autograd/tape.js';
import type { Tensor } from '../../../src/autograd/trace.js';
import {
  type CaseInput,
  floats,
  type OperationProperty,
  property,
  type Sizes,
  seed,
  wholeNumbers,
} from './case.js';

/** Whole numbers around 0 … below: some lie outside, on either side. */
function choices(seed: number, name: string, shape: Shape, below: number): CaseInput {
  return { ...wholeNumbers(seed, name, sizeOf(shape), -2, below + 2), type: i32(...shape) };
}

/** A table whose axis T is chosen from by an index of any rank, and how the axis is named. */
const tableParameters = ({ few, extent }: Sizes) =>
  fc
    .record({
      seed,
      before: fc.array(few, { maxLength: 2 }),
      T: extent,
      after: fc.array(fc.oneof(few, extent), { maxLength: 2 }),
      index: fc.array(few, { maxLength: 2 }),
      fromEnd: fc.boolean(),
    })
    .map((parameters) => {
      const { before, T, after, fromEnd } = parameters;
      const axis = before.length - (fromEnd ? before.length + 1 + after.length : 0);
      return { ...parameters, axis, table: [...before, T, ...after] };
    });

const lineParameters = ({ few, extent }: Sizes) =>
  fc
    .record({
      seed,
      before: fc.array(few, { maxLength: 2 }),
      T: extent,
      B: few,
      after: fc.array(fc.oneof(few, extent), { maxLength: 1 }),
    })
    .map((parameters) => {
      const { before, T, B, after } = parameters;
      return {
        ...parameters,
        axis: before.length,
        table: [...before, T, ...after],
        lines: [...before, B, ...after],
      };
    });

const drawn = (
  name: string,
  { extent }: Sizes,
  draw: (stream: Tensor, shape: Shape, rate: number) => Tensor,
): OperationProperty =>
  property(
    name,
    fc.record({
      shape: fc.array(extent, { maxLength: 3 }),
      rate: fc.constantFrom(0, 0.1, 0.5, 0.9),
      stream: fc.array(fc.integer(), { minLength: 4, maxLength: 4 }),
    }),
    ({ shape, rate, stream }) => ({
      inputs: { stream: { type: i32(4), values: Int32Array.from(stream) } },
      build: ({ stream }) => draw(stream!, shape, rate),
      differentiable: [],
    }),
  );

export const choiceProperties = (sizes: Sizes): OperationProperty[] => [
  property('gather', tableParameters(sizes), ({ seed, T, table, index, axis }) => ({
    inputs: { table: floats(seed, 'table', table), index: choices(seed, 'index', index, T) },
    build: ({ table, index }) => gather(table!, index!, axis),
    differentiable: ['table'],
  })),
  property('scatterAdd', tableParameters(sizes), ({ seed, before, after, T, table, index, axis }) => ({
    inputs: {
      base: floats(seed, 'base', table),
      index: choices(seed, 'index', index, T),
      rows: floats(seed, 'rows', [...before, ...index, ...after]),
    },
    build: ({ base, index, rows }) => scatterAdd(base!, index!, rows!, axis),
    differentiable: ['base', 'rows'],
  })),
  property('takeAlongAxis', lineParameters(sizes), ({ seed, T, table, lines, axis }) => ({
    inputs: { a: floats(seed, 'a', table), index: choices(seed, 'index', lines, T) },
    build: ({ a, index }) => takeAlongAxis(a!, index!, axis),
    differentiable: ['a'],
  })),
  property('scatterAddAlongAxis', lineParameters(sizes), ({ seed, T, table, lines, axis }) => ({
    inputs: {
      base: floats(seed, 'base', table),
      index: choices(seed, 'index', lines, T),
      values: floats(seed, 'values', lines),
    },
    build: ({ base, index, values }) => scatterAddAlongAxis(base!, index!, values!, axis),
    differentiable: ['base', 'values'],
  })),
  property(
    'oneHot',
    fc.record({ seed, shape: fc.array(sizes.few, { maxLength: 3 }), classes: sizes.extent }),
    ({ seed, shape, classes }) => ({
      inputs: { labels: choices(seed, 'labels', shape, classes) },
      build: ({ labels }) => oneHot(labels!, classes),
      differentiable: [],
    }),
  ),
  drawn('randomUniform', sizes, (stream, shape) => randomUniform(stream, shape)),
  drawn('randomNormal', sizes, (stream, shape) => randomNormal(stream, shape)),
  drawn('dropoutMask', sizes, dropoutMask),
];
