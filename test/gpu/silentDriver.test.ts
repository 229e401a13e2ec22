/** A driver that offers an adapter and then answers no more. */
import { afterEach, expect, it, vi } from 'vitest';
import { DeviceTimeoutError } from '../../src/errors.js';
import { openDevice } from '../../src/gpu/node/openDevice.js';

const asked: string[] = [];

vi.mock('webgpu', () => ({
  globals: {},
  create: (flags: readonly string[]) => ({
    requestAdapter: () => {
      const named = flags.find((flag) => flag.startsWith('adapter='));
      asked.push(named ?? 'the best');
      const info = { vendor: 'maker', architecture: 'llvmpipe', device: '', description: '' };
      return named === undefined ? Promise.resolve({ info }) : new Promise<never>(() => {});
    },
  }),
}));

vi.mock('../../src/gpu/node/vulkanLoader.js', () => ({ hasSystemAdapters: () => true }));

afterEach(() => vi.useRealTimers());

it('is waited for once, and told as such', async () => {
  vi.useFakeTimers();
  const opening = openDevice({ choice: 'hardware' }).catch((reason: unknown) => reason);
  await vi.advanceTimersByTimeAsync(60_000);
  const error = await opening;
  expect(error).toBeInstanceOf(DeviceTimeoutError);
  expect((error as DeviceTimeoutError).message).toMatch(/The driver has not answered.*HYPERGRAD_DEVICE,/);
  expect(asked).toHaveLength(2);
});
