/** Sums and maxima over axes, and the change of shape that goes with them. */
import { ShapeError } from '../../errors.js';
import {
  apply,
  forEachIndex,
  type OperationDefinition,
  type Reference,
  referenceData,
  referenceFrom,
  referenceZeros,
} from '../operation.js';
import { type Shape, sameShape, shapeText, sizeOf } from '../tape.js';
import type { Tensor } from '../trace.js';
import { broadcastTo, mul, scale } from './elementwise.js';
import { requireFloats } from './operands.js';

function reducedShape(shape: Shape, axes: readonly number[]): number[] {
  return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
}

function defineReduction(
  name: 'sum' | 'maximum',
  start: number,
  combine: (a: number, b: number) => number,
  vjp: OperationDefinition['vjp'],
): OperationDefinition {
  return {
    name,
    type([a], attributes) {
      requireFloats(name, [a!]);
      const axes = attributes.axes as readonly number[];
      for (const axis of axes) {
        if (!Number.isInteger(axis) || axis < 0 || axis >= a!.shape.length) {
          throw new ShapeError(`${name}: axis ${axis} is not an axis of ${shapeText(a!.shape)}.`);
        }
      }
      return { dataType: 'f32', shape: reducedShape(a!.shape, axes) };
    },
    reference([a], attributes, { shape }): Reference {
      const result = referenceZeros(shape);
      result.data.fill(start);
      const axes = attributes.axes as readonly number[];
      forEachIndex(a!.shape, (index) => {
        const to = index.map((at, axis) => (axes.includes(axis) ? 0 : at));
        result.set(...to, combine(result.get(...to), a!.get(...index)));
      });
      return result;
    },
    vjp,
    reduction: true,
  };
}

const sumDefinition = defineReduction(
  'sum',
  0,
  (a, b) => a + b,
  ({ inputs }, c) => [broadcastTo(c, inputs[0]!.shape)],
);

const maximumDefinition = defineReduction('maximum', Number.NEGATIVE_INFINITY, Math.max, () => {
  throw new ShapeError(
    'maximum: has no derivative yet; wrap it in stopGradient where it only shifts a range.',
  );
});

const reshapeDefinition: OperationDefinition = {
  name: 'reshape',
  type([a], attributes) {
    const shape = attributes.shape as Shape;
    if (sizeOf(shape) !== sizeOf(a!.shape)) {
      throw new ShapeError(
        `reshape: ${shapeText(a!.shape)} has ${sizeOf(a!.shape)} elements and ${shapeText(shape)} ` +
          `${sizeOf(shape)}; they must be equal.`,
      );
    }
    return { dataType: a!.dataType, shape };
  },
  reference: ([a], _attributes, { shape }) => referenceFrom(referenceData(a!), shape),
  vjp: ({ inputs }, c) => [reshape(c, inputs[0]!.shape)],
  view: () => 0,
};

/** Sum over the given axes (all by default), which stay as extents of 1. */
export function sum(a: Tensor, axes: readonly number[] = a.shape.map((_, axis) => axis)): Tensor {
  return axes.every((axis) => a.shape[axis] === 1) ? a : apply(sumDefinition, [a], { axes: [...axes] });
}

/** Mean over the given axes (all by default), which stay as extents of 1. */
export function mean(a: Tensor, axes: readonly number[] = a.shape.map((_, axis) => axis)): Tensor {
  return scale(sum(a, axes), 1 / axes.reduce((count, axis) => count * a.shape[axis]!, 1));
}

/** Greatest value over the given axes, which stay as extents of 1. */
export const maximum = (a: Tensor, axes: readonly number[]): Tensor =>
  apply(maximumDefinition, [a], { axes: [...axes] });

/** The same numbers in another shape. */
export const reshape = (a: Tensor, shape: Shape): Tensor =>
  sameShape(a.shape, shape) ? a : apply(reshapeDefinition, [a], { shape: [...shape] });

/** The sum of all elements as a scalar of shape []. */
export const sumAll = (a: Tensor): Tensor => reshape(sum(a), []);

/** ⟨a, b⟩ as a scalar of shape []: the sum of the elementwise product is formed without storing it. */
export const dot = (a: Tensor, b: Tensor): Tensor => sumAll(mul(a, b));

/** Adjoint of broadcasting: sums over the axes along which `shape` was repeated. */
export function sumTo(a: Tensor, shape: Shape): Tensor {
  if (sameShape(a.shape, shape)) return a;
  const skipped = a.shape.length - shape.length;
  const axes = a.shape.flatMap((extent, axis) =>
    axis < skipped || (shape[axis - skipped] === 1 && extent !== 1) ? [axis] : [],
  );
  return reshape(sum(a, axes), shape);
}

export const reduceOperations: readonly OperationDefinition[] = [
  sumDefinition,
  maximumDefinition,
  reshapeDefinition,
];
