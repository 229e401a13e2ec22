/**
 * A gradient of a gradient: d/dx ‖∇θ ℓ(θ, x)‖², where the inner gradient is asked for with respect to θ alone and x is an
 * argument of it. A tool that treats such an argument as a constant gives zeros here, without a word.
 */

import { compile } from '../../autograd/compile/plan.js';
import { valueAndGradient } from '../../autograd/gradient.js';
import { interpret } from '../../autograd/interpret.js';
import { dot } from '../../autograd/ops/reduce.js';
import { f32, type Tape } from '../../autograd/tape.js';
import { type Tensor, trace } from '../../autograd/trace.js';
import { messageOf } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { mse } from '../../nn/losses.js';
import {
  type Agreement,
  agreement,
  DIFFERENCE_TOLERANCE,
  differenceError,
  float32Tolerance,
  norm,
  relativeError,
} from './compare.js';
import { type CheckProblem, randomLike } from './problem.js';

export interface NestedCheck {
  /** ‖d/dx ‖∇θ ℓ‖²‖ in float64: not zero. */
  readonly norm: number;
  /** The device's float32 against float64. */
  readonly device: Agreement;
  /** Float64 against central differences. */
  readonly differences: Agreement;
  /** What is said when a gradient is asked for that is zero everywhere. */
  readonly refusal: string;
}

/** ‖∇θ ℓ(θ, x)‖² with its gradient by x: one `valueAndGradient` inside another. */
function nestedTape({ model, description }: CheckProblem): Tape {
  const { images, targets } = description.problem.tables as Record<
    'images' | 'targets',
    ReturnType<typeof f32>
  >;
  return trace({ theta: f32(model.parameters.total), x: images, y: targets }, ({ theta, x, y }) => {
    const slope = (images: Tensor): Tensor => {
      const { gradients } = valueAndGradient(
        (inner) => mse(model.forward(inner!, images).output, y),
        [theta],
      );
      return dot(gradients[0]!, gradients[0]!);
    };
    const { value, gradients } = valueAndGradient((images) => slope(images!), [x]);
    return { value, d_x: gradients[0]! };
  });
}

/** The error of a gradient by something that the loss does not read. */
function refusalOf(): string {
  try {
    trace({ theta: f32(2), unused: f32(3) }, ({ theta, unused }) => ({
      d: valueAndGradient((t) => dot(t!, t!), [theta, unused]).gradients[1]!,
    }));
  } catch (error) {
    return messageOf(error);
  }
  return '';
}

export async function checkNested(device: Device, problem: CheckProblem): Promise<NestedCheck> {
  const { values } = problem;
  const tape = nestedTape(problem);
  const inputs = { theta: values.start, x: values.inputs.images!, y: values.inputs.targets! };
  const want = interpret(tape, inputs);
  const plan = await compile(tape, device, { label: 'gradientOfAGradient' });
  try {
    const got = await plan.run({
      theta: Float32Array.from(inputs.theta),
      x: Float32Array.from(inputs.x),
      y: Float32Array.from(inputs.y),
    });
    const error = differenceError((x) => interpret(tape, { ...inputs, x }).value![0]!, inputs.x, want.d_x!, [
      randomLike(problem, 'nested', inputs.x.length),
    ]);
    return {
      norm: norm(want.d_x!),
      device: agreement(relativeError(got.d_x!, want.d_x!), float32Tolerance(1)),
      differences: agreement(error, DIFFERENCE_TOLERANCE),
      refusal: refusalOf(),
    };
  } finally {
    plan.release();
  }
}
