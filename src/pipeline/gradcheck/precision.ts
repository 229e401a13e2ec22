/** Every gradient of an unrolled training: float32 on the device, float64 of the same tapes, and central differences. */
import {
  interpretForward,
  interpretUnroll,
  type UnrollResult,
} from '../../autograd/unroll/interpretUnroll.js';
import type { Device } from '../../gpu/device.js';
import {
  type Agreement,
  agreement,
  DIFFERENCE_TOLERANCE,
  differenceError,
  float32Tolerance,
  norm,
  relativeError,
} from './compare.js';
import { type DeviceRun, runOnDevice } from './deviceRun.js';
import { type CheckProblem, randomLike, START } from './problem.js';

export interface GradientCheck {
  readonly name: string;
  /** Norm of the gradient in float64. */
  readonly norm: number;
  /** The device's float32 against float64. */
  readonly device: Agreement;
  /** Float64 against central differences. */
  readonly differences: Agreement;
}

/** Directions that differences are taken along, for each gradient. */
const DIRECTIONS = 2;

/** The denominator of eq. 4 is a constant of the gradient by θ_0, so it must not move with it: start stays in `outer`. */
function evaluateMoved({ description, values }: CheckProblem, name: string): (x: Float64Array) => number {
  return (x) =>
    interpretForward(
      description,
      name === START ? { ...values, start: x } : { ...values, inputs: { ...values.inputs, [name]: x } },
    ).loss;
}

/** Pure: the comparison of what the device gave with float64 and with differences. */
export function compareGradients(
  problem: CheckProblem,
  got: DeviceRun['gradients'],
  want: Pick<UnrollResult, 'gradients' | 'adjointAtStart'>,
): GradientCheck[] {
  const { description, values } = problem;
  return [...description.wrt, START].map((name) => {
    const exact = name === START ? want.adjointAtStart : want.gradients[name]!;
    const at = name === START ? values.start : values.inputs[name]!;
    const randoms = Array.from({ length: DIRECTIONS }, (_, k) =>
      randomLike(problem, `direction.${name}`, at.length, k),
    );
    return {
      name,
      norm: norm(exact),
      device: agreement(relativeError(got[name]!, exact), float32Tolerance(description.steps)),
      differences: agreement(
        differenceError(evaluateMoved(problem, name), at, exact, randoms),
        DIFFERENCE_TOLERANCE,
      ),
    };
  });
}

export async function checkPrecision(device: Device, problem: CheckProblem): Promise<GradientCheck[]> {
  const { gradients } = await runOnDevice(device, problem);
  return compareGradients(problem, gradients, interpretUnroll(problem.description, problem.values));
}
