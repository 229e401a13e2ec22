import { describe, expect, it } from 'vitest';
import { philox4x32, streamStart, uniform } from '../../src/kernels/philox.js';
import philox from '../../src/kernels/philox.wgsl?raw';
import { useDevice } from '../support/device.js';

const openedDevice = useDevice();

/** Each block: the counter and key of eight words, then the four words and four uniform numbers that they give. */
const CODE = `
${philox}
@group(0) @binding(0) var<storage, read_write> starts: array<u32>;
@group(0) @binding(1) var<storage, read_write> words: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> numbers: array<vec4<f32>>;

@compute @workgroup_size(1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = id.x * 6u;
  let counter = vec4<u32>(starts[at], starts[at + 1u], starts[at + 2u], starts[at + 3u]);
  let block = philox4x32(counter, vec2<u32>(starts[at + 4u], starts[at + 5u]));
  words[id.x] = block;
  numbers[id.x] = vec4<f32>(
    philoxUniform(block.x), philoxUniform(block.y), philoxUniform(block.z), philoxUniform(block.w));
}
`;

type Start = readonly [counter: readonly [number, number, number, number], key: readonly [number, number]];

async function runOnDevice(starts: readonly Start[]): Promise<{ words: Uint32Array; numbers: Float32Array }> {
  const device = await openedDevice();
  const bytes = starts.length * 16;
  const input = device.acquireBuffer(starts.length * 24, 'starts');
  const words = device.acquireBuffer(bytes, 'words');
  const numbers = device.acquireBuffer(bytes, 'numbers');
  device.write(input, Uint32Array.from(starts.flatMap(([counter, key]) => [...counter, ...key])));
  const pipeline = await device.computePipeline(CODE, 'philox');
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.gpu.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [input, words, numbers].map((buffer, binding) => ({ binding, resource: { buffer } })),
    }),
  );
  pass.dispatchWorkgroups(starts.length);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
  return {
    words: new Uint32Array(await device.read(words, 0, bytes)),
    numbers: new Float32Array(await device.read(numbers, 0, bytes)),
  };
}

describe('philox.wgsl', () => {
  it('gives the same words as philox.ts, bit for bit', async () => {
    const ones = 0xffffffff;
    const starts: Start[] = [
      [
        [0, 0, 0, 0],
        [0, 0],
      ],
      [
        [ones, ones, ones, ones],
        [ones, ones],
      ],
      [
        [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
        [0xa4093822, 0x299f31d0],
      ],
      [
        [1, 0, 0, 0],
        [0, 0],
      ],
      [
        [0, 0, 0, 1],
        [0, 1],
      ],
      [
        [0x80000000, 0x7fffffff, 0x10000, 0xffff],
        [0xffff0000, 0x8000ffff],
      ],
    ];
    const { words } = await runOnDevice(starts);
    expect([...words]).toEqual(starts.flatMap(([counter, key]) => philox4x32(counter, key)));
  });

  it('gives the same uniform numbers as a stream on the host', async () => {
    const stream = { seed: 2 ** 40 + 17, purpose: 'noise', index: 5 };
    const { counter, key } = streamStart(stream);
    const blocks = 16;
    const starts = Array.from(
      { length: blocks },
      (_, block): Start => [[counter[0] + block, counter[1], counter[2], counter[3]], key],
    );
    const { numbers } = await runOnDevice(starts);
    expect([...numbers]).toEqual([...uniform(stream, 4 * blocks)]);
  });
});
