/**
 * Squared distance of two tensors in one pass: the mean squared error (MKDT eqs. 5, 6) and the parameter distance
 * of the trajectory loss (eq. 4). d = s·Σ(a−b)² gives ā = 2s·d̄·(a−b) and b̄ = −ā.
 */
import { ShapeError } from '../../errors.js';
import { splitSum } from '../../kernels/catalogue.js';
import {
  apply,
  type OperationDefinition,
  type Reference,
  type ReferenceRules,
  referenceZeros,
} from '../operation.js';
import { sameShape, shapeText, sizeOf, type TensorType } from '../tape.js';
import type { Tensor } from '../trace.js';
import { wgslNumber } from './constants.js';
import { mul, neg, scale, sub } from './elementwise.js';
import { launchSliceSum } from './reductionLaunches.js';

function defineSquaredDistance(name: string, factor: (type: TensorType) => number): OperationDefinition {
  return {
    name,
    type([a, b]) {
      if (!sameShape(a!.shape, b!.shape)) {
        throw new ShapeError(
          `${name}: shapes ${shapeText(a!.shape)} and ${shapeText(b!.shape)} must be equal.`,
        );
      }
      if (a!.dataType !== 'f32' || b!.dataType !== 'f32') {
        throw new ShapeError(
          `${name}: operands are ${a!.dataType} and ${b!.dataType} ${shapeText(a!.shape)}, but f32 tensors are needed.`,
        );
      }
      return { dataType: 'f32', shape: [] };
    },
    vjp({ inputs: [a, b] }, c, wanted) {
      const gradient = mul(scale(sub(a!, b!), 2 * factor(a!.type)), c);
      return [wanted[0] ? gradient : null, wanted[1] ? neg(gradient) : null];
    },
    lower(lowering, { inputs: [a, b], inputTypes, output }) {
      const COUNT = sizeOf(inputTypes[0]!.shape);
      const { slices, perSlice } = splitSum(COUNT, 1, lowering.tuning);
      const part = slices === 1 ? output : lowering.scratch(slices);
      const definitions = {
        COUNT,
        SLICES: slices,
        PER_SLICE: perSlice,
        SCALE: wgslNumber(factor(inputTypes[0]!)),
      };
      lowering.launch('mse', definitions, [a!, b!, part], slices);
      if (slices > 1) launchSliceSum(lowering, part, output, slices, 1);
    },
  };
}

const mseDefinition = defineSquaredDistance('mse', ({ shape }) => 1 / sizeOf(shape));
const distanceDefinition = defineSquaredDistance('squaredDistance', () => 1);

/**
 * Mean squared error over every element (MKDT eqs. 5, 6), a scalar of shape [].
 *
 * @throws ShapeError when the two are not f32 tensors of one shape.
 */
export const mse = (prediction: Tensor, target: Tensor): Tensor => apply(mseDefinition, [prediction, target]);

/**
 * ‖a − b‖², a scalar of shape []: the distance of the trajectory loss (MKDT eq. 4).
 *
 * @throws ShapeError when the two are not f32 tensors of one shape.
 */
export const squaredDistance = (a: Tensor, b: Tensor): Tensor => apply(distanceDefinition, [a, b]);

export const mseOperations: readonly OperationDefinition[] = [mseDefinition, distanceDefinition];

function scaledSquares(a: Reference, b: Reference, factor: number): Reference {
  const result = referenceZeros([]);
  result.data[0] = factor * a.data.reduce((sum, value, i) => sum + (value - b.data[i]!) ** 2, 0);
  return result;
}

export const mseReferences: ReferenceRules = {
  mse: ([a, b]) => scaledSquares(a!, b!, 1 / a!.size),
  squaredDistance: ([a, b]) => scaledSquares(a!, b!, 1),
};
