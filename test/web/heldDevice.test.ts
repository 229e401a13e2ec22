import { describe, expect, it } from 'vitest';
import { DeviceError, DeviceLostError } from '../../src/errors.js';
import type { Device } from '../../src/gpu/device.js';
import { HeldDevice } from '../../web/worker/heldDevice.js';

interface FakeDevice {
  readonly device: Device;
  readonly name: string;
  isClosed: boolean;
  lose(): void;
}

function fakeDevice(name: string): FakeDevice {
  let loss: DeviceLostError | null = null;
  const fake: FakeDevice = {
    name,
    isClosed: false,
    lose() {
      loss = new DeviceLostError(`${name} was lost`);
    },
    device: {
      adapter: { name, kind: 'software', bundled: true },
      loss: async () => loss,
      close() {
        fake.isClosed = true;
      },
    } as unknown as Device,
  };
  return fake;
}

describe('a device that is held', () => {
  it('is opened again when it is lost, also where the first attempts find none', async () => {
    const [first, second] = [fakeDevice('first'), fakeDevice('second')];
    const offered: (Device | null)[] = [first.device, null, second.device];
    const told: string[] = [];
    const held = new HeldDevice(
      async () => {
        const device = offered.shift();
        if (device == null) throw new DeviceError('none');
        return device;
      },
      (device, lost) => told.push(`${device.adapter.name} for ${lost.name}`),
    );
    const used: string[] = [];
    const work = async (device: Device): Promise<string> => {
      used.push(device.adapter.name);
      const loss = await device.loss();
      if (loss !== null) throw loss;
      return device.adapter.name;
    };
    expect(await held.use(work)).toBe('first');
    first.lose();
    await expect(held.use(work)).rejects.toThrow('none');
    expect(first.isClosed).toBe(true);
    expect(await held.use(work)).toBe('second');
    expect(await held.use(work)).toBe('second');
    expect(used).toEqual(['first', 'first', 'second', 'second']);
    expect(told).toEqual(['second for first']);
    expect(second.isClosed).toBe(false);
  });

  it('tells of the loss when it is lost again and again, and tries again when asked again', async () => {
    const opened: FakeDevice[] = [];
    const held = new HeldDevice(async () => {
      const fake = fakeDevice(`device ${opened.length}`);
      opened.push(fake);
      return fake.device;
    });
    const losing = async (): Promise<never> => {
      opened.at(-1)!.lose();
      throw new Error('whatever a lost device makes of it');
    };
    await expect(held.use(losing)).rejects.toThrow('whatever');
    expect(opened).toHaveLength(4);
    expect(opened.every(({ isClosed }) => isClosed)).toBe(true);
    expect(await held.use(async ({ adapter }) => adapter.name)).toBe('device 4');
  });

  it('does no work anew that fails on a device that is there', async () => {
    const fake = fakeDevice('whole');
    const held = new HeldDevice(async () => fake.device);
    let attempts = 0;
    const failing = async (): Promise<never> => {
      attempts++;
      throw new Error('a fault of its own');
    };
    await expect(held.use(failing)).rejects.toThrow('a fault of its own');
    expect(attempts).toBe(1);
    expect(fake.isClosed).toBe(false);
  });
});
