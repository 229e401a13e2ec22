/**
 * A device that holds no memory and computes nothing, but counts the bytes of all buffers that are made on it. Whatever
 * runs on a device runs on it too, at once: so how much device memory some work takes is known before any is taken.
 */
import { Device } from './device.js';

/** Bytes of the buffers of a counting device. */
export interface CountedMemory {
  /** Bytes of all buffers that there are now. */
  readonly held: number;
  /** The most that there were at a time since `restart`. */
  readonly peak: number;
  /** Begins a new peak with what is held now. */
  restart(): void;
}

/** A counting device and its count. */
export interface CountingDevice {
  /** Reads of it give zeros. */
  readonly device: Device;
  readonly memory: CountedMemory;
}

/** How large a buffer may be. */
export type BufferLimits = Pick<GPUSupportedLimits, 'maxBufferSize' | 'maxStorageBufferBindingSize'>;

class Count implements CountedMemory {
  held = 0;
  peak = 0;

  add(bytes: number): void {
    this.held += bytes;
    this.peak = Math.max(this.peak, this.held);
  }

  restart(): void {
    this.peak = this.held;
  }
}

const nothing = (): void => {};

function countedBuffer(count: Count, { size, usage, label = '' }: GPUBufferDescriptor): unknown {
  count.add(size);
  let isThere = true;
  return {
    size,
    usage,
    label,
    destroy() {
      if (isThere) count.add(-size);
      isThere = false;
    },
    mapAsync: async () => undefined,
    getMappedRange: (_: number, bytes: number) => new ArrayBuffer(bytes),
    unmap: nothing,
  };
}

function countedGpu(count: Count, model: GPUDevice, limits: object): unknown {
  const pass = {
    setPipeline: nothing,
    setBindGroup: nothing,
    dispatchWorkgroups: nothing,
    end: nothing,
  };
  const encoder = {
    beginComputePass: () => pass,
    copyBufferToBuffer: nothing,
    clearBuffer: nothing,
    finish: () => ({}),
  };
  return {
    adapterInfo: model.adapterInfo,
    features: model.features,
    limits,
    lost: new Promise<never>(nothing),
    queue: { submit: nothing, writeBuffer: nothing, onSubmittedWorkDone: async () => undefined },
    addEventListener: nothing,
    pushErrorScope: nothing,
    popErrorScope: async () => null,
    createBuffer: (descriptor: GPUBufferDescriptor) => countedBuffer(count, descriptor),
    createShaderModule: () => ({}),
    createComputePipelineAsync: async () => ({ getBindGroupLayout: () => ({}) }),
    createBindGroup: () => ({}),
    createCommandEncoder: () => encoder,
    destroy: nothing,
  };
}

/**
 * A counting device with the limits and features of another, so that the same kernels are chosen and the same buffers made.
 *
 * @param limits in place of the other's own, to see what work would take that does not fit it
 */
export async function countingDevice(
  { gpu, adapter }: Device,
  limits: Partial<BufferLimits> = {},
): Promise<CountingDevice> {
  const own: Record<string, unknown> = {};
  for (const name in gpu.limits) own[name] = Reflect.get(gpu.limits, name);
  const memory = new Count();
  const counted = {
    info: gpu.adapterInfo,
    features: gpu.features,
    limits: { ...own, ...limits },
    requestDevice: async () => countedGpu(memory, gpu, counted.limits),
  };
  const device = await Device.fromAdapter(counted as unknown as GPUAdapter, { bundled: adapter.bundled });
  return { device, memory };
}
