/** One hypergradient on the device, with all that is read of it. */
import type { Numbers } from '../../autograd/compile/bufferRange.js';
import type { StorageFormat } from '../../autograd/unroll/keptStorage.js';
import type { Observable, Observation } from '../../autograd/unroll/observer.js';
import type { MemoryMode } from '../../autograd/unroll/options.js';
import { Unroll } from '../../autograd/unroll/unroll.js';
import type { Device } from '../../gpu/device.js';
import { type CheckProblem, START } from './problem.js';

export interface DeviceRun {
  /** By name, θ_0's among them. */
  readonly gradients: Readonly<Record<string, Float32Array>>;
  /** Bytes of device memory held. */
  readonly memory: number;
  readonly keptSteps: number;
  readonly observation: Observation;
  /** Seconds of one hypergradient: of the first, or with `isTimed` after another one has warmed everything up. */
  readonly seconds: number;
}

export interface DeviceRunOptions {
  readonly memory?: MemoryMode;
  readonly storage?: StorageFormat;
  readonly observe?: readonly Observable[];
  /** Runs it once more for the time. */
  readonly isTimed?: boolean;
}

const toNumbers = (values: ArrayLike<number>): Numbers =>
  values instanceof Int32Array ? values : Float32Array.from(values);

export function createUnroll(
  device: Device,
  { description, values }: CheckProblem,
  { memory = 'recompute', storage = 'float32', observe = [] }: DeviceRunOptions = {},
): Promise<Unroll> {
  const batchSizes = values.batches.map(({ length }) => length);
  return Unroll.create({ ...description, device, batchSizes, memory, storage, observe });
}

/** Throws `DeviceError` when the memory does not fit the device or the budget. */
export async function runOnDevice(
  device: Device,
  problem: CheckProblem,
  options: DeviceRunOptions = {},
): Promise<DeviceRun> {
  const { values, description } = problem;
  const unroll = await createUnroll(device, problem, options);
  try {
    for (const [name, data] of Object.entries(values.inputs)) unroll.write(name, toNumbers(data));
    const trajectory = {
      start: Float32Array.from(values.start),
      batches: values.batches,
      outer: Object.fromEntries(Object.entries(values.outer).map(([name, data]) => [name, toNumbers(data)])),
    };
    const submit = async (): Promise<number> => {
      const began = performance.now();
      unroll.submit(trajectory);
      await device.settle();
      return (performance.now() - began) / 1000;
    };
    let seconds = await submit();
    if (options.isTimed) seconds = await submit();
    const gradients: Record<string, Float32Array> = {};
    for (const name of description.wrt) gradients[name] = await unroll.gradient(name);
    gradients[START] = await unroll.adjointAtStart();
    return {
      gradients,
      memory: unroll.memory,
      keptSteps: unroll.keptSteps,
      observation: await unroll.observation(),
      seconds,
    };
  } finally {
    unroll.release();
  }
}
