import type { Device } from '../../gpu/device.js';
import { overridesOf } from '../../kernels/deviceTuning.js';
import { hashInputs } from '../store/manifest.js';

const DIGITS = 16;

/**
 * A short name of the block sizes that a device was tuned to; undefined where it has its class's. Block sizes decide in
 * which order sums are taken, so what was computed under another name may differ in its last bits.
 */
export function tuningName(device: Device): string | undefined {
  const overrides = overridesOf(device);
  return overrides === null ? undefined : hashInputs(overrides).slice(0, DIGITS);
}
