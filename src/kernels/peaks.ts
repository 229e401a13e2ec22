/** What a device can do at most, measured: arithmetic in registers, and a copy through its memory. */
import type { Device } from '../gpu/device.js';
import { encodePass } from '../gpu/dispatch.js';
import { type KernelName, kernelCode } from './catalogue.js';
import { tuningOf } from './deviceTuning.js';
import { countOperations } from './operationCounts.js';
import type { Definitions } from './template.js';

/** The most that a device was seen to do. */
export interface DevicePeaks {
  /** Floating-point operations a second. */
  readonly arithmeticRate: number;
  /** Bytes a second, read and written. */
  readonly memoryRate: number;
}

/** A submission is made this long, so that its way to the device and back hardly counts. Milliseconds. */
const LONG_ENOUGH = 20;
const REPEATS = 3;
const ROUNDS = 64;
const UNROLL = 16;
const VECTOR_BYTES = 16;

const known = new WeakMap<Device, Promise<DevicePeaks>>();

/**
 * The device's peaks; measured once for each device, in some tenths of a second. What else keeps it busy makes them lower.
 */
export function measurePeaks(device: Device): Promise<DevicePeaks> {
  const before = known.get(device);
  if (before !== undefined) return before;
  const measured = measure(device);
  known.set(device, measured);
  measured.catch(() => known.delete(device));
  return measured;
}

async function measure(device: Device): Promise<DevicePeaks> {
  const tuning = tuningOf(device);
  const arithmetic = {
    INVOCATIONS: 8 * tuning.parallelism,
    CHAINS: tuning.peaks.chains,
    ROUNDS,
    UNROLL,
  };
  const bytes = Math.min(tuning.peaks.bytes, device.largestBuffer);
  const ITEMS = tuning.elementwiseItems;
  const COUNT = Math.floor(bytes / VECTOR_BYTES / ITEMS) * ITEMS;
  const [arithmeticTime, copyTime] = [
    await timeOf(device, 'multiplyAdd', arithmetic, [2, arithmetic.INVOCATIONS], arithmetic.INVOCATIONS),
    await timeOf(device, 'streamCopy', { COUNT, ITEMS }, [COUNT * 4, COUNT * 4], COUNT / ITEMS),
  ];
  return {
    arithmeticRate: countOperations('multiplyAdd', arithmetic) / arithmeticTime,
    memoryRate: (2 * COUNT * VECTOR_BYTES) / copyTime,
  };
}

/**
 * Seconds of one launch at best, of as many in a row as take long enough. The first buffer begins with the factor and summand
 * of `multiplyAdd`; nothing else that lies in them matters.
 */
async function timeOf(
  device: Device,
  kernel: KernelName,
  definitions: Definitions,
  elements: readonly number[],
  invocations: number,
): Promise<number> {
  const WORKGROUP = tuningOf(device).workgroup[kernel];
  const pipeline = await device.computePipeline(kernelCode(kernel, { ...definitions, WORKGROUP }), kernel);
  const buffers: GPUBuffer[] = [];
  try {
    for (const count of elements) buffers.push(device.acquireBuffer(4 * count, `${kernel} peak`));
    device.write(buffers[0]!, Float32Array.of(0.5, 1));
    const groups = Math.ceil(invocations / WORKGROUP);
    const columns = Math.min(groups, device.limits.maxComputeWorkgroupsPerDimension);
    const dispatch = {
      pipeline,
      bindGroup: device.gpu.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: buffers.map((buffer, binding) => ({
          binding,
          resource: { buffer, size: 4 * elements[binding]! },
        })),
      }),
      workgroups: [columns, Math.ceil(groups / columns)] as const,
    };
    const run = async (launches: number): Promise<number> => {
      const start = performance.now();
      device.submit((encoder) => encodePass(encoder, new Array(launches).fill(dispatch)));
      await device.settle();
      return performance.now() - start;
    };
    await run(1);
    let launches = 1;
    let best = await run(launches);
    while (best < LONG_ENOUGH) {
      launches *= 2;
      best = await run(launches);
    }
    for (let k = 1; k < REPEATS; k++) best = Math.min(best, await run(launches));
    return best / launches / 1000;
  } finally {
    for (const buffer of buffers) device.releaseBuffer(buffer);
  }
}
