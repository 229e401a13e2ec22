/** Cases of matrix products and losses. */
import fc from 'fast-check';
import { crossCorrelation, matmul } from '../../../src/autograd/ops/matmul.js';
import { mse, squaredDistance } from '../../../src/autograd/ops/mse.js';
import type { Tensor } from '../../../src/autograd/trace.js';
import { floats, type OperationProperty, property, record, type Sizes, seed } from './case.js';

function distance(name: string, apply: (a: Tensor, b: Tensor) => Tensor, sizes: Sizes): OperationProperty {
  const parameters = fc.record({ seed, shape: fc.array(sizes.extent, { maxLength: 3 }) });
  return property(name, parameters, ({ seed, shape }) => ({
    inputs: { a: floats(seed, 'a', shape), b: floats(seed, 'b', shape) },
    build: ({ a, b }) => apply(a!, b!),
    differentiable: ['a', 'b'],
  }));
}

const barlowTwins = (name: string, { extent }: Sizes): OperationProperty =>
  property(
    name,
    fc.record({ seed, D: extent, lambda: fc.constantFrom(0.005, 1) }),
    ({ seed, D, lambda }) => ({
      inputs: { f: floats(seed, 'f', [D, D]) },
      build: ({ f }) => record(name, [f!], { lambda }),
      differentiable: ['f'],
    }),
  );

export const matrixProperties = (sizes: Sizes): OperationProperty[] => [
  property(
    'matmul',
    fc.record({
      seed,
      M: sizes.extent,
      K: sizes.summed,
      N: sizes.extent,
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
      bias: fc.boolean(),
    }),
    ({ seed, M, K, N, transposeA, transposeB, bias }) => ({
      inputs: {
        a: floats(seed, 'a', transposeA ? [K, M] : [M, K]),
        b: floats(seed, 'b', transposeB ? [N, K] : [K, N]),
        ...(bias ? { bias: floats(seed, 'bias', [N]) } : {}),
      },
      build: ({ a, b, bias }) =>
        matmul(a!, b!, { transposeA, transposeB, ...(bias === undefined ? {} : { bias }) }),
      differentiable: bias ? ['a', 'b', 'bias'] : ['a', 'b'],
    }),
  ),
  property(
    'crossCorrelation',
    fc.record({ seed, B: sizes.summed, left: sizes.extent, right: sizes.extent }),
    ({ seed, B, left, right }) => ({
      inputs: { z1: floats(seed, 'z1', [B, left]), z2: floats(seed, 'z2', [B, right]) },
      build: ({ z1, z2 }) => crossCorrelation(z1!, z2!),
      differentiable: ['z1', 'z2'],
    }),
  ),
  distance('mse', mse, sizes),
  distance('squaredDistance', squaredDistance, sizes),
  barlowTwins('barlowTwinsLoss', sizes),
  barlowTwins('barlowTwinsGradient', sizes),
  barlowTwins('barlowTwinsCurvature', sizes),
];
