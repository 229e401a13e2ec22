import { afterAll } from 'vitest';
import type { Device } from '../../src/gpu/device.js';
import { openDevice } from '../../src/gpu/node/openDevice.js';

/**
 * One device for a test file. Call it at the top of the file: the device is opened by the first test that asks for
 * it, and closed after the last.
 */
export function useDevice(): () => Promise<Device> {
  let opening: Promise<Device> | undefined;
  afterAll(async () => (await opening)?.close());
  return () => {
    opening ??= openDevice();
    return opening;
  };
}
