/** Strided boxes in memory: what transposition, slices, padding and concatenation are lowered to. */
import { pieceLength } from '../../kernels/catalogue.js';
import type { Lowering, Storage } from '../operation.js';
import { type DataType, rowMajorStrides, type Shape, sizeOf } from '../tape.js';
import { joinAxes, placeExpression, unsignedLiteral } from '../walk.js';

/** Where the element with index i of a box lies in a flat tensor: offset + Σ_k i_k · strides_k. */
export interface Box {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** The whole of a row-major tensor. */
export const wholeBox = (shape: Shape): Box => ({ offset: 0, strides: rowMajorStrides(shape) });

/** Every steps_k-th element from starts_k on, along each axis of a row-major tensor. */
export function steppedBox(shape: Shape, starts: readonly number[], steps: readonly number[]): Box {
  const strides = rowMajorStrides(shape);
  return {
    offset: strides.reduce((offset, stride, axis) => offset + starts[axis]! * stride, 0),
    strides: strides.map((stride, axis) => stride * steps[axis]!),
  };
}

/** Whether a box's elements lie side by side, in row-major order. */
export function isContiguous(extents: Shape, { strides }: Box): boolean {
  const walk = joinAxes(extents, [strides]);
  return sizeOf(extents) === 1 || (walk.extents.length === 1 && walk.strides[0]![0] === 1);
}

/** Copies the box `from` of `source` into the box `to` of `result`; both have these extents. */
export function launchRearrange(
  lowering: Lowering,
  extents: Shape,
  [source, from]: readonly [Storage, Box],
  [result, to]: readonly [Storage, Box],
): void {
  const walk = joinAxes(extents, [from.strides, to.strides]);
  const [fromSteps, toSteps] = walk.strides as [number[], number[]];
  const outer = walk.extents.slice(0, -1);
  const ROW = walk.extents.at(-1)!;
  const ROWS = sizeOf(outer);
  const ITEMS = pieceLength(ROW, lowering.tuning.elementwiseItems);
  const BLOCKS = Math.ceil(ROW / ITEMS);
  const place = ({ offset }: Box, steps: readonly number[]): string =>
    `${offset}u + ${placeExpression('row', outer, steps.slice(0, -1))}`;
  const definitions = {
    ROW,
    ROWS,
    ITEMS,
    BLOCKS,
    FROM: place(from, fromSteps),
    FROM_STEP: unsignedLiteral(fromSteps.at(-1)!),
    TO: place(to, toSteps),
    TO_STEP: unsignedLiteral(toSteps.at(-1)!),
  };
  lowering.launch('rearrange', definitions, [source, result], ROWS * BLOCKS);
}

/** Writes one value to every element of `result`. */
export function launchFill(
  lowering: Lowering,
  result: Storage,
  count: number,
  dataType: DataType,
  value: number,
): void {
  const ITEMS = Math.min(count, lowering.tuning.copyItems);
  const definitions = { TYPE: dataType, VALUE: String(value), COUNT: count, ITEMS };
  lowering.launch('fill', definitions, [result], Math.ceil(count / ITEMS));
}
