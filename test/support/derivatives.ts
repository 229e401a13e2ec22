/** Derivatives of tapes held against central differences in float64. */
import { expect } from 'vitest';
import { gradient, jvp, vjp } from '../../src/autograd/gradient.js';
import { interpret } from '../../src/autograd/interpret.js';
import { add } from '../../src/autograd/ops/elementwise.js';
import { dot } from '../../src/autograd/ops/reduce.js';
import { f32, sizeOf, type Tape, type TensorType } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import { expectNear, inner, norm, numbers } from './compare.js';
import type { OperationCase } from './operations/case.js';

type Inputs = Readonly<Record<string, ArrayLike<number>>>;

const STEP = 1e-5;

/** (f(x + h·d) − f(x − h·d)) / 2h for a function of one flat vector. */
export function centralDifference(
  evaluate: (x: Float64Array) => number,
  at: ArrayLike<number>,
  direction: ArrayLike<number>,
  step = STEP,
): number {
  const moved = (by: number) => Float64Array.from(at, (value, i) => value + by * direction[i]!);
  return (evaluate(moved(step)) - evaluate(moved(-step))) / (2 * step);
}

/**
 * Holds that each output `d_NAME` of a tape is the derivative of its scalar output `value` by the input NAME, along a
 * few random directions.
 */
export function expectDerivatives(tape: Tape, inputs: Inputs, names: readonly string[]): void {
  const outputs = interpret(tape, inputs);
  for (const name of names) {
    const analytic = outputs[`d_${name}`]!;
    for (const seed of [1, 2]) {
      const direction = numbers(seed, `direction of ${name}`, analytic.length);
      const difference = centralDifference(
        (x) => interpret(tape, { ...inputs, [name]: x }).value![0]!,
        inputs[name]!,
        direction,
      );
      const along = inner(analytic, direction);
      const allowed = 1e-6 * norm(analytic) * norm(direction) + 1e-7;
      expect(
        Math.abs(along - difference),
        `derivative by ${name}: ${along} from the tape, ${difference} from differences`,
      ).toBeLessThanOrEqual(allowed);
    }
  }
}

interface Weighted {
  readonly types: Readonly<Record<string, TensorType>>;
  readonly values: Readonly<Record<string, ArrayLike<number>>>;
}

/** The case's inputs, and random weights of its output's shape: ⟨output, weights⟩ is what is differentiated. */
function withWeights({ inputs, build }: OperationCase): Weighted {
  const types = Object.fromEntries(Object.entries(inputs).map(([name, { type }]) => [name, type]));
  const tape = trace(types, (tensors) => ({ y: build(tensors) }));
  const { shape } = tape.operations[tape.outputs.y!]!.type;
  return {
    types: { ...types, weights: f32(...shape) },
    values: {
      ...Object.fromEntries(Object.entries(inputs).map(([name, { values }]) => [name, values])),
      weights: numbers(7, 'weights', sizeOf(shape)),
    },
  };
}

const weightedSum = ({ build }: OperationCase, tensors: Record<string, Tensor>): Tensor =>
  dot(build(tensors), tensors.weights!);

/** First derivatives against differences; asked for one by one they are the same as together. */
export function expectFirstDerivatives(operation: OperationCase): void {
  const { types, values } = withWeights(operation);
  const names = operation.differentiable;
  const derivativeTape = (wrt: readonly string[]) =>
    trace(types, (tensors) => {
      const value = weightedSum(operation, tensors);
      const gradients = gradient(
        value,
        wrt.map((name) => tensors[name]!),
      );
      return { value, ...Object.fromEntries(wrt.map((name, k) => [`d_${name}`, gradients[k]!])) };
    });
  const joint = derivativeTape(names);
  expectDerivatives(joint, values, names);
  if (names.length === 1) return;
  const together = interpret(joint, values);
  for (const name of names) {
    const alone = interpret(derivativeTape([name]), values);
    expectNear(alone[`d_${name}`]!, together[`d_${name}`]!, { relative: 1e-12, absolute: 1e-12 }, name);
  }
}

/** Derivatives of Σ ⟨first derivative, u⟩ for random u, by every input and by the weights. */
export function expectSecondDerivatives(operation: OperationCase): void {
  const { types, values } = withWeights(operation);
  const names = operation.differentiable;
  const alongNames = names.map((name) => `along_${name}`);
  const allTypes = {
    ...types,
    ...Object.fromEntries(names.map((name, k) => [alongNames[k]!, types[name]!])),
  };
  const allValues = {
    ...values,
    ...Object.fromEntries(
      names.map((name, k) => [alongNames[k]!, numbers(11, alongNames[k]!, values[name]!.length)]),
    ),
  };
  const wrt = [...names, 'weights'];
  const tape = trace(allTypes, (tensors) => {
    const first = gradient(
      weightedSum(operation, tensors),
      names.map((name) => tensors[name]!),
    );
    const value = first
      .map((derivative, k) => dot(derivative, tensors[alongNames[k]!]!))
      .reduce((total, term) => add(total, term));
    const second = gradient(
      value,
      wrt.map((name) => tensors[name]!),
      { unconnected: 'zero' },
    );
    return { value, ...Object.fromEntries(wrt.map((name, k) => [`d_${name}`, second[k]!])) };
  });
  expectDerivatives(tape, allValues, wrt);
}

/** ⟨u, J·t⟩ = ⟨Jᵀu, t⟩ for random t and u, and nothing of the cotangent that `jvp` stands on is left on the tape. */
export function expectForwardMode(operation: OperationCase): void {
  const { types, values } = withWeights(operation);
  const names = operation.differentiable;
  const tangents = Object.fromEntries(names.map((name) => [`t_${name}`, types[name]!]));
  const tape = trace({ ...types, ...tangents }, (tensors) => {
    const output = operation.build(tensors);
    const wrt = names.map((name) => tensors[name]!);
    const [along] = jvp(
      [output],
      wrt,
      names.map((name) => tensors[`t_${name}`]!),
      // x⁰ is constant, and its derivative an explicit zero.
      { unconnected: 'zero' },
    ) as [Tensor];
    const back = vjp([output], wrt, [tensors.weights!]);
    const pulled = names.map((name, k) => dot(back[k]!, tensors[`t_${name}`]!));
    return { pushed: dot(along, tensors.weights!), pulled: pulled.reduce((total, term) => add(total, term)) };
  });
  const marks = tape.operations.filter(({ attributes }) => 'placeholder' in attributes);
  expect(marks, 'placeholders left on the tape').toEqual([]);
  const directions = Object.fromEntries(
    names.map((name) => [`t_${name}`, numbers(13, `t_${name}`, values[name]!.length)]),
  );
  const { pushed, pulled } = interpret(tape, { ...values, ...directions });
  expectNear(pushed!, pulled!, { relative: 1e-9, absolute: 1e-9 });
}

/** Derivatives of ⟨second derivative along u, w⟩ for random u and w, by every input. */
export function expectThirdDerivatives(operation: OperationCase): void {
  const { types, values } = withWeights(operation);
  const names = operation.differentiable;
  const wrtOf = (tensors: Record<string, Tensor>) => names.map((name) => tensors[name]!);
  /** Σ ⟨gradient of value, direction⟩. */
  const along = (value: Tensor, tensors: Record<string, Tensor>, direction: string): Tensor =>
    gradient(value, wrtOf(tensors), { unconnected: 'zero' })
      .map((derivative, k) => dot(derivative, tensors[`${direction}_${names[k]}`]!))
      .reduce((total, term) => add(total, term));
  const directions = ['u', 'w'].flatMap((direction) =>
    names.map((name) => [`${direction}_${name}`, name] as const),
  );
  const tape = trace(
    { ...types, ...Object.fromEntries(directions.map(([key, name]) => [key, types[name]!])) },
    (tensors) => {
      const value = along(along(weightedSum(operation, tensors), tensors, 'u'), tensors, 'w');
      const third = gradient(value, wrtOf(tensors), { unconnected: 'zero' });
      return { value, ...Object.fromEntries(names.map((name, k) => [`d_${name}`, third[k]!])) };
    },
  );
  const allValues = {
    ...values,
    ...Object.fromEntries(directions.map(([key, name]) => [key, numbers(13, key, values[name]!.length)])),
  };
  expectDerivatives(tape, allValues, names);
}
