import { afterEach, expect, it, vi } from 'vitest';
import { exp, mul } from '../../../src/autograd/ops/elementwise.js';
import { matmul } from '../../../src/autograd/ops/matmul.js';
import { reshape, sumAll } from '../../../src/autograd/ops/reduce.js';
import { f32 } from '../../../src/autograd/tape.js';
import type { UnrollOptions } from '../../../src/autograd/unroll/options.js';
import { Unroll } from '../../../src/autograd/unroll/unroll.js';
import { DeviceError } from '../../../src/errors.js';
import type { Device } from '../../../src/gpu/device.js';
import { sgd } from '../../../src/nn/optimisers/sgd.js';
import { useDevice } from '../../support/device.js';

const openedDevice = useDevice();
afterEach(() => {
  vi.restoreAllMocks();
});

/** Three parameters, so that many unrolls are made in little time. */
const small: Omit<UnrollOptions, 'device'> = {
  problem: {
    parameters: 3,
    tables: { x: f32(4, 3) },
    loss(theta, { x }) {
      const y = matmul(x!, reshape(theta, [3, 1]));
      return sumAll(exp(mul(y, y)));
    },
  },
  optimiser: sgd(),
  steps: 300,
  batchSizes: [2, 1],
  storage: 'float16',
  observe: ['adjointNorms', 'contributions'],
};

/** Lets the device refuse its n-th buffer from now on, and tells which buffers are lent. */
function refuseBuffer(device: Device) {
  const acquire = device.acquireBuffer.bind(device);
  const release = device.releaseBuffer.bind(device);
  const lent = new Set<GPUBuffer>();
  const refusal = { left: Number.POSITIVE_INFINITY };
  vi.spyOn(device, 'acquireBuffer').mockImplementation((...given) => {
    if (refusal.left-- === 0) throw new DeviceError('no room');
    const buffer = acquire(...given);
    lent.add(buffer);
    return buffer;
  });
  vi.spyOn(device, 'releaseBuffer').mockImplementation((buffer) => {
    lent.delete(buffer);
    release(buffer);
  });
  return { lent, refusal };
}

it('gives everything back when any of its buffers is refused', async () => {
  const device = await openedDevice();
  const full = await Unroll.create({ ...small, device, memory: 'full' });
  full.release();
  const { lent, refusal } = refuseBuffer(device);
  const options: UnrollOptions = { ...small, device, memory: { mixed: full.memory - 1 } };
  const create = async (n: number): Promise<Unroll | null> => {
    refusal.left = n;
    try {
      return await Unroll.create(options);
    } catch (error) {
      expect(error).toEqual(new DeviceError('no room'));
      expect([n, lent.size]).toEqual([n, 0]);
      return null;
    }
  };
  let n = 0;
  let unroll: Unroll | null = null;
  while (unroll === null) unroll = await create(n++);
  // Both kinds of plans were made, and slots.
  expect(unroll.keptSteps).toBeGreaterThan(0);
  expect(unroll.keptSteps).toBeLessThan(small.steps);
  expect(n).toBeGreaterThan(40);
  unroll.release();
  expect(lent.size).toBe(0);
});
