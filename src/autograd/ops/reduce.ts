/** Sums and extremes over axes, and the change of shape that goes with them. */
import { ShapeError } from '../../errors.js';
import {
  apply,
  forEachIndex,
  type OperationDefinition,
  type Reference,
  type ReferenceRule,
  type ReferenceRules,
  referenceData,
  referenceFrom,
  referenceZeros,
} from '../operation.js';
import { type Shape, sameShape, shapeText, sizeOf } from '../tape.js';
import type { Tensor } from '../trace.js';
import { equal, where } from './comparisons.js';
import { broadcastTo, div, mul, neg, scale } from './elementwise.js';
import { requireFloats, resolveAxis } from './operands.js';

/** One axis or several; a negative one counts from the last, which is −1. */
export type Axes = number | readonly number[];

/** What a reduction may be told beside its axes. */
export interface ReductionOptions {
  /** Whether the reduced axes stay, with extents of 1 (default), so that the result broadcasts against the operand. */
  readonly keepDimensions?: boolean;
}

/**
 * Axes counted from the first, in order; all axes for `undefined`.
 *
 * @throws ShapeError for an axis that the shape does not have, or that is named twice.
 */
export function resolveAxes(operation: string, shape: Shape, axes: Axes | undefined): number[] {
  const given = axes === undefined ? [...shape.keys()] : typeof axes === 'number' ? [axes] : axes;
  const resolved = given.map((axis) => resolveAxis(operation, axis, shape));
  const twice = resolved.find((axis, k) => resolved.indexOf(axis) !== k);
  if (twice !== undefined) {
    throw new ShapeError(
      `${operation}: axis ${twice} of ${shapeText(shape)} is named twice; name each axis once.`,
    );
  }
  return resolved.sort((a, b) => a - b);
}

/** Number of elements that are reduced to one. */
export const reducedCount = (shape: Shape, axes: readonly number[]): number =>
  sizeOf(axes.map((axis) => shape[axis]!));

/** A reduction's result with its reduced axes (extents of 1) kept or dropped, as the options say. */
export function withDimensions(
  reduced: Tensor,
  axes: readonly number[],
  { keepDimensions = true }: ReductionOptions,
): Tensor {
  if (keepDimensions) return reduced;
  return reshape(
    reduced,
    reduced.shape.filter((_, axis) => !axes.includes(axis)),
  );
}

function defineReduction(
  name: 'sum' | 'max',
  vjp: OperationDefinition['vjp'],
  row: OperationDefinition['row'] = () => null,
): OperationDefinition {
  return {
    name,
    type([a], attributes) {
      requireFloats(name, [a!]);
      const axes = resolveAxes(name, a!.shape, attributes.axes as readonly number[]);
      return {
        dataType: 'f32',
        shape: a!.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)),
      };
    },
    vjp,
    reduction: true,
    row,
  };
}

const sumDefinition = defineReduction(
  'sum',
  ({ inputs }, c) => [broadcastTo(c, inputs[0]!.shape)],
  ({ inputTypes: [a], attributes }) => {
    const axes = attributes.axes as readonly number[];
    const isReduced = (axis: number): boolean => axes.includes(axis) || a!.shape[axis] === 1;
    const isOfPlanes = a!.shape.every((_, axis) => axis < 2 || isReduced(axis)) && !axes.includes(1);
    return isOfPlanes ? (rows, [value]) => rows.total(value!) : null;
  },
);

const maxDefinition = defineReduction('max', ({ inputs: [a], output, attributes }, c) => {
  const isGreatest = equal(a!, output);
  const share = div(c, sum(isGreatest, attributes.axes as readonly number[]));
  return [where(isGreatest, share, 0)];
});

const reshapeReference: ReferenceRule = ([a], _attributes, { shape }) =>
  referenceFrom(referenceData(a!), shape);

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
  vjp: ({ inputs }, c) => [reshape(c, inputs[0]!.shape)],
  view: () => 0,
};

function reduce(definition: OperationDefinition, a: Tensor, axes: readonly number[]): Tensor {
  return axes.every((axis) => a.shape[axis] === 1) ? a : apply(definition, [a], { axes: [...axes] });
}

/**
 * Sum over axes, all of them by default.
 *
 * @throws ShapeError for an axis that is not there or named twice.
 */
export function sum(a: Tensor, axes?: Axes, options: ReductionOptions = {}): Tensor {
  const resolved = resolveAxes('sum', a.shape, axes);
  return withDimensions(reduce(sumDefinition, a, resolved), resolved, options);
}

/**
 * Mean over axes, all of them by default.
 *
 * @throws ShapeError for an axis that is not there or named twice.
 */
export function mean(a: Tensor, axes?: Axes, options: ReductionOptions = {}): Tensor {
  const resolved = resolveAxes('mean', a.shape, axes);
  const total = reduce(sumDefinition, a, resolved);
  return withDimensions(scale(total, 1 / reducedCount(a.shape, resolved)), resolved, options);
}

/**
 * Greatest value over axes, all of them by default; NaN where there is one. Values that share the maximum share its
 * cotangent evenly. The greater of two tensors is `maximum`.
 *
 * @throws ShapeError for an axis that is not there or named twice.
 */
export function max(a: Tensor, axes?: Axes, options: ReductionOptions = {}): Tensor {
  const resolved = resolveAxes('max', a.shape, axes);
  return withDimensions(reduce(maxDefinition, a, resolved), resolved, options);
}

/**
 * Least value over axes, all of them by default, otherwise like `max`. The lesser of two tensors is `minimum`.
 *
 * @throws ShapeError for an axis that is not there or named twice.
 */
export function min(a: Tensor, axes?: Axes, options: ReductionOptions = {}): Tensor {
  const resolved = resolveAxes('min', a.shape, axes);
  return withDimensions(neg(reduce(maxDefinition, neg(a), resolved)), resolved, options);
}

/**
 * The same numbers in another shape, as a view.
 *
 * @throws ShapeError when the shape has another number of elements.
 */
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
  maxDefinition,
  reshapeDefinition,
];

/** Everything along some axes combined, from a start on. */
function combined(
  a: Reference,
  axes: readonly number[],
  shape: Shape,
  start: number,
  combine: (a: number, b: number) => number,
): Reference {
  const result = referenceZeros(shape);
  result.data.fill(start);
  forEachIndex(a.shape, (index) => {
    const to = index.map((at, axis) => (axes.includes(axis) ? 0 : at));
    result.set(...to, combine(result.get(...to), a.get(...index)));
  });
  return result;
}

export const reduceReferences: ReferenceRules = {
  sum: ([a], { axes }, { shape }) => combined(a!, axes as readonly number[], shape, 0, (x, y) => x + y),
  max: ([a], { axes }, { shape }) =>
    combined(a!, axes as readonly number[], shape, Number.NEGATIVE_INFINITY, Math.max),
  reshape: reshapeReference,
};
