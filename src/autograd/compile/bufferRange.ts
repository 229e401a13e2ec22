/** Ranges of device buffers: what plans read and write, and what is shared between plans. */
import type { Device } from '../../gpu/device.js';

/** A range of a device buffer, in bytes. */
export interface BufferRange {
  /** The device buffer; several ranges may share one. */
  readonly buffer: GPUBuffer;
  /** First byte in the buffer, a multiple of 4. */
  readonly offset: number;
  /** Length in bytes. */
  readonly bytes: number;
}

/** Host memory that is written to a device: 32-bit floats for `f32` tensors, 32-bit integers for `i32` ones. */
export type Numbers = Float32Array | Int32Array;

/** Every element on the device takes so many bytes. */
export const BYTES = 4;

/** A buffer of the device's pool for so many elements; `device.releaseBuffer` takes it back. Its content is undefined. */
export function allocateRange(device: Device, elements: number, label: string): BufferRange {
  const bytes = elements * BYTES;
  return { buffer: device.acquireBuffer(bytes, label), offset: 0, bytes };
}

/** A buffer of the device's pool that holds these numbers. */
export function uploadRange(device: Device, data: Numbers, label: string): BufferRange {
  const range = allocateRange(device, data.length, label);
  device.write(range.buffer, data);
  return range;
}

/** Appends a copy of one range to another of the same size. */
export function copyRange(encoder: GPUCommandEncoder, from: BufferRange, to: BufferRange): void {
  encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, from.bytes);
}
