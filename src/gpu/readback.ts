import { DeviceError } from '../errors.js';
import { BufferPool } from './bufferPool.js';
import type { WaitFor } from './waits.js';

/** Copies device buffers back to the host through reused staging buffers. */
export class Readback {
  readonly #gpu: GPUDevice;
  readonly #staging: BufferPool;
  readonly #waitFor: WaitFor;

  constructor(gpu: GPUDevice, waitFor: WaitFor) {
    this.#gpu = gpu;
    this.#waitFor = waitFor;
    this.#staging = new BufferPool(gpu, {
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      largest: gpu.limits.maxBufferSize,
      keep: 64 * 2 ** 20,
    });
  }

  /** Bytes of all staging buffers. */
  get stagingBytes(): number {
    return this.#staging.bytes;
  }

  /**
   * The bytes [byteOffset, byteOffset + byteLength) of `buffer`, after all work submitted so far.
   * @throws DeviceError when the range is not a multiple of 4 bytes or lies outside the buffer.
   */
  async read(buffer: GPUBuffer, byteOffset: number, byteLength: number): Promise<ArrayBuffer> {
    const whole = [byteOffset, byteLength].every((n) => Number.isSafeInteger(n) && n >= 0 && n % 4 === 0);
    if (!whole || byteOffset + byteLength > buffer.size) {
      throw new DeviceError(
        `Cannot read ${byteLength} bytes at byte ${byteOffset} of buffer '${buffer.label}', which has ${buffer.size}. ` +
          'Offset and length must be multiples of 4 inside the buffer.',
      );
    }
    if (byteLength === 0) return new ArrayBuffer(0);
    const staging = this.#staging.acquire(byteLength, 'readback staging');
    let mapped = false;
    try {
      const encoder = this.#gpu.createCommandEncoder({ label: 'readback' });
      encoder.copyBufferToBuffer(buffer, byteOffset, staging, 0, byteLength);
      this.#gpu.queue.submit([encoder.finish()]);
      await this.#waitFor(staging.mapAsync(GPUMapMode.READ, 0, byteLength), 'a buffer was read back');
      mapped = true;
      return staging.getMappedRange(0, byteLength).slice(0);
    } finally {
      // A buffer whose mapping failed belongs to a device that is gone, and goes with it.
      if (mapped) {
        staging.unmap();
        this.#staging.release(staging);
      }
    }
  }

  close(): void {
    this.#staging.close();
  }
}
