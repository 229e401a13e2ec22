/** Batches on the device's timeline: every step's row numbers are uploaded ahead and copied into place in order. */
import type { Device } from '../../gpu/device.js';
import { type BufferRange, BYTES } from '../compile/bufferRange.js';

/** Owns an index buffer that holds the batches of many steps. */
export class BatchQueue {
  readonly #device: Device;
  #buffer: GPUBuffer | null = null;
  #places: { readonly offset: number; readonly bytes: number }[] = [];

  constructor(device: Device) {
    this.#device = device;
  }

  /** Uploads the row numbers of all steps; the ones before are forgotten. */
  load(batches: readonly Int32Array[]): void {
    const total = batches.reduce((count, batch) => count + batch.length, 0);
    const all = new Int32Array(total);
    let at = 0;
    this.#places = batches.map((batch) => {
      all.set(batch, at);
      const place = { offset: at * BYTES, bytes: batch.length * BYTES };
      at += batch.length;
      return place;
    });
    this.reserve(total);
    this.#device.write(this.#buffer!, all);
  }

  /** Makes room for so many row numbers at a time. */
  reserve(rows: number): void {
    if (this.#buffer !== null && this.#buffer.size >= rows * BYTES) return;
    this.release();
    this.#buffer = this.#device.acquireBuffer(rows * BYTES, 'batches');
  }

  /** Appends the copy of a step's batch into a plan's input. */
  encode(encoder: GPUCommandEncoder, step: number, target: BufferRange): void {
    const { offset, bytes } = this.#places[step]!;
    encoder.copyBufferToBuffer(this.#buffer!, offset, target.buffer, target.offset, bytes);
  }

  release(): void {
    if (this.#buffer !== null) this.#device.releaseBuffer(this.#buffer);
    this.#buffer = null;
  }
}
