/**
 * Rows of a table by number, and the sum of rows back into a table: each is the other's adjoint.
 *
 *     gather:      y[b,:] = table[index[b],:]          table̅ = scatterAdd(0, index, ȳ)
 *     scatterAdd:  y = base, y[index[b],:] += rows[b,:]  base̅ = ȳ, rows̅ = gather(ȳ, index)
 */
import { ShapeError } from '../../errors.js';
import {
  apply,
  type Lowering,
  type OperationDefinition,
  referenceZeros,
  type Storage,
} from '../operation.js';
import { type Shape, sameShape, shapeText, sizeOf, type TensorType } from '../tape.js';
import type { Tensor } from '../trace.js';
import { fill } from './elementwise.js';

function requireIndex(operation: string, index: TensorType): void {
  if (index.dataType !== 'i32' || index.shape.length !== 1) {
    throw new ShapeError(
      `${operation}: index is ${index.dataType}${shapeText(index.shape)}, but a list of i32 row numbers [B] is needed.`,
    );
  }
}

function launchRows(
  lowering: Lowering,
  scatter: boolean,
  table: TensorType,
  count: number,
  buffers: readonly Storage[],
): void {
  const [TABLE_ROWS, ...row] = table.shape as [number, ...number[]];
  const ROW = sizeOf(row);
  const ITEMS = Math.min(ROW, lowering.tuning.copyItems);
  const BLOCKS = Math.ceil(ROW / ITEMS);
  const definitions = {
    SCATTER_ADD: scatter,
    TYPE: table.dataType,
    TABLE_ROWS,
    ROW,
    ITEMS,
    BLOCKS,
    B: count,
  };
  lowering.launch('gather', definitions, buffers, (scatter ? TABLE_ROWS : count) * BLOCKS);
}

const gatherDefinition: OperationDefinition = {
  name: 'gather',
  type([table, index]) {
    requireIndex('gather', index!);
    if (table!.shape.length === 0) {
      throw new ShapeError('gather: table [] is a scalar and has no rows; a table [T,…] is needed.');
    }
    return { dataType: table!.dataType, shape: [index!.shape[0]!, ...table!.shape.slice(1)] };
  },
  reference([table, index], _attributes, { shape }) {
    const result = referenceZeros(shape);
    const row = sizeOf(shape.slice(1));
    for (let b = 0; b < shape[0]!; b++) {
      const from = index!.get(b) * row;
      result.data.set(table!.data.subarray(from, from + row), b * row);
    }
    return result;
  },
  vjp({ inputs: [table, index] }, c) {
    return [scatterAdd(fill(c, table!.shape, 0), index!, c), null];
  },
  lower(lowering, { inputs: [table, index], inputTypes, output, type }) {
    launchRows(lowering, false, inputTypes[0]!, type.shape[0]!, [table!, index!, output]);
  },
};

const scatterAddDefinition: OperationDefinition = {
  name: 'scatterAdd',
  type([base, index, rows]) {
    requireIndex('scatterAdd', index!);
    const wanted: Shape = [index!.shape[0]!, ...base!.shape.slice(1)];
    if (base!.shape.length === 0 || !sameShape(rows!.shape, wanted)) {
      throw new ShapeError(
        `scatterAdd: rows ${shapeText(rows!.shape)} must be ${shapeText(wanted)} for base ${shapeText(base!.shape)} and ` +
          `index ${shapeText(index!.shape)}.`,
      );
    }
    return base!;
  },
  reference([base, index, rows], _attributes, { shape }) {
    const result = referenceZeros(shape);
    result.data.set(base!.data);
    const row = sizeOf(shape.slice(1));
    for (let b = 0; b < index!.shape[0]!; b++) {
      for (let i = 0; i < row; i++) result.data[index!.get(b) * row + i]! += rows!.data[b * row + i]!;
    }
    return result;
  },
  vjp: ({ inputs: [, index] }, c, wanted) => [c, null, wanted[2] ? gather(c, index!) : null],
  inPlace: 0,
  lower(lowering, { inputs: [, index, rows], inputTypes, output }) {
    launchRows(lowering, true, inputTypes[0]!, inputTypes[1]!.shape[0]!, [rows!, index!, output]);
  },
};

/**
 * Rows of a table: table [T,…], index [B] of i32 in 0…T−1 → [B,…].
 *
 * @throws ShapeError when the index is no list of i32 or the table a scalar.
 */
export const gather = (table: Tensor, index: Tensor): Tensor => apply(gatherDefinition, [table, index]);

/**
 * base [T,…] with rows [B,…] added at index [B] of i32; an index may occur more than once.
 *
 * @throws ShapeError when the index is no list of i32, or the rows do not fit the base.
 */
export const scatterAdd = (base: Tensor, index: Tensor, rows: Tensor): Tensor =>
  apply(scatterAddDefinition, [base, index, rows]);

export const gatherOperations: readonly OperationDefinition[] = [gatherDefinition, scatterAddDefinition];
