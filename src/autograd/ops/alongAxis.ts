/**
 * One element of each line of a tensor by number, and the sum of elements back: each is the other's adjoint. With the axes
 * before the chosen one written as o and those behind it as i:
 *
 *     takeAlongAxis:        y[o,b,i] = a[o,index[o,b,i],i]                   a̅ = scatterAddAlongAxis(0, index, ȳ)
 *     scatterAddAlongAxis:  y = base, y[o,index[o,b,i],i] += values[o,b,i]    base̅ = ȳ, values̅ = takeAlongAxis(ȳ, index)
 *
 * A number outside the axis takes 0 and adds nothing, so the two stay adjoint.
 */
import { ShapeError } from '../../errors.js';
import {
  apply,
  forEachIndex,
  type Lowering,
  type OperationDefinition,
  type Reference,
  type ReferenceRule,
  type ReferenceRules,
  referenceZeros,
  type Storage,
} from '../operation.js';
import { type Shape, sameShape, shapeText, type TensorType, typeText } from '../tape.js';
import type { Tensor } from '../trace.js';
import { fill } from './elementwise.js';
import { aroundAxis, resolveAxis } from './operands.js';

function requireIndex(operation: string, table: TensorType, index: TensorType, axis: number): void {
  const wanted = table.shape.map((extent, k) => (k === axis ? (index.shape[k] ?? 1) : extent));
  if (index.dataType !== 'i32' || !sameShape(index.shape, wanted)) {
    throw new ShapeError(
      `${operation}: index is ${typeText(index)}, but i32 with the extents of ` +
        `${shapeText(table.shape)} is needed; only axis ${axis} may differ.`,
    );
  }
}

/** Calls `visit` with the index of every element and of the one that it chooses in a table of this shape. */
function forEachChoice(
  table: Shape,
  axis: number,
  index: Reference,
  visit: (chosen: number[], at: readonly number[]) => void,
): void {
  forEachIndex(index.shape, (at) => {
    const number = index.get(...at);
    if (number < 0 || number >= table[axis]!) return;
    visit(
      at.map((place, k) => (k === axis ? number : place)),
      at,
    );
  });
}

function launchAlong(
  lowering: Lowering,
  add: boolean,
  table: TensorType,
  axis: number,
  count: number,
  buffers: readonly Storage[],
): void {
  const { outer: OUTER, extent: TABLE_ROWS, inner: INNER } = aroundAxis(table.shape, axis);
  const definitions = { ADD: add, TYPE: table.dataType, OUTER, TABLE_ROWS, INNER, B: count };
  lowering.launch('alongAxis', definitions, buffers, OUTER * INNER * (add ? TABLE_ROWS : count));
}

const takeReference: ReferenceRule = ([a, index], { axis }, { shape }) => {
  const result = referenceZeros(shape);
  forEachChoice(a!.shape, Number(axis), index!, (chosen, at) => {
    result.set(...at, a!.get(...chosen));
  });
  return result;
};

const takeDefinition: OperationDefinition = {
  name: 'takeAlongAxis',
  type([a, index], { axis }) {
    requireIndex('takeAlongAxis', a!, index!, Number(axis));
    return { dataType: a!.dataType, shape: index!.shape };
  },
  vjp({ inputs: [a, index], attributes: { axis } }, c) {
    return [scatterAddAlongAxis(fill(c, a!.shape, 0), index!, c, Number(axis)), null];
  },
  lower(lowering, { inputs: [a, index], inputTypes, attributes, output, type }) {
    const axis = Number(attributes.axis);
    launchAlong(lowering, false, inputTypes[0]!, axis, type.shape[axis]!, [a!, index!, output]);
  },
};

const addReference: ReferenceRule = ([base, index, values], { axis }, { shape }) => {
  const result = referenceZeros(shape);
  result.data.set(base!.data);
  forEachChoice(shape, Number(axis), index!, (chosen, at) => {
    result.set(...chosen, result.get(...chosen) + values!.get(...at));
  });
  return result;
};

const addDefinition: OperationDefinition = {
  name: 'scatterAddAlongAxis',
  type([base, index, values], { axis }) {
    requireIndex('scatterAddAlongAxis', base!, index!, Number(axis));
    if (!sameShape(values!.shape, index!.shape) || values!.dataType !== base!.dataType) {
      throw new ShapeError(
        `scatterAddAlongAxis: values ${typeText(values!)} must be ` +
          `${base!.dataType}${shapeText(index!.shape)}, of the base's type and the index's shape.`,
      );
    }
    return base!;
  },
  vjp: ({ inputs: [, index], attributes: { axis } }, c, wanted) => [
    c,
    null,
    wanted[2] ? takeAlongAxis(c, index!, Number(axis)) : null,
  ],
  inPlace: 0,
  lower(lowering, { inputs: [, index, values], inputTypes, attributes, output }) {
    const axis = Number(attributes.axis);
    const count = inputTypes[1]!.shape[axis]!;
    launchAlong(lowering, true, inputTypes[0]!, axis, count, [values!, index!, output]);
  },
};

/**
 * One element of each line along an axis, as NumPy's `take_along_axis`: logits [B, classes] and labels [B, 1] along axis 1
 * give each row's logit of its label, [B, 1]. A number outside the axis gives 0, and no gradient flows back from there.
 *
 * @param index i32 with the extents of `a`, but for the axis, which may have any
 * @param axis negative axes count from the end
 * @throws ShapeError when the index is not i32, the axis is not there, or another extent differs.
 */
export const takeAlongAxis = (a: Tensor, index: Tensor, axis: number): Tensor =>
  apply(takeDefinition, [a, index], { axis: resolveAxis('takeAlongAxis', axis, a.shape) });

/**
 * `base` with values added at the numbers of the index along an axis: the adjoint of `takeAlongAxis`. A number may occur
 * more than once; one outside the axis adds nothing.
 *
 * @param values of the index's shape
 * @throws ShapeError when the index is not i32, the axis is not there, or a shape does not fit.
 */
export const scatterAddAlongAxis = (base: Tensor, index: Tensor, values: Tensor, axis: number): Tensor =>
  apply(addDefinition, [base, index, values], {
    axis: resolveAxis('scatterAddAlongAxis', axis, base.shape),
  });

export const alongAxisOperations: readonly OperationDefinition[] = [takeDefinition, addDefinition];

export const alongAxisReferences: ReferenceRules = {
  takeAlongAxis: takeReference,
  scatterAddAlongAxis: addReference,
};
