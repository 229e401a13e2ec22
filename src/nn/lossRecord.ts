/** The losses of steps that the host does not look on at: each is copied aside on the device, and all are read together. */
import { allocateRange, type BufferRange, BYTES, copyRange } from '../autograd/compile/bufferRange.js';
import type { Device } from '../gpu/device.js';

/** Steps whose losses the device holds; before more are made, they are read. */
export const RECORDED_STEPS = 4096;

/** Owns the memory that the losses lie in. */
export class LossRecord {
  readonly #device: Device;
  readonly #range: BufferRange;
  #count = 0;
  #read: Float32Array[] = [];

  constructor(device: Device, label: string) {
    this.#device = device;
    this.#range = allocateRange(device, RECORDED_STEPS, `${label}.losses`);
  }

  /** Whether so many more losses can be taken without reading those that there are. */
  hasRoom(steps: number): boolean {
    return this.#count + steps <= RECORDED_STEPS;
  }

  /** Sees to it that so many more losses, at most `RECORDED_STEPS`, can be taken; waits for the device where it must. */
  async makeRoom(steps: number): Promise<void> {
    if (!this.hasRoom(steps)) await this.#drain();
  }

  /** Appends the copy of a loss, a scalar of shape [], behind the step that computes it. There must be room for it. */
  encode(encoder: GPUCommandEncoder, loss: BufferRange): void {
    const { buffer, offset } = this.#range;
    copyRange(encoder, loss, { buffer, offset: offset + this.#count * BYTES, bytes: BYTES });
    this.#count++;
  }

  /** The losses since the last time, in order. Waits for the device. */
  async take(): Promise<Float32Array> {
    await this.#drain();
    const parts = this.#read;
    this.#read = [];
    const all = new Float32Array(parts.reduce((total, { length }) => total + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  /** Forgets what nobody took. */
  clear(): void {
    this.#count = 0;
    this.#read = [];
  }

  release(): void {
    this.#device.releaseBuffer(this.#range.buffer);
  }

  async #drain(): Promise<void> {
    const count = this.#count;
    if (count === 0) return;
    const { buffer, offset } = this.#range;
    // From here on the device's order keeps them apart: the read is submitted before whatever comes next.
    this.#count = 0;
    this.#read.push(new Float32Array(await this.#device.read(buffer, offset, count * BYTES)));
  }
}
