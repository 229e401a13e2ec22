import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/autograd/gradient.js';
import { gelu, leakyRelu, silu } from '../../../src/autograd/ops/activations.js';
import { abs, log, relu, rsqrt } from '../../../src/autograd/ops/elementwise.js';
import { pow, powNumber } from '../../../src/autograd/ops/pow.js';
import { sumAll } from '../../../src/autograd/ops/reduce.js';
import {
  cos,
  erf,
  errorFunction,
  expm1,
  log1p,
  sigmoid,
  sin,
  softplus,
  tanh,
} from '../../../src/autograd/ops/smooth.js';
import type { Tensor } from '../../../src/autograd/trace.js';
import { useDevice } from '../../support/device.js';
import { expectEach, inFloat64, onDevice, slope } from '../../support/elements.js';

const openedDevice = useDevice();
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

describe('the error function in float64', () => {
  // Tabulated to 20 digits in many handbooks; computed here with 40-digit arithmetic.
  it.each([
    [1e-10, 1.1283791670955126e-10],
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [1.5, 0.9661051464753106],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [4, 0.9999999845827421],
    [5.5, 0.9999999999999927],
    [30, 1],
  ])('at ±%d is ±%d', (x, want) => {
    expect(Math.abs(errorFunction(x) - want)).toBeLessThanOrEqual(1e-15 * want);
    expect(errorFunction(-x)).toBe(-errorFunction(x));
  });

  it('is 0 at 0, ±1 at infinity and NaN at NaN', () => {
    expect([0, infinity, -infinity, nan].map(errorFunction)).toEqual([0, 1, -1, nan]);
  });
});

describe('known values', () => {
  it.each([
    ['gelu', (a: Tensor) => gelu(a), [-0.15865525393145707, 0, 0.8413447460685429]],
    [
      'gelu by tanh',
      (a: Tensor) => gelu(a, { approximate: 'tanh' }),
      [-0.15880800939172324, 0, 0.8411919906082768],
    ],
    ['silu', silu, [-0.2689414213699951, 0, 0.7310585786300049]],
    ['leakyRelu', (a: Tensor) => leakyRelu(a), [-0.01, 0, 1]],
    ['softplus', softplus, [0.31326168751822286, Math.LN2, 1.3132616875182228]],
    ['the slope of softplus', slope(softplus), [0.2689414213699951, 0.5, 0.7310585786300049]],
    ['the slope of leakyRelu', slope((a) => leakyRelu(a)), [0.01, 0.01, 1]],
    ['the slope of abs', slope(abs), [-1, 0, 1]],
  ])('%s at −1, 0 and 1', (_, build, want) => {
    expectEach(inFloat64(build, [-1, 0, 1]), want, 1e-14, 0);
  });
});

/** Near 0, around the seams of the approximations, and far out. */
const spread = (from: number, to: number): number[] => [
  ...[1e-30, 1e-12, 1e-7, 1e-4, 0.01].flatMap((x) => [x, -x]).filter((x) => x >= from && x <= to),
  ...Array.from({ length: 997 }, (_, k) => from + ((to - from) * k) / 996),
];

describe('on the device every element is right, not only most of a tensor', () => {
  it.each([
    ['sin', sin, spread(-9, 9), 1e-6, 1e-7],
    ['sin of large angles', sin, spread(-20_000, 20_000), 1e-6, 3e-7],
    ['cos', cos, spread(-9, 9), 1e-6, 1e-7],
    ['tanh', tanh, spread(-10, 10), 1e-6, 0],
    ['sigmoid', sigmoid, spread(-20, 20), 3e-6, 0],
    ['softplus', softplus, spread(-20, 20), 3e-6, 0],
    ['erf', erf, spread(-5, 5), 5e-7, 0],
    ['expm1', expm1, spread(-9, 9), 3e-6, 0],
    ['log1p', log1p, spread(-0.99, 9), 3e-6, 0],
    ['rsqrt', rsqrt, spread(1e-3, 100), 1e-6, 0],
    ['gelu', (a: Tensor) => gelu(a), spread(-6, 6), 1e-6, 1e-6],
  ] as const)('%s', async (_, build, x, relative, least) => {
    expectEach(await onDevice(await openedDevice(), build, x), inFloat64(build, x), relative, least);
  });
});

describe('far out and at no number the device gives limits and NaN', () => {
  const x = [100, -100, 1e10, -1e10, 3e38, infinity, -infinity, nan];
  it.each([
    ['tanh', tanh, [1, -1, 1, -1, 1, 1, -1, nan]],
    ['sigmoid', sigmoid, [1, 0, 1, 0, 1, 1, 0, nan]],
    ['softplus', softplus, [100, 0, 1e10, 0, 3e38, infinity, 0, nan]],
    ['erf', erf, [1, -1, 1, -1, 1, 1, -1, nan]],
    ['relu', relu, [100, 0, 1e10, 0, 3e38, infinity, 0]],
    ['the slope of tanh', slope(tanh), [0, 0, 0, 0, 0, 0, 0, nan]],
    ['the slope of sigmoid', slope(sigmoid), [0, 0, 0, 0, 0, 0, 0, nan]],
    ['the slope of softplus', slope(softplus), [1, 0, 1, 0, 1, 1, 0, nan]],
    ['the slope of erf', slope(erf), [0, 0, 0, 0, 0, 0, 0]],
  ])('%s', async (_, build, want) => {
    const got = await onDevice(await openedDevice(), build, x.slice(0, want.length));
    expectEach(got, want, 1e-6, 1e-30);
  });

  it('log is −∞ at 0 and NaN below', async () => {
    const got = await onDevice(await openedDevice(), log, [0, -1, nan, infinity, 1]);
    expect(got).toEqual([-infinity, nan, nan, infinity, 0]);
  });
});

describe('powers', () => {
  it('of a tensor have the signs and special values of float64 on the device', async () => {
    const base = [-2, -2, -2, -2, 0, 0, 0, -3, 5, -1.5, nan, 2, nan, -2, 3];
    const exponent = [3, 2, -1, 0.5, 0, 2, -1, 0, 0, 7, 0, nan, 1, 21, 0.5];
    const want = [-8, 4, -0.5, nan, 1, 0, infinity, 1, 1, (-1.5) ** 7, 1, nan, nan, -(2 ** 21), Math.sqrt(3)];
    expectEach(inFloat64(pow, base, exponent), want, 1e-7, 0);
    expectEach(await onDevice(await openedDevice(), pow, base, exponent), want, 3e-6, 0);
  });

  it.each([-3, -2, -1, 0, 1, 2, 3, 8, 9, 10])('to %d of numbers of either sign', async (exponent) => {
    const x = [-2.5, -1, -0.5, 0.5, 1, 3];
    const build = (a: Tensor) => powNumber(a, exponent);
    const want = x.map((value) => value ** exponent);
    expectEach(await onDevice(await openedDevice(), build, x), want, 3e-6, 0);
    expectEach(await onDevice(await openedDevice(), (a) => pow(a, exponent), x), want, 3e-6, 0);
  });

  const derivatives = [
    // exponent, first derivative at 0, second derivative at 0
    [0, 0, 0],
    [1, 1, 0],
    [2, 0, 2],
    [3, 0, 0],
  ] as const;

  it.each(derivatives)('to %d have their derivatives at 0', async (exponent, first, second) => {
    const once = (a: Tensor) => gradient(sumAll(powNumber(a, exponent)), [a], { unconnected: 'zero' })[0]!;
    const twice = (a: Tensor) => gradient(sumAll(once(a)), [a], { unconnected: 'zero' })[0]!;
    for (const [build, want] of [
      [once, first],
      [twice, second],
    ] as const) {
      expect(inFloat64(build, [0])).toEqual([want]);
      expect(await onDevice(await openedDevice(), build, [0])).toEqual([want]);
    }
  });

  it('to a tensor have their derivatives by the base at 0', async () => {
    const once = (a: Tensor, b: Tensor) => gradient(sumAll(pow(a, b)), [a])[0]!;
    const twice = (a: Tensor, b: Tensor) => gradient(sumAll(once(a, b)), [a])[0]!;
    const exponents = derivatives.map(([exponent]) => exponent);
    const zeros = exponents.map(() => 0);
    const device = await openedDevice();
    expect(await onDevice(device, once, zeros, exponents)).toEqual(derivatives.map(([, first]) => first));
    expect(await onDevice(device, twice, zeros, exponents)).toEqual(
      derivatives.map(([, , second]) => second),
    );
    expect(inFloat64(twice, zeros, exponents)).toEqual(derivatives.map(([, , second]) => second));
  });

  it('have the derivative by the exponent where the base is positive, 0 where it is 0, NaN where negative', async () => {
    const build = (a: Tensor, b: Tensor) => gradient(sumAll(pow(a, b)), [b])[0]!;
    const [base, exponent] = [
      [2, 0, -2],
      [3, 2, 2],
    ];
    expectEach(inFloat64(build, base!, exponent!), [8 * Math.LN2, 0, nan], 1e-12, 0);
    expectEach(
      await onDevice(await openedDevice(), build, base!, exponent!),
      [8 * Math.LN2, 0, nan],
      1e-6,
      0,
    );
  });
});
