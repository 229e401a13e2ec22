import { describe, expect, it } from 'vitest';
import { interpret } from '../../../src/autograd/interpret.js';
import { log, mul } from '../../../src/autograd/ops/elementwise.js';
import { max, mean, min, reshape, sum } from '../../../src/autograd/ops/reduce.js';
import { logSoftmax, logSumExp, softmax } from '../../../src/autograd/ops/softmax.js';
import { l2Normalise, norm, standardDeviation, variance } from '../../../src/autograd/ops/statistics.js';
import { f32 } from '../../../src/autograd/tape.js';
import { type Tensor, trace } from '../../../src/autograd/trace.js';
import { expectNear } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { expectEach, inFloat64, onDevice, slope } from '../../support/elements.js';

const openedDevice = useDevice();
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
const EXACT = { relative: 1e-12, absolute: 1e-13 };

/** A vector seen as rows of three. */
const inRows =
  (build: (a: Tensor) => Tensor) =>
  (a: Tensor): Tensor =>
    build(reshape(a, [a.shape[0]! / 3, 3]));

describe('a reduction', () => {
  const numbers = [1, 2, 3, 4, 5, 6];
  const reduced = (build: (a: Tensor) => Tensor) => {
    const tape = trace({ a: f32(1, 2, 3) }, ({ a }) => ({ y: build(a) }));
    return [tape.operations[tape.outputs.y!]!.type.shape, [...interpret(tape, { a: numbers }).y!]];
  };

  it.each([
    ['all axes by default', (a: Tensor) => sum(a), [1, 1, 1], [21]],
    ['all axes to a scalar', (a: Tensor) => mean(a, undefined, { keepDimensions: false }), [], [3.5]],
    ['one axis by its number', (a: Tensor) => max(a, 1), [1, 1, 3], [4, 5, 6]],
    ['one axis from the end', (a: Tensor) => min(a, -1, { keepDimensions: false }), [1, 2], [1, 4]],
    ['several axes in any order', (a: Tensor) => sum(a, [-1, 1], { keepDimensions: false }), [1], [21]],
    ['an axis of one element', (a: Tensor) => sum(a, 0, { keepDimensions: false }), [2, 3], numbers],
    ['no axes', (a: Tensor) => max(a, []), [1, 2, 3], numbers],
  ] as const)('runs over %s', (_, build, shape, want) => {
    expect(reduced(build)).toEqual([shape, want]);
  });

  it('is recorded once however its axes are written', () => {
    trace({ a: f32(2, 3) }, ({ a }) => {
      expect(sum(a, [-1, 0]).id).toBe(sum(a).id);
      return { a };
    });
  });
});

describe('max and min', () => {
  it('share the cotangent evenly among equal values', async () => {
    const a = [2, 5, 5, 1, 1, 1];
    const device = await openedDevice();
    for (const [build, want] of [
      [slope(inRows((x) => max(x, 1))), [0, 0.5, 0.5, 1 / 3, 1 / 3, 1 / 3]],
      [slope(inRows((x) => min(x, 1))), [1, 0, 0, 1 / 3, 1 / 3, 1 / 3]],
    ] as const) {
      expectEach(inFloat64(build, a), want, 1e-15, 0);
      expectEach(await onDevice(device, build, a), want, 1e-7, 0);
    }
  });

  it('hand NaN and infinities on', async () => {
    const a = [-infinity, -infinity, -infinity, 1, nan, 2, 3, infinity, -3e38];
    const greatest = inRows((x) => max(x, 1));
    const least = inRows((x) => min(x, 1));
    const device = await openedDevice();
    expect(inFloat64(greatest, a)).toEqual([-infinity, nan, infinity]);
    expect(await onDevice(device, greatest, a)).toEqual([-infinity, nan, infinity]);
    expect(await onDevice(device, least, a)).toEqual([-infinity, nan, Math.fround(-3e38)]);
  });
});

describe('spread and length', () => {
  const a = [1, 2, 6, 4, 4, 4];

  it('are those of each row', () => {
    const of = (build: (a: Tensor) => Tensor) => inFloat64(inRows(build), a);
    expectNear(
      of((x) => variance(x, 1)),
      [14 / 3, 0],
      EXACT,
    );
    expectNear(
      of((x) => variance(x, 1, { correction: 1 })),
      [7, 0],
      EXACT,
    );
    expectNear(
      of((x) => standardDeviation(x, 1, { correction: 1 })),
      [Math.sqrt(7), 0],
      EXACT,
    );
    expectNear(
      of((x) => norm(x, 1)),
      [Math.sqrt(41), Math.sqrt(48)],
      EXACT,
    );
    const [p, q] = [Math.sqrt(41), Math.sqrt(3)];
    expectNear(
      of((x) => l2Normalise(x)),
      [1 / p, 2 / p, 6 / p, 1 / q, 1 / q, 1 / q],
      EXACT,
    );
  });

  const twice = (build: (a: Tensor) => Tensor) => slope((x) => mul(slope(build)(x), x));
  it.each([
    ['the deviation of equal values', (x: Tensor) => standardDeviation(x, 1), [4, 4, 4]],
    ['the norm of a zero vector', (x: Tensor) => norm(x, 1), [0, 0, 0]],
  ] as const)('%s has the first and second derivative 0', async (_, build, at) => {
    const device = await openedDevice();
    for (const derivative of [slope(inRows(build)), twice(inRows(build))]) {
      expectEach(inFloat64(derivative, at), [0, 0, 0], 0, 0);
      expectEach(await onDevice(device, derivative, at), [0, 0, 0], 0, 0);
    }
  });

  it('l2Normalise has finite derivatives at a zero vector', async () => {
    const build = inRows((x) => l2Normalise(x, -1, { epsilon: 1e-6 }));
    const device = await openedDevice();
    for (const [derivative, want] of [
      [build, 0],
      [slope(build), 1e6],
      [twice(build), 1e6],
    ] as const) {
      expectEach(inFloat64(derivative, [0, 0, 0]), [want, want, want], 1e-12, 0);
      expectEach(await onDevice(device, derivative, [0, 0, 0]), [want, want, want], 1e-6, 0);
    }
  });
});

describe('sums of exponentials', () => {
  const rows = [
    [1, 2, 3],
    [3e4, 3e4, 0],
    [-3e4, -3e4, -3e4],
    [-infinity, 0, 0],
  ];
  const logThree = Math.log(Math.exp(-2) + Math.exp(-1) + 1);
  const sums = [3 + logThree, 3e4 + Math.LN2, -3e4 + Math.log(3), Math.LN2];

  it('are right for huge values and −∞', async () => {
    const build = inRows((x) => logSumExp(x, 1, { keepDimensions: false }));
    const input = [...rows, [-infinity, -infinity, -infinity], [infinity, 1, -infinity]].flat();
    const want = [...sums, -infinity, infinity];
    expectEach(inFloat64(build, input), want, 1e-14, 0);
    expectEach(await onDevice(await openedDevice(), build, input), want, 1e-6, 1e-6);
  });

  it('have the softmax as their derivative, 0 where all is −∞', async () => {
    const derivative = slope(inRows((x) => logSumExp(x, 1)));
    const plain = rows.flat();
    const empty = [-infinity, -infinity, -infinity];
    const want = [...inFloat64(inRows(softmax), plain), 0, 0, 0];
    expectEach(inFloat64(derivative, [...plain, ...empty]), want, 1e-14, 0);
    expectEach(await onDevice(await openedDevice(), derivative, [...plain, ...empty]), want, 1e-6, 0);
  });

  it('make probabilities that add up to 1, and their logarithms', async () => {
    const exponentials = [1, 2, 3].map(Math.exp);
    const total = exponentials.reduce((sum, x) => sum + x, 0);
    const want = [...exponentials.map((x) => x / total), 0.5, 0.5, 0, 1 / 3, 1 / 3, 1 / 3, 0, 0.5, 0.5];
    expectEach(inFloat64(inRows(softmax), rows.flat()), want, 1e-14, 0);
    expectEach(await onDevice(await openedDevice(), inRows(softmax), rows.flat()), want, 1e-6, 1e-7);
    const logarithms = await onDevice(await openedDevice(), inRows(logSoftmax), rows.flat());
    expectEach(
      logarithms,
      rows.flatMap((row, k) => row.map((x) => x - sums[k]!)),
      1e-6,
      1e-6,
    );
  });

  it('keep digits where a probability is too small to tell from 0', () => {
    const by = (build: (a: Tensor) => Tensor) => inFloat64(inRows(build), [0, 1000, 0])[0];
    expect(by((x) => log(softmax(x)))).toBe(-infinity);
    expect(by((x) => logSoftmax(x))).toBe(-1000);
  });
});
