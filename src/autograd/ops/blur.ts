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
import { shapeText, sizeOf } from '../tape.js';
import type { Tensor } from '../trace.js';
import { aroundAxis, requireFloats } from './operands.js';

/** The pixel that is seen at a place, inside or beyond the border. */
function mirrored(place: number, extent: number): number {
  const period = 2 * extent;
  const inPeriod = ((place % period) + period) % period;
  return inPeriod < extent ? inPeriod : period - 1 - inPeriod;
}

const blurReference: ReferenceRule = ([x, weights], { axis }, { shape }) => {
  const y = referenceZeros(shape);
  const { extent, inner } = aroundAxis(shape, Number(axis));
  const perImage = sizeOf(shape.slice(1));
  const reach = weights!.shape[1]! - 1;
  for (let number = 0; number < y.data.length; number++) {
    const b = Math.floor(number / perImage);
    const place = Math.floor(number / inner) % extent;
    for (let offset = -reach; offset <= reach; offset++) {
      const from = number + (mirrored(place + offset, extent) - place) * inner;
      y.data[number]! += weights!.get(b, Math.abs(offset)) * x!.data[from]!;
    }
  }
  return y;
};

const blurDefinition: OperationDefinition = {
  name: 'blur',
  type([x, weights], { axis }) {
    requireFloats('blur', [x!, weights!]);
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
    const { outer: OUTER, extent: EXTENT, inner: INNER } = aroundAxis(shape, Number(axis));
    const REACH = inputTypes[1]!.shape[1]! - 1;
    const PER_IMAGE = sizeOf(shape.slice(1));
    lowering.launch('blur', { OUTER, EXTENT, INNER, REACH, PER_IMAGE }, [...inputs, output], sizeOf(shape));
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
