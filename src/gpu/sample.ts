/** A small piece of work that tells whether a device computes, and how fast. */
import { DeviceError } from '../errors.js';
import type { Device } from './device.js';

/** Numbers of the sample. */
export const SAMPLE_NUMBERS = 1_000_000;
/** Multiply-adds of each of them. */
export const SAMPLE_ROUNDS = 64;
const FACTOR = 0.75;
const SUMMAND = 0.5;
/** The chain forgets rounding errors by a quarter each round, so a few units in the last place remain. */
const TOLERANCE = 1e-5;

const KERNEL = `
@group(0) @binding(0) var<storage, read_write> numbers: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= ${SAMPLE_NUMBERS}u) { return; }
  var value = numbers[id.x];
  for (var round = 0u; round < ${SAMPLE_ROUNDS}u; round++) { value = value * ${FACTOR} + ${SUMMAND}; }
  numbers[id.x] = value;
}
`;

/**
 * Multiplies and adds on the device, compares with the processor's result and measures the rate.
 * @returns floating-point operations a second.
 * @throws DeviceError when the device computes something else.
 */
export async function runSample(device: Device): Promise<number> {
  const start = Float32Array.from({ length: SAMPLE_NUMBERS }, (_, index) =>
    Math.fround(index / SAMPLE_NUMBERS),
  );
  const pipeline = await device.computePipeline(KERNEL, 'doctor multiply-add');
  const buffer = device.acquireBuffer(start.byteLength, 'doctor numbers');
  const bindGroup = device.gpu.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer, size: start.byteLength } }],
  });
  const dispatch = (): void => {
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(Math.ceil(SAMPLE_NUMBERS / 64));
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
  };

  device.write(buffer, start);
  dispatch();
  const got = new Float32Array(await device.read(buffer, 0, start.byteLength));
  for (let index = 0; index < SAMPLE_NUMBERS; index++) {
    let want = start[index] ?? 0;
    for (let round = 0; round < SAMPLE_ROUNDS; round++) want = want * FACTOR + SUMMAND;
    const value = got[index] ?? Number.NaN;
    if (!(Math.abs(value - want) <= TOLERANCE * Math.abs(want))) {
      throw new DeviceError(
        `The device '${device.adapter.name}' computes wrongly: number ${index} should be ${want} and is ${value}. ` +
          'Update its driver, or choose another device.',
      );
    }
  }

  const repeats = 4;
  const began = performance.now();
  for (let repeat = 0; repeat < repeats; repeat++) dispatch();
  await device.settle();
  const seconds = (performance.now() - began) / 1000;
  device.releaseBuffer(buffer);
  return (2 * SAMPLE_NUMBERS * SAMPLE_ROUNDS * repeats) / seconds;
}
