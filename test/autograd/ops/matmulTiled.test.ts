import { describe, expect, it } from 'vitest';
import { lowerTape } from '../../../src/autograd/compile/lower.js';
import { interpret } from '../../../src/autograd/interpret.js';
import { crossCorrelation, matmul } from '../../../src/autograd/ops/matmul.js';
import { f32, type Tape } from '../../../src/autograd/tape.js';
import { trace } from '../../../src/autograd/trace.js';
import { tuningFor } from '../../../src/kernels/catalogue.js';
import { expectNear } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { runLowered, targetWith } from '../../support/lowered.js';
import { floats } from '../../support/operations/case.js';
import { hardwareTiling, targetWithTile } from '../../support/tiling.js';

const openedDevice = useDevice();

interface Product {
  readonly M: number;
  readonly K: number;
  readonly N: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly bias?: boolean;
}

function productOf({ M, K, N, transposeA = false, transposeB = false, bias = false }: Product) {
  const inputs = {
    a: floats(1, 'a', transposeA ? [K, M] : [M, K]),
    b: floats(1, 'b', transposeB ? [N, K] : [K, N]),
    bias: floats(1, 'bias', [N]),
  };
  const types = { a: inputs.a.type, b: inputs.b.type, bias: inputs.bias.type };
  const tape = trace(types, ({ a, b, bias: shift }) => ({
    y: matmul(a, b, { transposeA, transposeB, ...(bias ? { bias: shift } : {}) }),
  }));
  return {
    tape,
    values: { a: inputs.a.values, b: inputs.b.values, bias: inputs.bias.values },
  };
}

const kernelsOf = (tape: Tape, target = targetWith({ tuning: tuningFor('hardware') })): string[] =>
  lowerTape(tape, target).dispatches.map(({ kernel }) => kernel);

describe('a matrix product on tiles gives what the float64 reference gives', () => {
  it.each<[string, number, number, Product]>([
    ['one number', 4, 1, { M: 1, K: 1, N: 1 }],
    ['quads in all operands, whole tiles', 0, 1, { M: 128, K: 32, N: 64 }],
    ['quads, ragged tiles', 1, 1, { M: 36, K: 20, N: 132, bias: true }],
    ['a transposed, quads', 2, 1, { M: 72, K: 33, N: 68, transposeA: true }],
    ['b transposed, quads', 3, 1, { M: 37, K: 36, N: 65, transposeB: true, bias: true }],
    ['both transposed, quads', 3, 1, { M: 36, K: 20, N: 68, transposeA: true, transposeB: true }],
    ['no quads', 4, 1, { M: 35, K: 17, N: 67 }],
    ['a transposed, no quads', 3, 1, { M: 33, K: 19, N: 66, transposeA: true, bias: true }],
    ['b transposed, no quads', 4, 1, { M: 63, K: 31, N: 65, transposeB: true }],
    ['both transposed, no quads', 4, 1, { M: 31, K: 15, N: 35, transposeA: true, transposeB: true }],
    ['a split sum with a ragged last slice', 4, 3, { M: 40, K: 131, N: 9, bias: true }],
    ['a split sum of quads', 3, 5, { M: 20, K: 160, N: 72, transposeA: true, transposeB: true }],
  ])('%s', async (_, tile, slices, product) => {
    const { tape, values } = productOf(product);
    const target = targetWithTile(tile, { slices, terms: product.K });
    const { lowered, outputs } = await runLowered(await openedDevice(), tape, values, target);
    const kernels = lowered.dispatches.map(({ kernel }) => kernel);
    expect(kernels).toEqual(slices > 1 ? ['matmulTiled', 'reduce'] : ['matmulTiled']);
    expectNear(outputs.y!, interpret(tape, values).y!);
  });

  it('with a scale, in a launch that is folded into two dimensions', async () => {
    const inputs = { a: floats(1, 'a', [40, 70]), b: floats(1, 'b', [40, 100]) };
    const tape = trace({ a: inputs.a.type, b: inputs.b.type }, ({ a, b }) => ({ y: crossCorrelation(a, b) }));
    const values = { a: inputs.a.values, b: inputs.b.values };
    const target = { ...targetWithTile(4), maximumWorkgroups: 5 };
    const { lowered, outputs } = await runLowered(await openedDevice(), tape, values, target);
    expect(lowered.dispatches.map(({ kernel, workgroups }) => [kernel, workgroups])).toEqual([
      ['matmulTiled', [5, 3]],
    ]);
    expectNear(outputs.y!, interpret(tape, values).y!);
  });
});

it('a product on tiles keeps an infinity to its own row and column', async () => {
  const { tape, values } = productOf({ M: 9, K: 19, N: 11, transposeB: true });
  // First in their lines: where a tile that reached beyond the line before would find them.
  values.a[3 * 19] = Number.POSITIVE_INFINITY;
  values.b[5 * 19] = Number.POSITIVE_INFINITY;
  const { outputs } = await runLowered(await openedDevice(), tape, values, targetWithTile(4));
  const finite = Array.from(outputs.y!, Number.isFinite);
  const outside = finite.map((_, k) => Math.floor(k / 11) !== 3 && k % 11 !== 5);
  expect(finite).toEqual(outside);
});

describe('the choice of kernel', () => {
  const square = (side: number): Tape =>
    trace({ a: f32(side, side), b: f32(side, side) }, ({ a, b }) => ({ y: matmul(a, b) }));

  it('takes tiles for large products on hardware only', () => {
    expect(kernelsOf(square(512))).toContain('matmulTiled');
    expect(kernelsOf(square(512), targetWith())).not.toContain('matmulTiled');
  });

  it('keeps small and narrow products in registers', () => {
    expect(kernelsOf(square(16))).not.toContain('matmulTiled');
    const narrow = trace({ a: f32(4096, 512), b: f32(512, 3) }, ({ a, b }) => ({ y: matmul(a, b) }));
    expect(kernelsOf(narrow)).not.toContain('matmulTiled');
  });

  it('splits a long sum of few tiles', () => {
    const long = trace({ a: f32(64, 2 ** 15), b: f32(2 ** 15, 64) }, ({ a, b }) => ({ y: matmul(a, b) }));
    const target = targetWith({ tuning: tuningFor('hardware') });
    const [product, sum] = lowerTape(long, target).dispatches;
    const [columns, rows] = product!.workgroups;
    expect(columns * rows).toBeGreaterThan(hardwareTiling.workgroups / 3);
    expect(sum!.kernel).toBe('reduce');
  });
});
