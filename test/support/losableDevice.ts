/** Devices that are lost at a chosen moment, as by a driver's reset. */
import type { Device } from '../../src/gpu/device.js';
import { openDevice } from '../../src/gpu/node/openDevice.js';

/** A moment in a device's life. */
export interface LossMoment {
  /** What is counted from when the moment is set: submissions, readings back, or kernels that are compiled. */
  readonly at: 'submit' | 'read' | 'compile';
  /** The device is lost under that one, the first being 1. */
  readonly number: number;
}

/** A device, and what sets the moment of its loss. */
export interface LosableDevice {
  readonly device: Device;
  readonly loseAt: (moment: LossMoment) => void;
}

/** Opens a device that is lost when it is told to be. */
export async function openLosable(): Promise<LosableDevice> {
  const device = await openDevice();
  const { gpu } = device;
  let moment: LossMoment | null = null;
  let counted = 0;
  const count = (at: LossMoment['at']): void => {
    if (moment?.at === at && ++counted === moment.number) gpu.destroy();
  };

  const compile = gpu.createComputePipelineAsync.bind(gpu);
  gpu.createComputePipelineAsync = (descriptor) => {
    const pipeline = compile(descriptor);
    count('compile');
    return pipeline;
  };
  const { queue } = gpu;
  const submit = queue.submit.bind(queue);
  queue.submit = (commands) => {
    submit(commands);
    count('submit');
  };
  const create = gpu.createBuffer.bind(gpu);
  gpu.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const map = buffer.mapAsync.bind(buffer);
    buffer.mapAsync = (...range) => {
      const mapped = map(...range);
      count('read');
      return mapped;
    };
    return buffer;
  };
  return {
    device,
    loseAt(at) {
      moment = at;
      counted = 0;
    },
  };
}
