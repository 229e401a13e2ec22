/** Settings of windows for cases: one number, or one for each direction. */
import fc from 'fast-check';
import { type Pair, readPair } from '../../../src/autograd/ops/pair.js';

/** A whole number in [min, max] for both directions, or one for each. */
export const pairs = (min: number, max: number): fc.Arbitrary<Pair> =>
  fc.oneof(fc.integer({ min, max }), fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })));

/** A pair's two numbers. */
export const both = (pair: Pair): readonly [number, number] =>
  readPair('case', 'pair', typeof pair === 'number' ? pair : [...pair], 0);

/** How many windows fit along one direction. */
export const outputExtent = (extent: number, window: number, stride: number, padding: number): number =>
  Math.floor((extent + 2 * padding - window) / stride) + 1;
