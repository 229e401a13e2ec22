/** Runs an unrolled training on a device from the values that the float64 evaluation takes. */
import type { Numbers } from '../../src/autograd/compile/bufferRange.js';
import type { UnrollValues } from '../../src/autograd/unroll/interpretUnroll.js';
import type { Observation } from '../../src/autograd/unroll/observer.js';
import type { UnrollDescription, UnrollOptions } from '../../src/autograd/unroll/options.js';
import { Unroll } from '../../src/autograd/unroll/unroll.js';
import type { Device } from '../../src/gpu/device.js';

export interface DeviceResult {
  readonly loss: number;
  readonly innerLosses: Float32Array;
  readonly gradients: Readonly<Record<string, Float32Array>>;
  readonly adjointAtStart: Float32Array;
  readonly end: Float32Array;
  readonly memory: number;
  readonly keptSteps: number;
  readonly observation: Observation;
}

const toNumbers = (values: ArrayLike<number>): Numbers =>
  values instanceof Int32Array ? values : Float32Array.from(values);

export function createUnroll(
  device: Device,
  description: UnrollDescription,
  values: UnrollValues,
  options: Partial<UnrollOptions> = {},
): Promise<Unroll> {
  return Unroll.create({
    ...description,
    ...options,
    device,
    batchSizes: values.batches.map(({ length }) => length),
  });
}

/** Writes the inputs and submits one hypergradient. */
export function submitUnroll(unroll: Unroll, values: UnrollValues): void {
  for (const [name, data] of Object.entries(values.inputs)) unroll.write(name, toNumbers(data));
  unroll.submit({
    start: Float32Array.from(values.start),
    batches: values.batches,
    outer: Object.fromEntries(Object.entries(values.outer).map(([name, data]) => [name, toNumbers(data)])),
    ...(values.streams === undefined ? {} : { streams: values.streams }),
  });
}

export async function readUnroll(unroll: Unroll, steps: number): Promise<DeviceResult> {
  const gradients: Record<string, Float32Array> = {};
  for (const name of Object.keys(unroll.gradients)) gradients[name] = await unroll.gradient(name);
  return {
    loss: await unroll.loss(),
    innerLosses: await unroll.innerLosses(),
    gradients,
    adjointAtStart: await unroll.adjointAtStart(),
    end: await unroll.parametersAt(steps),
    memory: unroll.memory,
    keptSteps: unroll.keptSteps,
    observation: await unroll.observation(),
  };
}

export async function runUnroll(
  device: Device,
  description: UnrollDescription,
  values: UnrollValues,
  options: Partial<UnrollOptions> = {},
): Promise<DeviceResult> {
  const unroll = await createUnroll(device, description, values, options);
  try {
    submitUnroll(unroll, values);
    return await readUnroll(unroll, description.steps);
  } finally {
    unroll.release();
  }
}
