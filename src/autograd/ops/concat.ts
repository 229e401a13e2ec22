/** Tensors side by side along an axis. The derivative cuts them apart again. */
import { ShapeError } from '../../errors.js';
import {
  apply,
  forEachIndex,
  type OperationDefinition,
  type ReferenceRule,
  type ReferenceRules,
  referenceZeros,
} from '../operation.js';
import { type Shape, sameShape, shapeText, type TensorType, typeText } from '../tape.js';
import type { Tensor } from '../trace.js';
import { launchRearrange, steppedBox, wholeBox } from './box.js';
import { resolveAxis } from './operands.js';
import { expandDims } from './shape.js';
import { split } from './slice.js';

const lengthsAlong = (pieces: readonly { readonly shape: Shape }[], axis: number): number[] =>
  pieces.map(({ shape }) => shape[axis]!);

/** Where each piece starts along the axis. */
function startsOf(lengths: readonly number[]): number[] {
  let end = 0;
  return lengths.map((length) => {
    const start = end;
    end += length;
    return start;
  });
}

function requireAlike(pieces: readonly TensorType[], axis: number): void {
  const [first] = pieces;
  const without = (shape: Shape): Shape => shape.filter((_, k) => k !== axis);
  pieces.forEach(({ dataType, shape }, k) => {
    const fits =
      dataType === first!.dataType &&
      shape.length === first!.shape.length &&
      sameShape(without(shape), without(first!.shape));
    if (!fits) {
      throw new ShapeError(
        `concat: tensor ${k} is ${dataType}${shapeText(shape)} and tensor 0 ${typeText(first!)}; ` +
          `they must agree in type and in every extent but that of axis ${axis}.`,
      );
    }
  });
}

const concatReference: ReferenceRule = (pieces, attributes, { shape }) => {
  const axis = Number(attributes.axis);
  const result = referenceZeros(shape);
  const starts = startsOf(lengthsAlong(pieces, axis));
  pieces.forEach((piece, p) => {
    forEachIndex(piece.shape, (index) => {
      const to = index.map((at, k) => (k === axis ? at + starts[p]! : at));
      result.set(...to, piece.get(...index));
    });
  });
  return result;
};

const concatDefinition: OperationDefinition = {
  name: 'concat',
  type(pieces, attributes) {
    const axis = Number(attributes.axis);
    requireAlike(pieces, axis);
    const total = lengthsAlong(pieces, axis).reduce((sum, length) => sum + length, 0);
    return {
      dataType: pieces[0]!.dataType,
      shape: pieces[0]!.shape.map((extent, k) => (k === axis ? total : extent)),
    };
  },
  vjp: ({ inputs, attributes }, c) =>
    split(c, lengthsAlong(inputs, Number(attributes.axis)), Number(attributes.axis)),
  lower(lowering, { inputs, inputTypes, attributes, output, type }) {
    const axis = Number(attributes.axis);
    const starts = startsOf(lengthsAlong(inputTypes, axis));
    const steps = type.shape.map(() => 1);
    inputs.forEach((piece, p) => {
      const { shape } = inputTypes[p]!;
      const to = steppedBox(
        type.shape,
        shape.map((_, k) => (k === axis ? starts[p]! : 0)),
        steps,
      );
      launchRearrange(lowering, shape, [piece, wholeBox(shape)], [output, to]);
    });
  },
};

/**
 * The tensors one behind the other along an axis, which may be negative to count from the end. There may be any number of
 * them; each takes a launch of its own.
 *
 * @throws ShapeError when there is none, or they differ in type, rank or another extent.
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new ShapeError('concat: no tensors were given; give one at least.');
  const along = resolveAxis('concat', axis, first.shape);
  return tensors.length === 1 ? first : apply(concatDefinition, tensors, { axis: along });
}

/**
 * Tensors of one shape along a new axis of the result.
 *
 * @param axis the new axis's place in the result; −1 puts it last
 * @throws ShapeError when there is none, or their shapes differ.
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new ShapeError('stack: no tensors were given; give one at least.');
  const along = resolveAxis('stack', axis, [...first.shape, 1]);
  for (const { shape } of tensors) {
    if (!sameShape(shape, first.shape)) {
      throw new ShapeError(
        `stack: shapes ${shapeText(first.shape)} and ${shapeText(shape)} must be equal; ` +
          'use concat for pieces of different lengths.',
      );
    }
  }
  return concat(
    tensors.map((tensor) => expandDims(tensor, along)),
    along,
  );
}

export const concatOperations: readonly OperationDefinition[] = [concatDefinition];

export const concatReferences: ReferenceRules = {
  concat: concatReference,
};
