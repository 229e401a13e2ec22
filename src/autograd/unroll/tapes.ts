/**
 * The tapes of gradient-through-training. One tape holds a whole inner step, forward and back:
 *
 *     (θ_{n+1}, s_{n+1}) = step(θ_n, s_n, ∇θ ℓ(θ_n; X[b], …), α, …)         s: the optimiser's state
 *     (θ̄_n, s̄_n, X̄, ᾱ, …) = (∂step)ᵀ (θ̄_{n+1}, s̄_{n+1})                   by `vjp`, so exact for any optimiser
 *
 * For plain SGD the second line is λ_n = λ_{n+1} + Hv at v = −αλ_{n+1}; for momentum and weight decay it carries the
 * adjoint of the buffer as well. The three memory modes are parts of this tape: what is computed from θ_n alone, what
 * needs the adjoint, or both at once.
 */
import { ShapeError } from '../../errors.js';
import { gradient, vjpOrRefuse } from '../gradient.js';
import { add, mul } from '../ops/elementwise.js';
import { gather, scatterAdd } from '../ops/gather.js';
import { sumAll } from '../ops/reduce.js';
import { f32, i32, shapeText, type Tape, type TensorType } from '../tape.js';
import { type Tensor, trace } from '../trace.js';
import type { InnerOptimiser, InnerProblem, OuterObjective, TensorTypes } from './problem.js';

/** A training to unroll, and what its gradient is wanted for. */
export interface StepDescription {
  readonly problem: InnerProblem;
  readonly optimiser: InnerOptimiser;
  /** Names of f32 tables and hyperparameters that the gradient is taken by. */
  readonly wrt: readonly string[];
  /** Hyperparameters that have a value of their own at every step. */
  readonly perStep: readonly string[];
}

/** Names on the step's tape. Prefixes keep a problem's own names apart from the driver's. */
export const onTape = {
  state: (name: string): string => `state.${name}`,
  nextState: (name: string): string => `next.${name}`,
  adjoint: (name: string): string => `adjoint.${name}`,
  table: (name: string): string => `table.${name}`,
  hyperparameter: (name: string): string => `hyper.${name}`,
  /** Running sum of the gradient by a table or a hyperparameter. */
  gradient: (name: string): string => `gradient.${name}`,
  /** This step's own part of it: rows [B, …] of a table, or a hyperparameter's whole gradient. */
  own: (name: string): string => `own.${name}`,
} as const;

/** Types of every hyperparameter that a step reads: the optimiser's scalars and the problem's own. */
export function hyperparameterTypes({ problem, optimiser }: StepDescription): TensorTypes {
  return {
    ...Object.fromEntries(optimiser.hyperparameters.map((name) => [name, f32()])),
    ...problem.hyperparameters,
  };
}

export function stateTypes({ problem, optimiser }: StepDescription): TensorTypes {
  return {
    theta: f32(problem.parameters),
    ...Object.fromEntries(
      Object.entries(optimiser.state).map(([name, { extent }]) => [
        name,
        extent === 'scalar' ? f32() : f32(problem.parameters),
      ]),
    ),
  };
}

/** Names of the state whose adjoint is carried back: θ first. */
export function adjointNames({ optimiser }: StepDescription): string[] {
  const differentiable = Object.entries(optimiser.state).filter(([, state]) => state.isDifferentiable);
  return ['theta', ...differentiable.map(([name]) => name)];
}

/** Whether a gradient is one sum over all steps, or a value for each step. */
export const isSummed = ({ perStep }: StepDescription, name: string): boolean => !perStep.includes(name);

/** Names of the outputs of `stepTape` that are computed without an adjoint. */
export const forwardOutputs = (description: StepDescription): string[] => [
  ...Object.keys(stateTypes(description)).map(onTape.nextState),
  'loss',
];

/** Names of the outputs of `stepTape` that need one; `own` ones where they are observed. */
export const reverseOutputs = (description: StepDescription, observed: readonly string[] = []): string[] => [
  ...adjointNames(description).map(onTape.adjoint),
  ...description.wrt.map((name) => (isSummed(description, name) ? onTape.gradient(name) : onTape.own(name))),
  ...observed.filter((name) => isSummed(description, name)).map(onTape.own),
];

/**
 * One inner step, forward and back. Inputs: `state.*`, `table.*`, `batch` (row numbers i32 [B]), `hyper.*`, `stream`
 * (i32 [4]), and for the way back `adjoint.*` and the sums so far `gradient.*`. Outputs: `next.*`, `loss`, and for the way
 * back `adjoint.*`, `own.*` and `gradient.*`.
 *
 * @throws ShapeError when one of `wrt` is no f32 table or hyperparameter, or the step does not depend on it.
 */
export function stepTape(description: StepDescription, batchSize: number): Tape {
  const { problem, optimiser, wrt } = description;
  const states = stateTypes(description);
  const hyperparameters = hyperparameterTypes(description);
  const adjoints = adjointNames(description);
  checkDescription(description);
  const renamed = (types: TensorTypes, rename: (name: string) => string): TensorTypes =>
    Object.fromEntries(Object.entries(types).map(([name, type]) => [rename(name), type]));
  const typeOf = (name: string): TensorType => problem.tables[name] ?? hyperparameters[name]!;
  const inputTypes: TensorTypes = {
    ...renamed(states, onTape.state),
    ...renamed(problem.tables, onTape.table),
    ...renamed(hyperparameters, onTape.hyperparameter),
    batch: i32(batchSize),
    stream: i32(4),
    ...Object.fromEntries(adjoints.map((name) => [onTape.adjoint(name), states[name]!])),
    ...Object.fromEntries(
      wrt.filter((name) => isSummed(description, name)).map((name) => [onTape.gradient(name), typeOf(name)]),
    ),
  };

  return trace(inputTypes, (inputs) => {
    const pick = (types: TensorTypes, rename: (name: string) => string): Record<string, Tensor> =>
      Object.fromEntries(Object.keys(types).map((name) => [name, inputs[rename(name)]!]));
    const { theta, ...state } = pick(states, onTape.state) as Record<string, Tensor> & { theta: Tensor };
    const hyper = pick(hyperparameters, onTape.hyperparameter);
    const batch = inputs.batch!;
    const rows = Object.fromEntries(
      Object.keys(problem.tables).map((name) => [name, gather(inputs[onTape.table(name)]!, batch)]),
    );

    const loss = problem.loss(theta, rows, { hyperparameters: hyper, stream: inputs.stream! });
    requireScalar('the inner loss', loss);
    const [g] = gradient(loss, [theta]) as [Tensor];
    const stepped = optimiser.step({ theta, gradient: g, state, hyperparameters: hyper });
    const next: Record<string, Tensor> = { theta: stepped.theta, ...stepped.state };

    const before = adjoints.map((name) => inputs[onTape.state(name)]!);
    const after = adjoints.map((name) => next[name]!);
    const arriving = adjoints.map((name) => inputs[onTape.adjoint(name)]!);
    const wanted = wrt.map((name) => rows[name] ?? hyper[name]!);
    const leaving = vjpOrRefuse(after, [...before, ...wanted], arriving, (k) =>
      k < adjoints.length
        ? `unroll: the step does not depend differentiably on the state '${adjoints[k]}' of ${optimiser.name}; set its isDifferentiable to false.`
        : `unroll: the step does not depend differentiably on '${wrt[k - adjoints.length]}'; leave it out of wrt.`,
    );

    const outputs: Record<string, Tensor> = { loss };
    for (const [name, tensor] of Object.entries(next)) outputs[onTape.nextState(name)] = tensor;
    adjoints.forEach((name, k) => {
      outputs[onTape.adjoint(name)] = leaving[k]!;
    });
    wrt.forEach((name, k) => {
      const own = leaving[adjoints.length + k]!;
      outputs[onTape.own(name)] = own;
      if (!isSummed(description, name)) return;
      const sum = inputs[onTape.gradient(name)]!;
      outputs[onTape.gradient(name)] = rows[name] === undefined ? add(sum, own) : scatterAdd(sum, batch, own);
    });
    return outputs;
  });
}

/** An outer objective and its gradient: input `theta` and its own; outputs `loss` and `gradient`, by θ. */
export function outerTape(objective: OuterObjective, parameters: number): Tape {
  return trace({ theta: f32(parameters), ...objective.inputs }, (inputs) => {
    const { theta, ...own } = inputs as Record<string, Tensor> & { theta: Tensor };
    const loss = objective.loss(theta, own);
    requireScalar('the outer objective', loss);
    const [byTheta] = gradient(loss, [theta]) as [Tensor];
    return { loss, gradient: byTheta };
  });
}

/** Adds an objective's gradient at one θ_n, times its weight, to the adjoint of that θ_n. */
export function addWeightedTape(parameters: number): Tape {
  return trace(
    { adjoint: f32(parameters), gradient: f32(parameters), weight: f32() },
    ({ adjoint, gradient, weight }) => ({ adjoint: add(adjoint, mul(weight, gradient)) }),
  );
}

/** `square` = ‖a‖² of a vector. */
export function squareTape(elements: number): Tape {
  return trace({ vector: f32(elements) }, ({ vector }) => ({ square: sumAll(mul(vector, vector)) }));
}

/** A step's own part of a table's gradient, [S, …], from its rows. */
export function contributionTape(table: TensorType, batchSize: number): Tape {
  const rows = f32(batchSize, ...table.shape.slice(1));
  return trace({ zeros: table, batch: i32(batchSize), rows }, ({ zeros, batch, rows }) => ({
    contribution: scatterAdd(zeros, batch, rows),
  }));
}

function requireScalar(what: string, loss: Tensor): void {
  if (loss.shape.length !== 0) {
    throw new ShapeError(
      `unroll: ${what} has shape ${shapeText(loss.shape)}, but must be a scalar of shape []; reshape or reduce it.`,
    );
  }
}

/** @throws ShapeError when `wrt` or `perStep` names what there is not, or two things have one name. */
export function checkDescription(description: StepDescription): void {
  const { problem, optimiser, wrt, perStep } = description;
  const hyperparameters = hyperparameterTypes(description);
  const both = Object.keys(problem.hyperparameters ?? {}).find((name) =>
    optimiser.hyperparameters.includes(name),
  );
  if (both !== undefined) {
    throw new ShapeError(
      `unroll: '${both}' names a hyperparameter both of the problem and of ${optimiser.name}; rename the problem's.`,
    );
  }
  if (Object.hasOwn(optimiser.state, 'theta')) {
    throw new ShapeError(
      `unroll: a state of ${optimiser.name} is called 'theta', as the parameters are; rename it.`,
    );
  }
  const tables = Object.keys(problem.tables);
  const types: TensorTypes = { ...problem.tables, ...hyperparameters };
  const learnable = Object.keys(types).filter((name) => types[name]!.dataType === 'f32');
  const twice = tables.find((name) => Object.hasOwn(hyperparameters, name));
  if (twice !== undefined) {
    throw new ShapeError(`unroll: '${twice}' names both a table and a hyperparameter; rename one.`);
  }
  for (const [k, name] of wrt.entries()) {
    if (wrt.indexOf(name) < k) throw new ShapeError(`unroll: wrt names '${name}' twice; name it once.`);
    if (!learnable.includes(name)) {
      const reason = Object.hasOwn(types, name)
        ? 'holds whole numbers, which have no gradient'
        : 'is not known';
      throw new ShapeError(
        `unroll: wrt names '${name}', which ${reason}; gradients can be taken by ${learnable.join(', ')}.`,
      );
    }
  }
  for (const name of perStep) {
    if (!Object.hasOwn(hyperparameters, name)) {
      const known = Object.keys(hyperparameters).join(', ');
      throw new ShapeError(
        `unroll: perStep names '${name}', which is no hyperparameter; there are ${known}.`,
      );
    }
  }
}
