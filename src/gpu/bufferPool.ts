import { DeviceError } from '../errors.js';
import { formatBytes } from './formatBytes.js';

const SMALLEST_CLASS = 256;

/**
 * The size class of a buffer: the least of 256, …, 2^k, 1.25·2^k, 1.5·2^k, 1.75·2^k, 2^(k+1), … bytes that
 * holds `byteLength`. Four classes to an octave waste at most a quarter and still let most sizes be reused.
 */
export function sizeClass(byteLength: number): number {
  if (byteLength <= SMALLEST_CLASS) return SMALLEST_CLASS;
  const octave = 2 ** Math.floor(Math.log2(byteLength));
  const step = Math.max(SMALLEST_CLASS, octave / 4);
  return Math.ceil(byteLength / step) * step;
}

export interface BufferPoolOptions {
  /** GPUBufferUsage flags of every buffer of this pool. */
  readonly usage: GPUBufferUsageFlags;
  /** The largest buffer that the device can bind or copy, in bytes. */
  readonly largest: number;
  /** Unused bytes that the pool keeps; what is released beyond them is destroyed. */
  readonly keep: number;
}

/** Buffers of one usage, lent out and taken back by size class. A lent buffer's contents are undefined. */
export class BufferPool {
  readonly #gpu: GPUDevice;
  readonly #options: BufferPoolOptions;
  readonly #free = new Map<number, GPUBuffer[]>();
  readonly #lent = new Set<GPUBuffer>();
  /** Lent buffers that may be invalid: they are destroyed when they come back. */
  readonly #distrusted = new WeakSet<GPUBuffer>();
  #freeBytes = 0;
  #bytes = 0;

  constructor(gpu: GPUDevice, options: BufferPoolOptions) {
    this.#gpu = gpu;
    this.#options = options;
  }

  /** Bytes of all buffers of this pool, lent or not. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * A buffer of at least `byteLength` bytes.
   *
   * @param isExact for large and lasting buffers: no byte is wasted on the size class, and nothing is reused
   * @throws DeviceError when the device cannot hold so large a buffer.
   */
  acquire(byteLength: number, label: string, isExact = false): GPUBuffer {
    const { largest, usage } = this.#options;
    if (!Number.isSafeInteger(byteLength) || byteLength < 0) {
      throw new DeviceError(
        `Buffer '${label}' cannot have ${byteLength} bytes. Ask for a whole number of bytes, 0 or more.`,
      );
    }
    if (byteLength > largest) {
      throw new DeviceError(
        `Buffer '${label}' needs ${byteLength} bytes (${formatBytes(byteLength)}), but this device's largest ` +
          `storage buffer is ${largest} bytes (${formatBytes(largest)}). Use a smaller batch or model, or split it.`,
      );
    }
    // Near the limit the class may be too large where the buffer itself is not; limits are multiples of 4.
    const size = isExact
      ? Math.max(4, Math.ceil(byteLength / 4) * 4)
      : Math.min(sizeClass(byteLength), largest);
    const reused = this.#free.get(size)?.pop();
    if (reused) {
      this.#freeBytes -= size;
      reused.label = label;
      this.#lent.add(reused);
      return reused;
    }
    const buffer = this.#gpu.createBuffer({ size, usage, label });
    this.#lent.add(buffer);
    this.#bytes += size;
    return buffer;
  }

  /**
   * Takes a buffer back. Work already submitted with it still completes: the queue runs in order.
   * @throws DeviceError when the buffer is not on loan from this pool.
   */
  release(buffer: GPUBuffer): void {
    if (!this.#lent.delete(buffer)) {
      throw new DeviceError(
        `Buffer '${buffer.label}' was released twice, or does not belong to this device. Release what acquireBuffer gave, once.`,
      );
    }
    const isDistrusted = this.#distrusted.has(buffer);
    const isOfAClass = buffer.size === Math.min(sizeClass(buffer.size), this.#options.largest);
    if (isDistrusted || !isOfAClass || this.#freeBytes + buffer.size > this.#options.keep) {
      this.#bytes -= buffer.size;
      buffer.destroy();
      return;
    }
    const peers = this.#free.get(buffer.size);
    if (peers) peers.push(buffer);
    else this.#free.set(buffer.size, [buffer]);
    this.#freeBytes += buffer.size;
  }

  /**
   * Lends none of the present buffers again: memory has run out, and a buffer that the device could not make is told of
   * late, looks like any other and fails whatever uses it. Those on loan are destroyed when they come back.
   */
  distrust(): void {
    this.#bytes -= this.#freeBytes;
    this.#destroyFree();
    for (const buffer of this.#lent) this.#distrusted.add(buffer);
  }

  /** Destroys every buffer, also those on loan. */
  close(): void {
    this.#destroyFree();
    for (const buffer of this.#lent) buffer.destroy();
    this.#lent.clear();
    this.#bytes = 0;
  }

  #destroyFree(): void {
    for (const peers of this.#free.values()) for (const buffer of peers) buffer.destroy();
    this.#free.clear();
    this.#freeBytes = 0;
  }
}
