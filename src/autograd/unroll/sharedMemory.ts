/** The device memory that all plans of an unrolled training share, by the names on the step's tape. */
import type { Device } from '../../gpu/device.js';
import { allocateRange, type BufferRange, BYTES } from '../compile/bufferRange.js';
import { sizeOf } from '../tape.js';
import {
  adjointNames,
  hyperparameterTypes,
  isSummed,
  onTape,
  type StepDescription,
  stateTypes,
} from './tapes.js';

export type Ranges = Readonly<Record<string, BufferRange>>;

export interface SharedMemory {
  /** What the step's tape reads and adds to, by its names there. */
  readonly onTape: Ranges;
  /** What the caller writes: tables and hyperparameters; one that differs from step to step is [N, …]. */
  readonly inputs: Ranges;
  /** What the caller reads: the gradient by each of `wrt`; one by a value of each step is [N, …]. */
  readonly gradients: Ranges;
  /** Each part of the state within a slot of the path. */
  readonly stateOffsets: Readonly<Record<string, number>>;
  /** Bytes of a slot of the path. */
  readonly stateBytes: number;
}

/** @throws DeviceError when it does not fit the device; nothing stays allocated then. */
export function allocateShared(device: Device, description: StepDescription, steps: number): SharedMemory {
  const made: GPUBuffer[] = [];
  try {
    return layShared(description, steps, (name, elements) => {
      const range = allocateRange(device, elements, `unroll.${name}`);
      made.push(range.buffer);
      return range;
    });
  } catch (error) {
    for (const buffer of made) device.releaseBuffer(buffer);
    throw error;
  }
}

function layShared(
  description: StepDescription,
  steps: number,
  allocate: (name: string, elements: number) => BufferRange,
): SharedMemory {
  const { problem, wrt, perStep } = description;
  const tape: Record<string, BufferRange> = {};
  const inputs: Record<string, BufferRange> = {};
  const gradients: Record<string, BufferRange> = {};
  const stateOffsets: Record<string, number> = {};
  let stateBytes = 0;

  const states = stateTypes(description);
  for (const [name, { shape }] of Object.entries(states)) {
    tape[onTape.state(name)] = allocate(name, sizeOf(shape));
    stateOffsets[name] = stateBytes;
    stateBytes += sizeOf(shape) * BYTES;
  }
  for (const name of adjointNames(description)) {
    tape[onTape.adjoint(name)] = allocate(`adjoint.${name}`, sizeOf(states[name]!.shape));
  }
  for (const [name, { shape }] of Object.entries(problem.tables)) {
    const range = allocate(name, sizeOf(shape));
    tape[onTape.table(name)] = range;
    inputs[name] = range;
  }
  const hyperparameters = hyperparameterTypes(description);
  for (const [name, { shape }] of Object.entries(hyperparameters)) {
    const range = allocate(name, sizeOf(shape));
    tape[onTape.hyperparameter(name)] = range;
    inputs[name] = perStep.includes(name) ? allocate(`${name}.everyStep`, steps * sizeOf(shape)) : range;
  }
  for (const name of wrt) {
    const elements = sizeOf((problem.tables[name] ?? hyperparameters[name]!).shape);
    if (isSummed(description, name)) {
      gradients[name] = allocate(`gradient.${name}`, elements);
      tape[onTape.gradient(name)] = gradients[name];
    } else gradients[name] = allocate(`gradient.${name}.everyStep`, steps * elements);
  }
  return { onTape: tape, inputs, gradients, stateOffsets, stateBytes };
}

/** Every buffer once. */
function buffersOf({ onTape, inputs, gradients }: SharedMemory): Set<GPUBuffer> {
  const all = [onTape, inputs, gradients].flatMap((ranges) => Object.values(ranges));
  return new Set(all.map(({ buffer }) => buffer));
}

export function sharedBytes(shared: SharedMemory): number {
  return [...buffersOf(shared)].reduce((total, { size }) => total + size, 0);
}

export function releaseShared(device: Device, shared: SharedMemory): void {
  for (const buffer of buffersOf(shared)) device.releaseBuffer(buffer);
}

/** The part of an [N, …] range that belongs to one step. */
export function atStep({ buffer, offset, bytes }: BufferRange, step: number, steps: number): BufferRange {
  const each = bytes / steps;
  return { buffer, offset: offset + step * each, bytes: each };
}
