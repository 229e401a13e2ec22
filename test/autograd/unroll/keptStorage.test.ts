import { beforeAll, describe, expect, it } from 'vitest';
import { f32, i32 } from '../../../src/autograd/tape.js';
import { interpretUnroll } from '../../../src/autograd/unroll/interpretUnroll.js';
import { KeptStorage } from '../../../src/autograd/unroll/keptStorage.js';
import type { UnrollOptions } from '../../../src/autograd/unroll/options.js';
import { ShapeError } from '../../../src/errors.js';
import type { Device } from '../../../src/gpu/device.js';
import { expectNear } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { manySteps, plain, sgdCase } from '../../support/tinyUnroll.js';
import { createUnroll, runUnroll } from '../../support/unroll.js';

const openedDevice = useDevice();
let device: Device;
beforeAll(async () => {
  device = await openedDevice();
});

/** Each intermediate is off by at most 2⁻¹¹ of itself. */
const HALF = { relative: 2 ** -10, absolute: 1e-7 };

describe('intermediates stored as float16', () => {
  it.each([3, 20])('leave the gradients of %i steps right to about three digits', async (steps) => {
    const { description, values } = sgdCase({ momentum: true, weightDecay: true });
    const unrolled = { ...description, steps };
    const at = { ...manySteps(steps), inputs: { ...values.inputs, learningRate: [0.05] } };
    const want = interpretUnroll(unrolled, at);
    const full = await runUnroll(device, unrolled, at, { memory: 'full' });
    const half = await runUnroll(device, unrolled, at, { memory: 'full', storage: 'float16' });
    for (const [name, wanted] of Object.entries(want.gradients)) {
      expectNear(half.gradients[name]!, wanted, HALF, `the gradient by ${name}`);
      expect(half.gradients[name], `the gradient by ${name}`).not.toEqual(full.gradients[name]);
    }
    // The way forward is not touched by what is stored beside it.
    expect(half.loss).toBe(full.loss);
    expect(half.innerLosses).toEqual(full.innerLosses);
    expect(half.end).toEqual(full.end);
  });

  it('give the same bits every time', async () => {
    const at = manySteps(7);
    const options = { memory: 'full', storage: 'float16' } as const;
    const first = await runUnroll(device, { ...plain, steps: 7 }, at, options);
    expect(await runUnroll(device, { ...plain, steps: 7 }, at, options)).toEqual(first);
  });

  it('take little more than half of the memory that grows with the steps', async () => {
    const memoryOf = async (steps: number, options: Partial<UnrollOptions>): Promise<number> => {
      const unroll = await createUnroll(device, { ...plain, steps }, manySteps(steps), options);
      const { memory } = unroll;
      unroll.release();
      return memory;
    };
    const growth = async (options: Partial<UnrollOptions>) =>
      (await memoryOf(90, options)) - (await memoryOf(10, options));
    const path = await growth({ memory: 'recompute' });
    const kept = (await growth({ memory: 'full' })) - path;
    const halved = (await growth({ memory: 'full', storage: 'float16' })) - path;
    expect(halved / kept).toBeGreaterThan(0.5);
    expect(halved / kept).toBeLessThan(0.55);
  });

  it('let a budget hold more steps', async () => {
    const keptSteps = async (options: Partial<UnrollOptions>): Promise<number> => {
      const unroll = await createUnroll(device, { ...plain, steps: 60 }, manySteps(60), options);
      const { keptSteps } = unroll;
      unroll.release();
      return keptSteps;
    };
    const full = await createUnroll(device, { ...plain, steps: 60 }, manySteps(60), { memory: 'full' });
    const memory = { mixed: Math.round(0.7 * full.memory) };
    full.release();
    expect(await keptSteps({ memory, storage: 'float16' })).toBeGreaterThan(await keptSteps({ memory }));
  });

  it('are refused where nothing is kept', async () => {
    const attempt = createUnroll(device, plain, manySteps(3), { storage: 'float16' });
    await expect(attempt).rejects.toThrow(ShapeError);
    await expect(attempt).rejects.toThrow(/'recompute' keeps none; use 'full' or mixed/);
  });
});

describe('KeptStorage', () => {
  it('refuses to round whole numbers', async () => {
    const attempt = KeptStorage.create(device, { saved0: f32(3), saved1: i32(4) }, 'float16', 'test');
    await expect(attempt).rejects.toThrow(/i32\[4\].*cannot be stored as float16/);
  });

  it('stores nothing where nothing is kept', async () => {
    const kept = await KeptStorage.create(device, {}, 'float16', 'test');
    expect(kept.slotBytes).toBe(0);
    kept.release();
  });
});
