import type { Device } from '../../gpu/device.js';
import { tuningName } from '../tune/tuningName.js';
import type { RunDevice } from './types.js';

/** What a result says of the device that it was made on. */
export function runDeviceOf(device: Device): RunDevice {
  const { name, kind, bundled } = device.adapter;
  const tuning = tuningName(device);
  return { name, kind, bundled, ...(tuning === undefined ? {} : { tuning }) };
}
