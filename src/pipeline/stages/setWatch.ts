/** The numbers of a distillation that are watched, and what is said when one is no number any more. */
import type { Config } from '../config/schema.js';
import { lower, requireFinite } from './finite.js';

type Settings = Config['distil'];

/** What the norms of an event are in words. */
const normWords = {
  pixelNorm: 'norm of the gradient by the pixels',
  targetNorm: 'norm of the gradient by the targets',
} as const;
/** What an event calls a norm. */
export type NormName = keyof typeof normWords;

/** What is seen of an iteration before its update is judged. */
export interface SeenBefore {
  readonly loss: number;
  /** The gradient by α; null where α is not learnt. */
  readonly slope: number | null;
  readonly norms: readonly (readonly [name: NormName, norm: number])[];
}

const RATES = ['distil.pixels.learningRate', 'distil.innerStep.learningRate', 'distil.targets.learningRate'];

const where = (iteration: number): string => `of the stage distil at iteration ${iteration}`;

/** @throws NumericsError when the loss or a gradient is no number. */
export function requireFiniteLoss({ loss, slope, norms }: SeenBefore, iteration: number, distil: Settings) {
  const remedy = lower({ distil }, ...RATES, 'distil.innerStep.initial');
  requireFinite(loss, `the trajectory loss ${where(iteration)}`, remedy);
  requireFinite(slope ?? 0, `the gradient by the inner step α ${where(iteration)}`, remedy);
  for (const [name, norm] of norms) requireFinite(norm, `the ${normWords[name]} ${where(iteration)}`, remedy);
}

/** @throws NumericsError when the update has left α, or a tensor of whose elements this is the sum of squares, without numbers. */
export function requireFiniteUpdate(
  innerStep: number,
  squares: readonly (readonly [name: string, square: number])[],
  iteration: number,
  distil: Settings,
): void {
  requireFinite(
    innerStep,
    `the inner step α after its update ${where(iteration)}`,
    lower({ distil }, 'distil.innerStep.learningRate'),
  );
  for (const [name, square] of squares) {
    const remedy = lower({ distil }, `distil.${name}.learningRate`);
    requireFinite(square, `the sum of squares of the ${name} after their update ${where(iteration)}`, remedy);
  }
}
