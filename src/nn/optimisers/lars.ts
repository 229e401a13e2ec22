/** LARS (You, Gitman & Ginsburg 2017) as Barlow Twins uses it, as a function of symbolic tensors. */
import { greater, where } from '../../autograd/ops/comparisons.js';
import { add, div, mul, scale, sqrt, sub } from '../../autograd/ops/elementwise.js';
import { segment } from '../../autograd/ops/pack.js';
import { dot } from '../../autograd/ops/reduce.js';
import type { Tensor } from '../../autograd/trace.js';
import type { InnerOptimiser } from '../../autograd/unroll/problem.js';
import { type ParameterLayout, packParameters } from '../parameters.js';

/** Which parts LARS has, and its constant. */
export interface LarsSettings {
  /** The tensors of θ: each is adapted by itself. */
  readonly layout: ParameterLayout;
  /** η, the share of a tensor's length that a step of learning rate 1 moves it; Barlow Twins' 0.001 by default. */
  readonly trust?: number;
  /** Adds the hyperparameter `weightDecay`, ω. */
  readonly weightDecay?: boolean;
}

const TRUST = 0.001;

/** η‖w‖/‖d‖, or 1 where either is 0; the roots that are not taken have an operand of 1, so that no derivative is infinite. */
function trustRatio(weight: Tensor, descent: Tensor, trust: number): Tensor {
  const [weightSquare, descentSquare] = [dot(weight, weight), dot(descent, descent)];
  const both = mul(greater(weightSquare, 0), greater(descentSquare, 0));
  const length = (square: Tensor): Tensor => sqrt(where(both, square, 1));
  return where(both, scale(div(length(weightSquare), length(descentSquare)), trust), 1);
}

/**
 * LARS: the hyperparameters are `learningRate` α, `momentum` μ, and `weightDecay` ω where asked for. For each tensor w of θ
 * with gradient g
 *
 *     d = g + ω·w,  q = η‖w‖/‖d‖ (1 where either length is 0),  m' = μ·m + q·d,  w' = w − α·m'          (m starts at 0)
 *
 * Biases and norms – tensors of one axis – have d = g and q = 1, as in Barlow Twins.
 */
export function lars({ layout, trust = TRUST, weightDecay: decays = false }: LarsSettings): InnerOptimiser {
  return {
    name: 'lars',
    hyperparameters: ['learningRate', 'momentum', ...(decays ? ['weightDecay'] : [])],
    state: { buffer: { extent: 'parameters', start: 0, isDifferentiable: true } },
    step({ theta, gradient, state, hyperparameters: { learningRate, momentum, weightDecay } }) {
      const adapted = layout.entries.map(({ name, shape, offset }) => {
        const g = segment(gradient, offset, shape);
        if (shape.length <= 1) return [name, g] as const;
        const w = segment(theta, offset, shape);
        const descent = weightDecay === undefined ? g : add(g, mul(weightDecay, w));
        return [name, mul(trustRatio(w, descent, trust), descent)] as const;
      });
      const direction = packParameters(layout, Object.fromEntries(adapted));
      const buffer = add(mul(momentum!, state.buffer!), direction);
      return { theta: sub(theta, mul(learningRate!, buffer)), state: { buffer } };
    },
  };
}
