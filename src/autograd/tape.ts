/**
 * A tape: the list of operations that a traced function performed, as data. Nothing here computes; a tape is
 * printed, differentiated (gradient.ts), evaluated in float64 (interpret.ts) or compiled for a device
 * (compile/).
 */
import { ShapeError } from '../errors.js';
import type { Origin } from './origin.js';

/** Type of a tensor's elements: 32-bit floats, or 32-bit integers (labels, row numbers). */
export type DataType = 'f32' | 'i32';
/** Extents of a tensor, outermost first; [] is a scalar's. */
export type Shape = readonly number[];

/** What is known of a tensor when tracing. */
export interface TensorType {
  /** Type of its elements. */
  readonly dataType: DataType;
  /** Its extents, outermost first. */
  readonly shape: Shape;
}

/** A setting of an operation that is known when tracing, such as a stride. */
export type Attribute = number | boolean | string | readonly number[];
/** An operation's settings by name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** One line of a tape. Its inputs are numbers of earlier lines. */
export interface Operation {
  /** Its line on the tape, from 0. */
  readonly id: number;
  /** Name of an entry in the operations' table, or `input`. */
  readonly name: string;
  /** What it was recorded with beside its operands. */
  readonly attributes: Attributes;
  /** The lines of its operands, in the operation's order. */
  readonly inputs: readonly number[];
  /** What it computes. */
  readonly type: TensorType;
  /** Where the user's code traced it. For messages: tapes that differ in nothing else compute the same. */
  readonly origin?: Origin;
}

/** A traced function: plain data that can be kept as JSON. */
export interface Tape {
  /** All lines in order; each reads earlier ones only. */
  readonly operations: readonly Operation[];
  /** Lines of the named inputs. */
  readonly inputs: Readonly<Record<string, number>>;
  /** Lines of the named outputs. */
  readonly outputs: Readonly<Record<string, number>>;
}

/** Names of a tape's inputs by line. */
export const inputNamesOf = ({ inputs }: Tape): ReadonlyMap<number, string> =>
  new Map(Object.entries(inputs).map(([name, id]) => [id, name]));

/** The type of a tensor of 32-bit floats: `f32(20, 64)`, and `f32()` for a scalar. */
export const f32 = (...shape: number[]): TensorType => ({ dataType: 'f32', shape });
/** The type of a tensor of 32-bit integers: `i32(20)`. */
export const i32 = (...shape: number[]): TensorType => ({ dataType: 'i32', shape });

/** Number of elements of a shape; 1 for a scalar's `[]`. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Distance in memory of neighbours along each axis of a row-major tensor, in elements. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Whether two shapes are equal, extent by extent. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** `[20,16,7,7]`, as messages and printed tapes show a shape. */
export function shapeText(shape: Shape): string {
  return `[${shape.join(',')}]`;
}

/** `f32[20,16,7,7]`. */
export const typeText = ({ dataType, shape }: TensorType): string => `${dataType}${shapeText(shape)}`;

/**
 * The shape that two shapes broadcast to, by the usual rule: aligned at the last axis, extents equal or 1.
 *
 * @throws ShapeError naming both shapes.
 */
export function broadcastShapes(a: Shape, b: Shape, operation: string): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new ShapeError(
        `${operation}: shapes ${shapeText(a)} and ${shapeText(b)} do not broadcast; ` +
          'aligned at the last axis, extents must be equal or 1.',
      );
    }
    return left === 1 ? right : left;
  });
}
