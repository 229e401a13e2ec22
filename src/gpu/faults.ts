import { DeviceError } from '../errors.js';

/** An error that WebGPU reports late, as the exception that a caller is given. */
export function describeFault(error: GPUError): DeviceError {
  const text = error.message.trim();
  if (error instanceof GPUOutOfMemoryError) {
    return new DeviceError(
      `The device ran out of memory: ${text} Use a smaller batch, model or number of kept steps.`,
    );
  }
  if (error instanceof GPUValidationError) {
    return new DeviceError(
      `The device refused a command, so results since then are not valid: ${text}\nCorrect the call that it names.`,
    );
  }
  return new DeviceError(
    `The device's driver failed: ${text} Open another device (see \`hypergrad doctor\`) or update the driver.`,
  );
}
