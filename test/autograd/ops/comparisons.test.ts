import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/autograd/gradient.js';
import {
  clamp,
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  maximum,
  minimum,
  notEqual,
  where,
} from '../../../src/autograd/ops/comparisons.js';
import {
  add,
  div,
  exp,
  fill,
  log,
  mul,
  type Operand,
  scale,
  shift,
  sqrt,
  sub,
} from '../../../src/autograd/ops/elementwise.js';
import { sumAll } from '../../../src/autograd/ops/reduce.js';
import type { Tensor } from '../../../src/autograd/trace.js';
import { useDevice } from '../../support/device.js';
import { inFloat64, onDevice, slope, tapeOf } from '../../support/elements.js';

const openedDevice = useDevice();
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

/** The same in float64 and on the device. */
async function expectBoth(
  build: (...inputs: Tensor[]) => Tensor,
  inputs: readonly (readonly number[])[],
  want: readonly number[],
): Promise<void> {
  expect(inFloat64(build, ...inputs), 'in float64').toEqual(want);
  expect(await onDevice(await openedDevice(), build, ...inputs), 'on the device').toEqual(want);
}

describe('comparisons', () => {
  const a = [1, 2, 2, nan, nan, -infinity, infinity];
  const b = [2, 2, 1, 1, nan, infinity, infinity];
  it.each([
    ['less', less, [1, 0, 0, 0, 0, 1, 0]],
    ['lessEqual', lessEqual, [1, 1, 0, 0, 0, 1, 1]],
    ['greater', greater, [0, 0, 1, 0, 0, 0, 0]],
    ['greaterEqual', greaterEqual, [0, 1, 1, 0, 0, 0, 1]],
    ['equal', equal, [0, 1, 0, 0, 0, 0, 1]],
    ['notEqual', notEqual, [1, 0, 1, 1, 1, 1, 0]],
  ] as const)('%s is 0 or 1, with NaN unlike everything', async (_, compare, want) => {
    await expectBoth(compare, [a, b], want);
  });

  it('tell NaN from itself', async () => {
    await expectBoth((x) => notEqual(x, x), [[nan, 1, infinity]], [1, 0, 0]);
  });
});

describe('maximum and minimum', () => {
  it('hand NaN on from either side', async () => {
    const [a, b] = [
      [1, 3, nan, 1, -infinity],
      [2, 2, 1, nan, infinity],
    ];
    await expectBoth(maximum, [a, b], [2, 3, nan, nan, infinity]);
    await expectBoth(minimum, [a, b], [1, 2, nan, nan, -infinity]);
  });

  it.each([
    ['maximum', maximum, [0, 0.5, 1]],
    ['minimum', minimum, [1, 0.5, 0]],
  ] as const)('%s shares the cotangent of equal operands', async (_, choose, want) => {
    const byFirst = (a: Tensor, b: Tensor) => gradient(sumAll(choose(a, b)), [a])[0]!;
    const bySecond = (a: Tensor, b: Tensor) => gradient(sumAll(choose(a, b)), [b])[0]!;
    await expectBoth(
      byFirst,
      [
        [1, 2, 3],
        [2, 2, 2],
      ],
      want,
    );
    await expectBoth(
      bySecond,
      [
        [1, 2, 3],
        [2, 2, 2],
      ],
      want.map((share) => 1 - share),
    );
  });

  it('take one tensor twice', async () => {
    await expectBoth(
      slope((a) => maximum(a, a)),
      [[1, -2]],
      [1, 1],
    );
  });
});

describe('clamp', () => {
  it('brings into the bounds, with derivative 1 on them', async () => {
    const x = [-2, -1, 0, 1, 2, infinity, nan];
    await expectBoth((a) => clamp(a, -1, 1), [x], [-1, -1, 0, 1, 1, 1, nan]);
    await expectBoth(
      slope((a) => clamp(a, -1, 1)),
      [x.slice(0, 6)],
      [0, 1, 1, 1, 0, 0],
    );
    await expectBoth((a) => clamp(a, 0, infinity), [x], [0, 0, 0, 1, 2, infinity, nan]);
  });
});

describe('where', () => {
  it('lets no NaN through from the branch not taken', async () => {
    const build = (a: Tensor) => where(greater(a, 0), log(a), mul(a, 2));
    await expectBoth(build, [[1, -1]], [0, -2]);
    await expectBoth(slope(build), [[1, -1]], [1, 2]);
  });

  it('gives each branch the cotangent where it is taken, exactly', async () => {
    const condition = [1, 0, -3, nan];
    const byFirst = (c: Tensor, a: Tensor) => gradient(sumAll(where(c, mul(a, a), infinity)), [a])[0]!;
    await expectBoth(byFirst, [condition, [1, 2, 3, 4]], [2, 0, 6, 8]);
  });

  it('makes a root whose derivative is finite at 0, to the second order', async () => {
    const root = (v: Tensor) => {
      const isPositive = greater(v, 0);
      return where(isPositive, sqrt(where(isPositive, v, 1)), 0);
    };
    await expectBoth(root, [[0, 4]], [0, 2]);
    await expectBoth(slope(root), [[0, 4]], [0, 0.25]);
    await expectBoth(slope(slope(root)), [[0, 4]], [0, -1 / 32]);
    // As in Adam, where v is a square: the plain root gives 0·∞.
    await expectBoth(
      slope((g) => div(g, shift(root(mul(g, g)), 1))),
      [[0, 1]],
      [1, 0.25],
    );
    expect(
      inFloat64(
        slope((g) => sqrt(mul(g, g))),
        [0],
      ),
    ).toEqual([nan]);
  });
});

describe('numbers as operands', () => {
  it.each([
    ['add', add, [4, 5], [4, 5]],
    ['sub', sub, [-2, -1], [2, 1]],
    ['mul', mul, [3, 6], [3, 6]],
    ['div', div, [1 / 4, 2 / 4], [4, 2]],
    ['maximum', maximum, [3, 3], [3, 3]],
    ['less', less, [1, 1], [0, 0]],
  ] as const)('%s takes one on either side', async (name, combine, right, left) => {
    const operation: (a: Operand, b: Operand) => Tensor = combine;
    const number = name === 'div' ? 4 : 3;
    await expectBoth((a) => operation(a, number), [[1, 2]], right);
    await expectBoth((a) => operation(number, a), [[1, 2]], left);
  });

  it('add nothing to a tape where they change nothing', () => {
    const tape = tapeOf((a) => div(sub(mul(add(a, 0), 1), 0), 2), [[1]]);
    expect(tape.operations.map(({ name }) => name)).toEqual(['input', 'fill', 'div']);
  });
});

describe('numbers without a WGSL literal', () => {
  it.each([
    infinity,
    -infinity,
    3.4028234e38,
    1e-8,
    1e-50,
    2 ** 63,
    2 ** 70,
    -(2 ** 64),
    1e21,
    123456789,
    0.1,
  ])('%d is filled, scaled by and shifted by', async (number) => {
    const rounded = Math.fround(number);
    const device = await openedDevice();
    expect(await onDevice(device, (a) => fill(a, [2], number), [0])).toEqual([rounded, rounded]);
    expect(await onDevice(device, (a) => scale(a, number), [1])).toEqual([rounded]);
    expect(await onDevice(device, (a) => shift(a, number), [0])).toEqual([rounded]);
    expect(inFloat64((a) => fill(a, [1], number), [0])).toEqual([number]);
  });

  it('NaN is filled, scaled by and shifted by', async () => {
    await expectBoth((a) => fill(a, [1], nan), [[0]], [nan]);
    await expectBoth((a) => add(scale(a, nan), 1), [[1]], [nan]);
    await expectBoth((a) => shift(a, nan), [[1]], [nan]);
  });

  it('keeps infinities, NaN and −0 apart on a tape that JSON can hold', () => {
    const values = [infinity, -infinity, nan, 0, -0];
    const build = (a: Tensor) =>
      values.map((value) => fill(a, [1], value)).reduce((total, term) => add(total, exp(term)));
    const tape = tapeOf(build, [[0]]);
    const filled = JSON.parse(JSON.stringify(tape)).operations.filter(
      ({ name }: { name: string }) => name === 'fill',
    );
    const read = filled.map(({ attributes }: { attributes: { value: number } }) => Number(attributes.value));
    expect(read).toEqual(values);
  });
});
