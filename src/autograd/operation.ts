/**
 * What an operation says about itself. A file in ops/ holds one operation (or one small closed family) in this form:
 * shape rule, lowering to kernels, and derivative in terms of other operations; beside it, for a table apart, the float64
 * reference. What several of them share is in files of ops/ without a table.
 */
import type { KernelName, Tuning } from '../kernels/catalogue.js';
import type { Definitions } from '../kernels/template.js';
import { locate, originSentence } from './origin.js';
import { Strided } from './strided.js';
import { type Attributes, type Shape, sizeOf, type TensorType } from './tape.js';
import type { Tensor } from './trace.js';

/** A float64 tensor of the reference evaluation; integers are held exactly. */
export type Reference = Strided;

/** A tensor in device memory during lowering: a value of the tape, or scratch space. */
export type Storage = { readonly value: number } | { readonly scratch: number };

/** What lowering an operation appends to. */
export interface Lowering {
  readonly tuning: Tuning;
  /** Most storage buffers that one kernel may bind. */
  readonly maximumBindings: number;
  /** Lanes of a subgroup that may tell each other what they loaded; 1 where there are none. */
  readonly lanes: number;
  /** Lanes of every subgroup, whatever they are used for; 1 where there are none, or none of one size. */
  readonly subgroupLanes: number;
  /** Scratch space of so many 4-byte elements, alive for this operation only. */
  scratch(elements: number): Storage;
  /**
   * Appends a dispatch of `invocations` invocations. Buffers are bound in order. The workgroup's size is the table's, if
   * the definitions give no WORKGROUP.
   */
  launch(
    kernel: KernelName,
    definitions: Definitions,
    buffers: readonly Storage[],
    invocations: number,
  ): void;
  /**
   * Appends a dispatch of `workgroups` workgroups that each work together, of as many invocations as the definitions'
   * WORKGROUP says.
   */
  launchWorkgroups(
    kernel: KernelName,
    definitions: WorkgroupDefinitions,
    buffers: readonly Storage[],
    workgroups: number,
  ): void;
}

/** What a kernel is specialised with whose workgroup has a size of the operation's choice. */
export type WorkgroupDefinitions = Definitions & { readonly WORKGROUP: number };

export interface LoweredOperation {
  readonly attributes: Attributes;
  readonly inputs: readonly Storage[];
  readonly inputTypes: readonly TensorType[];
  readonly output: Storage;
  readonly type: TensorType;
}

/** What a derivative rule is given: the operation as recorded, and its output's cotangent. */
export interface Differentiated {
  readonly attributes: Attributes;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
}

/** A value during the writing of a row program: one number of each plane, of each pixel, or of each window. */
export interface RowValue {
  readonly node: number;
  /** What it holds a number for. A node of fewer numbers is repeated. */
  readonly domain: RowDomain;
}

/** `row`: one number a plane (n, c); `fine`: one a pixel; `coarse`: one a window of pixels. */
export type RowDomain = 'row' | 'fine' | 'coarse';

/** What a plane-local operation is written with. Equal values are computed once. */
export interface RowWriter {
  /** A WGSL expression of operands, element by element. */
  map(expression: (operands: readonly string[]) => string, operands: readonly RowValue[]): RowValue;
  /** Σ over the plane. */
  total(value: RowValue): RowValue;
  /** Mean over the plane. */
  mean(value: RowValue): RowValue;
  /** Mean over each window of pixels. */
  windowMean(value: RowValue): RowValue;
  /** Each window's number at each of its pixels. */
  spread(value: RowValue): RowValue;
}

/** The types that an operation was recorded with. */
export interface TypedOperation {
  readonly attributes: Attributes;
  readonly inputTypes: readonly TensorType[];
  readonly type: TensorType;
}

/** Writes an operation into a row program, from its operands to its result. */
export type RowRule = (writer: RowWriter, operands: readonly RowValue[]) => RowValue;

/**
 * An operation in float64, written to be read: from its operands and the type of its result. Kept apart from the definitions, so
 * that a page that only computes on the device does not hold it.
 */
export type ReferenceRule = (
  inputs: readonly Reference[],
  attributes: Attributes,
  output: TensorType,
) => Reference;

/** References by the names of their operations. */
export type ReferenceRules = Readonly<Record<string, ReferenceRule>>;

export interface OperationDefinition {
  readonly name: string;
  /**
   * The output's type, or a ShapeError that names the operation, the argument, and the shapes met and wanted.
   */
  type(inputs: readonly TensorType[], attributes: Attributes): TensorType;
  /**
   * Vector–Jacobian product: for each input the cotangent that flows back to it, or `null` where the output
   * does not depend on it in a differentiable way (an index, a comparison, the far side of `stopGradient`).
   * `wanted[k]` is false where input k leads to nothing that was asked for.
   */
  vjp(operation: Differentiated, cotangent: Tensor, wanted: readonly boolean[]): readonly (Tensor | null)[];
  /** How it runs on a device; `elementwise` and `view` operations are lowered by the compiler itself. */
  lower?(lowering: Lowering, operation: LoweredOperation): void;
  /** WGSL expression of an elementwise operation on operands already broadcast. */
  readonly elementwise?: (operands: readonly string[], attributes: Attributes) => string;
  /** What an elementwise operation computes for one element in float64; others have a rule for whole tensors in a table apart. */
  readonly float64?: (operands: readonly number[], attributes: Attributes) => number;
  /** The output is the input's memory from this element on; it costs nothing. */
  readonly view?: (attributes: Attributes) => number;
  /** This input's memory becomes the output's, changed in place; it is copied first if it is needed again. */
  readonly inPlace?: number;
  /** Reduction that can take an elementwise chain as its operand. */
  readonly reduction?: true;
  /**
   * How each plane (n, c) of tensors [N,C,…] is computed from the same plane of the operands, or `null` where a plane of
   * the result depends on others. A sum over the images as well gives its planes' sums. Elementwise operations need none.
   */
  readonly row?: (operation: TypedOperation) => RowRule | null;
}

/** Records an operation on the tape of its operands, after its shape rule has accepted them. */
export function apply(
  definition: OperationDefinition,
  inputs: readonly Tensor[],
  attributes: Attributes = {},
): Tensor {
  const { recorder } = inputs[0]!;
  try {
    const type = definition.type(
      inputs.map((input) => input.type),
      attributes,
    );
    return recorder.record(definition.name, attributes, inputs, type);
  } catch (error) {
    throw locate(error, originSentence(recorder.origin()));
  }
}

/** An empty float64 tensor of a shape. */
export function referenceZeros(shape: Shape): Reference {
  return new Strided(new Float64Array(sizeOf(shape)), shape);
}

/** A float64 tensor from numbers in row-major order. */
export function referenceFrom(data: ArrayLike<number>, shape: Shape): Reference {
  return new Strided(Float64Array.from(data), shape);
}

/** A reference tensor's numbers in row-major order. */
export function referenceData(tensor: Reference): Float64Array {
  if (tensor.offset === 0 && tensor.data.length === tensor.size && isRowMajor(tensor)) return tensor.data;
  const result = new Float64Array(tensor.size);
  forEachIndex(tensor.shape, (index, flat) => {
    result[flat] = tensor.get(...index);
  });
  return result;
}

function isRowMajor(tensor: Reference): boolean {
  let stride = 1;
  for (let axis = tensor.shape.length - 1; axis >= 0; axis--) {
    if (tensor.shape[axis] !== 1 && tensor.stride[axis] !== stride) return false;
    stride *= tensor.shape[axis]!;
  }
  return true;
}

/** Calls `visit` for every index of a shape in row-major order. The index array is reused. */
export function forEachIndex(shape: Shape, visit: (index: number[], flat: number) => void): void {
  const index = shape.map(() => 0);
  const size = sizeOf(shape);
  for (let flat = 0; flat < size; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}
