/**
 * Arithmetic and what it is built of, elementwise: one table of rules, and the functions that record them. Comparisons
 * are in comparisons.ts, functions of one variable in smooth.ts, powers in pow.ts.
 */
import { ShapeError } from '../../errors.js';
import {
  apply,
  type OperationDefinition,
  type ReferenceRule,
  type ReferenceRules,
  referenceZeros,
} from '../operation.js';
import { broadcastShapes, type Shape, sameShape, shapeText } from '../tape.js';
import type { Tensor } from '../trace.js';
import { attributeNumber, numberAttribute, wgslNumber } from './constants.js';
import { defineAll, type ElementwiseRule, elementwiseReference } from './defineElementwise.js';
import { requireFloats } from './operands.js';
import { sumTo } from './reduce.js';

/** A tensor, or a number known when tracing, which broadcasts to any shape. */
export type Operand = Tensor | number;

const rules = {
  add: {
    wgsl: ([a, b]) => `(${a} + ${b})`,
    float64: ([a, b]) => a! + b!,
    derivatives: [(c) => c, (c) => c],
  },
  sub: {
    wgsl: ([a, b]) => `(${a} - ${b})`,
    float64: ([a, b]) => a! - b!,
    derivatives: [(c) => c, (c) => neg(c)],
  },
  mul: {
    wgsl: ([a, b]) => `(${a} * ${b})`,
    float64: ([a, b]) => a! * b!,
    derivatives: [(c, { inputs }) => mul(c, inputs[1]!), (c, { inputs }) => mul(c, inputs[0]!)],
  },
  div: {
    wgsl: ([a, b]) => `(${a} / ${b})`,
    float64: ([a, b]) => a! / b!,
    derivatives: [
      (c, { inputs }) => div(c, inputs[1]!),
      (c, { inputs, output }) => neg(div(mul(c, output), inputs[1]!)),
    ],
  },
  neg: {
    wgsl: ([a]) => `(-${a})`,
    float64: ([a]) => -a!,
    derivatives: [(c) => neg(c)],
  },
  scale: {
    wgsl: ([a], { by }) => `(${a} * ${wgslNumber(attributeNumber(by))})`,
    float64: ([a], { by }) => a! * attributeNumber(by),
    derivatives: [(c, { attributes }) => scale(c, attributeNumber(attributes.by))],
  },
  shift: {
    wgsl: ([a], { by }) => `(${a} + ${wgslNumber(attributeNumber(by))})`,
    float64: ([a], { by }) => a! + attributeNumber(by),
    derivatives: [(c) => c],
  },
  exp: {
    wgsl: ([a]) => `exp(${a})`,
    float64: ([a]) => Math.exp(a!),
    derivatives: [(c, { output }) => mul(c, output)],
  },
  log: {
    wgsl: ([a]) => `natural_logarithm(${a})`,
    float64: ([a]) => Math.log(a!),
    derivatives: [(c, { inputs }) => div(c, inputs[0]!)],
  },
  sqrt: {
    wgsl: ([a]) => `sqrt(${a})`,
    float64: ([a]) => Math.sqrt(a!),
    derivatives: [(c, { output }) => div(scale(c, 0.5), output)],
  },
  rsqrt: {
    wgsl: ([a]) => `inverseSqrt(${a})`,
    float64: ([a]) => 1 / Math.sqrt(a!),
    derivatives: [(c, { inputs, output }) => div(scale(mul(c, output), -0.5), inputs[0]!)],
  },
  abs: {
    wgsl: ([a]) => `abs(${a})`,
    float64: ([a]) => Math.abs(a!),
    derivatives: [(c, { inputs }) => mul(c, sign(inputs[0]!))],
  },
  sign: {
    wgsl: ([a]) => `sign(${a})`,
    float64: ([a]) => Math.sign(a!),
    derivatives: [null],
  },
  // The derivative of the rectifier at 0 is 0, as in PyTorch.
  relu: {
    wgsl: ([a]) => `max(${a}, 0.0)`,
    float64: ([a]) => Math.max(a!, 0),
    derivatives: [(c, { inputs }) => mul(c, isPositive(inputs[0]!))],
  },
  isPositive: {
    wgsl: ([a]) => `select(0.0, 1.0, ${a} > 0.0)`,
    float64: ([a]) => (a! > 0 ? 1 : 0),
    derivatives: [null],
  },
  stopGradient: {
    wgsl: ([a]) => a!,
    float64: ([a]) => a!,
    derivatives: [null],
  },
} as const satisfies Record<string, ElementwiseRule>;

const definitions = defineAll(rules);

const fillReference: ReferenceRule = (_inputs, { value }, { shape }) => {
  const result = referenceZeros(shape);
  result.data.fill(attributeNumber(value));
  return result;
};

const fillDefinition: OperationDefinition = {
  name: 'fill',
  type: (_inputs, { shape }) => ({ dataType: 'f32', shape: shape as Shape }),
  vjp: () => [],
  elementwise: (_operands, { value }) => wgslNumber(attributeNumber(value)),
};

const broadcastReference: ReferenceRule = (inputs, attributes, output) =>
  elementwiseReference(rules.stopGradient.float64)(inputs, attributes, output);

const broadcastDefinition: OperationDefinition = {
  name: 'broadcastTo',
  type([a], attributes) {
    requireFloats('broadcastTo', [a!]);
    const shape = attributes.shape as Shape;
    if (!sameShape(broadcastShapes(a!.shape, shape, 'broadcastTo'), shape)) {
      throw new ShapeError(
        `broadcastTo: ${shapeText(a!.shape)} does not fit into ${shapeText(shape)}; an extent of 1 may grow, no other.`,
      );
    }
    return { dataType: 'f32', shape };
  },
  vjp: ({ inputs }, c) => [sumTo(c, inputs[0]!.shape)],
  elementwise: ([a]) => a!,
};

/** Records an operation whose operands may be numbers, of which at least one is a tensor. */
export function applyToOperands(definition: OperationDefinition, operands: readonly Operand[]): Tensor {
  const like = operands.find((operand) => typeof operand !== 'number');
  if (like === undefined) {
    throw new ShapeError(
      `${definition.name}: the operands ${operands.join(' and ')} are all numbers; make at least one a tensor.`,
    );
  }
  const tensors = operands.map((operand) =>
    typeof operand === 'number' ? constant(definition.name, like, [], operand) : operand,
  );
  return apply(definition, tensors);
}

function constant(operation: string, like: Tensor, shape: Shape, number: number): Tensor {
  const value = numberAttribute(operation, number);
  return like.recorder.record('fill', { shape: [...shape], value }, [], {
    dataType: 'f32',
    shape: [...shape],
  });
}

/** a + b. Operands broadcast; either may be a number. */
export function add(a: Operand, b: Operand): Tensor {
  if (typeof a !== 'number' && typeof b === 'number') return shift(a, b);
  if (typeof a === 'number' && typeof b !== 'number') return shift(b, a);
  return applyToOperands(definitions.add, [a, b]);
}

/** a − b. Operands broadcast; either may be a number. */
export function sub(a: Operand, b: Operand): Tensor {
  if (typeof a !== 'number' && typeof b === 'number') return shift(a, -b);
  return applyToOperands(definitions.sub, [a, b]);
}

/** a · b elementwise. Operands broadcast; either may be a number. */
export function mul(a: Operand, b: Operand): Tensor {
  if (typeof a !== 'number' && typeof b === 'number') return scale(a, b);
  if (typeof a === 'number' && typeof b !== 'number') return scale(b, a);
  return applyToOperands(definitions.mul, [a, b]);
}

/** a / b elementwise. Operands broadcast; either may be a number. */
export const div = (a: Operand, b: Operand): Tensor => applyToOperands(definitions.div, [a, b]);

/** −a. */
export const neg = (a: Tensor): Tensor => scale(a, -1);

/** eᵃ. */
export const exp = (a: Tensor): Tensor => apply(definitions.exp, [a]);

/** Natural logarithm: −∞ at 0, NaN below. */
export const log = (a: Tensor): Tensor => apply(definitions.log, [a]);

/**
 * √a. Its derivative 1/(2√a) is infinite at 0, and becomes NaN where the chain rule multiplies it by 0. Where an operand
 * may be 0, take the root of what is not:
 *
 *     const isPositive = greater(a, 0);
 *     where(isPositive, sqrt(where(isPositive, a, 1)), 0)      // derivative 0 at 0
 */
export const sqrt = (a: Tensor): Tensor => apply(definitions.sqrt, [a]);

/** 1/√a. */
export const rsqrt = (a: Tensor): Tensor => apply(definitions.rsqrt, [a]);

/** |a|; derivative 0 at 0. */
export const abs = (a: Tensor): Tensor => apply(definitions.abs, [a]);

/** −1, 0 or 1. Its derivative is zero everywhere. */
export const sign = (a: Tensor): Tensor => apply(definitions.sign, [a]);

/** max(a, 0); derivative 0 at 0. */
export const relu = (a: Tensor): Tensor => apply(definitions.relu, [a]);

/** 1 where a > 0, else 0. Its derivative is zero everywhere. */
export const isPositive = (a: Tensor): Tensor => apply(definitions.isPositive, [a]);

/** a itself, but no gradient flows back through it. */
export const stopGradient = (a: Tensor): Tensor => apply(definitions.stopGradient, [a]);

/**
 * a · by, for a number known when tracing. Infinities and NaN are allowed.
 *
 * @throws ShapeError when `by` is finite but beyond the range of f32.
 */
export const scale = (a: Tensor, by: number): Tensor =>
  by === 1 ? a : apply(definitions.scale, [a], { by: numberAttribute('scale', by) });

/**
 * a + by, for a number known when tracing. Infinities and NaN are allowed.
 *
 * @throws ShapeError when `by` is finite but beyond the range of f32.
 */
export const shift = (a: Tensor, by: number): Tensor =>
  by === 0 ? a : apply(definitions.shift, [a], { by: numberAttribute('shift', by) });

/**
 * A tensor of one value; `like` only names the trace that it belongs to. Infinities and NaN are allowed.
 *
 * @throws ShapeError when `value` is finite but beyond the range of f32.
 */
export const fill = (like: Tensor, shape: Shape, value: number): Tensor =>
  constant('fill', like, shape, value);

/**
 * a repeated along its axes of extent 1 (and new leading axes) to a shape.
 *
 * @throws ShapeError when another extent would have to change.
 */
export const broadcastTo = (a: Tensor, shape: Shape): Tensor =>
  sameShape(a.shape, shape) ? a : apply(broadcastDefinition, [a], { shape: [...shape] });

export const elementwiseOperations: readonly OperationDefinition[] = [
  ...Object.values(definitions),
  fillDefinition,
  broadcastDefinition,
];

export const elementwiseReferences: ReferenceRules = {
  fill: fillReference,
  broadcastTo: broadcastReference,
};
