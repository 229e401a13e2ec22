import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceError, DeviceLostError } from '../../src/errors.js';
import type { Device } from '../../src/gpu/device.js';
import { openDevice } from '../../src/gpu/node/openDevice.js';

const DOUBLE = `
@group(0) @binding(0) var<storage, read_write> numbers: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&numbers)) { numbers[id.x] = 2.0 * numbers[id.x]; }
}
`;

function dispatch(device: Device, pipeline: GPUComputePipeline, buffer: GPUBuffer, size: number): void {
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.gpu.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer, size } }],
    }),
  );
  pass.dispatchWorkgroups(Math.ceil(size / 4 / 64));
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
}

describe('Device', () => {
  let device: Device;

  beforeAll(async () => {
    device = await openDevice();
  });

  afterAll(() => device.close());

  it('describes itself in one line that names a software device as such', () => {
    const line = device.describe();
    expect(line).toContain(device.adapter.name);
    expect(line).toContain(device.adapter.kind);
    expect(line).not.toContain('\n');
    expect(device.adapter.name).not.toBe('');
  });

  it('asks for the limits that the adapter offers, not the defaults', () => {
    // SwiftShader, lavapipe and every desktop GPU offer more than the default 128 MiB.
    expect(device.limits.maxStorageBufferBindingSize).toBeGreaterThan(2 ** 27);
    expect(device.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
  });

  it('runs a kernel on written numbers and reads the result back', async () => {
    const numbers = Float32Array.from({ length: 1000 }, (_, index) => index / 8);
    const buffer = device.acquireBuffer(numbers.byteLength, 'numbers');
    device.write(buffer, numbers);
    dispatch(device, await device.computePipeline(DOUBLE, 'double'), buffer, numbers.byteLength);
    const got = new Float32Array(await device.read(buffer, 0, numbers.byteLength));
    expect([...got]).toEqual([...numbers].map((value) => 2 * value));
    device.releaseBuffer(buffer);
  });

  it('writes and reads a range at an offset', async () => {
    const buffer = device.acquireBuffer(64, 'range');
    device.write(buffer, new Uint32Array(16).fill(7));
    device.write(buffer, new Int32Array([-1, -2]), 8);
    const got = new Int32Array(await device.read(buffer, 4, 16));
    expect([...got]).toEqual([7, -1, -2, 7]);
    device.releaseBuffer(buffer);
  });

  it('reads several buffers at once, each its own bytes', async () => {
    const buffers = [1, 2, 3].map((value) => {
      const buffer = device.acquireBuffer(4, `value ${value}`);
      device.write(buffer, new Uint32Array([value]));
      return buffer;
    });
    const got = await Promise.all(buffers.map((buffer) => device.read(buffer, 0, 4)));
    expect(got.map((bytes) => new Uint32Array(bytes)[0])).toEqual([1, 2, 3]);
    for (const buffer of buffers) device.releaseBuffer(buffer);
  });

  it('refuses to read or write outside a buffer, naming it', async () => {
    const buffer = device.acquireBuffer(256, 'small one');
    await expect(device.read(buffer, 252, 8)).rejects.toThrow(/'small one'.*256/);
    await expect(device.read(buffer, 2, 4)).rejects.toThrow(DeviceError);
    expect(() => device.write(buffer, new Float32Array(65))).toThrow(/'small one'/);
    await device.settle();
    device.releaseBuffer(buffer);
  });

  it('gives a released buffer out again for a size of the same class', () => {
    const first = device.acquireBuffer(5000, 'first');
    device.releaseBuffer(first);
    const second = device.acquireBuffer(4900, 'second');
    expect(second).toBe(first);
    expect(second.label).toBe('second');
    const third = device.acquireBuffer(4900, 'third');
    expect(third).not.toBe(second);
    device.releaseBuffer(second);
    device.releaseBuffer(third);
  });

  it('refuses a second release', () => {
    const buffer = device.acquireBuffer(64, 'once');
    device.releaseBuffer(buffer);
    expect(() => device.releaseBuffer(buffer)).toThrow(/'once'.*twice/);
  });

  it('refuses a buffer above the limits with both sizes', () => {
    const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
    expect(() => device.acquireBuffer(limit + 4, 'too large')).toThrow(DeviceError);
    expect(() => device.acquireBuffer(limit + 4, 'too large')).toThrow(
      new RegExp(`'too large'.*${limit + 4}.*${limit}`),
    );
  });

  it('compiles one text once, and different texts at the same time', async () => {
    const texts = [DOUBLE, DOUBLE.replace('2.0', '3.0'), DOUBLE];
    const [first, other, again] = await Promise.all(
      texts.map((text, index) => device.computePipeline(text, `kernel ${index}`)),
    );
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('names the line of a WGSL error, with the kernel and the source line', async () => {
    const broken = DOUBLE.replace('2.0 *', 'twice *');
    const error = await device.computePipeline(broken, 'broken double').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DeviceError);
    const { message } = error as DeviceError;
    expect(message).toContain("'broken double'");
    expect(message).toContain('line 6');
    expect(message).toContain('twice');
    expect(message).toContain(
      '6 |   if (id.x < arrayLength(&numbers)) { numbers[id.x] = twice * numbers[id.x]; }',
    );
    // It was thrown there and is not reported again.
    await expect(device.settle()).resolves.toBeUndefined();
  });

  it('names a kernel that compiles but exceeds the limits', async () => {
    const greedy = `
      var<workgroup> shared: array<f32, 100000000>;
      @compute @workgroup_size(1) fn main() { shared[0] = 1.0; }`;
    await expect(device.computePipeline(greedy, 'greedy kernel')).rejects.toThrow(/'greedy kernel'/);
    await expect(device.settle()).resolves.toBeUndefined();
  });

  it('throws a validation error at the next read, the first one, and once', async () => {
    const buffer = device.acquireBuffer(64, 'target');
    const copy = (label: string): void => {
      const encoder = device.gpu.createCommandEncoder({ label });
      encoder.copyBufferToBuffer(buffer, 0, buffer, buffer.size, 4);
      device.gpu.queue.submit([encoder.finish()]);
    };
    copy('first copy');
    copy('second copy');
    const error = await device.read(buffer, 0, 4).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DeviceError);
    expect((error as DeviceError).message).toContain('first copy');
    await expect(device.read(buffer, 0, 4)).resolves.toHaveProperty('byteLength', 4);
    device.releaseBuffer(buffer);
  });

  it('throws a validation error at the next settle and the next acquireBuffer too', async () => {
    device.gpu.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    await expect(device.settle()).rejects.toThrow(DeviceError);
    device.gpu.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    // It is told when the device has looked at the call.
    const thrown = (): unknown => {
      try {
        device.releaseBuffer(device.acquireBuffer(4, 'after'));
        return null;
      } catch (error) {
        return error;
      }
    };
    await expect.poll(thrown, { timeout: 10_000 }).toBeInstanceOf(DeviceError);
  });
});

describe('a device that goes away', () => {
  it('refuses work after close, and may be closed again', async () => {
    const device = await openDevice();
    const buffer = device.acquireBuffer(64, 'left');
    device.close();
    device.close();
    device.releaseBuffer(buffer);
    expect(() => device.acquireBuffer(4, 'late')).toThrow(/closed/);
    await expect(device.settle()).rejects.toThrow(/closed/);
    await expect(device.computePipeline(DOUBLE, 'late')).rejects.toThrow(/closed/);
  });

  it('fails a read that is under way when it is closed', async () => {
    const device = await openDevice();
    const buffer = device.acquireBuffer(64, 'left');
    const reading = device.read(buffer, 0, 64);
    device.close();
    await expect(reading).rejects.toThrow(DeviceError);
  });

  it('throws its loss at every later call', async () => {
    const device = await openDevice();
    const buffer = device.acquireBuffer(64, 'orphan');
    device.gpu.destroy();
    await expect(device.read(buffer, 0, 64)).rejects.toThrow(DeviceLostError);
    await expect(device.settle()).rejects.toThrow(/lost/);
    expect(() => device.acquireBuffer(4, 'late')).toThrow(DeviceLostError);
    await expect(device.loss()).resolves.toBeInstanceOf(DeviceLostError);
    device.close();
  });

  it('ends everything that is waited for when it is lost, by its loss', async () => {
    const device = await openDevice();
    const buffer = device.acquireBuffer(64, 'orphan');
    const waits = [
      device.read(buffer, 0, 64),
      device.read(buffer, 0, 4),
      device.computePipeline(DOUBLE.replace('2.0', '5.0'), 'under way'),
      device.computePipeline(DOUBLE.replace('2.0 *', 'twice *'), 'broken, and under way'),
      device.settle(),
    ];
    device.gpu.destroy();
    const start = performance.now();
    for (const wait of waits) await expect(wait).rejects.toThrow(DeviceLostError);
    expect(performance.now() - start).toBeLessThan(1000);
    device.close();
  });

  it('says of itself that it is not lost while it works, and after it was closed', async () => {
    const device = await openDevice();
    await expect(device.loss()).resolves.toBeNull();
    device.close();
    await expect(device.loss()).resolves.toBeNull();
  });

  it('tells memory that ran out as such, with what it held, and goes on', async () => {
    const device = await openDevice();
    const buffer = device.acquireBuffer(3 * 2 ** 20, 'held');
    const returned = device.acquireBuffer(1000, 'returned');
    device.releaseBuffer(returned);
    const error = new GPUOutOfMemoryError('Allocation failed.');
    const event = Object.assign(new Event('uncapturederror', { cancelable: true }), { error });
    device.gpu.dispatchEvent(event);
    const reason = await device.settle().catch((thrown: unknown) => thrown);
    expect(reason).toBeInstanceOf(DeviceError);
    expect(reason).not.toBeInstanceOf(DeviceLostError);
    expect((reason as DeviceError).message).toMatch(
      /ran out of memory.*3 MiB.*Allocation failed.*memory: recompute/,
    );
    await expect(device.read(buffer, 0, 4)).resolves.toHaveProperty('byteLength', 4);
    // Either may be the buffer that could not be made.
    expect(device.acquireBuffer(1000, 'returned')).not.toBe(returned);
    device.releaseBuffer(buffer);
    expect(device.acquireBuffer(3 * 2 ** 20, 'held')).not.toBe(buffer);
    device.close();
  });
});
