/** What is unrolled: an inner training, and an outer objective of where it ends. Plain values and traced functions. */
import { div } from '../ops/elementwise.js';
import { squaredDistance } from '../ops/mse.js';
import { f32, type TensorType } from '../tape.js';
import type { Tensor } from '../trace.js';

/** Types by name. */
export type TensorTypes = Readonly<Record<string, TensorType>>;
/** Symbolic tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** What an inner loss may read beside θ and its batch. */
export interface StepContext {
  /** The problem's own hyperparameters and the optimiser's, by name. */
  readonly hyperparameters: Tensors;
  /** Start of this step's random numbers, i32 [4], for `dropout` and the like; give `streams` with the trajectory. */
  readonly stream: Tensor;
}

/** The training that is differentiated through: what a step descends, and what it reads. */
export interface InnerProblem {
  /** Elements of θ, the student's parameters as one flat vector. */
  readonly parameters: number;
  /**
   * The training set, one table a kind of data (images, targets, example weights, …), each [S, …]. A step sees its
   * batch's rows. f32 tables can be learnt; i32 ones (labels) cannot.
   */
  readonly tables: TensorTypes;
  /**
   * Values that every step reads whole, beside the optimiser's own: a temperature, a penalty, a random view's numbers. f32
   * ones can be learnt.
   */
  readonly hyperparameters?: TensorTypes;
  /**
   * Inner loss ℓ of one batch, a scalar of shape [].
   *
   * @param theta θ [parameters]
   * @param rows the batch's rows of each table, [B, …]
   */
  loss(theta: Tensor, rows: Tensors, context: StepContext): Tensor;
}

/** What an optimiser keeps from step to step beside θ. */
export interface OptimiserState {
  /** One number a parameter, or one number. */
  readonly extent: 'parameters' | 'scalar';
  /** Value of every element before the first step. */
  readonly start: number;
  /** False for what depends on the step's number alone; no adjoint is carried for it. */
  readonly isDifferentiable: boolean;
}

/** An inner optimiser as a function of symbolic tensors, through which the gradient flows back. */
export interface InnerOptimiser {
  /** Its name in messages. */
  readonly name: string;
  /** Scalars f32 [] that it reads, `learningRate` among them; each can be learnt. */
  readonly hyperparameters: readonly string[];
  /** What it keeps from step to step, by name. */
  readonly state: Readonly<Record<string, OptimiserState>>;
  /** One update: θ and the state after it, from those before it and the inner loss's gradient [parameters]. */
  step(values: {
    readonly theta: Tensor;
    readonly gradient: Tensor;
    readonly state: Tensors;
    readonly hyperparameters: Tensors;
  }): { readonly theta: Tensor; readonly state: Tensors };
}

/** What the unrolled training is judged by: a loss of θ_N, or of every θ_n (see `UnrollOptions.pathWeights`). */
export interface OuterObjective {
  /** What it reads beside θ: its own batch, a target to arrive at. Written with `Unroll.write`, or with a trajectory. */
  readonly inputs: TensorTypes;
  /** A scalar of shape []. */
  loss(theta: Tensor, inputs: Tensors): Tensor;
}

/**
 * The trajectory loss ‖θ_N − θ*‖² / ‖θ_0 − θ*‖² (MKDT eq. 4; Cazenavette et al. 2022). Inputs `start` (θ_0, a constant of
 * the denominator) and `target` (θ*), both [parameters].
 */
export function trajectoryLoss(parameters: number): OuterObjective {
  return {
    inputs: { start: f32(parameters), target: f32(parameters) },
    loss: (theta, { start, target }) =>
      div(squaredDistance(theta, target!), squaredDistance(start!, target!)),
  };
}
