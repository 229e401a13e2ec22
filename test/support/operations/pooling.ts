/** Cases of average and maximum pooling. */
import fc from 'fast-check';
import { avgPool2d } from '../../../src/autograd/ops/avgPool2d.js';
import { maxPool2d } from '../../../src/autograd/ops/maxPool2d.js';
import { type Pool2dOptions, poolAttributes } from '../../../src/autograd/ops/pool2dExtents.js';
import { floats, type OperationProperty, property, record, type Sizes, seed } from './case.js';
import { both, outputExtent, pairs } from './windows.js';

interface PoolCase {
  readonly seed: number;
  /** Shape of the image, and of what pooling gives. */
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly options: Pool2dOptions;
}

/** Pooling of windows that are cut down to what fits, with at most half of them as padding. */
const poolCases = ({ extent, few }: Sizes): fc.Arbitrary<PoolCase> =>
  fc
    .record({
      seed,
      N: few,
      C: few,
      H: extent,
      W: extent,
      size: pairs(1, 4),
      stride: fc.option(pairs(1, 5), { nil: undefined }),
      padding: fc.option(pairs(0, 2), { nil: undefined }),
    })
    .map(({ seed, N, C, H, W, size, stride, padding = 0 }) => {
      const wanted = both(size);
      const pads = both(padding).map((pad, k) => Math.min(pad, Math.floor(wanted[k]! / 2)));
      const window = wanted.map((extent, k) => Math.min(extent, [H, W][k]! + 2 * pads[k]!));
      const steps = stride === undefined ? window : both(stride);
      const side = (k: number): number => outputExtent([H, W][k]!, window[k]!, steps[k]!, pads[k]!);
      const options: Pool2dOptions = {
        size: [window[0]!, window[1]!],
        ...(stride === undefined ? {} : { stride }),
        padding: [pads[0]!, pads[1]!],
      };
      return { seed, x: [N, C, H, W], y: [N, C, side(0), side(1)], options };
    });

export const poolingProperties = (sizes: Sizes): OperationProperty[] => [
  property('avgPool2d', poolCases(sizes), ({ seed, x, options }) => ({
    inputs: { x: floats(seed, 'x', x) },
    build: ({ x }) => avgPool2d(x!, options),
    differentiable: ['x'],
  })),
  property('avgPool2dInputGrad', poolCases(sizes), ({ seed, x, y, options }) => ({
    inputs: { cotangent: floats(seed, 'cotangent', y) },
    build: ({ cotangent }) =>
      record('avgPool2dInputGrad', [cotangent!], { ...poolAttributes(options), shape: x }),
    differentiable: ['cotangent'],
  })),
  property(
    'maxPool2d',
    fc.record({ pool: poolCases(sizes), other: fc.boolean() }),
    ({ pool: { seed, x, options }, other }) => ({
      inputs: { x: floats(seed, 'x', x), ...(other ? { u: floats(seed, 'u', x) } : {}) },
      build: ({ x, u }) =>
        u === undefined ? maxPool2d(x!, options) : record('maxPool2d', [x!, u], poolAttributes(options)),
      differentiable: [other ? 'u' : 'x'],
    }),
  ),
  property('maxPool2dInputGrad', poolCases(sizes), ({ seed, x, y, options }) => ({
    inputs: { cotangent: floats(seed, 'cotangent', y), x: floats(seed, 'x', x) },
    build: ({ cotangent, x }) => record('maxPool2dInputGrad', [cotangent!, x!], poolAttributes(options)),
    differentiable: ['cotangent'],
  })),
];
