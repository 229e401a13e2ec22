/**
 * A model's parameters as one flat vector θ: where each named tensor lies in it. One vector makes an update, a
 * distance (MKDT eq. 4) or a stored trajectory one operation, however many layers the model has.
 */
import { pack, segment } from '../autograd/ops/pack.js';
import { type Shape, shapeText, sizeOf } from '../autograd/tape.js';
import type { Tensor } from '../autograd/trace.js';
import { ShapeError } from '../errors.js';

/** One named tensor of a model. */
export interface ParameterEntry {
  /** Its name, unique in the model, such as `conv0.weight`. */
  readonly name: string;
  /** Its shape. */
  readonly shape: Shape;
  /** First element in the flat vector. */
  readonly offset: number;
  /** Inputs that one output of the layer sums over; sets the range of its initialisation. */
  readonly fanIn: number;
  /** How it starts: uniform within ±1/√fanIn, normal with variance 2/fan-out, all ones, or all zeros. */
  readonly start: 'uniform' | 'heNormal' | 'ones' | 'zeros';
}

/** Where a model's named tensors lie in its flat vector θ. */
export interface ParameterLayout {
  /** The tensors, in the order of their offsets. */
  readonly entries: readonly ParameterEntry[];
  /** Elements of θ, padding included. */
  readonly total: number;
  /** Numbers of all tensors: padding left out. */
  readonly count: number;
}

/** Each tensor starts at a multiple of this many elements, so that a device can bind it where it lies (256 bytes). */
const ALIGNMENT = 64;

/** Lays tensors out one after another. What lies between them is padding, zero from the start and for ever. */
export function layOut(entries: readonly Omit<ParameterEntry, 'offset'>[]): ParameterLayout {
  let total = 0;
  const placed = entries.map((entry) => {
    const offset = total;
    total += Math.ceil(sizeOf(entry.shape) / ALIGNMENT) * ALIGNMENT;
    return { ...entry, offset };
  });
  return { entries: placed, total, count: entries.reduce((count, { shape }) => count + sizeOf(shape), 0) };
}

/** The named tensors of θ [total] on a tape; they are views and cost nothing. */
export function unpack(layout: ParameterLayout, theta: Tensor): Record<string, Tensor> {
  return Object.fromEntries(
    layout.entries.map(({ name, shape, offset }) => [name, segment(theta, offset, shape)]),
  );
}

/** θ [total] from its named tensors on a tape. */
export function packParameters(layout: ParameterLayout, tensors: Readonly<Record<string, Tensor>>): Tensor {
  return pack(
    layout.entries.map(({ name }) => tensors[name]!),
    layout.entries.map(({ offset }) => offset),
    layout.total,
  );
}

/**
 * The named tensors of a host-side θ, as views of its memory.
 * @throws ShapeError when θ has another length than the layout.
 */
export function splitParameters(layout: ParameterLayout, theta: Float32Array): Record<string, Float32Array> {
  if (theta.length !== layout.total) {
    throw new ShapeError(`θ has ${theta.length} elements, but its layout has ${layout.total}.`);
  }
  return Object.fromEntries(
    layout.entries.map(({ name, shape, offset }) => [name, theta.subarray(offset, offset + sizeOf(shape))]),
  );
}

/**
 * A host-side θ from its named tensors; others are left alone.
 * @throws ShapeError when a tensor is missing or has another number of elements than its shape in the layout.
 */
export function joinParameters(
  layout: ParameterLayout,
  tensors: Readonly<Record<string, ArrayLike<number>>>,
): Float32Array {
  const theta = new Float32Array(layout.total);
  for (const { name, shape, offset } of layout.entries) {
    const tensor = tensors[name];
    if (tensor?.length !== sizeOf(shape)) {
      throw new ShapeError(
        `The tensor '${name}' ${tensor === undefined ? 'is missing' : `has ${tensor.length} elements`}, ` +
          `but the model has ${sizeOf(shape)} there: ${shapeText(shape)}.`,
      );
    }
    theta.set(tensor, offset);
  }
  return theta;
}
