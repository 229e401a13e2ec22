/**
 * Boxes of a tensor, and tensors made of a box: each is the other's adjoint.
 *
 *     slice:  y[i] = a[starts + i·steps]                       a̅ = place(y̅) with value 0
 *     place:  y[starts + i·steps] = a[i], y = value elsewhere   a̅ = slice(y̅)
 *
 * A step may be negative, which turns the axis round.
 */
import { ShapeError } from '../../errors.js';
import {
  apply,
  forEachIndex,
  type OperationDefinition,
  type ReferenceRule,
  type ReferenceRules,
  referenceData,
  referenceFrom,
  referenceZeros,
} from '../operation.js';
import { type DataType, type Shape, sameShape, shapeText, sizeOf } from '../tape.js';
import type { Tensor } from '../trace.js';
import { isContiguous, launchFill, launchRearrange, steppedBox, wholeBox } from './box.js';
import { resolveAxis } from './operands.js';
import { segment } from './pack.js';
import { reshape } from './reduce.js';

const list = (attribute: unknown): readonly number[] => attribute as readonly number[];

/** @throws ShapeError when a box of these extents, stepped so, leaves the tensor. */
function requireInside(
  operation: string,
  shape: Shape,
  extents: Shape,
  starts: readonly number[],
  steps: readonly number[],
): void {
  if (extents.length !== shape.length || starts.length !== shape.length || steps.length !== shape.length) {
    throw new ShapeError(
      `${operation}: extents ${shapeText(extents)}, starts ${shapeText(starts)} and steps ${shapeText(steps)} must have ` +
        `an entry for each axis of ${shapeText(shape)}.`,
    );
  }
  shape.forEach((extent, axis) => {
    const [first, step] = [starts[axis]!, steps[axis]!];
    const last = first + (extents[axis]! - 1) * step;
    const inside = (place: number): boolean => Number.isInteger(place) && place >= 0 && place < extent;
    if (!Number.isInteger(step) || step === 0) {
      throw new ShapeError(`${operation}: the step ${step} along axis ${axis} must be a whole number but 0.`);
    }
    if (!inside(first) || !inside(last)) {
      throw new ShapeError(
        `${operation}: along axis ${axis} a box of ${extents[axis]} from ${first} with step ${step} does not lie in ` +
          `${shapeText(shape)}; shorten the box or enlarge the tensor.`,
      );
    }
  });
}

const sliceReference: ReferenceRule = ([a], { starts, steps }, { shape }) => {
  return referenceFrom(referenceData(a!.view(shape, list(starts), list(steps))), shape);
};

const sliceDefinition: OperationDefinition = {
  name: 'slice',
  type([a], { starts, steps, shape }) {
    requireInside('slice', a!.shape, list(shape), list(starts), list(steps));
    return { dataType: a!.dataType, shape: list(shape) };
  },
  vjp({ inputs: [a], attributes: { starts, steps } }, c) {
    return [place(c, a!.shape, { starts: list(starts), steps: list(steps) })];
  },
  lower(lowering, { inputs, inputTypes, attributes: { starts, steps }, output, type }) {
    const box = steppedBox(inputTypes[0]!.shape, list(starts), list(steps));
    launchRearrange(lowering, type.shape, [inputs[0]!, box], [output, wholeBox(type.shape)]);
  },
};

const placeReference: ReferenceRule = ([a], { starts, steps, value }, { shape }) => {
  const result = referenceZeros(shape);
  result.data.fill(Number(value));
  const box = result.view(a!.shape, list(starts), list(steps));
  forEachIndex(a!.shape, (index) => {
    box.set(...index, a!.get(...index));
  });
  return result;
};

const placeDefinition: OperationDefinition = {
  name: 'place',
  type([a], { starts, steps, shape, value }) {
    requireInside('place', list(shape), a!.shape, list(starts), list(steps));
    requireValue(Number(value), a!.dataType);
    return { dataType: a!.dataType, shape: list(shape) };
  },
  vjp({ inputs: [a], attributes: { starts, steps } }, c) {
    return [box(c, list(starts), list(steps), a!.shape)];
  },
  lower(lowering, { inputs, inputTypes, attributes: { starts, steps, value }, output, type }) {
    const extents = inputTypes[0]!.shape;
    const count = sizeOf(type.shape);
    if (sizeOf(extents) < count) launchFill(lowering, output, count, type.dataType, Number(value));
    const to = steppedBox(type.shape, list(starts), list(steps));
    launchRearrange(lowering, extents, [inputs[0]!, wholeBox(extents)], [output, to]);
  },
};

function requireValue(value: number, dataType: DataType): void {
  const fits = dataType === 'i32' ? (value | 0) === value : Number.isFinite(Math.fround(value));
  if (!fits) {
    throw new ShapeError(`place: the value ${value} is no finite ${dataType} number; give one that is.`);
  }
}

/** A box of a tensor; where its elements lie side by side it is a view. */
function box(a: Tensor, starts: readonly number[], steps: readonly number[], shape: Shape): Tensor {
  const attributes = { starts: [...starts], steps: [...steps], shape: [...shape] };
  sliceDefinition.type([a.type], attributes);
  const { offset, strides } = steppedBox(a.shape, starts, steps);
  if (!isContiguous(shape, { offset, strides })) return apply(sliceDefinition, [a], attributes);
  if (sameShape(shape, a.shape)) return a;
  return segment(reshape(a, [sizeOf(a.shape)]), offset, shape);
}

/** Which part `slice` takes, per axis. */
export interface SliceOptions {
  /** First place along each axis; a negative one counts from the end. By default the end that the step leaves. */
  readonly starts?: readonly (number | null)[];
  /** Place behind the last one along each axis; a negative one counts from the end. By default all that is there. */
  readonly ends?: readonly (number | null)[];
  /** Distance of the places taken; 1 by default, negative ones run backwards. */
  readonly steps?: readonly (number | null)[];
}

/**
 * A box of a tensor as NumPy's `a[start:end:step, …]`: `null`, and axes that the lists do not reach, stand for the whole
 * axis. Unlike there, a start or end outside the tensor is an error. A box whose elements lie side by side, such as a range
 * of rows, is a view and costs nothing where the device can bind it.
 *
 * @throws ShapeError when the box is empty or leaves the tensor.
 */
export function slice(a: Tensor, { starts = [], ends = [], steps = [] }: SliceOptions): Tensor {
  for (const given of [starts, ends, steps]) {
    if (given.length > a.shape.length) {
      throw new ShapeError(
        `slice: a list of ${given.length} entries was given for ${shapeText(a.shape)}; give one for each axis at most.`,
      );
    }
  }
  const ranges = a.shape.map((extent, axis) => {
    const step = steps[axis] ?? 1;
    const fromEnd = (place: number): number => (place < 0 ? place + extent : place);
    const givenStart = starts[axis];
    const givenEnd = ends[axis];
    const start = givenStart == null ? (step < 0 ? extent - 1 : 0) : fromEnd(givenStart);
    const end = givenEnd == null ? (step < 0 ? -1 : extent) : fromEnd(givenEnd);
    const length = Math.ceil((end - start) / step);
    const lowest = step < 0 ? -1 : 0;
    if (!(length >= 1) || end > extent || end < lowest || start < 0) {
      throw new ShapeError(
        `slice: axis ${axis} of ${shapeText(a.shape)} from ${givenStart ?? 'its start'} to ${givenEnd ?? 'its end'} with ` +
          `step ${step} is empty or leaves the axis; choose places from ${-extent} to ${extent}.`,
      );
    }
    return { start, step, length };
  });
  return box(
    a,
    ranges.map(({ start }) => start),
    ranges.map(({ step }) => step),
    ranges.map(({ length }) => length),
  );
}

/** Where `place` puts a tensor, and what lies around it. */
export interface PlaceOptions {
  /** Where the first element goes along each axis; 0 by default. */
  readonly starts?: readonly number[];
  /** Distance of neighbours along each axis; 1 by default. A negative one turns the axis round. */
  readonly steps?: readonly number[];
  /** What the other elements hold; 0 by default. */
  readonly value?: number;
}

/**
 * A tensor of a shape that holds `a` as a (spread) box, and `value` everywhere else: the adjoint of `slice`.
 *
 * @throws ShapeError when the box leaves the tensor.
 */
export function place(
  a: Tensor,
  shape: Shape,
  { starts = shape.map(() => 0), steps = shape.map(() => 1), value = 0 }: PlaceOptions = {},
): Tensor {
  const isSame = sameShape(a.shape, shape) && steps.every((step) => step === 1);
  const attributes = { starts: [...starts], steps: [...steps], shape: [...shape], value };
  placeDefinition.type([a.type], attributes);
  return isSame ? a : apply(placeDefinition, [a], attributes);
}

/**
 * `a` with so many elements of `value` before and after it along each axis.
 *
 * @throws ShapeError when the lists do not hold a whole number of at least 0 for each axis.
 */
export function pad(a: Tensor, before: readonly number[], after: readonly number[], value = 0): Tensor {
  const isWidth = (width: number): boolean => Number.isInteger(width) && width >= 0;
  if (
    before.length !== a.shape.length ||
    after.length !== a.shape.length ||
    ![...before, ...after].every(isWidth)
  ) {
    throw new ShapeError(
      `pad: before ${shapeText(before)} and after ${shapeText(after)} must each hold a whole number of at least 0 for ` +
        `every axis of ${shapeText(a.shape)}.`,
    );
  }
  const shape = a.shape.map((extent, axis) => before[axis]! + extent + after[axis]!);
  return place(a, shape, { starts: before, value });
}

/**
 * `a` with the order of its elements reversed along the given axes (all by default).
 *
 * @throws ShapeError when an axis is not there.
 */
export function flip(a: Tensor, axes: readonly number[] = a.shape.map((_, axis) => axis)): Tensor {
  const turned = axes.map((axis) => resolveAxis('flip', axis, a.shape));
  return slice(a, { steps: a.shape.map((extent, axis) => (extent > 1 && turned.includes(axis) ? -1 : 1)) });
}

/**
 * `a` cut along an axis, into `parts` equal pieces or into pieces of the lengths given.
 *
 * @throws ShapeError when the lengths do not add up to the axis, or the axis cannot be cut evenly.
 */
export function split(a: Tensor, parts: number | readonly number[], axis = 0): Tensor[] {
  const along = resolveAxis('split', axis, a.shape);
  const extent = a.shape[along]!;
  const lengths =
    typeof parts === 'number' ? Array.from({ length: parts }, () => extent / parts) : [...parts];
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total !== extent || !lengths.every((length) => Number.isInteger(length) && length >= 1)) {
    throw new ShapeError(
      `split: axis ${along} of ${shapeText(a.shape)} cannot be cut into ` +
        `${typeof parts === 'number' ? `${parts} equal parts` : `pieces of ${shapeText(parts)}`}; ` +
        `whole lengths of at least 1 must add up to ${extent}.`,
    );
  }
  let start = 0;
  return lengths.map((length) => {
    const starts = a.shape.map((_, k) => (k === along ? start : 0));
    start += length;
    const shape = a.shape.map((whole, k) => (k === along ? length : whole));
    return box(
      a,
      starts,
      a.shape.map(() => 1),
      shape,
    );
  });
}

export const sliceOperations: readonly OperationDefinition[] = [sliceDefinition, placeDefinition];

export const sliceReferences: ReferenceRules = {
  slice: sliceReference,
  place: placeReference,
};
