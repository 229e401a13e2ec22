import { describe, expect, it } from 'vitest';
import { Unroll } from '../../src/autograd/unroll/unroll.js';
import { DeviceError } from '../../src/errors.js';
import { countingDevice } from '../../src/gpu/countingDevice.js';
import { runSample, SAMPLE_NUMBERS } from '../../src/gpu/sample.js';
import { useDevice } from '../support/device.js';
import { plain } from '../support/tinyUnroll.js';

const device = useDevice();

describe('a counting device', () => {
  it.each(['recompute', 'full', { mixed: 100_000 }] as const)(
    'holds the bytes that an unroll takes on the device itself, with memory %o',
    async (memory) => {
      const options = { ...plain, batchSizes: [2, 3], memory };
      const real = await Unroll.create({ ...options, device: await device() });
      const counting = await countingDevice(await device());
      const counted = await Unroll.create({ ...options, device: counting.device });
      expect(counted.memory).toBe(real.memory);
      expect(counted.keptSteps).toBe(real.keptSteps);
      // In the mode `mixed` it has held, and given back to the pool, more while it looked for what fits.
      if (typeof memory === 'string') expect(counting.memory.held).toBe(real.memory);
      real.release();
    },
  );

  it('reads zeros, and forgets what is destroyed but not its peak', async () => {
    const { device: counted, memory } = await countingDevice(await device());
    const buffer = counted.acquireBuffer(4096, 'a', true);
    expect(new Float32Array(await counted.read(buffer, 8, 8))).toEqual(new Float32Array(2));
    const { held } = memory;
    counted.close();
    expect(held).toBeGreaterThanOrEqual(4096);
    expect([memory.held, memory.peak]).toEqual([0, held]);
    memory.restart();
    expect(memory.peak).toBe(0);
  });

  it('has back what was made to see whether there is room, also where the device cannot tell', async () => {
    const { device: counted, memory } = await countingDevice(await device());
    await expect(counted.hasRoomFor(4096)).resolves.toBe(true);
    counted.gpu.popErrorScope = () => Promise.reject(new Error('it was lost'));
    await expect(counted.hasRoomFor(4096)).rejects.toThrow('it was lost');
    expect(memory.held).toBe(0);
  });

  it('is found out by the sample, which leaves it no buffer on loan', async () => {
    const { device: counted, memory } = await countingDevice(await device());
    await expect(runSample(counted)).rejects.toThrow(/computes wrongly/);
    const { held } = memory;
    counted.acquireBuffer(4 * SAMPLE_NUMBERS, 'again');
    expect(memory.held).toBe(held);
  });

  it('refuses what the limits it is given refuse', async () => {
    const { device: counted } = await countingDevice(await device(), { maxStorageBufferBindingSize: 1024 });
    expect(() => counted.acquireBuffer(1028, 'a')).toThrow(DeviceError);
    expect(counted.acquireBuffer(1024, 'a').size).toBe(1024);
  });
});
