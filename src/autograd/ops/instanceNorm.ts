/**
 * Instance normalisation, from four operations on the rows (n, c) of a tensor. With r = rstd(x), x̂ = standardise(x)
 * and means over a row:
 *
 *     P(u, x̂) = u − mean(u) − x̂·mean(u·x̂)         (projectRows; self-adjoint in u)
 *     standardise:  x̄ = r · P(ȳ, x̂)
 *     rstd:         x̄ = −r²·x̂·r̄ / R
 *     projectRows:  ū = P(w, x̂),   x̂̄ = −(w·mean(u·x̂) + u·mean(w·x̂))
 *     rowMean(a·b): ā = b·m̄ / R,   b̄ = a·m̄ / R
 */
import { ShapeError } from '../../errors.js';
import { unrollFactor } from '../../kernels/catalogue.js';
import { rowWorkgroup, treeDefinitions } from '../../kernels/rowTrees.js';
import {
  apply,
  type Lowering,
  type OperationDefinition,
  type Reference,
  type ReferenceRule,
  type ReferenceRules,
  type RowRule,
  type RowValue,
  type RowWriter,
  referenceZeros,
  type Storage,
} from '../operation.js';
import { type Attributes, sameShape, shapeText, sizeOf, type TensorType, typeText } from '../tape.js';
import type { Tensor } from '../trace.js';
import { wgslNumber } from './constants.js';
import { add, mul, neg, scale } from './elementwise.js';
import { reshape } from './reduce.js';

type Mode = 'STANDARDISE' | 'RECIPROCAL' | 'PROJECT' | 'MEAN_PRODUCT';

function requireRows(operation: string, argument: string, type: TensorType): void {
  if (type.shape.length < 2 || type.dataType !== 'f32') {
    throw new ShapeError(
      `${operation}: ${argument} is ${typeText(type)}, but an f32 tensor [N,C,…] is needed.`,
    );
  }
}

/** @throws ShapeError for an epsilon with which the root would not be of a number above 0. */
function requireEpsilon(operation: string, { epsilon }: Attributes): void {
  if (!(Number(epsilon) >= 0 && Number.isFinite(Math.fround(Number(epsilon))))) {
    throw new ShapeError(`${operation}: epsilon is ${epsilon}, but must be a finite f32 of at least 0.`);
  }
}

function requireEqualRows(operation: string, a: TensorType, b: TensorType): void {
  requireRows(operation, 'the first operand', a);
  if (!sameShape(a.shape, b.shape) || b.dataType !== 'f32') {
    throw new ShapeError(
      `${operation}: f32${shapeText(a.shape)} and ${typeText(b)} must be two f32 tensors of one shape.`,
    );
  }
}

/** The shape of one number a row: [N,C,1,1] for [N,C,H,W]. */
function rowShape(type: TensorType): number[] {
  return type.shape.map((extent, axis) => (axis < 2 ? extent : 1));
}

function rowsOf(tensor: { readonly shape: readonly number[] }): { ROWS: number; R: number } {
  const [n, c, ...rest] = tensor.shape as [number, number, ...number[]];
  return { ROWS: n * c, R: sizeOf(rest) };
}

/** Calls `visit` with each row's numbers as a plain array (row-major operands). */
function mapRows(
  operands: readonly Reference[],
  output: TensorType,
  compute: (...rows: Float64Array[]) => ArrayLike<number>,
): Reference {
  const result = referenceZeros(output.shape);
  const { ROWS, R } = rowsOf(operands[0]!);
  const perRow = result.size / ROWS;
  for (let row = 0; row < ROWS; row++) {
    const values = compute(...operands.map(({ data }) => data.subarray(row * R, (row + 1) * R)));
    for (let i = 0; i < perRow; i++) result.data[row * perRow + i] = values[i]!;
  }
  return result;
}

const meanOf = (row: Float64Array): number => row.reduce((total, value) => total + value, 0) / row.length;
const meanProductOf = (a: Float64Array, b: Float64Array): number =>
  a.reduce((total, value, i) => total + value * b[i]!, 0) / a.length;
function rstdOf(row: Float64Array, epsilon: number): number {
  const mean = meanOf(row);
  return 1 / Math.sqrt(row.reduce((total, value) => total + (value - mean) ** 2, 0) / row.length + epsilon);
}

function launchRows(
  lowering: Lowering,
  mode: Mode,
  operand: TensorType,
  buffers: readonly Storage[],
  epsilon: number,
): void {
  const modes = { STANDARDISE: false, RECIPROCAL: false, PROJECT: false, MEAN_PRODUCT: false, [mode]: true };
  const { ROWS, R } = rowsOf(operand);
  const WORKGROUP = rowWorkgroup(R, lowering.tuning.rowTree);
  if (WORKGROUP !== null) {
    const tree = treeDefinitions(WORKGROUP, lowering.subgroupLanes);
    const definitions = { ROWS, R, EPSILON: epsilon, MAXIMUM: false, ...modes, ...tree };
    lowering.launchWorkgroups('instanceNormTree', definitions, buffers, ROWS);
    return;
  }
  lowering.launch(
    'instanceNorm',
    { ROWS, R, UNROLL: unrollFactor(R, lowering.tuning.unroll), EPSILON: epsilon, ...modes },
    buffers,
    ROWS,
  );
}

const centredRow = (rows: RowWriter, x: RowValue): RowValue =>
  rows.map(([value, mean]) => `(${value} - ${mean})`, [x, rows.mean(x)]);

/** From the centred row: the variance is the mean of its squares. */
function rstdRow(rows: RowWriter, centred: RowValue, epsilon: number): RowValue {
  const variance = rows.mean(rows.map(([value]) => `(${value} * ${value})`, [centred]));
  return rows.map(([value]) => `(1.0 / sqrt(${value} + ${wgslNumber(epsilon)}))`, [variance]);
}

const productRow = (rows: RowWriter, a: RowValue, b: RowValue): RowValue =>
  rows.map(([left, right]) => `(${left} * ${right})`, [a, b]);

const projectRule: RowRule = (rows, [u, xHat]) =>
  rows.map(
    ([value, mean, standardised, product]) => `(${value} - ${mean} - ${standardised} * ${product})`,
    [u!, rows.mean(u!), xHat!, rows.mean(productRow(rows, u!, xHat!))],
  );

const standardiseReference: ReferenceRule = ([x], { epsilon }, output) =>
  mapRows([x!], output, (row) => {
    const mean = meanOf(row);
    const r = rstdOf(row, Number(epsilon));
    return row.map((value) => (value - mean) * r);
  });

const standardiseDefinition: OperationDefinition = {
  name: 'standardiseRows',
  type([x], attributes) {
    requireRows('standardiseRows', 'x', x!);
    requireEpsilon('standardiseRows', attributes);
    return x!;
  },
  vjp({ inputs: [x], output, attributes }, c) {
    return [mul(reciprocalDeviation(x!, Number(attributes.epsilon)), projectRows(c, output))];
  },
  lower(lowering, { inputs, inputTypes, attributes, output }) {
    launchRows(lowering, 'STANDARDISE', inputTypes[0]!, [inputs[0]!, output], Number(attributes.epsilon));
  },
  row:
    ({ attributes }) =>
    (rows, [x]) => {
      const centred = centredRow(rows, x!);
      return productRow(rows, centred, rstdRow(rows, centred, Number(attributes.epsilon)));
    },
};

const reciprocalReference: ReferenceRule = ([x], { epsilon }, output) =>
  mapRows([x!], output, (row) => [rstdOf(row, Number(epsilon))]);

const reciprocalDefinition: OperationDefinition = {
  name: 'reciprocalDeviation',
  type([x], attributes) {
    requireRows('reciprocalDeviation', 'x', x!);
    requireEpsilon('reciprocalDeviation', attributes);
    return { dataType: 'f32', shape: rowShape(x!) };
  },
  vjp({ inputs: [x], output, attributes }, c) {
    const factor = scale(mul(c, mul(output, output)), -1 / rowsOf(x!).R);
    return [mul(standardiseRows(x!, Number(attributes.epsilon)), factor)];
  },
  lower(lowering, { inputs, inputTypes, attributes, output }) {
    launchRows(lowering, 'RECIPROCAL', inputTypes[0]!, [inputs[0]!, output], Number(attributes.epsilon));
  },
  row:
    ({ attributes }) =>
    (rows, [x]) =>
      rstdRow(rows, centredRow(rows, x!), Number(attributes.epsilon)),
};

const projectReference: ReferenceRule = ([u, standardised], _attributes, output) =>
  mapRows([u!, standardised!], output, (row, xHat) => {
    const mean = meanOf(row);
    const product = meanProductOf(row, xHat);
    return row.map((value, i) => value - mean - xHat[i]! * product);
  });

const projectDefinition: OperationDefinition = {
  name: 'projectRows',
  type([u, standardised]) {
    requireEqualRows('projectRows', u!, standardised!);
    return u!;
  },
  vjp({ inputs: [u, standardised] }, w, wanted) {
    return [
      wanted[0] ? projectRows(w, standardised!) : null,
      wanted[1]
        ? neg(add(mul(w, meanProductRows(u!, standardised!)), mul(u!, meanProductRows(w, standardised!))))
        : null,
    ];
  },
  lower(lowering, { inputs, inputTypes, output }) {
    launchRows(lowering, 'PROJECT', inputTypes[0]!, [...inputs, output], 0);
  },
  row: () => projectRule,
};

const meanProductReference: ReferenceRule = ([a, b], _attributes, output) =>
  mapRows([a!, b!], output, (row, other) => [meanProductOf(row, other)]);

const meanProductDefinition: OperationDefinition = {
  name: 'meanProductRows',
  type([a, b]) {
    requireEqualRows('meanProductRows', a!, b!);
    return { dataType: 'f32', shape: rowShape(a!) };
  },
  vjp({ inputs: [a, b] }, c, wanted) {
    const share = scale(c, 1 / rowsOf(a!).R);
    return [wanted[0] ? mul(b!, share) : null, wanted[1] ? mul(a!, share) : null];
  },
  lower(lowering, { inputs, inputTypes, output }) {
    launchRows(lowering, 'MEAN_PRODUCT', inputTypes[0]!, [...inputs, output], 0);
  },
  row:
    () =>
    (rows, [a, b]) =>
      rows.mean(productRow(rows, a!, b!)),
};

/** PyTorch's default epsilon of instance, group and batch normalisation. */
export const NORM_EPSILON = 1e-5;

/**
 * Each row (n, c) of x [N,C,…] shifted and scaled to mean 0 and biased variance 1: (x − mean) / √(variance + epsilon).
 *
 * @throws ShapeError when x is no f32 tensor of two axes or more, or epsilon is below 0 or not finite.
 */
export const standardiseRows = (x: Tensor, epsilon = NORM_EPSILON): Tensor =>
  apply(standardiseDefinition, [x], { epsilon });

/** 1 / √(variance + epsilon) of each row: x [N,C,…] → [N,C,1,…]. */
export const reciprocalDeviation = (x: Tensor, epsilon = NORM_EPSILON): Tensor =>
  apply(reciprocalDefinition, [x], { epsilon });

/** u with its mean, and its part along the standardised row, taken out: both [N,C,…]. */
export const projectRows = (u: Tensor, standardised: Tensor): Tensor =>
  apply(projectDefinition, [u, standardised]);

/** mean(a·b) of each row: [N,C,…] → [N,C,1,…]. */
export const meanProductRows = (a: Tensor, b: Tensor): Tensor => apply(meanProductDefinition, [a, b]);

/**
 * Instance normalisation with affine parameters (GroupNorm with one channel a group): x [N,C,…], gamma [C],
 * beta [C] → [N,C,…]. (Ulyanov, Vedaldi and Lempitsky 2016.)
 *
 * @throws ShapeError when x has fewer than two axes, or gamma or beta is not [C].
 */
export function instanceNorm(x: Tensor, gamma: Tensor, beta: Tensor, epsilon = NORM_EPSILON): Tensor {
  requireRows('instanceNorm', 'x', x.type);
  const perChannel = [x.shape[1]!, ...x.shape.slice(2).map(() => 1)];
  for (const [name, parameter] of Object.entries({ gamma, beta })) {
    if (parameter.shape.length !== 1 || parameter.shape[0] !== x.shape[1]) {
      throw new ShapeError(
        `instanceNorm: ${name} ${shapeText(parameter.shape)} must be [${x.shape[1]}], one number a channel of x ${shapeText(x.shape)}.`,
      );
    }
  }
  return add(mul(standardiseRows(x, epsilon), reshape(gamma, perChannel)), reshape(beta, perChannel));
}

export const instanceNormOperations: readonly OperationDefinition[] = [
  standardiseDefinition,
  reciprocalDefinition,
  projectDefinition,
  meanProductDefinition,
];

export const instanceNormReferences: ReferenceRules = {
  standardiseRows: standardiseReference,
  reciprocalDeviation: reciprocalReference,
  projectRows: projectReference,
  meanProductRows: meanProductReference,
};
