/**
 * Rows of a table by number along one axis, and the sum of rows back into a table: each is the other's adjoint. With the
 * axes before the chosen one written as o and those behind it as i:
 *
 *     gather:      y[o,b,i] = table[o,index[b],i]                 table̅ = scatterAdd(0, index, ȳ)
 *     scatterAdd:  y = base, y[o,index[b],i] += rows[o,b,i]        base̅ = ȳ, rows̅ = gather(ȳ, index)
 *
 * A number outside the table gathers zeros and scatters nothing, so the two stay adjoint.
 */
import { ShapeError } from '../../errors.js';
import {
  apply,
  type Lowering,
  type OperationDefinition,
  type ReferenceRule,
  type ReferenceRules,
  referenceZeros,
  type Storage,
} from '../operation.js';
import { type Shape, sameShape, shapeText, sizeOf, type TensorType, typeText } from '../tape.js';
import type { Tensor } from '../trace.js';
import { fill } from './elementwise.js';
import { aroundAxis, resolveAxis } from './operands.js';

function requireIndex(operation: string, index: TensorType): void {
  if (index.dataType !== 'i32') {
    throw new ShapeError(`${operation}: index is ${typeText(index)}, but whole numbers (i32) are needed.`);
  }
}

/** The table's shape with its axis replaced by those of the index. */
const gatheredShape = (table: Shape, index: Shape, axis: number): Shape => [
  ...table.slice(0, axis),
  ...index,
  ...table.slice(axis + 1),
];

/** Calls `visit` with the places of every gathered row in the flat table and in the flat rows. */
function forEachRow(
  table: Shape,
  axis: number,
  index: ArrayLike<number>,
  visit: (inTable: number, inRows: number, length: number) => void,
): void {
  const { outer, extent, inner } = aroundAxis(table, axis);
  for (let o = 0; o < outer; o++) {
    for (let b = 0; b < index.length; b++) {
      const chosen = index[b]!;
      if (chosen < 0 || chosen >= extent) continue;
      visit((o * extent + chosen) * inner, (o * index.length + b) * inner, inner);
    }
  }
}

function launchRows(
  lowering: Lowering,
  scatter: boolean,
  table: TensorType,
  axis: number,
  count: number,
  buffers: readonly Storage[],
): void {
  const { outer: OUTER, extent: TABLE_ROWS, inner: ROW } = aroundAxis(table.shape, axis);
  const ITEMS = Math.min(ROW, lowering.tuning.copyItems);
  const BLOCKS = Math.ceil(ROW / ITEMS);
  const definitions = {
    SCATTER_ADD: scatter,
    TYPE: table.dataType,
    OUTER,
    TABLE_ROWS,
    ROW,
    ITEMS,
    BLOCKS,
    B: count,
  };
  lowering.launch('gather', definitions, buffers, OUTER * (scatter ? TABLE_ROWS : count) * BLOCKS);
}

const gatherReference: ReferenceRule = ([table, index], { axis }, { shape }) => {
  const result = referenceZeros(shape);
  forEachRow(table!.shape, Number(axis), index!.data, (inTable, inRows, length) => {
    result.data.set(table!.data.subarray(inTable, inTable + length), inRows);
  });
  return result;
};

const gatherDefinition: OperationDefinition = {
  name: 'gather',
  type([table, index], { axis }) {
    requireIndex('gather', index!);
    return { dataType: table!.dataType, shape: gatheredShape(table!.shape, index!.shape, Number(axis)) };
  },
  vjp({ inputs: [table, index], attributes: { axis } }, c) {
    return [scatterAdd(fill(c, table!.shape, 0), index!, c, Number(axis)), null];
  },
  lower(lowering, { inputs: [table, index], inputTypes, attributes: { axis }, output }) {
    const count = sizeOf(inputTypes[1]!.shape);
    launchRows(lowering, false, inputTypes[0]!, Number(axis), count, [table!, index!, output]);
  },
};

const scatterAddReference: ReferenceRule = ([base, index, rows], { axis }, { shape }) => {
  const result = referenceZeros(shape);
  result.data.set(base!.data);
  forEachRow(shape, Number(axis), index!.data, (inTable, inRows, length) => {
    for (let i = 0; i < length; i++) result.data[inTable + i]! += rows!.data[inRows + i]!;
  });
  return result;
};

const scatterAddDefinition: OperationDefinition = {
  name: 'scatterAdd',
  type([base, index, rows], { axis }) {
    requireIndex('scatterAdd', index!);
    const wanted = gatheredShape(base!.shape, index!.shape, Number(axis));
    if (!sameShape(rows!.shape, wanted) || rows!.dataType !== base!.dataType) {
      throw new ShapeError(
        `scatterAdd: rows ${typeText(rows!)} must be ${base!.dataType}${shapeText(wanted)} for ` +
          `base ${shapeText(base!.shape)} and index ${shapeText(index!.shape)} along axis ${axis}.`,
      );
    }
    return base!;
  },
  vjp: ({ inputs: [, index], attributes: { axis } }, c, wanted) => [
    c,
    null,
    wanted[2] ? gather(c, index!, Number(axis)) : null,
  ],
  inPlace: 0,
  lower(lowering, { inputs: [, index, rows], inputTypes, attributes: { axis }, output }) {
    const count = sizeOf(inputTypes[1]!.shape);
    launchRows(lowering, true, inputTypes[0]!, Number(axis), count, [rows!, index!, output]);
  },
};

/**
 * Rows of a table by number: the table's axis gives way to the axes of the index, as in NumPy's `take`. With axis 0 (the
 * default), table [T,…] and index [B] of i32 give [B,…]. A number outside 0…T−1 gives zeros, on the device as in float64,
 * and no gradient flows back from there.
 *
 * @param index i32 of any shape
 * @param axis negative axes count from the end
 * @throws ShapeError when the index is not i32 or the axis is not there.
 */
export const gather = (table: Tensor, index: Tensor, axis = 0): Tensor =>
  apply(gatherDefinition, [table, index], { axis: resolveAxis('gather', axis, table.shape) });

/**
 * `base` with rows added at the numbers of the index along an axis: the adjoint of `gather`, whose result's shape the rows
 * have. A number may occur more than once; one outside the axis adds nothing.
 *
 * @throws ShapeError when the index is not i32, the axis is not there, or the rows do not fit.
 */
export const scatterAdd = (base: Tensor, index: Tensor, rows: Tensor, axis = 0): Tensor =>
  apply(scatterAddDefinition, [base, index, rows], { axis: resolveAxis('scatterAdd', axis, base.shape) });

export const gatherOperations: readonly OperationDefinition[] = [gatherDefinition, scatterAddDefinition];

export const gatherReferences: ReferenceRules = {
  gather: gatherReference,
  scatterAdd: scatterAddReference,
};
