import { z } from 'zod';
import type { Device } from '../../gpu/device.js';
import { tuningName } from '../tune/tuningName.js';
import type { RunDevice } from './types.js';

/** A device as files name it. */
export const runDeviceSchema: z.ZodType<RunDevice> = z.object({
  name: z.string(),
  kind: z.enum(['hardware', 'software']),
  bundled: z.boolean(),
  tuning: z.string().exactOptional(),
});

/** What a result says of the device that it was made on. */
export function runDeviceOf(device: Device): RunDevice {
  const { name, kind, bundled } = device.adapter;
  const tuning = tuningName(device);
  return { name, kind, bundled, ...(tuning === undefined ? {} : { tuning }) };
}
