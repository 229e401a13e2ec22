/**
 * Training through epochs, a few steps at a time. Between them the device is waited for, so that the training can be kept or
 * stopped there; how many steps that is depends on how long they take, and changes no bit.
 */
import { z } from 'zod';
import type { TrainingState } from '../../nn/training.js';
import { type Captured, type Checkpoint, stateOf, tensorOf } from '../checkpoints.js';
import type { NamedTensor } from '../store/safetensors.js';

/** The step that comes next: `step` of `epoch`, both from 0. */
export const placeSchema = z.object({ epoch: z.number().int().min(0), step: z.number().int().min(0) });
export type Place = z.infer<typeof placeSchema>;

/** Milliseconds between two waits that are worth it, and that Ctrl-C may take. */
const SHORT_WAIT = 100;
const LONG_WAIT = 400;

/** A training of some epochs. */
export interface Course {
  readonly epochs: number;
  /** The rows of every step of an epoch. */
  batches(epoch: number): readonly Int32Array[];
  /** Submits steps, the first of which is `place`. */
  submit(batches: readonly Int32Array[], place: Place): Promise<void>;
  /** Waits for all that was submitted. */
  wait(): Promise<unknown>;
  /** An epoch is submitted whole; waits for the device. Without it the course runs on into the next one. */
  onEpoch?(epoch: number): Promise<void>;
  /** The device is done with all before `next`. */
  reached?(next: Place): Promise<void>;
}

/** Follows a course from a place to its end. What was submitted last is not waited for, unless `onEpoch` does. */
export async function follow(course: Course, from: Place = { epoch: 0, step: 0 }): Promise<void> {
  let allowed = 1;
  let submitted = 0;
  let since = performance.now();
  const restart = (): void => {
    submitted = 0;
    since = performance.now();
  };
  const wait = async (): Promise<void> => {
    await course.wait();
    const took = performance.now() - since;
    if (took < SHORT_WAIT) allowed *= 2;
    else if (took > LONG_WAIT) allowed = Math.max(1, Math.floor(allowed / 2));
  };
  let { step } = from;
  for (let { epoch } = from; epoch < course.epochs; epoch++) {
    const batches = course.batches(epoch);
    const isLast = epoch + 1 === course.epochs;
    while (step < batches.length) {
      const taken = batches.slice(step, step + allowed - submitted);
      await course.submit(taken, { epoch, step });
      step += taken.length;
      submitted += taken.length;
      if (submitted < allowed || step === batches.length) continue;
      await wait();
      await course.reached?.({ epoch, step });
      restart();
    }
    step = 0;
    if (course.onEpoch !== undefined) await course.onEpoch(epoch);
    else if (isLast || submitted < allowed) continue;
    else await wait();
    await course.reached?.({ epoch: epoch + 1, step: 0 });
    restart();
  }
}

const flat = (data: Float32Array): NamedTensor => ({ dtype: 'F32', shape: [data.length], data });

/** A training between two steps, beside what else its stage keeps. */
export function captureTraining(
  { theta, momentum }: TrainingState,
  others: Readonly<Record<string, Float32Array>> = {},
): Captured['tensors'] {
  return new Map(Object.entries({ theta, momentum, ...others }).map(([name, data]) => [name, flat(data)]));
}

/** The training of a checkpoint. Throws `StoreError` where it is not of so many parameters. */
export const trainingOf = (checkpoint: Checkpoint, parameters: number): TrainingState => ({
  theta: tensorOf(checkpoint, 'theta', parameters),
  momentum: tensorOf(checkpoint, 'momentum', parameters),
});

/** Where one of several trainings stands. */
const memberSchema = placeSchema.extend({ expert: z.number().int().min(0) });

/** An expert in the middle of its training. */
export interface ExpertCheckpoint extends z.infer<typeof memberSchema> {
  readonly training: TrainingState;
  /** θ at the start and after every epoch that is done; the rest is zero. [epochs + 1, parameters] */
  readonly trajectory: Float32Array;
  /** The loss of each epoch's last batch, of those that are done. [epochs] */
  readonly losses: Float32Array;
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
