/** Runs a lowered tape for any target on the device at hand, each tensor in a buffer of its own. */

import type { Numbers } from '../../src/autograd/compile/bufferRange.js';
import { type LoweredTape, lowerTape, type Target } from '../../src/autograd/compile/lower.js';
import type { Range } from '../../src/autograd/compile/range.js';
import { sizeOf, type Tape } from '../../src/autograd/tape.js';
import type { Device } from '../../src/gpu/device.js';
import { tuningFor } from '../../src/kernels/catalogue.js';

const BYTES = 4;

/** A software device with generous limits, or what a test changes of it. */
export const targetWith = (changes: Partial<Target> = {}): Target => ({
  tuning: tuningFor('software'),
  maximumBindings: 8,
  alignment: 256,
  maximumWorkgroups: 65_535,
  lanes: 1,
  ...changes,
});

export interface LoweredRun {
  readonly lowered: LoweredTape;
  readonly outputs: Readonly<Record<string, Float32Array>>;
}

export async function runLowered(
  device: Device,
  tape: Tape,
  inputs: Readonly<Record<string, Numbers>>,
  target: Target,
): Promise<LoweredRun> {
  const lowered = lowerTape(tape, target);
  const inputBuffers = new Map<string, GPUBuffer>();
  for (const [name, id] of Object.entries(tape.inputs)) {
    const buffer = device.acquireBuffer(sizeOf(tape.operations[id]!.type.shape) * BYTES, name);
    device.write(buffer, inputs[name]!);
    inputBuffers.set(name, buffer);
  }
  const stayBuffers = lowered.stays.map(({ bytes }) => device.acquireBuffer(bytes, 'stay'));
  const bufferOf = (range: Range): GPUBuffer => {
    if ('output' in range) throw new Error(`No output is preset here, but '${range.output}' is.`);
    return 'input' in range ? inputBuffers.get(range.input)! : stayBuffers[range.stay]!;
  };

  const pipelines = await Promise.all(
    lowered.dispatches.map(({ code, kernel }) => device.computePipeline(code, kernel)),
  );
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  lowered.dispatches.forEach(({ ranges, workgroups }, k) => {
    const pipeline = pipelines[k]!;
    const entries = ranges.map((range, binding) => ({
      binding,
      resource: { buffer: bufferOf(range), offset: range.offset, size: range.bytes },
    }));
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(workgroups[0], workgroups[1]);
  });
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);

  const outputs: Record<string, Float32Array> = {};
  for (const [name, range] of Object.entries(lowered.outputs)) {
    outputs[name] = new Float32Array(await device.read(bufferOf(range), range.offset, range.bytes));
  }
  for (const buffer of [...inputBuffers.values(), ...stayBuffers]) device.releaseBuffer(buffer);
  return { lowered, outputs };
}
