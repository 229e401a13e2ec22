import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/autograd/compile/plan.js';
import { gradient } from '../../../src/autograd/gradient.js';
import { interpret } from '../../../src/autograd/interpret.js';
import { dropout, dropoutMask, randomNormal, randomUniform } from '../../../src/autograd/ops/random.js';
import { sumAll } from '../../../src/autograd/ops/reduce.js';
import { f32, i32, type Tape } from '../../../src/autograd/tape.js';
import { trace } from '../../../src/autograd/trace.js';
import { ShapeError } from '../../../src/errors.js';
import { type StreamKey, streamWords, uniform } from '../../../src/kernels/philox.js';
import { inner, numbers } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';

const openedDevice = useDevice();

/** The output y of a tape on the device, for each stream in turn. */
async function drawn(tape: Tape, keys: readonly StreamKey[]): Promise<Float32Array[]> {
  const plan = await compile(tape, await openedDevice());
  try {
    const results: Float32Array[] = [];
    for (const key of keys) {
      plan.write('stream', streamWords(key));
      plan.submit();
      results.push(await plan.read('y'));
    }
    return results;
  } finally {
    plan.release();
  }
}

const COUNT = 100_003;
const key: StreamKey = { seed: 2 ** 40 + 17, purpose: 'dropout', index: 3 };
const others: readonly StreamKey[] = [
  { ...key, index: 4 },
  { ...key, purpose: 'another layer' },
  { ...key, seed: 18 },
];
const maskTape = (rate: number): Tape =>
  trace({ stream: i32(4) }, ({ stream }) => ({ y: dropoutMask(stream, [COUNT], rate) }));

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((total, value) => total + value, 0) / values.length;

/** Correlation of two samples. */
function correlation(a: Float32Array, b: Float32Array): number {
  const [p, q] = [a, b].map((values) => {
    const centre = mean(values);
    return Float64Array.from(values, (value) => value - centre);
  });
  return inner(p!, q!) / Math.sqrt(inner(p!, p!) * inner(q!, q!));
}

describe('randomUniform', () => {
  it('draws on the device the numbers that the host draws, bit for bit', async () => {
    const tape = trace({ stream: i32(4) }, ({ stream }) => ({ y: randomUniform(stream, [COUNT]) }));
    const [y] = await drawn(tape, [key]);
    expect(y).toEqual(uniform(key, COUNT));
  });
});

describe('randomNormal', () => {
  it('has the moments of the standard normal distribution', async () => {
    const tape = trace({ stream: i32(4) }, ({ stream }) => ({ y: randomNormal(stream, [COUNT]) }));
    const [y, z] = (await drawn(tape, [key, others[0]!])) as [Float32Array, Float32Array];
    // Five standard errors of each estimate.
    const error = 5 / Math.sqrt(COUNT);
    expect(Math.abs(mean(y))).toBeLessThan(error);
    expect(Math.abs(mean(y.map((value) => value ** 2)) - 1)).toBeLessThan(error * Math.SQRT2);
    expect(Math.abs(mean(y.map((value) => value ** 3)))).toBeLessThan(error * Math.sqrt(15));
    expect(Math.abs(mean(y.map((value) => value ** 4)) - 3)).toBeLessThan(error * Math.sqrt(96));
    expect(Math.abs(correlation(y, z))).toBeLessThan(error);
    // Neighbours come of one block.
    expect(Math.abs(correlation(y.subarray(1), y.subarray(0, -1)))).toBeLessThan(error);
  });
});

describe('dropoutMask', () => {
  it.each([0, 1e-7, 0.1, 0.3, 0.5, 0.999])(
    'is on the device what the host finds, bit for bit (%s)',
    async (rate) => {
      const tape = maskTape(rate);
      const [y] = await drawn(tape, [key]);
      const want = interpret(tape, { stream: streamWords(key) }).y!;
      expect(y).toEqual(Float32Array.from(want));
      const kept = uniform(key, COUNT).map((number) => (number >= rate ? 1 / (1 - rate) : 0));
      expect(y).toEqual(kept);
    },
  );

  it.each([0.1, 0.5, 0.8])('has mean 1 and the variance of its rate (%s)', async (rate) => {
    const [y] = (await drawn(maskTape(rate), [key])) as [Float32Array];
    const variance = rate / (1 - rate);
    expect(Math.abs(mean(y) - 1)).toBeLessThan(5 * Math.sqrt(variance / COUNT));
    expect(mean(y.map((value) => (value - 1) ** 2)) / variance).toBeCloseTo(1, 1);
  });

  it('is independent for streams that differ in index, purpose or seed, and in neighbours', async () => {
    const [y, ...rest] = (await drawn(maskTape(0.5), [key, ...others])) as [Float32Array, ...Float32Array[]];
    const error = 5 / Math.sqrt(COUNT);
    for (const other of rest) expect(Math.abs(correlation(y, other))).toBeLessThan(error);
    for (const lag of [1, 2, 4]) {
      expect(Math.abs(correlation(y.subarray(lag), y.subarray(0, -lag)))).toBeLessThan(error);
    }
  });
});

describe('dropout', () => {
  const types = { x: f32(50), stream: i32(4) };

  it('is the tensor itself at rate 0', () => {
    trace(types, ({ x, stream }) => {
      expect(dropout(x, stream, 0)).toBe(x);
      return { x };
    });
  });

  it('lets the gradient through where it let the number through, equally scaled', () => {
    const tape = trace(types, ({ x, stream }) => {
      const y = dropout(x, stream, 0.4);
      return { y, d: gradient(sumAll(y), [x])[0]! };
    });
    const x = numbers(1, 'x', 50);
    const { y, d } = interpret(tape, { x, stream: streamWords(key) });
    expect(new Set(d)).toEqual(new Set([0, Math.fround(1 / 0.6)]));
    expect([...y!]).toEqual([...d!].map((scale, k) => scale * x[k]!));
  });

  it.each([-0.1, 1, Number.NaN])('refuses the rate %s', (rate) => {
    expect(() => trace(types, ({ x, stream }) => ({ y: dropout(x, stream, rate) }))).toThrow(ShapeError);
    expect(() => trace(types, ({ stream }) => ({ y: dropoutMask(stream, [3], rate) }))).toThrow(
      /rate .* at least 0 and below 1/,
    );
  });
});

describe('streamWords', () => {
  it('refuses an index that the device has no room for', () => {
    expect(() => streamWords({ ...key, index: 2 ** 32 })).toThrow(/index 4294967296 .*'dropout'/);
  });
});
