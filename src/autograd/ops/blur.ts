/**
 * A symmetric blur of each image along its rows or columns, with weights of the image's own (blur.wgsl). Beyond the border
 * the image is mirrored, the border pixel repeated. That makes the blur a symmetric matrix: it is its own adjoint and so its
 * own derivative, and weights that sum to 1 keep the image's mean.
 */
import { ShapeError } from '../../errors.js';
import {
  apply,
  type OperationDefinition,
  type ReferenceRule,
  type ReferenceRules,
  referenceZeros,
} from '../operation.js';
import { type Shape, shapeText, sizeOf } from '../tape.js';
import type { Tensor } from '../trace.js';

/** The pixel that is seen at a place, inside or beyond the border. */
function mirrored(place: number, extent: number): number {
  const period = 2 * extent;
  const inPeriod = ((place % period) + period) % period;
  return inPeriod < extent ? inPeriod : period - 1 - inPeriod;
}

/** Extents around the blurred axis: planes in front, pixels along it, pixels behind. */
function extentsOf(shape: Shape, axis: number): Record<'OUTER' | 'EXTENT' | 'INNER', number> {
  return { OUTER: sizeOf(shape.slice(0, axis)), EXTENT: shape[axis]!, INNER: sizeOf(shape.slice(axis + 1)) };
}

const blurReference: ReferenceRule = ([x, weights], { axis }, { shape }) => {
  const y = referenceZeros(shape);
  const { EXTENT, INNER } = extentsOf(shape, Number(axis));
  const perImage = sizeOf(shape.slice(1));
  const reach = weights!.shape[1]! - 1;
  for (let number = 0; number < y.data.length; number++) {
    const b = Math.floor(number / perImage);
    const place = Math.floor(number / INNER) % EXTENT;
    for (let offset = -reach; offset <= reach; offset++) {
      const from = number + (mirrored(place + offset, EXTENT) - place) * INNER;
      y.data[number]! += weights!.get(b, Math.abs(offset)) * x!.data[from]!;
    }
  }
  return y;
};

const blurDefinition: OperationDefinition = {
  name: 'blur',
  type([x, weights], { axis }) {
    if (x!.shape.length !== 4 || (axis !== 2 && axis !== 3)) {
      throw new ShapeError(
        `blur: x is ${shapeText(x!.shape)} and the axis ${axis}, but images [B,C,H,W] and axis 2 (H) or 3 (W) are needed.`,
      );
    }
    if (weights!.shape.length !== 2 || weights!.shape[0] !== x!.shape[0]) {
      throw new ShapeError(
        `blur: weights ${shapeText(weights!.shape)} must be [${x!.shape[0]},reach + 1], a row an image of ${shapeText(x!.shape)}.`,
      );
    }
    return x!;
  },
  vjp({ inputs: [, weights], attributes }, c, wanted) {
    if (wanted[1]) {
      throw new ShapeError(
        'blur: has no derivative by the weights; differentiate by the images, or wrap the weights in stopGradient.',
      );
    }
    return [apply(blurDefinition, [c, weights!], attributes), null];
  },
  lower(lowering, { inputs, inputTypes, attributes: { axis }, output, type: { shape } }) {
    const extents = extentsOf(shape, Number(axis));
    const REACH = inputTypes[1]!.shape[1]! - 1;
    const PER_IMAGE = sizeOf(shape.slice(1));
    lowering.launch('blur', { ...extents, REACH, PER_IMAGE }, [...inputs, output], sizeOf(shape));
  },
};

/**
 * Each image of x [B,C,H,W] blurred along an axis: Σ_k weights[b,|k|] · x(place + k), |k| ≤ reach, mirrored at the border.
 *
 * @param weights [B, reach + 1]: of the pixel itself, and of those to either side; they should sum to 1, each but the first
 *   counted twice
 * @param axis 2 blurs along the height, 3 along the width
 * @throws ShapeError when x is no [B,C,H,W], the weights are not a row an image, or the axis is another; and in a gradient
 *   by the weights.
 */
export const blur = (x: Tensor, weights: Tensor, axis: 2 | 3): Tensor =>
  apply(blurDefinition, [x, weights], { axis });

export const blurOperations: readonly OperationDefinition[] = [blurDefinition];

export const blurReferences: ReferenceRules = {
  blur: blurReference,
};
