/**
 * The tapes of gradient-through-training. One inner step of plain SGD is θ_{n+1} = θ_n − α·g(θ_n; X[b], Y[b]); its
 * reverse sweep, with λ the adjoint of θ, is
 *
 *     (Hv, X̄, Ȳ) = gradient of ⟨g, v⟩ by (θ, X, Y)   at v = −α λ_{n+1}
 *     dL/dα += −⟨λ_{n+1}, g⟩     dL/dX[b] += X̄     dL/dY[b] += Ȳ     λ_n = λ_{n+1} + Hv
 *
 * and starts from the gradient of the trajectory loss (MKDT eq. 4), whose denominator is a constant.
 */
import { gradient } from '../gradient.js';
import { add, div, mul, neg, stopGradient, sub } from '../ops/elementwise.js';
import { gather, scatterAdd } from '../ops/gather.js';
import { squaredDistance } from '../ops/mse.js';
import { dot } from '../ops/reduce.js';
import { f32, i32, type Shape, type Tape, type TensorType } from '../tape.js';
import { type Tensor, trace } from '../trace.js';

/** What is unrolled: the loss that the inner steps descend, and the sizes of what it reads. */
export interface InnerProblem {
  /** Elements of θ. */
  readonly parameters: number;
  /** Shape of the whole synthetic set's images, [S, …]. */
  readonly images: Shape;
  /** The targets of the whole synthetic set, [S, …]; f32 ones get a gradient, i32 labels do not. */
  readonly targets: TensorType;
  /** Inner loss ℓ(θ; x, y) of one batch, a scalar of shape []. */
  loss(theta: Tensor, images: Tensor, targets: Tensor): Tensor;
}

interface BatchInputs {
  readonly theta: Tensor;
  readonly images: Tensor;
  readonly targets: Tensor;
  readonly batch: Tensor;
  readonly learningRate: Tensor;
}

function batchInputTypes(problem: InnerProblem, batchSize: number): Record<keyof BatchInputs, TensorType> {
  return {
    theta: f32(problem.parameters),
    images: f32(...problem.images),
    targets: problem.targets,
    batch: i32(batchSize),
    learningRate: f32(),
  };
}

function lossAndGradient(problem: InnerProblem, { theta, images, targets, batch }: BatchInputs) {
  const x = gather(images, batch);
  const y = gather(targets, batch);
  const loss = problem.loss(theta, x, y);
  const [g] = gradient(loss, [theta]) as [Tensor];
  return { x, y, loss, g };
}

/** One inner step: outputs `next` (θ_{n+1}) and `loss`. */
export function forwardTape(problem: InnerProblem, batchSize: number): Tape {
  return trace(batchInputTypes(problem, batchSize), (inputs) => {
    const { loss, g } = lossAndGradient(problem, inputs);
    return { next: sub(inputs.theta, mul(inputs.learningRate, g)), loss };
  });
}

/**
 * One step of the reverse sweep: takes `adjoint` (λ_{n+1}) and the running sums, and gives `adjoint` (λ_n) and the sums
 * `d_images`, `d_targets` (f32 targets only) and `d_learningRate`.
 */
export function reverseTape(problem: InnerProblem, batchSize: number): Tape {
  const learnsTargets = problem.targets.dataType === 'f32';
  const inputTypes = {
    ...batchInputTypes(problem, batchSize),
    adjoint: f32(problem.parameters),
    d_images: f32(...problem.images),
    d_learningRate: f32(),
    ...(learnsTargets ? { d_targets: problem.targets } : {}),
  };
  return trace(inputTypes as Record<keyof typeof inputTypes, TensorType>, (inputs) => {
    const { x, y, g } = lossAndGradient(problem, inputs);
    const v = stopGradient(neg(mul(inputs.learningRate, inputs.adjoint)));
    const [hv, dx, dy] = gradient(dot(g, v), [inputs.theta, x, ...(learnsTargets ? [y] : [])], {
      unconnected: 'zero',
    }) as [Tensor, Tensor, Tensor | undefined];
    return {
      adjoint: add(inputs.adjoint, hv),
      d_images: scatterAdd(inputs.d_images, inputs.batch, dx),
      d_learningRate: sub(inputs.d_learningRate, dot(inputs.adjoint, g)),
      ...(dy === undefined ? {} : { d_targets: scatterAdd(inputs.d_targets!, inputs.batch, dy) }),
    };
  });
}

/** The trajectory loss (MKDT eq. 4) and its gradient by θ_N: outputs `loss` and `adjoint` (λ_N). */
export function trajectoryLossTape(parameters: number): Tape {
  const inputTypes = { start: f32(parameters), end: f32(parameters), target: f32(parameters) };
  return trace(inputTypes, ({ start, end, target }) => {
    const loss = div(squaredDistance(end, target), squaredDistance(start, target));
    const [adjoint] = gradient(loss, [end]) as [Tensor];
    return { loss, adjoint };
  });
}
