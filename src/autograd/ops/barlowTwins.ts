/**
 * The Barlow Twins loss of a cross-correlation matrix (MKDT eq. 1), L = Σ_i (1 − F_ii)² + λ Σ_i Σ_{j≠i} F_ij².
 * With W = 1 on the diagonal and λ off it: F̄ = 2W∘(F − I), and that gradient's derivative along C is 2W∘C.
 */
import { ShapeError } from '../../errors.js';
import {
  apply,
  type Lowering,
  type OperationDefinition,
  type ReferenceRule,
  type ReferenceRules,
  referenceZeros,
  type Storage,
} from '../operation.js';
import { shapeText, type TensorType } from '../tape.js';
import type { Tensor } from '../trace.js';
import { wgslNumber } from './constants.js';
import { mul } from './elementwise.js';
import { requireFloats } from './operands.js';
import { launchSliceSum } from './reductionLaunches.js';

function requireSquare(operation: string, type: TensorType): void {
  requireFloats(operation, [type]);
  if (type.shape.length !== 2 || type.shape[0] !== type.shape[1]) {
    throw new ShapeError(`${operation}: F is ${shapeText(type.shape)}, but a square matrix is needed.`);
  }
}

function launchRows(
  lowering: Lowering,
  mode: 'LOSS' | 'GRADIENT' | 'CURVATURE',
  lambda: number,
  size: number,
  f: Storage,
  result: Storage,
): void {
  const modes = { LOSS: false, GRADIENT: false, CURVATURE: false, [mode]: true };
  const LAMBDA = wgslNumber(lambda);
  lowering.launch('barlowTwins', { ...modes, D: size, LAMBDA }, [f, result], size);
}

const lossReference: ReferenceRule = ([f], { lambda }) => {
  const result = referenceZeros([]);
  const size = f!.shape[0]!;
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) {
      result.data[0]! += i === j ? (1 - f!.get(i, i)) ** 2 : Number(lambda) * f!.get(i, j) ** 2;
    }
  return result;
};

const lossDefinition: OperationDefinition = {
  name: 'barlowTwinsLoss',
  type([f], { lambda }) {
    requireSquare('barlowTwinsLoss', f!);
    if (!Number.isFinite(Math.fround(Number(lambda)))) {
      throw new ShapeError(`barlowTwinsLoss: lambda is ${lambda}, but must be a finite f32.`);
    }
    return { dataType: 'f32', shape: [] };
  },
  vjp: ({ inputs: [f], attributes }, c) => [mul(apply(gradientDefinition, [f!], attributes), c)],
  lower(lowering, { inputs: [f], inputTypes, attributes, output }) {
    const size = inputTypes[0]!.shape[0]!;
    const part = lowering.scratch(size);
    launchRows(lowering, 'LOSS', Number(attributes.lambda), size, f!, part);
    launchSliceSum(lowering, part, output, size, 1);
  },
};

const weighted = (name: string, mode: 'GRADIENT' | 'CURVATURE'): OperationDefinition => ({
  name,
  type([f]) {
    requireSquare(name, f!);
    return f!;
  },
  // W∘ is its own adjoint, whether F was centred before or not.
  vjp: ({ attributes }, c) => [apply(curvatureDefinition, [c], attributes)],
  lower(lowering, { inputs: [f], type, attributes, output }) {
    launchRows(lowering, mode, Number(attributes.lambda), type.shape[0]!, f!, output);
  },
});

const gradientDefinition = weighted('barlowTwinsGradient', 'GRADIENT');
const curvatureDefinition = weighted('barlowTwinsCurvature', 'CURVATURE');

/**
 * The Barlow Twins loss of F [D,D] (MKDT eq. 1), a scalar of shape []; `lambda` weighs the off-diagonal terms.
 *
 * @throws ShapeError when F is no square f32 matrix, or `lambda` is no finite f32.
 */
export const barlowTwinsLoss = (f: Tensor, lambda: number): Tensor => apply(lossDefinition, [f], { lambda });

export const barlowTwinsOperations: readonly OperationDefinition[] = [
  lossDefinition,
  gradientDefinition,
  curvatureDefinition,
];

const weightedReference =
  (centre: number): ReferenceRule =>
  ([f], { lambda }, { shape }) => {
    const result = referenceZeros(shape);
    for (let i = 0; i < shape[0]!; i++)
      for (let j = 0; j < shape[1]!; j++) {
        result.set(i, j, i === j ? 2 * (f!.get(i, i) - centre) : 2 * Number(lambda) * f!.get(i, j));
      }
    return result;
  };

export const barlowTwinsReferences: ReferenceRules = {
  barlowTwinsLoss: lossReference,
  barlowTwinsGradient: (...given) => weightedReference(1)(...given),
  barlowTwinsCurvature: (...given) => weightedReference(0)(...given),
};
