/**
 * How pixels, targets and α descend: one step of SGD or Adam as a tape. Pixels and targets take it on the device, where
 * they stay; α, whose gradient the host reads anyway, in float64.
 */
import { type BufferRange, BYTES } from '../../autograd/compile/bufferRange.js';
import { compile, type Plan } from '../../autograd/compile/plan.js';
import { interpret } from '../../autograd/interpret.js';
import { greater, maximum, where } from '../../autograd/ops/comparisons.js';
import { div, mul, sqrt } from '../../autograd/ops/elementwise.js';
import { dot } from '../../autograd/ops/reduce.js';
import { f32, type Shape, type Tape, type TensorType } from '../../autograd/tape.js';
import { type Tensor, trace } from '../../autograd/trace.js';
import type { Device } from '../../gpu/device.js';
import { adamDefaults, adamStep } from '../../nn/optimisers/adam.js';
import { sgdStep } from '../../nn/optimisers/sgd.js';

/** How one of the three descends. */
export interface OuterOptimiser {
  readonly optimiser: 'sgd' | 'adam';
  readonly learningRate: number;
  /** Momentum of SGD; Adam has its own moments. */
  readonly momentum: number;
  /** Largest Euclidean norm of the gradient; a longer one is scaled down to it. null: any. */
  readonly gradientClip: number | null;
}

type Inputs = Readonly<Record<string, Tensor>>;

/** What an optimiser keeps from step to step: one number an element, or one number; and where it starts. */
interface StateVariable {
  readonly isScalar: boolean;
  readonly start: number;
}

interface Rule {
  readonly state: Readonly<Record<string, StateVariable>>;
  step(inputs: Inputs, settings: OuterOptimiser): { readonly theta: Tensor } & Inputs;
}

const { beta1, beta2 } = adamDefaults;
const moment: StateVariable = { isScalar: false, start: 0 };

const rules: Readonly<Record<OuterOptimiser['optimiser'], Rule>> = {
  sgd: {
    state: { buffer: moment },
    step: (inputs, { momentum }) =>
      sgdStep(inputs as Parameters<typeof sgdStep>[0], { momentum, weightDecay: 0 }),
  },
  adam: {
    state: {
      first: moment,
      second: moment,
      decay1: { isScalar: true, start: beta1 },
      decay2: { isScalar: true, start: beta2 },
    },
    step: (inputs) => adamStep(inputs as Parameters<typeof adamStep>[0]),
  },
};

/** The step as a tape: inputs `theta`, `gradient`, `learningRate` and the state; the next of each, and `norm`. */
function outerStepTape(shape: Shape, settings: OuterOptimiser): Tape {
  const { state, step } = rules[settings.optimiser];
  const like = f32(...shape);
  const types: Record<string, TensorType> = { theta: like, gradient: like, learningRate: f32() };
  for (const [name, { isScalar }] of Object.entries(state)) types[name] = isScalar ? f32() : like;
  return trace(types, (inputs: Inputs) => {
    const gradient = inputs.gradient!;
    const norm = sqrt(dot(gradient, gradient));
    return {
      ...step({ ...inputs, gradient: clipped(gradient, norm, settings.gradientClip) }, settings),
      norm,
    };
  });
}

/** A gradient that is short enough keeps its bits. */
function clipped(gradient: Tensor, norm: Tensor, largest: number | null): Tensor {
  if (largest === null) return gradient;
  return mul(gradient, where(greater(norm, largest), div(largest, maximum(norm, largest)), 1));
}

/** Names of what an optimiser keeps from step to step, outputs and inputs of its compiled step. */
export const stateNames = (optimiser: OuterOptimiser['optimiser']): string[] =>
  Object.keys(rules[optimiser].state);

/**
 * The step on a tensor that stays on the device. Its output `norm` is the gradient's Euclidean norm before clipping, a
 * scalar of shape [].
 *
 * @param ranges where the tensor and its gradient lie, both f32 of one size
 */
export async function compileOuterStep(
  device: Device,
  label: string,
  ranges: { readonly theta: BufferRange; readonly gradient: BufferRange },
  settings: OuterOptimiser,
): Promise<Plan> {
  const { state } = rules[settings.optimiser];
  const elements = ranges.theta.bytes / BYTES;
  const kept = ['theta', ...Object.keys(state)];
  const plan = await compile(outerStepTape([elements], settings), device, {
    label,
    inputs: ranges,
    carry: Object.fromEntries(kept.map((name) => [name, name])),
  });
  plan.write('learningRate', Float32Array.of(settings.learningRate));
  for (const [name, { isScalar, start }] of Object.entries(state)) {
    plan.write(name, new Float32Array(isScalar ? 1 : elements).fill(start));
  }
  return plan;
}

/** The same step on one number, in float64. */
export class ScalarDescent {
  readonly #tape: Tape;
  readonly #learningRate: number;
  #state: Readonly<Record<string, ArrayLike<number>>>;

  constructor(settings: OuterOptimiser) {
    this.#tape = outerStepTape([], settings);
    this.#learningRate = settings.learningRate;
    this.#state = Object.fromEntries(
      Object.entries(rules[settings.optimiser].state).map(([name, { start }]) => [name, [start]]),
    );
  }

  /** What the optimiser keeps from step to step. */
  get state(): Readonly<Record<string, readonly number[]>> {
    return Object.fromEntries(
      Object.entries(this.#state).map(([name, values]) => [name, [...Array.from(values)]]),
    );
  }

  /** Goes on from where another one was. */
  restore(state: Readonly<Record<string, readonly number[]>>): void {
    this.#state = state;
  }

  /** The number after a step from `value` down `gradient`. */
  next(value: number, gradient: number): number {
    const {
      theta,
      norm: _,
      ...state
    } = interpret(this.#tape, {
      theta: [value],
      gradient: [gradient],
      learningRate: [this.#learningRate],
      ...this.#state,
    });
    this.#state = state;
    return theta![0]!;
  }
}

/** The smallest float32 that no device takes for 0. */
const SMALLEST = 2 ** -126;

/**
 * α as it may become: a step that would take it below half its value is cut there, so that it stays positive as a float32
 * whatever the gradient. A step beyond what a float32 holds is one to ∞ there, which is to be told as divergence.
 */
export function keepPositive(innerStep: number, proposed: number): number {
  return Math.max(SMALLEST, proposed, innerStep / 2);
}
