import { DeviceError, DeviceLostError } from '../errors.js';
import { formatBytes } from './formatBytes.js';

/**
 * An error that WebGPU reports late, as the exception that a caller is given.
 *
 * @param held bytes of the buffers that were made on the device
 */
export function describeFault(error: GPUError, held: number): DeviceError {
  const text = error.message.trim();
  if (error instanceof GPUOutOfMemoryError) {
    return new DeviceError(
      `The device ran out of memory, with ${formatBytes(held)} in this program's buffers: ${text} The device is still there: ` +
        'use a smaller batch or model, or keep less of each step (memory: recompute), or end what else uses its memory.',
    );
  }
  if (error instanceof GPUValidationError) {
    return new DeviceError(
      `The device refused a command, so results since then are not valid: ${text}\nCorrect the call that it names.`,
    );
  }
  return new DeviceError(`The device's driver failed: ${text} Open another device or update the driver.`);
}

/** The loss of the device of this name, as the error that every call ends with from then on. */
export function describeLoss(name: string, { reason, message }: GPUDeviceLostInfo): DeviceLostError {
  const why = `${message.trim().replace(/\.$/, '') || 'no reason was given'} (${reason}).`;
  return new DeviceLostError(
    `The device '${name}' was lost: ${why} ` +
      'Open it again and repeat the work; if it happens again, use smaller steps or another device.',
    why,
  );
}
