/**
 * Matrix product with either operand transposed, and the cross-correlation matrix of Barlow Twins, which is one
 * with a scale. With A' and B' the operands as used (transposed or not), Y = s·A'B' gives Ā' = s·ȲB'ᵀ, B̄' = s·A'ᵀȲ.
 */
import { ShapeError } from '../../errors.js';
import { crossCorrelationBlocks, wholeMultiple } from '../../kernels/catalogue.js';
import { chooseMatmulBlock } from '../../kernels/matmulBlock.js';
import type { Definitions } from '../../kernels/template.js';
import {
  apply,
  type OperationDefinition,
  type ReferenceRule,
  type ReferenceRules,
  referenceZeros,
} from '../operation.js';
import { type Attributes, shapeText, type TensorType, typeText } from '../tape.js';
import type { Tensor } from '../trace.js';
import { scale } from './elementwise.js';
import { launchMatmulTiled } from './matmulTiled.js';
import { requireFloats } from './operands.js';
import { reshape, sum } from './reduce.js';
import { launchInSlices } from './reductionLaunches.js';

/** Which operands of a matrix product are used transposed; neither by default. */
export interface MatmulOptions {
  /** a is [K,M] rather than [M,K]. */
  readonly transposeA?: boolean;
  /** b is [N,K] rather than [K,N]. */
  readonly transposeB?: boolean;
}

function requireMatrix(operation: string, argument: string, type: TensorType): readonly [number, number] {
  if (type.shape.length !== 2 || type.dataType !== 'f32') {
    throw new ShapeError(`${operation}: ${argument} is ${typeText(type)}, but an f32 matrix is needed.`);
  }
  return type.shape as unknown as readonly [number, number];
}

function extentsOf(
  a: TensorType,
  b: TensorType,
  attributes: Attributes,
): { M: number; INNER: number; COLUMNS: number } {
  const left = requireMatrix('matmul', 'a', a);
  const right = requireMatrix('matmul', 'b', b);
  const [M, inner] = attributes.transposeA ? [left[1], left[0]] : left;
  const [INNER, COLUMNS] = attributes.transposeB ? [right[1], right[0]] : right;
  if (inner !== INNER) {
    const used = (type: TensorType, transposed: unknown) =>
      `${shapeText(type.shape)}${transposed ? ' transposed' : ''}`;
    throw new ShapeError(
      `matmul: a ${used(a, attributes.transposeA)} and b ${used(b, attributes.transposeB)} ` +
        `do not fit: the inner extents are ${inner} and ${INNER}.`,
    );
  }
  return { M, INNER, COLUMNS };
}

const matmulReference: ReferenceRule = ([a, b, bias], { transposeA, transposeB }, { shape }) => {
  const left = transposeA ? a!.transpose(1, 0) : a!;
  const right = transposeB ? b!.transpose(1, 0) : b!;
  const y = referenceZeros(shape);
  for (let i = 0; i < shape[0]!; i++)
    for (let j = 0; j < shape[1]!; j++) {
      let total = bias?.get(j) ?? 0;
      for (let k = 0; k < left.shape[1]!; k++) total += left.get(i, k) * right.get(k, j);
      y.set(i, j, total);
    }
  return y;
};

const matmulDefinition: OperationDefinition = {
  name: 'matmul',
  type([a, b, bias], attributes) {
    const { M, COLUMNS } = extentsOf(a!, b!, attributes);
    requireFloats('matmul', bias === undefined ? [] : [bias]);
    if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== COLUMNS)) {
      throw new ShapeError(
        `matmul: bias ${shapeText(bias.shape)} must be [${COLUMNS}], one number a column.`,
      );
    }
    return { dataType: 'f32', shape: [M, COLUMNS] };
  },
  vjp({ inputs: [a, b, bias], attributes: { transposeA, transposeB } }, c, wanted) {
    const gradientA = () =>
      transposeA
        ? matmul(b!, c, { transposeA: Boolean(transposeB), transposeB: true })
        : matmul(c, b!, { transposeB: !transposeB });
    const gradientB = () =>
      transposeB
        ? matmul(c, a!, { transposeA: true, transposeB: Boolean(transposeA) })
        : matmul(a!, c, { transposeA: !transposeA });
    return [
      wanted[0] ? gradientA() : null,
      wanted[1] ? gradientB() : null,
      ...(bias !== undefined ? [wanted[2] ? reshape(sum(c, [0]), bias.shape) : null] : []),
    ];
  },
  lower(lowering, { inputs: [a, b, bias], inputTypes, attributes, output }) {
    const { M, INNER, COLUMNS } = extentsOf(inputTypes[0]!, inputTypes[1]!, attributes);
    if (launchMatmulTiled(lowering, { M, INNER, COLUMNS, ...attributes }, [a!, b!, bias], output)) return;
    const { tuning } = lowering;
    const { shares, ...block } = chooseMatmulBlock(
      { M, INNER, COLUMNS },
      tuning,
      lowering.lanes,
      bias === undefined,
    );
    const { SLICES } = block;
    const LANES = shares ? lowering.lanes : 1;
    const ROW_GROUPS = Math.ceil(M / block.ROW_BLOCK);
    const COLUMN_GROUPS = Math.ceil(COLUMNS / block.COLUMN_BLOCK);
    const WORKGROUP = shares ? LANES : tuning.workgroup.matmul;
    const PLACES = wholeMultiple(COLUMN_GROUPS, LANES);
    const definitions: Definitions = {
      M,
      INNER,
      COLUMNS,
      ...block,
      ROW_GROUPS,
      COLUMN_GROUPS,
      PLACES,
      LANES,
      WORKGROUP,
      TRANSPOSE_A: Boolean(attributes.transposeA),
      TRANSPOSE_B: Boolean(attributes.transposeB),
      BIAS: bias !== undefined,
    };
    launchInSlices(lowering, output, SLICES, M * COLUMNS, (part) => {
      const buffers = [a!, b!, part, ...(bias === undefined ? [] : [bias])];
      lowering.launch('matmul', definitions, buffers, PLACES * ROW_GROUPS * SLICES);
    });
  },
};

const crossCorrelationReference: ReferenceRule = ([z1, z2], _attributes, { shape }) => {
  const f = referenceZeros(shape);
  const batch = z1!.shape[0]!;
  for (let i = 0; i < shape[0]!; i++)
    for (let j = 0; j < shape[1]!; j++) {
      let total = 0;
      for (let b = 0; b < batch; b++) total += z1!.get(b, i) * z2!.get(b, j);
      f.set(i, j, total / batch);
    }
  return f;
};

const crossCorrelationDefinition: OperationDefinition = {
  name: 'crossCorrelation',
  type([z1, z2]) {
    const [batch, D1] = requireMatrix('crossCorrelation', 'z1', z1!);
    const [batch2, D2] = requireMatrix('crossCorrelation', 'z2', z2!);
    if (batch !== batch2) {
      throw new ShapeError(
        `crossCorrelation: z1 ${shapeText(z1!.shape)} and z2 ${shapeText(z2!.shape)} must hold the same batch.`,
      );
    }
    return { dataType: 'f32', shape: [D1, D2] };
  },
  vjp({ inputs: [z1, z2] }, c, wanted) {
    const inverse = 1 / z1!.shape[0]!;
    return [
      wanted[0] ? scale(matmul(z2!, c, { transposeB: true }), inverse) : null,
      wanted[1] ? scale(matmul(z1!, c), inverse) : null,
    ];
  },
  lower(lowering, { inputs: [z1, z2], inputTypes, type, output }) {
    const [D1, D2] = type.shape as [number, number];
    const B = inputTypes[0]!.shape[0]!;
    const product = { M: D1, INNER: B, COLUMNS: D2, transposeA: true, scale: 1 / B };
    if (launchMatmulTiled(lowering, product, [z1!, z2!], output)) return;
    const blocks = crossCorrelationBlocks(D1, D2, lowering.tuning);
    const definitions = { B, D1, D2, ...blocks };
    lowering.launch(
      'crossCorrelation',
      definitions,
      [z1!, z2!, output],
      blocks.ROW_GROUPS * blocks.COLUMN_GROUPS,
    );
  },
};

/**
 * Matrix product: a [M,K] · b [K,N] → [M,N]; with `transposeA` a is [K,M], with `transposeB` b is [N,K]. A bias [N]
 * is added to every row.
 *
 * @throws ShapeError when an operand is no f32 matrix, the inner extents differ, or the bias has another length.
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  options: MatmulOptions & { readonly bias?: Tensor } = {},
): Tensor {
  const { transposeA = false, transposeB = false, bias } = options;
  return apply(matmulDefinition, bias === undefined ? [a, b] : [a, b, bias], { transposeA, transposeB });
}

/**
 * Fully connected layer as PyTorch holds it: x [B,I], weight [O,I], bias [O] → x·weightᵀ + bias [B,O].
 *
 * @throws ShapeError as `matmul`, with x as a and weight as b.
 */
export const linear = (x: Tensor, weight: Tensor, bias: Tensor): Tensor =>
  matmul(x, weight, { transposeB: true, bias });

/**
 * F[i,j] = (1/B) Σ_b z1[b,i] z2[b,j] (MKDT eq. 2, raw): z1 [B,D1], z2 [B,D2] → [D1,D2].
 *
 * @throws ShapeError when the two are no f32 matrices of one batch.
 */
export const crossCorrelation = (z1: Tensor, z2: Tensor): Tensor =>
  apply(crossCorrelationDefinition, [z1, z2]);

export const matmulOperations: readonly OperationDefinition[] = [
  matmulDefinition,
  crossCorrelationDefinition,
];

export const matmulReferences: ReferenceRules = {
  matmul: matmulReference,
  crossCorrelation: crossCorrelationReference,
};
