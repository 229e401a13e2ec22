/** Axes of extent 1 put in and left out, and tensors repeated along their axes. */
import { ShapeError } from '../../errors.js';
import { shapeText } from '../tape.js';
import type { Tensor } from '../trace.js';
import { broadcastTo } from './elementwise.js';
import { requireFloats, resolveAxis } from './operands.js';
import { reshape } from './reduce.js';

/**
 * `a` with a new axis of extent 1 at a place of the result; −1 puts it last.
 *
 * @throws ShapeError when the result has no such axis.
 */
export function expandDims(a: Tensor, axis: number): Tensor {
  const place = resolveAxis('expandDims', axis, [...a.shape, 1]);
  return reshape(a, [...a.shape.slice(0, place), 1, ...a.shape.slice(place)]);
}

/**
 * `a` without the given axes, which have extent 1; by default without all such axes.
 *
 * @throws ShapeError when an axis is not there or longer than 1.
 */
export function squeeze(
  a: Tensor,
  axes: readonly number[] = a.shape.flatMap((extent, axis) => (extent === 1 ? [axis] : [])),
): Tensor {
  const dropped = axes.map((axis) => resolveAxis('squeeze', axis, a.shape));
  const long = dropped.find((axis) => a.shape[axis] !== 1);
  if (long !== undefined) {
    throw new ShapeError(
      `squeeze: axis ${long} of ${shapeText(a.shape)} has extent ${a.shape[long]}; only axes of extent 1 can be left out.`,
    );
  }
  return reshape(
    a,
    a.shape.filter((_, axis) => !dropped.includes(axis)),
  );
}

function requireCount(operation: string, count: number): void {
  if (!Number.isInteger(count) || count < 1) {
    throw new ShapeError(`${operation}: the count ${count} must be a whole number of at least 1.`);
  }
}

/**
 * Each element `count` times in a row along an axis: [a, b] → [a, a, b, b].
 *
 * @throws ShapeError when the axis is not there, the count is below 1, or `a` is not f32.
 */
export function repeat(a: Tensor, count: number, axis = 0): Tensor {
  requireFloats('repeat', [a.type]);
  requireCount('repeat', count);
  const along = resolveAxis('repeat', axis, a.shape);
  const shape = a.shape.map((extent, k) => (k === along ? extent * count : extent));
  const [before, after] = [a.shape.slice(0, along + 1), a.shape.slice(along + 1)];
  return reshape(broadcastTo(reshape(a, [...before, 1, ...after]), [...before, count, ...after]), shape);
}

/**
 * The whole tensor so many times along each axis: [a, b] → [a, b, a, b].
 *
 * @throws ShapeError when there is not a count of at least 1 for each axis, or `a` is not f32.
 */
export function tile(a: Tensor, counts: readonly number[]): Tensor {
  requireFloats('tile', [a.type]);
  if (counts.length !== a.shape.length) {
    throw new ShapeError(
      `tile: counts ${shapeText(counts)} must have an entry for each axis of ${shapeText(a.shape)}.`,
    );
  }
  for (const count of counts) requireCount('tile', count);
  const spread = a.shape.flatMap((extent) => [1, extent]);
  const repeated = a.shape.flatMap((extent, axis) => [counts[axis]!, extent]);
  const shape = a.shape.map((extent, axis) => extent * counts[axis]!);
  return reshape(broadcastTo(reshape(a, spread), repeated), shape);
}
