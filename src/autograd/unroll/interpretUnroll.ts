/**
 * Gradient through training in float64: the same step tape as on the device, interpreted. The oracle for `Unroll`, and
 * short enough to read as what it computes.
 */
import { ShapeError } from '../../errors.js';
import { interpret } from '../interpret.js';
import { sizeOf } from '../tape.js';
import { selectOutputs } from '../tapeTransforms.js';
import { checkOptions, checkRows, defaultWrt, pathWeightsOf, type UnrollDescription } from './options.js';
import { trajectoryLoss } from './problem.js';
import {
  adjointNames,
  forwardOutputs,
  hyperparameterTypes,
  isSummed,
  onTape,
  outerTape,
  reverseOutputs,
  type StepDescription,
  stateTypes,
  stepTape,
} from './tapes.js';

/** Numbers in row-major order, by name. */
export type Values = Readonly<Record<string, ArrayLike<number>>>;

/** What one hypergradient starts from, in host memory. */
export interface UnrollValues {
  /** θ_0 [parameters]. */
  readonly start: ArrayLike<number>;
  /** Tables and hyperparameters by name; [N, …] for those with a value at each step. */
  readonly inputs: Values;
  readonly batches: readonly Int32Array[];
  /** Inputs of the outer objective. */
  readonly outer: Values;
  readonly streams?: readonly Int32Array[];
}

/** What the way forward gives. */
export interface ForwardSweep {
  /** θ_0 … θ_N. */
  readonly path: readonly ArrayLike<number>[];
  readonly innerLosses: readonly number[];
  /** The outer loss. */
  readonly loss: number;
}

/** A hypergradient, and all that can be observed of it. */
export interface UnrollResult extends ForwardSweep {
  /** By name of `wrt`; [N, …] for hyperparameters with a value at each step. */
  readonly gradients: Readonly<Record<string, Float64Array>>;
  /** The outer loss's gradient by θ_0, or by θ_{N−k} where truncated. */
  readonly adjointAtStart: Float64Array;
  /** ‖λ_n‖ for n from 0 to N; NaN where a truncated sweep did not come. */
  readonly adjointNorms: Float64Array;
  /** Each step's own part of the gradient by each of `wrt`. */
  readonly contributions: Readonly<Record<string, readonly Float64Array[]>>;
}

interface Driver {
  readonly description: StepDescription;
  readonly weights: readonly number[];
  states: readonly Readonly<Record<string, ArrayLike<number>>>[];
  stepInputs(step: number): Values;
  outerAt(theta: ArrayLike<number>): { readonly loss: number; readonly gradient: Float64Array };
}

/** The way forward alone: for finite differences of the outer loss. */
export function interpretForward(options: UnrollDescription, values: UnrollValues): ForwardSweep {
  return sweepForward(options, values).result;
}

/**
 * The hypergradient, with all that `Unroll` can observe of it.
 *
 * @throws ShapeError as `Unroll` does.
 */
export function interpretUnroll(options: UnrollDescription, values: UnrollValues): UnrollResult {
  const { driver, result } = sweepForward(options, values);
  const { description, weights } = driver;
  const { steps, truncate = steps } = options;
  const { wrt } = description;
  const types = { ...hyperparameterTypes(description), ...options.problem.tables };
  const zeros = (count: number): Float64Array => new Float64Array(count);

  let adjoints: Record<string, Float64Array> = Object.fromEntries(
    adjointNames(description).map((name) => [name, zeros(sizeOf(stateTypes(description)[name]!.shape))]),
  );
  const gradients = Object.fromEntries(
    wrt.map((name) => [name, zeros(sizeOf(types[name]!.shape) * (isSummed(description, name) ? 1 : steps))]),
  );
  const contributions = Object.fromEntries(
    wrt.map((name) => [name, Array.from({ length: steps }, () => zeros(sizeOf(types[name]!.shape)))]),
  );
  const adjointNorms = zeros(steps + 1).fill(Number.NaN);

  const arrive = (n: number, addsOuter: boolean): void => {
    const weight = weights[n - 1];
    if (addsOuter && weight !== undefined && weight !== 0) {
      const { gradient } = driver.outerAt(driver.states[n]!.theta!);
      adjoints.theta = adjoints.theta!.map((value, i) => value + weight * gradient[i]!);
    }
    adjointNorms[n] = Math.sqrt(adjoints.theta!.reduce((total, value) => total + value * value, 0));
  };
  arrive(steps, true);
  for (let step = steps - 1; step >= steps - truncate; step--) {
    const batch = values.batches[step]!;
    const own = wrt.map(onTape.own);
    const tape = selectOutputs(stepTape(description, batch.length), [...reverseOutputs(description), ...own]);
    const outputs = interpret(tape, {
      ...driver.stepInputs(step),
      ...Object.fromEntries(Object.entries(adjoints).map(([name, value]) => [onTape.adjoint(name), value])),
      ...Object.fromEntries(wrt.map((name) => [onTape.gradient(name), gradients[name]!])),
    });
    adjoints = Object.fromEntries(
      Object.keys(adjoints).map((name) => [name, outputs[onTape.adjoint(name)]!]),
    );
    for (const name of wrt) {
      const part = outputs[onTape.own(name)]!;
      if (isSummed(description, name)) gradients[name] = outputs[onTape.gradient(name)]!;
      else gradients[name]!.set(part, step * part.length);
      addRows(contributions[name]![step]!, part, name in options.problem.tables ? batch : null);
    }
    arrive(step, step > steps - truncate);
  }
  return { ...result, gradients, adjointAtStart: adjoints.theta!, adjointNorms, contributions };
}

function sweepForward(
  options: UnrollDescription,
  values: UnrollValues,
): { readonly driver: Driver; readonly result: ForwardSweep } {
  const { problem, optimiser, perStep = [], steps } = options;
  const wrt = options.wrt ?? defaultWrt(options);
  const description: StepDescription = { problem, optimiser, perStep, wrt };
  checkOptions(
    options,
    values.batches.map(({ length }) => length),
  );
  if (values.batches.length !== steps) {
    throw new ShapeError(`unroll: ${steps} steps need as many batches; ${values.batches.length} were given.`);
  }
  checkRows(problem, values.batches);
  const weights = pathWeightsOf(options);
  const hyperparameters = hyperparameterTypes(description);
  const outer = outerTape(options.outer ?? trajectoryLoss(problem.parameters), problem.parameters);
  const first: Record<string, ArrayLike<number>> = { theta: values.start };
  for (const [name, { extent, start }] of Object.entries(optimiser.state)) {
    first[name] = new Float64Array(extent === 'scalar' ? 1 : problem.parameters).fill(start);
  }
  const states = [first];
  const valueAt = (name: string, step: number): ArrayLike<number> => {
    const given = values.inputs[name]!;
    if (!perStep.includes(name)) return given;
    const size = sizeOf(hyperparameters[name]!.shape);
    return Array.from({ length: size }, (_, i) => given[step * size + i]!);
  };
  const driver: Driver = {
    description,
    weights,
    states,
    stepInputs: (step) => ({
      ...Object.fromEntries(
        Object.entries(states[step]!).map(([name, value]) => [onTape.state(name), value]),
      ),
      ...Object.fromEntries(
        Object.keys(problem.tables).map((name) => [onTape.table(name), values.inputs[name]!]),
      ),
      ...Object.fromEntries(
        Object.keys(hyperparameters).map((name) => [onTape.hyperparameter(name), valueAt(name, step)]),
      ),
      batch: values.batches[step]!,
      ...(values.streams === undefined ? {} : { stream: values.streams[step]! }),
    }),
    outerAt: (theta) => {
      const { loss, gradient } = interpret(outer, { ...values.outer, theta });
      return { loss: loss![0]!, gradient: gradient! };
    },
  };

  const innerLosses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const tape = selectOutputs(
      stepTape(description, values.batches[step]!.length),
      forwardOutputs(description),
    );
    const outputs = interpret(tape, driver.stepInputs(step));
    innerLosses.push(outputs.loss![0]!);
    states.push(
      Object.fromEntries(Object.keys(first).map((name) => [name, outputs[onTape.nextState(name)]!])),
    );
  }
  const loss = weights.reduce(
    (total, weight, k) =>
      weight === 0 ? total : total + weight * driver.outerAt(states[k + 1]!.theta!).loss,
    0,
  );
  return { driver, result: { path: states.map(({ theta }) => theta!), innerLosses, loss } };
}

/** Adds rows at the places of a batch, or everything where there is none. */
function addRows(target: Float64Array, part: Float64Array, batch: Int32Array | null): void {
  const row = batch === null ? part.length : part.length / batch.length;
  for (let i = 0; i < part.length; i++) {
    const to = batch === null ? i : batch[Math.floor(i / row)]! * row + (i % row);
    target[to]! += part[i]!;
  }
}
