/** Cases of numbers in half their memory: of ordinary size, and as small as the gradient of a mean or beyond a half's range. */
import fc from 'fast-check';
import { fromHalves, halfWords, toHalves } from '../../../src/autograd/ops/halves.js';
import { i32 } from '../../../src/autograd/tape.js';
import { floats, type OperationProperty, property, type Sizes, seed } from './case.js';

const counts = fc.constantFrom(1, 2, 63, 64, 65, 127, 200);

export const halvesProperties = (_sizes: Sizes): OperationProperty[] => [
  property(
    'toHalves',
    fc.record({ seed, count: counts, power: fc.constantFrom(-100, -20, 0, 20, 100) }),
    ({ seed, count, power }) => {
      const { type, values } = floats(seed, 'x', [count]);
      return {
        inputs: { x: { type, values: (values as Float32Array).map((value) => value * 2 ** power) } },
        build: ({ x }) => toHalves(x!),
        differentiable: [],
      };
    },
  ),
  property('fromHalves', fc.record({ seed, count: counts }), ({ seed, count }) => {
    // Any bits but those of infinities and NaN, under scales that leave normal numbers.
    const bits = floats(seed, 'bits', [halfWords(count)]).values as Float32Array;
    const words = Int32Array.from(bits, (value, k) =>
      k % halfWords(1) === 0
        ? 100 + Math.abs(Math.round(value * 10))
        : (Math.round(value * 2 ** 29) & ~0x78007800) | 0x04000400,
    );
    return {
      inputs: { words: { type: i32(words.length), values: words } },
      build: ({ words }) => fromHalves(words!, count),
      differentiable: [],
    };
  }),
];
