/** Device memory for one value a step, in as few buffers as the device allows. */
import type { Device } from '../../gpu/device.js';
import { type BufferRange, BYTES } from '../compile/bufferRange.js';

/** Owns `count` slots of equal size. */
export class Slots {
  readonly #device: Device;
  readonly #buffers: GPUBuffer[] = [];
  readonly #bytes: number;
  readonly #perBuffer: number;

  /** @throws DeviceError when the slots do not fit the device; none stays allocated then. */
  constructor(device: Device, count: number, bytes: number, label: string) {
    this.#device = device;
    this.#bytes = Math.max(bytes, BYTES);
    this.#perBuffer = Math.max(1, Math.floor(device.largestBuffer / this.#bytes));
    try {
      for (let first = 0; first < count; first += this.#perBuffer) {
        const here = Math.min(this.#perBuffer, count - first);
        this.#buffers.push(device.acquireBuffer(here * this.#bytes, `${label}${first}`, true));
      }
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** A part of a slot; all of it by default. */
  range(slot: number, offset = 0, bytes = this.#bytes): BufferRange {
    const buffer = this.#buffers[Math.floor(slot / this.#perBuffer)]!;
    return { buffer, offset: (slot % this.#perBuffer) * this.#bytes + offset, bytes };
  }

  /** Bytes of device memory held. */
  get memory(): number {
    return this.#buffers.reduce((total, { size }) => total + size, 0);
  }

  release(): void {
    for (const buffer of this.#buffers) this.#device.releaseBuffer(buffer);
  }
}
