/** The operations that only move numbers, as NumPy does it: slice, concat, gather, transpose, shape and their like. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lowerTape } from '../../../src/autograd/compile/lower.js';
import { compile } from '../../../src/autograd/compile/plan.js';
import { interpret } from '../../../src/autograd/interpret.js';
import { takeAlongAxis } from '../../../src/autograd/ops/alongAxis.js';
import { concat, stack } from '../../../src/autograd/ops/concat.js';
import { exp } from '../../../src/autograd/ops/elementwise.js';
import { gather, scatterAdd } from '../../../src/autograd/ops/gather.js';
import { reshape } from '../../../src/autograd/ops/reduce.js';
import { expandDims, repeat, squeeze, tile } from '../../../src/autograd/ops/shape.js';
import { flip, pad, slice, split } from '../../../src/autograd/ops/slice.js';
import { transpose } from '../../../src/autograd/ops/transpose.js';
import { f32, i32 } from '../../../src/autograd/tape.js';
import { type Tensor, trace } from '../../../src/autograd/trace.js';
import { expectFirstDerivatives, expectSecondDerivatives } from '../../support/derivatives.js';
import { useDevice } from '../../support/device.js';
import { targetWith } from '../../support/lowered.js';
import { expectSameOnDevice } from '../../support/onDevice.js';
import { floats, type OperationCase, seed } from '../../support/operations/case.js';

const openedDevice = useDevice();

/** Shape and numbers of what an operation makes of 0, 1, 2, … in a shape. */
function resultOf(shape: readonly number[], build: (a: Tensor) => Tensor): [number[], number[]] {
  const tape = trace({ a: f32(...shape) }, ({ a }) => ({ y: build(a) }));
  const count = shape.reduce((product, extent) => product * extent, 1);
  const { y } = interpret(tape, { a: Float32Array.from({ length: count }, (_, k) => k) });
  return [[...tape.operations[tape.outputs.y!]!.type.shape], [...y!]];
}

type Example = readonly [
  what: string,
  shape: readonly number[],
  build: (a: Tensor) => Tensor,
  wantedShape: readonly number[],
  wanted: readonly number[],
];

/** What NumPy gives for the same words. */
const examples: readonly Example[] = [
  ['transpose reverses the axes', [2, 3], (a) => transpose(a), [3, 2], [0, 3, 1, 4, 2, 5]],
  [
    'transpose takes axes from the end',
    [2, 1, 3],
    (a) => transpose(a, [-1, 0, 1]),
    [3, 2, 1],
    [0, 3, 1, 4, 2, 5],
  ],
  ['a[1:3]', [4, 2], (a) => slice(a, { starts: [1], ends: [3] }), [2, 2], [2, 3, 4, 5]],
  ['a[-2:]', [4], (a) => slice(a, { starts: [-2] }), [2], [2, 3]],
  ['a[:-1, 1:]', [2, 3], (a) => slice(a, { starts: [null, 1], ends: [-1] }), [1, 2], [1, 2]],
  ['a[::2]', [5], (a) => slice(a, { steps: [2] }), [3], [0, 2, 4]],
  ['a[1::3]', [5], (a) => slice(a, { starts: [1], steps: [3] }), [2], [1, 4]],
  ['a[::-1]', [4], (a) => slice(a, { steps: [-1] }), [4], [3, 2, 1, 0]],
  ['a[-2:0:-2]', [6], (a) => slice(a, { starts: [-2], ends: [0], steps: [-2] }), [2], [4, 2]],
  ['a[:, ::-2]', [2, 4], (a) => slice(a, { steps: [null, -2] }), [2, 2], [3, 1, 7, 5]],
  ['pad', [1, 2], (a) => pad(a, [1, 0], [0, 2], 7), [2, 4], [7, 7, 7, 7, 0, 1, 7, 7]],
  ['flip of all axes', [2, 2], (a) => flip(a), [2, 2], [3, 2, 1, 0]],
  ['flip of the last axis', [2, 2], (a) => flip(a, [-1]), [2, 2], [1, 0, 3, 2]],
  ['squeeze of all', [1, 2, 1], (a) => squeeze(a), [2], [0, 1]],
  ['squeeze of one', [1, 2, 1], (a) => squeeze(a, [-1]), [1, 2], [0, 1]],
  ['expandDims at the end', [2], (a) => expandDims(a, -1), [2, 1], [0, 1]],
  ['repeat', [2, 2], (a) => repeat(a, 2, 1), [2, 4], [0, 0, 1, 1, 2, 2, 3, 3]],
  ['tile', [1, 2], (a) => tile(a, [2, 2]), [2, 4], [0, 1, 0, 1, 0, 1, 0, 1]],
  ['stack in the middle', [2, 2], (a) => stack([a, a], 1), [2, 2, 2], [0, 1, 0, 1, 2, 3, 2, 3]],
  ['stack of scalars', [], (a) => stack([a, a]), [2], [0, 0]],
  ['concat at the end', [2, 1], (a) => concat([a, a], -1), [2, 2], [0, 0, 1, 1]],
  ['split into lengths', [1, 5], (a) => split(a, [2, 3], 1)[1]!, [1, 3], [2, 3, 4]],
  ['split into equal parts', [4], (a) => split(a, 2)[1]!, [2], [2, 3]],
];

it.each(examples)('%s', (_, shape, build, wantedShape, wanted) => {
  expect(resultOf(shape, build)).toEqual([wantedShape, wanted]);
});

/** Compositions on a tensor of up to three axes; nearly all are linear. */
const compositions: Readonly<Record<string, (a: Tensor) => Tensor>> = {
  flip: (a) => flip(a),
  pad: (a) =>
    pad(
      a,
      a.shape.map((_, axis) => axis),
      a.shape.map(() => 1),
      0.5,
    ),
  repeat: (a) => repeat(a, 3, -1),
  'rows from the middle': (a) => slice(a, { starts: [Math.floor(a.shape[0]! / 2)] }),
  'slice of every second': (a) => slice(a, { steps: a.shape.map((_, axis) => (axis % 2 === 0 ? 2 : -2)) }),
  'split and turned round': (a) =>
    concat(split(a, [1, ...(a.shape[0]! > 1 ? [a.shape[0]! - 1] : [])]).reverse()),
  squeeze: (a) => squeeze(expandDims(a, 1)),
  stack: (a) => stack([a, exp(a), a], -1),
  tile: (a) =>
    tile(
      a,
      a.shape.map((_, axis) => axis + 2),
    ),
  'transpose of an axis of 1': (a) => transpose(expandDims(a, -1)),
};

describe.each(Object.entries(compositions))('%s', (_, build) => {
  const cases = fc
    .record({ seed, shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }) })
    .map(
      ({ seed, shape }): OperationCase => ({
        inputs: { a: floats(seed, 'a', shape) },
        build: ({ a }) => build(a!),
        differentiable: ['a'],
      }),
    );

  it('has the derivatives that central differences give', () => {
    fc.assert(fc.property(cases, expectFirstDerivatives), { seed: 1, numRuns: 10 });
    fc.assert(fc.property(cases, expectSecondDerivatives), { seed: 2, numRuns: 10 });
  });

  it('gives on the device what float64 gives', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (tried) => expectSameOnDevice(await openedDevice(), tried)),
      { seed: 3, numRuns: 5, endOnFailure: true },
    );
  });
});

describe('whole numbers are moved as they are', () => {
  // Their bits are tiny or not numbers at all when read as floats, so a kernel that reads floats would show.
  const a = Int32Array.of(-1, 0, 2_147_483_647, 5, -2_147_483_648, 7);
  const index = Int32Array.of(1, -1, 0, 3);
  const builds: Readonly<Record<string, (a: Tensor, index: Tensor) => Tensor>> = {
    transpose: (a) => transpose(a),
    slice: (a) => slice(a, { steps: [1, -2] }),
    'a view of rows': (a) => slice(a, { starts: [1] }),
    pad: (a) => pad(a, [0, 1], [1, 0], -7),
    concat: (a) => concat([a, flip(a)], 1),
    gather: (a, index) => gather(a, index, 1),
    scatterAdd: (a, index) => scatterAdd(reshape(a, [6]), index, index),
    takeAlongAxis: (a, index) => takeAlongAxis(a, reshape(index, [2, 2]), 1),
  };
  it.each(Object.entries(builds))('%s', async (_, build) => {
    const tape = trace({ a: i32(2, 3), index: i32(4) }, ({ a, index }) => ({ y: build(a, index) }));
    expect(tape.operations[tape.outputs.y!]!.type.dataType).toBe('i32');
    const plan = await compile(tape, await openedDevice());
    try {
      const { y } = await plan.run({ a, index });
      expect(y).toBeInstanceOf(Int32Array);
      expect([...y!]).toEqual([...interpret(tape, { a, index }).y!]);
    } finally {
      plan.release();
    }
  });
});

describe('what costs nothing', () => {
  const kernelsOf = (build: (a: Tensor) => Tensor): string[] =>
    lowerTape(
      trace({ a: f32(4, 1, 64) }, ({ a }) => ({ y: exp(build(a)) })),
      targetWith(),
    ).dispatches.map(({ kernel }) => kernel);

  it('a range of rows is a view', () => {
    expect(kernelsOf((a) => slice(a, { starts: [1], ends: [3] }))).toEqual(['elementwise']);
    expect(kernelsOf((a) => split(a, 4)[2]!)).toEqual(['elementwise']);
  });

  it('a transposition that only moves axes of extent 1 is a view', () => {
    expect(kernelsOf((a) => transpose(a, [1, 0, 2]))).toEqual(['elementwise']);
    expect(kernelsOf((a) => transpose(a))).toEqual(['rearrange', 'elementwise']);
  });
});
