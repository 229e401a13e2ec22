/**
 * Makes an operation of an elementwise rule: what it computes for one element (WGSL and float64) and its derivative
 * with respect to each operand. Operands broadcast; a derivative is summed back to its operand's shape.
 */
import {
  type Differentiated,
  type OperationDefinition,
  type Reference,
  type ReferenceRule,
  referenceData,
  referenceZeros,
} from '../operation.js';
import { Strided } from '../strided.js';
import { type Attributes, broadcastShapes, type Shape, sameShape } from '../tape.js';
import type { Tensor } from '../trace.js';
import { requireFloats } from './operands.js';
import { sumTo } from './reduce.js';

export interface ElementwiseRule {
  readonly wgsl: (operands: readonly string[], attributes: Attributes) => string;
  readonly float64: (operands: readonly number[], attributes: Attributes) => number;
  /** Derivative of the output by each operand, times the cotangent; `null` where it is zero wherever it exists. */
  readonly derivatives: readonly (((cotangent: Tensor, operation: Differentiated) => Tensor) | null)[];
}

/** A tensor read as if it were repeated to a shape. */
function broadcastReference(tensor: Reference, shape: Shape): Reference {
  if (sameShape(tensor.shape, shape)) return tensor;
  const skipped = shape.length - tensor.dimension;
  const strides = shape.map((_, axis) =>
    axis < skipped || tensor.shape[axis - skipped] === 1 ? 0 : tensor.stride[axis - skipped]!,
  );
  return new Strided(tensor.data, shape, strides, tensor.offset);
}

export function defineElementwise(name: string, rule: ElementwiseRule): OperationDefinition {
  return {
    name,
    type(inputs) {
      const shape = inputs.reduce<Shape>((joint, { shape }) => broadcastShapes(joint, shape, name), []);
      requireFloats(name, inputs);
      return { dataType: 'f32', shape };
    },
    vjp(operation, cotangent, wanted) {
      return rule.derivatives.map((derivative, k) => {
        if (!wanted[k] || derivative === null) return null;
        return sumTo(derivative(cotangent, operation), operation.inputs[k]!.shape);
      });
    },
    elementwise: rule.wgsl,
    float64: rule.float64,
  };
}

/** The reference of an operation that has a rule for one element. */
export const elementwiseReference =
  (float64: ElementwiseRule['float64']): ReferenceRule =>
  (inputs, attributes, { shape }) => {
    const result = referenceZeros(shape);
    const operands = inputs.map((input) => referenceData(broadcastReference(input, shape)));
    for (let i = 0; i < result.size; i++) {
      result.data[i] = float64(
        operands.map((operand) => operand[i]!),
        attributes,
      );
    }
    return result;
  };

/** The operations of a table of rules, by their names. */
export function defineAll<Name extends string>(
  rules: Readonly<Record<Name, ElementwiseRule>>,
): Record<Name, OperationDefinition> {
  const entries = Object.entries<ElementwiseRule>(rules);
  return Object.fromEntries(entries.map(([name, rule]) => [name, defineElementwise(name, rule)])) as Record<
    Name,
    OperationDefinition
  >;
}
