/** A training in its middle as a checkpoint holds it. */
import { z } from 'zod';
import type { TrainingState } from '../../nn/training.js';
import { type Captured, type Checkpoint, stateOf, tensorOf } from '../checkpoints.js';
import { floatTensor } from './context.js';
import type { Place } from './course.js';
import type { ExpertMiddle } from './expertTraining.js';

const whole = z.number().int().min(0);

/** Where a training stands. */
export const placeSchema = z.object({ epoch: whole, step: whole }) satisfies z.ZodType<Place>;

/** A training between two steps, beside what else its stage keeps. */
export function captureTraining(
  { theta, momentum }: TrainingState,
  others: Readonly<Record<string, Float32Array>> = {},
): Captured['tensors'] {
  const all = Object.entries({ theta, momentum, ...others });
  return new Map(all.map(([name, data]) => [name, floatTensor(data, data.length)]));
}

/** The training of a checkpoint. Throws `StoreError` where it is not of so many parameters. */
export const trainingOf = (checkpoint: Checkpoint, parameters: number): TrainingState => ({
  theta: tensorOf(checkpoint, 'theta', parameters),
  momentum: tensorOf(checkpoint, 'momentum', parameters),
});

/** Where one of several trainings stands. */
const memberSchema = placeSchema.extend({ expert: z.number().int().min(0) });

/** One of several experts in the middle of its training. */
export interface ExpertCheckpoint extends ExpertMiddle {
  readonly expert: number;
}

/** What `expertOf` reads again. */
export function captureExpert(expert: ExpertCheckpoint): Captured {
  const { expert: number, epoch, step, training, trajectory, losses } = expert;
  const rows = trajectory.subarray(0, (epoch + 1) * training.theta.length);
  return {
    tensors: captureTraining(training, { trajectory: rows, losses }),
    state: { expert: number, epoch, step },
  };
}

/** The expert that a checkpoint is of. Throws `StoreError` where it is none of such a training. */
export function expertOf(checkpoint: Checkpoint, epochs: number, parameters: number): ExpertCheckpoint {
  const member = stateOf(checkpoint, memberSchema);
  const trajectory = new Float32Array((epochs + 1) * parameters);
  trajectory.set(tensorOf(checkpoint, 'trajectory', (Math.min(member.epoch, epochs) + 1) * parameters));
  return {
    ...member,
    training: trainingOf(checkpoint, parameters),
    trajectory,
    losses: tensorOf(checkpoint, 'losses', epochs),
  };
}
