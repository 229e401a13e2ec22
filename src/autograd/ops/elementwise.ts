/**
 * The elementwise operations, as one table: what each computes (WGSL and float64) and its derivative with
 * respect to each operand. Operands broadcast; a derivative is summed back to its operand's shape.
 */
import { ShapeError } from '../../errors.js';
import {
  apply,
  type Differentiated,
  forEachIndex,
  type OperationDefinition,
  referenceZeros,
} from '../operation.js';
import { broadcastShapes, type Shape, sameShape } from '../tape.js';
import type { Tensor } from '../trace.js';
import { requireFloats } from './operands.js';
import { sumTo } from './reduce.js';

interface ElementwiseRule {
  readonly wgsl: (...operands: string[]) => string;
  readonly float64: (...operands: number[]) => number;
  /** Derivative of the output by each operand, times the cotangent; `null` where it is zero everywhere. */
  readonly derivatives: readonly ((c: Tensor, o: Differentiated) => Tensor | null)[];
}

const none = () => null;

const rules = {
  add: {
    wgsl: (a, b) => `(${a} + ${b})`,
    float64: (a, b) => a! + b!,
    derivatives: [(c) => c, (c) => c],
  },
  sub: {
    wgsl: (a, b) => `(${a} - ${b})`,
    float64: (a, b) => a! - b!,
    derivatives: [(c) => c, (c) => neg(c)],
  },
  mul: {
    wgsl: (a, b) => `(${a} * ${b})`,
    float64: (a, b) => a! * b!,
    derivatives: [(c, { inputs }) => mul(c, inputs[1]!), (c, { inputs }) => mul(c, inputs[0]!)],
  },
  div: {
    wgsl: (a, b) => `(${a} / ${b})`,
    float64: (a, b) => a! / b!,
    derivatives: [
      (c, { inputs }) => div(c, inputs[1]!),
      (c, { inputs, output }) => neg(div(mul(c, output), inputs[1]!)),
    ],
  },
  neg: {
    wgsl: (a) => `(-${a})`,
    float64: (a) => -a!,
    derivatives: [(c) => neg(c)],
  },
  exp: {
    wgsl: (a) => `exp(${a})`,
    float64: (a) => Math.exp(a!),
    derivatives: [(c, { output }) => mul(c, output)],
  },
  log: {
    wgsl: (a) => `log(${a})`,
    float64: (a) => Math.log(a!),
    derivatives: [(c, { inputs }) => div(c, inputs[0]!)],
  },
  sqrt: {
    wgsl: (a) => `sqrt(${a})`,
    float64: (a) => Math.sqrt(a!),
    derivatives: [(c, { output }) => div(scale(c, 0.5), output)],
  },
  // The derivative of the rectifier at 0 is 0, as in PyTorch.
  relu: {
    wgsl: (a) => `max(${a}, 0.0)`,
    float64: (a) => Math.max(a!, 0),
    derivatives: [(c, { inputs }) => mul(c, isPositive(inputs[0]!))],
  },
  isPositive: {
    wgsl: (a) => `select(0.0, 1.0, ${a} > 0.0)`,
    float64: (a) => (a! > 0 ? 1 : 0),
    derivatives: [none],
  },
  stopGradient: {
    wgsl: (a) => a!,
    float64: (a) => a!,
    derivatives: [none],
  },
} as const satisfies Record<string, ElementwiseRule>;

type ElementwiseName = keyof typeof rules;

function defineElementwise(name: ElementwiseName): OperationDefinition {
  const rule: ElementwiseRule = rules[name];
  return {
    name,
    type(inputs) {
      const shape = inputs.reduce<Shape>((joint, { shape }) => broadcastShapes(joint, shape, name), []);
      requireFloats(name, inputs);
      return { dataType: 'f32', shape };
    },
    reference(inputs, _attributes, { shape }) {
      const result = referenceZeros(shape);
      forEachIndex(shape, (index, flat) => {
        const operands = inputs.map((input) => {
          const skipped = shape.length - input.dimension;
          return input.get(...input.shape.map((extent, axis) => (extent === 1 ? 0 : index[axis + skipped]!)));
        });
        result.data[flat] = rule.float64(...operands);
      });
      return result;
    },
    vjp(operation, cotangent, wanted) {
      return rule.derivatives.map((derivative, k) => {
        if (!wanted[k]) return null;
        const full = derivative(cotangent, operation);
        return full === null ? null : sumTo(full, operation.inputs[k]!.shape);
      });
    },
    elementwise: (operands) => rule.wgsl(...operands),
  };
}

const definitions = Object.fromEntries(
  (Object.keys(rules) as ElementwiseName[]).map((name) => [name, defineElementwise(name)]),
) as Record<ElementwiseName, OperationDefinition>;

const constantDefinition = (name: 'scale' | 'shift'): OperationDefinition => ({
  name,
  type([a]) {
    requireFloats(name, [a!]);
    return a!;
  },
  reference([a], { by }) {
    const result = referenceZeros(a!.shape);
    forEachIndex(a!.shape, (index, flat) => {
      const value = a!.get(...index);
      result.data[flat] = name === 'scale' ? value * Number(by) : value + Number(by);
    });
    return result;
  },
  vjp: ({ attributes }, c) => [name === 'scale' ? scale(c, Number(attributes.by)) : c],
  elementwise: ([a], { by }) => `(${a} ${name === 'scale' ? '*' : '+'} f32(${Number(by)}))`,
});

const fillDefinition: OperationDefinition = {
  name: 'fill',
  type: (_inputs, { shape }) => ({ dataType: 'f32', shape: shape as Shape }),
  reference(_inputs, { value }, { shape }) {
    const result = referenceZeros(shape);
    result.data.fill(Number(value));
    return result;
  },
  vjp: () => [],
  elementwise: (_operands, { value }) => `f32(${Number(value)})`,
};

const broadcastDefinition: OperationDefinition = {
  name: 'broadcastTo',
  type([a], attributes) {
    requireFloats('broadcastTo', [a!]);
    const shape = attributes.shape as Shape;
    if (!sameShape(broadcastShapes(a!.shape, shape, 'broadcastTo'), shape)) {
      throw new ShapeError(
        `broadcastTo: [${a!.shape}] does not fit into [${shape}]; an extent of 1 may grow, no other.`,
      );
    }
    return { dataType: 'f32', shape };
  },
  reference: (inputs, attributes, output) => definitions.stopGradient.reference(inputs, attributes, output),
  vjp: ({ inputs }, c) => [sumTo(c, inputs[0]!.shape)],
  elementwise: ([a]) => a!,
};

const scaleDefinition = constantDefinition('scale');
const shiftDefinition = constantDefinition('shift');

/** a + b, broadcast. */
export const add = (a: Tensor, b: Tensor): Tensor => apply(definitions.add, [a, b]);
/** a − b, broadcast. */
export const sub = (a: Tensor, b: Tensor): Tensor => apply(definitions.sub, [a, b]);
/** a · b elementwise, broadcast. */
export const mul = (a: Tensor, b: Tensor): Tensor => apply(definitions.mul, [a, b]);
/** a / b, broadcast. */
export const div = (a: Tensor, b: Tensor): Tensor => apply(definitions.div, [a, b]);
/** −a. */
export const neg = (a: Tensor): Tensor => scale(a, -1);
export const exp = (a: Tensor): Tensor => apply(definitions.exp, [a]);
/** Natural logarithm. */
export const log = (a: Tensor): Tensor => apply(definitions.log, [a]);
export const sqrt = (a: Tensor): Tensor => apply(definitions.sqrt, [a]);
/** max(a, 0); derivative 0 at 0. */
export const relu = (a: Tensor): Tensor => apply(definitions.relu, [a]);
/** 1 where a > 0, else 0. Its derivative is zero everywhere. */
export const isPositive = (a: Tensor): Tensor => apply(definitions.isPositive, [a]);
/** a itself, but no gradient flows back through it. */
export const stopGradient = (a: Tensor): Tensor => apply(definitions.stopGradient, [a]);
/** a · by, for a number known when tracing. */
export const scale = (a: Tensor, by: number): Tensor => (by === 1 ? a : apply(scaleDefinition, [a], { by }));
/** a + by, for a number known when tracing. */
export const shift = (a: Tensor, by: number): Tensor => (by === 0 ? a : apply(shiftDefinition, [a], { by }));
/** A tensor of one value; `like` only names the trace that it belongs to. */
export const fill = (like: Tensor, shape: Shape, value: number): Tensor =>
  like.recorder.record('fill', { shape: [...shape], value }, [], { dataType: 'f32', shape: [...shape] });
/** a repeated along its axes of extent 1 (and new leading axes) to a shape. */
export const broadcastTo = (a: Tensor, shape: Shape): Tensor =>
  sameShape(a.shape, shape) ? a : apply(broadcastDefinition, [a], { shape: [...shape] });

export const elementwiseOperations: readonly OperationDefinition[] = [
  ...Object.values(definitions),
  scaleDefinition,
  shiftDefinition,
  fillDefinition,
  broadcastDefinition,
];
