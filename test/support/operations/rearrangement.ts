/** Cases of the operations that move numbers: other orders of axes, boxes, and tensors side by side. */
import fc from 'fast-check';
import { concat } from '../../../src/autograd/ops/concat.js';
import { place } from '../../../src/autograd/ops/slice.js';
import type { Shape } from '../../../src/autograd/tape.js';
import { floats, type OperationProperty, property, record, type Sizes, seed } from './case.js';

/** A box of some extents inside a tensor: what lies around it, how it is spread, and which way it runs. */
interface BoxParameters {
  readonly extents: readonly number[];
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  readonly shape: Shape;
}

/** Boxes in every position, up to four axes; steps from −3 to 3. */
const boxes = (extent: fc.Arbitrary<number>): fc.Arbitrary<BoxParameters> =>
  fc
    .array(
      fc.record({
        extent,
        step: fc.constantFrom(1, 1, 2, 3, -1, -2),
        before: fc.constantFrom(0, 0, 1, 3),
        after: fc.constantFrom(0, 0, 1, 2),
      }),
      { minLength: 1, maxLength: 4 },
    )
    .map((axes) => {
      const span = ({ extent, step }: { extent: number; step: number }) => (extent - 1) * Math.abs(step);
      return {
        extents: axes.map(({ extent }) => extent),
        starts: axes.map((axis) => axis.before + (axis.step < 0 ? span(axis) : 0)),
        steps: axes.map(({ step }) => step),
        shape: axes.map((axis) => axis.before + span(axis) + 1 + axis.after),
      };
    });

/** A shape of up to five axes and an order of them. */
const permutations = ({ few, extent }: Sizes) =>
  fc
    .array(fc.oneof(few, extent), { minLength: 1, maxLength: 5 })
    .filter((shape) => shape.reduce((size, length) => size * length, 1) < 20_000)
    .chain((shape) =>
      fc.record({
        seed,
        shape: fc.constant(shape),
        permutation: fc.shuffledSubarray([...shape.keys()], { minLength: shape.length }),
      }),
    );

export const rearrangementProperties = (sizes: Sizes): OperationProperty[] => [
  property('transpose', permutations(sizes), ({ seed, shape, permutation }) => ({
    inputs: { a: floats(seed, 'a', shape) },
    // By its record, so that orders which `transpose` writes as a reshape are tried as well.
    build: ({ a }) => record('transpose', [a!], { permutation }),
    differentiable: ['a'],
  })),
  property(
    'slice',
    fc.record({ seed, box: boxes(sizes.few) }),
    ({ seed, box: { extents, starts, steps, shape } }) => ({
      inputs: { a: floats(seed, 'a', shape) },
      build: ({ a }) => record('slice', [a!], { starts, steps, shape: extents }),
      differentiable: ['a'],
    }),
  ),
  property(
    'place',
    fc.record({ seed, box: boxes(sizes.few), value: fc.constantFrom(0, -1.5, 1e-3) }),
    ({ seed, box: { extents, starts, steps, shape }, value }) => ({
      inputs: { a: floats(seed, 'a', extents) },
      build: ({ a }) => place(a!, shape, { starts, steps, value }),
      differentiable: ['a'],
    }),
  ),
  property(
    'concat',
    fc.record({
      seed,
      before: fc.array(sizes.few, { maxLength: 2 }),
      // More pieces than a kernel may bind.
      lengths: fc.array(sizes.few, { minLength: 2, maxLength: 11 }),
      after: fc.array(sizes.extent, { maxLength: 1 }),
    }),
    ({ seed, before, lengths, after }) => {
      const names = lengths.map((_, k) => `piece${k}`);
      return {
        inputs: Object.fromEntries(
          names.map((name, k) => [name, floats(seed, name, [...before, lengths[k]!, ...after])]),
        ),
        build: (inputs) =>
          concat(
            names.map((name) => inputs[name]!),
            before.length,
          ),
        differentiable: names,
      };
    },
  ),
];
