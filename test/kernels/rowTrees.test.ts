import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lowerTape } from '../../src/autograd/compile/lower.js';
import { interpret } from '../../src/autograd/interpret.js';
import { exp, mul } from '../../src/autograd/ops/elementwise.js';
import {
  meanProductRows,
  projectRows,
  reciprocalDeviation,
  standardiseRows,
} from '../../src/autograd/ops/instanceNorm.js';
import { dot, max, reshape, sum } from '../../src/autograd/ops/reduce.js';
import { f32 } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import { fitTuning, splitReduction, tuningFor } from '../../src/kernels/catalogue.js';
import { fitRowTree, rowWorkgroup, treeDefinitions } from '../../src/kernels/rowTrees.js';
import { expectNear, numbers } from '../support/compare.js';
import { useDevice } from '../support/device.js';
import { runLowered, targetWith } from '../support/lowered.js';

const openedDevice = useDevice();
const tuning = tuningFor('hardware');
const tree = tuning.rowTree!;
const target = targetWith({ tuning });

/** Runs functions of two tensors of one shape, and holds the kernels and what they give to the float64 reference. */
async function expectReference(
  shape: readonly number[],
  compute: (a: Tensor, b: Tensor) => Tensor,
  kernels: readonly string[],
  maximumWorkgroups = 65_535,
): Promise<void> {
  const tape = trace({ a: f32(...shape), b: f32(...shape) }, ({ a, b }) => ({ y: compute(a, b) }));
  const count = shape.reduce((product, extent) => product * extent, 1);
  const values = { a: numbers(1, 'a', count), b: numbers(1, 'b', count) };
  const run = await runLowered(await openedDevice(), tape, values, { ...target, maximumWorkgroups });
  expect(run.lowered.dispatches.map(({ kernel }) => kernel)).toEqual(kernels);
  expectNear(run.outputs.y!, interpret(tape, values).y!);
}

describe('a reduction of rows by workgroups gives what the float64 reference gives', () => {
  it.each<[string, number[], (a: Tensor, b: Tensor) => Tensor, string[]]>([
    ['rows as long as the workgroup', [5, 64], (a) => sum(a, [1]), ['reduceTree']],
    ['rows of no multiple of it', [3, 331], (a) => sum(a, [1]), ['reduceTree']],
    ['rows long enough for the largest', [2, 2, 1027], (a, b) => sum(mul(exp(a), b), [2]), ['reduceTree']],
    ['the greatest of a chain', [3, 70], (a, b) => max(mul(a, b), [1]), ['reduceTree']],
    ['a row in slices', [1, 9001], dot, ['reduceTree', 'reduce']],
    ['the greatest of a row in slices', [140_000], (a) => max(a), ['reduceTree', 'reduceTree']],
    ['rows too short', [70, 31], (a) => sum(a, [1]), ['reduce']],
    ['columns', [70, 5], (a) => sum(a, [0]), ['reduce', 'reduce']],
    ['rows, then columns of their sums', [7, 3, 8, 9], (a) => sum(a, [0, 2, 3]), ['reduceTree', 'reduce']],
  ])('%s', async (_, shape, compute, kernels) => {
    await expectReference(shape, compute, kernels);
  });

  it('in a launch that is folded into two dimensions', async () => {
    await expectReference([7, 65], (a) => sum(a, [1]), ['reduceTree'], 3);
  });

  it('with NaN where there is one', async () => {
    const tape = trace({ a: f32(2, 100) }, ({ a }) => ({ y: max(a, [1]) }));
    const a = new Float32Array(200).fill(-1);
    a[137] = Number.NaN;
    const { outputs } = await runLowered(await openedDevice(), tape, { a }, target);
    expect([...outputs.y!]).toEqual([-1, Number.NaN]);
  });

  it('with the same bits on every run', async () => {
    const tape = trace({ a: f32(3, 5000) }, ({ a }) => ({ y: sum(a, [1]) }));
    const a = numbers(2, 'a', 15_000);
    const first = await runLowered(await openedDevice(), tape, { a }, target);
    const second = await runLowered(await openedDevice(), tape, { a }, target);
    expect(second.outputs.y).toEqual(first.outputs.y);
  });
});

describe('row statistics by workgroups give what the float64 reference gives', () => {
  const statistics: [string, (a: Tensor, b: Tensor) => Tensor][] = [
    ['standardiseRows', (a) => standardiseRows(a)],
    ['reciprocalDeviation', (a) => reciprocalDeviation(a)],
    ['projectRows', projectRows],
    ['meanProductRows', meanProductRows],
  ];
  it.each(statistics)('%s', async (_, compute) => {
    await expectReference([2, 3, 8, 8], compute, ['instanceNormTree']);
    await expectReference([3, 2, 31, 35], compute, ['instanceNormTree'], 4);
    await expectReference([3, 2, 7, 9], compute, ['instanceNorm']);
  });

  it('that leave a mean far from 0 its digits', async () => {
    const tape = trace({ a: f32(1, 2, 200) }, ({ a }) => ({ y: standardiseRows(a) }));
    const a = numbers(1, 'a', 400).map((value) => 1000 + value);
    const { outputs } = await runLowered(await openedDevice(), tape, { a }, target);
    expectNear(outputs.y!, interpret(tape, { a }).y!, { relative: 1e-3, absolute: 0 });
  });
});

describe('subgroups', () => {
  it('put the last numbers together to the same bits, where a device has them of one size', async ({
    skip,
  }) => {
    const device = await openedDevice();
    if (device.lanes === 1) skip('this device has no subgroups of one size');
    const tape = trace({ a: f32(3, 5, 331), b: f32(3, 5, 331) }, ({ a, b }) => ({
      sums: sum(mul(a, b), [2]),
      greatest: max(a, [2]),
      rows: projectRows(reshape(a, [3, 5, 331, 1]), reshape(b, [3, 5, 331, 1])),
    }));
    const values = { a: numbers(1, 'a', 3 * 5 * 331), b: numbers(1, 'b', 3 * 5 * 331) };
    const plain = await runLowered(device, tape, values, target);
    const shared = await runLowered(device, tape, values, { ...target, lanes: device.lanes });
    const usesSubgroups = ({ lowered }: typeof plain) =>
      lowered.dispatches.map(({ code }) => code.includes('subgroupShuffleDown'));
    expect(usesSubgroups(shared)).toEqual([true, true, true]);
    expect(usesSubgroups(plain)).toEqual([false, false, false]);
    expect(shared.outputs).toEqual(plain.outputs);
  });

  it('are left alone where they are larger than the workgroup, or no power of two', () => {
    expect(treeDefinitions(64, 32)).toEqual({ WORKGROUP: 64, LANES: 32, LANE: 'lane' });
    for (const lanes of [1, 128, 24]) expect(treeDefinitions(64, lanes).LANES).toBe(1);
  });
});

describe('the workgroup of a row', () => {
  it('is a power of two within the table and the device, or none for a short row', () => {
    const limits = { maxComputeInvocationsPerWorkgroup: 200, maxComputeWorkgroupStorageSize: 16_384 };
    const fitted = fitTuning(tuning, limits).rowTree!;
    for (const length of [64, 65, 255, 1000, 4096, 1e6]) {
      for (const [given, most] of [
        [tree, tree.largest],
        [fitted, 128],
      ] as const) {
        const size = rowWorkgroup(length, given)!;
        expect(Math.log2(size) % 1).toBe(0);
        expect(size).toBeGreaterThanOrEqual(tree.smallest);
        expect(size).toBeLessThanOrEqual(most);
      }
    }
    expect(rowWorkgroup(tree.shortestRow - 1, tree)).toBeNull();
    expect(fitRowTree(tree, { ...limits, maxComputeInvocationsPerWorkgroup: 32 })).toBeNull();
  });

  it('is none on software devices', () => {
    const tape = trace({ a: f32(3, 5000) }, ({ a }) => ({ y: sum(a, [1]), z: standardiseRows(a) }));
    for (const { kernel } of lowerTape(tape, targetWith()).dispatches) expect(kernel).not.toMatch(/Tree/);
  });

  it('takes slices that cover the row, none empty', () => {
    const lengths = fc.integer({ min: 1, max: 200_000 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 3000 }), (R, OUTER) => {
        const { slices, perSlice } = splitReduction({ OUTER, R, INNER: 1 }, tuning);
        expect(slices * perSlice).toBeGreaterThanOrEqual(R);
        expect((slices - 1) * perSlice).toBeLessThan(R);
      }),
      { seed: 5 },
    );
  });
});
