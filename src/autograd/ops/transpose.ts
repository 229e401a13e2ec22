/** Axes in another order. The derivative puts them back. */
import { ShapeError } from '../../errors.js';
import {
  apply,
  type OperationDefinition,
  type ReferenceRule,
  type ReferenceRules,
  referenceData,
  referenceFrom,
} from '../operation.js';
import { shapeText } from '../tape.js';
import type { Tensor } from '../trace.js';
import { isContiguous, launchRearrange, wholeBox } from './box.js';
import { resolveAxis } from './operands.js';
import { reshape } from './reduce.js';

const permuted = <T>(values: readonly T[], permutation: readonly number[]): T[] =>
  permutation.map((axis) => values[axis]!);

const transposeReference: ReferenceRule = ([a], { permutation }, { shape }) => {
  return referenceFrom(referenceData(a!.transpose(...(permutation as readonly number[]))), shape);
};

const transposeDefinition: OperationDefinition = {
  name: 'transpose',
  type([a], attributes) {
    const permutation = attributes.permutation as readonly number[];
    const sorted = [...permutation].sort((p, q) => p - q);
    if (permutation.length !== a!.shape.length || sorted.some((axis, k) => axis !== k)) {
      throw new ShapeError(
        `transpose: the permutation ${shapeText(permutation)} must name each of the ${a!.shape.length} axes of ` +
          `${shapeText(a!.shape)} once.`,
      );
    }
    return { dataType: a!.dataType, shape: permuted(a!.shape, permutation) };
  },
  vjp({ attributes }, c) {
    const permutation = attributes.permutation as readonly number[];
    return [
      transpose(
        c,
        permutation.map((_, axis) => permutation.indexOf(axis)),
      ),
    ];
  },
  lower(lowering, { inputs, inputTypes, attributes, output, type }) {
    const { strides } = wholeBox(inputTypes[0]!.shape);
    const from = { offset: 0, strides: permuted(strides, attributes.permutation as readonly number[]) };
    launchRearrange(lowering, type.shape, [inputs[0]!, from], [output, wholeBox(type.shape)]);
  },
};

/**
 * The axes of `a` in another order: axis k of the result is axis `permutation[k]` of `a`. Where only axes of extent 1 move
 * it is a reshape and costs nothing.
 *
 * @param permutation every axis once, negative ones counted from the end; by default the axes are reversed
 * @throws ShapeError when the permutation does not name every axis once.
 */
export function transpose(
  a: Tensor,
  permutation: readonly number[] = a.shape.map((_, axis) => axis).reverse(),
): Tensor {
  const axes = permutation.map((axis) => resolveAxis('transpose', axis, a.shape));
  const attributes = { permutation: axes };
  const { shape } = transposeDefinition.type([a.type], attributes);
  const strides = permuted(wholeBox(a.shape).strides, axes);
  if (isContiguous(shape, { offset: 0, strides })) return reshape(a, shape);
  return apply(transposeDefinition, [a], attributes);
}

export const transposeOperations: readonly OperationDefinition[] = [transposeDefinition];

export const transposeReferences: ReferenceRules = {
  transpose: transposeReference,
};
