import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/autograd/compile/plan.js';
import { interpret } from '../../../src/autograd/interpret.js';
import { fromHalves, halfWords, toHalves } from '../../../src/autograd/ops/halves.js';
import { f32 } from '../../../src/autograd/tape.js';
import { trace } from '../../../src/autograd/trace.js';
import { normal } from '../../../src/kernels/philox.js';
import { useDevice } from '../../support/device.js';

const openedDevice = useDevice();

const thereAndBack = (count: number) =>
  trace({ x: f32(count) }, ({ x }) => ({ y: fromHalves(toHalves(x!), count) }));

async function onDevice(x: Float32Array): Promise<Float32Array> {
  const plan = await compile(thereAndBack(x.length), await openedDevice());
  try {
    return (await plan.run({ x })).y as Float32Array;
  } finally {
    plan.release();
  }
}

const random = (count: number, factor: number): Float32Array =>
  normal({ seed: 1, purpose: 'test/halves', index: 0 }, count).map((value) => value * factor);

describe('numbers in half their memory', () => {
  it('take little more than half of it', () => {
    expect(halfWords(64_000)).toBe(33_000);
    expect(halfWords(1)).toBe(33);
  });

  it.each([1e-30, 1e-9, 1, 1e9, 1e30])('keep 11 bits of numbers of about %f', async (size) => {
    const x = random(1000, size);
    const y = await onDevice(x);
    x.forEach((value, k) => {
      expect(Math.abs(y[k]! - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11 + size * 2 ** -37);
    });
  });

  it('keep a small number beside large ones of other blocks, and lose it only beside those of its own', async () => {
    const x = new Float32Array(128);
    x[0] = 2 ** 20;
    x[1] = 1e-6;
    x[127] = 1e-6;
    const y = await onDevice(x);
    expect(y[0]).toBe(2 ** 20);
    expect(Math.abs(y[1]! - 1e-6)).toBeLessThanOrEqual(2 ** (20 - 39));
    expect(Math.abs(y[127]! - 1e-6)).toBeLessThanOrEqual(1e-6 * 2 ** -11);
  });

  it('come back the same when they are stored twice', async () => {
    const once = await onDevice(random(200, 1e-3));
    expect(await onDevice(once)).toEqual(once);
  });

  it('keep zeros, signs, and the ends of the range', async () => {
    expect([...(await onDevice(Float32Array.of(0, -1.5, 1.5)))]).toEqual([0, -1.5, 1.5]);
    expect((await onDevice(Float32Array.of(2 ** -126)))[0]).toBe(2 ** -126);
    expect((await onDevice(Float32Array.of(-(2 ** 127))))[0]).toBe(-(2 ** 127));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'never hide that a number is %f',
    async (bad) => {
      const x = random(130, 1);
      x[70] = bad;
      const y = await onDevice(x);
      expect(y[70]).toBeNaN();
      expect(y.slice(0, 64).every(Number.isFinite)).toBe(true);
      expect(y.slice(128).every(Number.isFinite)).toBe(true);
      expect(interpret(thereAndBack(130), { x }).y![70]).toBeNaN();
    },
  );
});
