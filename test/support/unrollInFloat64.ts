/** Gradient through training in float64: the engine's own step tapes, interpreted one after another. */
import { interpret } from '../../src/autograd/interpret.js';
import {
  forwardTape,
  type InnerProblem,
  reverseTape,
  trajectoryLossTape,
} from '../../src/autograd/unroll/tapes.js';

export interface UnrollInputs {
  readonly start: ArrayLike<number>;
  readonly target: ArrayLike<number>;
  readonly images: ArrayLike<number>;
  readonly targets: ArrayLike<number>;
  readonly learningRate: number;
  readonly batches: readonly Int32Array[];
}

export interface ForwardSweep {
  /** θ_0 … θ_N. */
  readonly path: readonly ArrayLike<number>[];
  readonly innerLosses: readonly number[];
  /** The trajectory loss. */
  readonly loss: number;
  /** λ_N. */
  readonly adjoint: Float64Array;
}

export interface Hypergradient extends ForwardSweep {
  /** λ_0. */
  readonly adjointAtStart: Float64Array;
  readonly dImages: Float64Array;
  /** Null where the targets are labels. */
  readonly dTargets: Float64Array | null;
  readonly dLearningRate: number;
}

const stepInputs = ({ images, targets, learningRate }: UnrollInputs, batch: Int32Array) => ({
  images,
  targets,
  learningRate: [learningRate],
  batch,
});

export function forwardInFloat64(problem: InnerProblem, inputs: UnrollInputs): ForwardSweep {
  const path: ArrayLike<number>[] = [inputs.start];
  const innerLosses: number[] = [];
  for (const batch of inputs.batches) {
    const tape = forwardTape(problem, batch.length);
    const { next, loss } = interpret(tape, { ...stepInputs(inputs, batch), theta: path.at(-1)! });
    path.push(next!);
    innerLosses.push(loss![0]!);
  }
  const outer = interpret(trajectoryLossTape(problem.parameters), {
    start: inputs.start,
    end: path.at(-1)!,
    target: inputs.target,
  });
  return { path, innerLosses, loss: outer.loss![0]!, adjoint: outer.adjoint! };
}

export function unrollInFloat64(problem: InnerProblem, inputs: UnrollInputs): Hypergradient {
  const forward = forwardInFloat64(problem, inputs);
  let adjoint: Float64Array = forward.adjoint;
  let dImages: Float64Array = new Float64Array(inputs.images.length);
  let dTargets: Float64Array | null =
    problem.targets.dataType === 'f32' ? new Float64Array(inputs.targets.length) : null;
  let dLearningRate: Float64Array = new Float64Array(1);
  for (let step = inputs.batches.length - 1; step >= 0; step--) {
    const batch = inputs.batches[step]!;
    const sums = {
      adjoint,
      d_images: dImages,
      d_learningRate: dLearningRate,
      ...(dTargets === null ? {} : { d_targets: dTargets }),
    };
    const outputs = interpret(reverseTape(problem, batch.length), {
      ...stepInputs(inputs, batch),
      ...sums,
      theta: forward.path[step]!,
    });
    adjoint = outputs.adjoint!;
    dImages = outputs.d_images!;
    dLearningRate = outputs.d_learningRate!;
    dTargets = outputs.d_targets ?? null;
  }
  return { ...forward, adjointAtStart: adjoint, dImages, dTargets, dLearningRate: dLearningRate[0]! };
}
