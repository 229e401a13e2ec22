/** What an unrolled training is asked to be, and the checks of it. */
import { ShapeError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import type { Numbers } from '../compile/bufferRange.js';
import type { StorageFormat } from './keptStorage.js';
import type { Observable } from './observer.js';
import { type InnerOptimiser, type InnerProblem, type OuterObjective, trajectoryLoss } from './problem.js';

/**
 * How the way back comes by what the way forward computed: `recompute` keeps θ_0 … θ_N and computes each step again;
 * `full` keeps every step's intermediates; `mixed` keeps those of the last steps, as many as fit into so many bytes of
 * device memory (all that `Unroll.memory` counts), and recomputes the rest.
 */
export type MemoryMode = 'recompute' | 'full' | { readonly mixed: number };

/** What is unrolled and what its gradient is wanted for: all that matters for the numbers. */
export interface UnrollDescription {
  /** The training whose steps are taken. */
  readonly problem: InnerProblem;
  /** How a step is taken. */
  readonly optimiser: InnerOptimiser;
  /** What is differentiated; `trajectoryLoss` (MKDT eq. 4) by default. */
  readonly outer?: OuterObjective;
  /** Number of inner steps N. */
  readonly steps: number;
  /**
   * What the gradient is taken by: f32 tables and hyperparameters, by name. All f32 tables and `learningRate` by
   * default. The gradient by θ_0 is always there (`adjointAtStart`).
   */
  readonly wrt?: readonly string[];
  /** Hyperparameters that have a value, and a gradient, for each step: written and read as [N, …]. */
  readonly perStep?: readonly string[];
  /** The gradient goes back through the last so many steps only; all N by default. */
  readonly truncate?: number;
  /** w_1 … w_N: the outer loss is Σ_n w_n·L(θ_n). By default L(θ_N). */
  readonly pathWeights?: readonly number[];
}

/** How it is done on a device. */
export interface UnrollOptions extends UnrollDescription {
  /** Where it runs. */
  readonly device: Device;
  /** Sizes that batches may have; each is compiled once. */
  readonly batchSizes: readonly number[];
  /** `recompute` by default. */
  readonly memory?: MemoryMode;
  /**
   * How the intermediates that `full` and `mixed` keep are stored: `float32` (by default), or `float16` in little more than half
   * the memory, with a relative error of 2⁻¹¹ each. All that is computed, θ_0 … θ_N and the adjoint stay float32.
   */
  readonly storage?: StorageFormat;
  /** What is to be seen of every reverse sweep; nothing by default. */
  readonly observe?: readonly Observable[];
}

/** What one hypergradient starts from. Tables and hyperparameters lie on the device already. */
export interface Trajectory {
  /** θ_0 [parameters]. */
  readonly start: Float32Array;
  /** Row numbers of each inner step's batch; N of them. */
  readonly batches: readonly Int32Array[];
  /** Inputs of the outer objective; those left out keep what they held. */
  readonly outer?: Readonly<Record<string, Numbers>>;
  /** Start of each step's random numbers, i32 [4] (see `streamWords`); wanted where the inner loss draws any. */
  readonly streams?: readonly Int32Array[];
}

/** The learnable names that are meant when none are given. */
export function defaultWrt({ problem, optimiser }: UnrollDescription): string[] {
  const tables = Object.entries(problem.tables).filter(([, { dataType }]) => dataType === 'f32');
  const rate = optimiser.hyperparameters.includes('learningRate') ? ['learningRate'] : [];
  return [...tables.map(([name]) => name), ...rate];
}

/** w_1 … w_N of the outer loss Σ_n w_n·L(θ_n); by default all is on θ_N. */
export const pathWeightsOf = ({ steps, pathWeights }: UnrollDescription): readonly number[] =>
  pathWeights ?? Array.from({ length: steps }, (_, k) => Number(k === steps - 1));

/** @throws ShapeError naming the setting that does not fit. */
export function checkOptions(
  { steps, truncate, pathWeights, outer, problem, optimiser }: UnrollDescription,
  batchSizes: readonly number[],
  { memory = 'recompute', storage = 'float32' }: Pick<UnrollOptions, 'memory' | 'storage'> = {},
): void {
  const refuse = (message: string): never => {
    throw new ShapeError(`unroll: ${message}`);
  };
  const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1;
  if (!isCount(steps)) refuse(`steps is ${steps}, but must be a whole number of at least 1.`);
  if (batchSizes.length === 0) refuse('batchSizes is empty; name the sizes that batches will have.');
  for (const size of batchSizes) {
    if (!isCount(size)) refuse(`a batch size is ${size}, but must be a whole number of at least 1.`);
  }
  if (truncate !== undefined && !(isCount(truncate) && truncate <= steps)) {
    refuse(`truncate is ${truncate}, but must be a whole number from 1 to the ${steps} steps.`);
  }
  if (pathWeights !== undefined) {
    if (pathWeights.length !== steps || !pathWeights.every(Number.isFinite)) {
      refuse(
        `pathWeights has ${pathWeights.length} entries, but must have ${steps} finite numbers, one a step.`,
      );
    }
    if (pathWeights.every((weight) => weight === 0)) {
      refuse('pathWeights are all 0, so the outer loss would be 0; give at least one other weight.');
    }
  }
  if (typeof memory === 'object' && !(memory.mixed > 0)) {
    refuse(`memory.mixed is ${memory.mixed}, but must be a number of bytes above 0.`);
  }
  if (storage === 'float16' && memory === 'recompute') {
    refuse(
      "storage 'float16' is for kept intermediates, and memory 'recompute' keeps none; use 'full' or mixed.",
    );
  }
  const taken = { theta: true, ...problem.tables, ...problem.hyperparameters };
  for (const name of Object.keys((outer ?? trajectoryLoss(problem.parameters)).inputs)) {
    if (Object.hasOwn(taken, name) || optimiser.hyperparameters.includes(name)) {
      refuse(
        `the outer objective's input '${name}' is named like something of the inner problem; rename one.`,
      );
    }
  }
}

/** @throws ShapeError when a batch names a row that a table does not have. */
export function checkRows({ tables }: InnerProblem, batches: readonly Int32Array[]): void {
  for (const [name, { shape }] of Object.entries(tables)) {
    const rows = shape[0]!;
    batches.forEach((batch, step) => {
      const wrong = batch.find((row) => row < 0 || row >= rows);
      if (wrong === undefined) return;
      throw new ShapeError(
        `unroll: batch ${step} names row ${wrong}, but table '${name}' has ${rows} rows, from 0.`,
      );
    });
  }
}
