/** What each iteration of the distillation draws: batches, an expert and a start epoch, each from a stream of its own. */
import { integers, permutation } from '../../kernels/philox.js';
import { splitBatches } from '../../nn/training.js';
import type { Config } from '../config/schema.js';

/** `steps` batches, permutation after permutation; `split` cuts one into batches. */
export function batchesFrom(
  {
    seed,
    purpose,
    iteration,
  }: { readonly seed: number; readonly purpose: string; readonly iteration: number },
  count: number,
  steps: number,
  split: (order: Int32Array) => Int32Array[],
): Int32Array[] {
  const batches: Int32Array[] = [];
  // Every permutation has a stream of its own; no unroll needs more of them than steps.
  for (let round = 0; batches.length < steps; round++) {
    batches.push(...split(permutation({ seed, purpose, index: iteration * steps + round }, count)));
  }
  return batches.slice(0, steps);
}

/**
 * A permutation cut into whole batches. A rest too short for one is left out, as in the teacher's training: both losses
 * compare an image with the others of its batch, and of one image alone there is nothing to compare.
 */
export function wholeBatches(order: Int32Array, batch: number): Int32Array[] {
  return Array.from({ length: Math.floor(order.length / batch) }, (_, k) =>
    order.subarray(k * batch, (k + 1) * batch),
  );
}

/** The batches of one unroll: permutations used up without replacement, a short last chunk included. */
export function drawBatches(
  seed: number,
  iteration: number,
  count: number,
  batch: number,
  steps: number,
): Int32Array[] {
  const stream = { seed, purpose: 'distil.batches', iteration };
  return batchesFrom(stream, count, steps, (order) => splitBatches(order, batch));
}

/** The expert and the start epoch of one iteration: each drawn uniformly, from a stream of the iteration's own. */
export function drawStart(
  seed: number,
  iteration: number,
  experts: number,
  startEpochs: number,
): { expert: number; startEpoch: number } {
  const draw = (purpose: string, bound: number): number =>
    integers({ seed, purpose: `distil.${purpose}`, index: iteration }, 1, bound)[0]!;
  return { expert: draw('expert', experts), startEpoch: draw('startEpoch', startEpochs) };
}

/** The fields that say how T⁺ grows. */
type StartEpochs = Pick<
  Config['distil'],
  'startEpochs' | 'startEpochsFrom' | 'startEpochsOver' | 'iterations'
>;

/**
 * T⁺ of iteration i: from + ⌊(startEpochs − from) · min(1, i/over)⌋, or startEpochs throughout where it does not grow. The
 * whole of it is reached at iteration `over`, by default the number of iterations, so after the last.
 */
export function startEpochsAt(
  { startEpochs, startEpochsFrom, startEpochsOver, iterations }: StartEpochs,
  iteration: number,
): number {
  if (startEpochsFrom === null) return startEpochs;
  const share = Math.min(1, iteration / (startEpochsOver ?? iterations));
  return startEpochsFrom + Math.floor((startEpochs - startEpochsFrom) * share);
}
