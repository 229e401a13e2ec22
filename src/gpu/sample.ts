/** A small piece of work that tells whether a device computes, and how fast. */
import { DeviceError } from '../errors.js';
import type { Device } from './device.js';
import { encodePass } from './dispatch.js';

/** Numbers of the sample. */
export const SAMPLE_NUMBERS = 1_000_000;
/** Multiply-adds of each of them. */
export const SAMPLE_ROUNDS = 64;
const WORKGROUP = 64;
const FACTOR = 0.75;
const SUMMAND = 0.5;
/** The chain forgets rounding errors by a quarter each round, so a few units in the last place remain. */
const TOLERANCE = 1e-5;

const KERNEL = `
@group(0) @binding(0) var<storage, read_write> numbers: array<f32>;

@compute @workgroup_size(${WORKGROUP})
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
  try {
    const bindGroup = device.gpu.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer, size: start.byteLength } }],
    });
    const workgroups = [Math.ceil(SAMPLE_NUMBERS / WORKGROUP), 1] as const;
    const dispatch = (): void =>
      device.submit((encoder) => encodePass(encoder, [{ pipeline, bindGroup, workgroups }]));

    device.write(buffer, start);
    dispatch();
    requireResult(device, start, new Float32Array(await device.read(buffer, 0, start.byteLength)));

    const repeats = 4;
    const began = performance.now();
    for (let repeat = 0; repeat < repeats; repeat++) dispatch();
    await device.settle();
    const seconds = (performance.now() - began) / 1000;
    return (2 * SAMPLE_NUMBERS * SAMPLE_ROUNDS * repeats) / seconds;
  } finally {
    device.releaseBuffer(buffer);
  }
}

function requireResult({ adapter }: Device, start: Float32Array, got: Float32Array): void {
  for (let index = 0; index < SAMPLE_NUMBERS; index++) {
    let want = start[index] ?? 0;
    for (let round = 0; round < SAMPLE_ROUNDS; round++) want = want * FACTOR + SUMMAND;
    const value = got[index] ?? Number.NaN;
    if (!(Math.abs(value - want) <= TOLERANCE * Math.abs(want))) {
      throw new DeviceError(
        `The device '${adapter.name}' computes wrongly: number ${index} should be ${want} and is ${value}. ` +
          'Update its driver, or choose another device.',
      );
    }
  }
}
