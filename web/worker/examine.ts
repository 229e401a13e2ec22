/** Looks at the device: computes a sample as `hypergrad doctor` does, and profiles some work. */
import { profile } from '../../src/autograd/profile/profile.js';
import type { Device } from '../../src/gpu/device.js';
import { formatBytes } from '../../src/gpu/formatBytes.js';
import { runSample } from '../../src/gpu/sample.js';
import type { DeviceReport } from '../device.js';

/** Kernels that are told of: the costliest. */
const MOST_KERNELS = 12;

/** @throws DeviceError when the device computes something else than the processor. */
export async function examineDevice(device: Device, work: () => Promise<unknown>): Promise<DeviceReport> {
  const sampleRate = await runSample(device);
  // Once before, so that no kernel is compiled meanwhile.
  await work();
  const { peaks, kernels, method } = await profile(device, work);
  const { limits, adapter, gpu } = device;
  return {
    name: adapter.name,
    kind: adapter.kind,
    limits: [
      ['Largest buffer', formatBytes(limits.maxBufferSize)],
      ['Largest binding', formatBytes(limits.maxStorageBufferBindingSize)],
      ['Storage buffers a kernel', String(limits.maxStorageBuffersPerShaderStage)],
      ['Invocations a workgroup', String(limits.maxComputeInvocationsPerWorkgroup)],
      ['Shared memory a workgroup', formatBytes(limits.maxComputeWorkgroupStorageSize)],
      ['Lanes a subgroup', device.lanes === 1 ? 'none' : String(device.lanes)],
    ],
    features: ['timestamp-query', 'subgroups', 'shader-f16'].filter((name) =>
      gpu.features.has(name as GPUFeatureName),
    ),
    sampleRate,
    ...peaks,
    method,
    kernels: kernels
      .slice(0, MOST_KERNELS)
      .map(({ kernel, operation, shape, count, time, arithmeticRate, memoryRate }) => ({
        kernel,
        operation,
        shape,
        count,
        time,
        arithmeticRate,
        memoryRate,
      })),
  };
}
