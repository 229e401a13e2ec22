/** What several operations ask of their operands and attributes. */
import { ShapeError } from '../../errors.js';
import { type Shape, shapeText, sizeOf, type TensorType } from '../tape.js';

/** @throws ShapeError when an operand holds whole numbers, which the operation does not calculate with. */
export function requireFloats(operation: string, operands: readonly TensorType[]): void {
  const wrong = operands.find(({ dataType }) => dataType !== 'f32');
  if (wrong !== undefined) {
    throw new ShapeError(
      `${operation}: operands are f32; an ${wrong.dataType} tensor ${shapeText(wrong.shape)} was given. ` +
        'Whole numbers can be moved (reshape, slice, gather, …) and turned into rows by oneHot.',
    );
  }
}

/**
 * An axis as a number from 0, where −1 is the last one.
 *
 * @throws ShapeError when the shape has no such axis.
 */
export function resolveAxis(operation: string, axis: number, shape: Shape): number {
  const rank = shape.length;
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ShapeError(
      `${operation}: axis ${axis} is not an axis of ${shapeText(shape)}; ` +
        (rank === 0 ? 'a scalar has none.' : `give a whole number from ${-rank} to ${rank - 1}.`),
    );
  }
  return axis < 0 ? axis + rank : axis;
}

/** A shape as the product of what lies before an axis, the axis itself, and what lies behind it. */
export function aroundAxis(shape: Shape, axis: number): { outer: number; extent: number; inner: number } {
  return {
    outer: sizeOf(shape.slice(0, axis)),
    extent: shape[axis]!,
    inner: sizeOf(shape.slice(axis + 1)),
  };
}
