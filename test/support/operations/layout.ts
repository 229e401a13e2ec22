/** Cases of reductions and of operations that only move numbers. */
import fc from 'fast-check';
import { pack, segment } from '../../../src/autograd/ops/pack.js';
import { sizeOf } from '../../../src/autograd/tape.js';
import { floats, type OperationProperty, property, record, type Sizes, seed } from './case.js';

const reductionParameters = ({ few, summed }: Sizes) =>
  fc
    .array(fc.record({ extent: fc.oneof(few, summed), reduced: fc.boolean() }), {
      minLength: 1,
      maxLength: 4,
    })
    .filter(
      (axes) => axes.some(({ reduced }) => reduced) && sizeOf(axes.map(({ extent }) => extent)) < 50_000,
    )
    .chain((axes) =>
      fc.record({
        seed,
        shape: fc.constant(axes.map(({ extent }) => extent)),
        axes: fc.constant(axes.flatMap(({ reduced }, axis) => (reduced ? [axis] : []))),
      }),
    );

const reduction = (name: string, sizes: Sizes, differentiable: readonly string[]): OperationProperty =>
  property(name, reductionParameters(sizes), ({ seed, shape, axes }) => ({
    inputs: { a: floats(seed, 'a', shape) },
    build: ({ a }) => record(name, [a!], { axes }),
    differentiable,
  }));

export const layoutProperties = (sizes: Sizes): OperationProperty[] => [
  reduction('sum', sizes, ['a']),
  reduction('max', sizes, ['a']),
  property(
    'reshape',
    fc.record({ seed, shape: fc.array(sizes.extent, { maxLength: 3 }), flat: fc.boolean() }),
    ({ seed, shape, flat }) => ({
      inputs: { a: floats(seed, 'a', shape) },
      build: ({ a }) => record('reshape', [a!], { shape: flat ? [sizeOf(shape)] : [1, ...shape].reverse() }),
      differentiable: ['a'],
    }),
  ),
  property(
    'segment',
    fc.record({
      seed,
      before: fc.constantFrom(0, 1, 3, 64),
      shape: fc.array(sizes.extent, { maxLength: 2 }),
      after: sizes.extent,
    }),
    ({ seed, before, shape, after }) => ({
      inputs: { flat: floats(seed, 'flat', [before + sizeOf(shape) + after]) },
      build: ({ flat }) => segment(flat!, before, shape),
      differentiable: ['flat'],
    }),
  ),
  property(
    'pack',
    fc.record({
      seed,
      // More pieces than a kernel may bind, so that several launches share one result.
      pieces: fc.array(fc.record({ gap: fc.constantFrom(0, 0, 2, 20), length: sizes.extent }), {
        minLength: 1,
        maxLength: 13,
      }),
      after: fc.constantFrom(0, 5),
    }),
    ({ seed, pieces, after }) => {
      let end = 0;
      const offsets = pieces.map(({ gap, length }) => {
        const offset = end + gap;
        end = offset + length;
        return offset;
      });
      const names = pieces.map((_, k) => `piece${k}`);
      return {
        inputs: Object.fromEntries(names.map((name, k) => [name, floats(seed, name, [pieces[k]!.length])])),
        build: (inputs) =>
          pack(
            names.map((name) => inputs[name]!),
            offsets,
            end + after,
          ),
        differentiable: names,
      };
    },
  ),
];
