/** What a property test of an operation is made of: the operation on random inputs of random shapes. */
import fc from 'fast-check';
import { apply } from '../../../src/autograd/operation.js';
import { definitionOf } from '../../../src/autograd/ops/index.js';
import {
  type Attributes,
  f32,
  i32,
  type Shape,
  sizeOf,
  type TensorType,
} from '../../../src/autograd/tape.js';
import type { Tensor } from '../../../src/autograd/trace.js';
import { integers } from '../../../src/kernels/philox.js';
import { type Domain, numbers } from '../compare.js';

export interface CaseInput {
  readonly type: TensorType;
  readonly values: Float32Array | Int32Array;
}

export interface OperationCase {
  readonly inputs: Readonly<Record<string, CaseInput>>;
  readonly build: (inputs: Record<string, Tensor>) => Tensor;
  /** Inputs that the output depends on differentiably; none where the operation has no derivative. */
  readonly differentiable: readonly string[];
}

export interface OperationProperty {
  /** Name in the table of operations. */
  readonly operation: string;
  readonly cases: fc.Arbitrary<OperationCase>;
}

export type Extent = fc.Arbitrary<number>;

/** Which extents an operation is tried at: small ones for differences, others around the register blocks. */
export interface Sizes {
  readonly extent: Extent;
  /** For axes whose length costs most: channels and images. */
  readonly few: Extent;
  /** For axes that are summed over. */
  readonly summed: Extent;
}

export const TINY: Sizes = {
  extent: fc.constantFrom(1, 2, 3, 4, 5),
  few: fc.constantFrom(1, 2, 3),
  summed: fc.constantFrom(1, 2, 5),
};
export const BLOCKS: Sizes = {
  extent: fc.constantFrom(1, 3, 7, 9, 17),
  few: fc.constantFrom(1, 3, 5),
  summed: fc.constantFrom(1, 9, 40, 131),
};

export const seed = fc.nat(1e6);

/** A case for each set of parameters; a failing one is shown by its parameters. */
export function property<Parameters>(
  operation: string,
  parameters: fc.Arbitrary<Parameters>,
  make: (parameters: Parameters) => OperationCase,
): OperationProperty {
  const cases = parameters.map((chosen) => ({
    ...make(chosen),
    [fc.toStringMethod]: () => `${operation} ${JSON.stringify(chosen)}`,
  }));
  return { operation, cases };
}

export function floats(seed: number, name: string, shape: Shape, domain: Domain = 'any'): CaseInput {
  return { type: f32(...shape), values: numbers(seed, name, sizeOf(shape), domain) };
}

/** Random row numbers or labels in [low, high). */
export function wholeNumbers(
  seed: number,
  name: string,
  count: number,
  low: number,
  high: number,
): CaseInput {
  const values = integers({ seed, purpose: `test/${name}`, index: 0 }, count, high - low);
  return { type: i32(count), values: values.map((value) => value + low) };
}

/** An operation by its name, for those that only a derivative records. */
export const record = (name: string, inputs: readonly Tensor[], attributes: Attributes = {}): Tensor =>
  apply(definitionOf(name), inputs, attributes);
