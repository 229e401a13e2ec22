/** An evaluation in its middle: the encoders that are done, and the training that the next one is in. */
import { z } from 'zod';
import type { TrainingState } from '../../nn/training.js';
import { type Checkpoints, stateOf, tensorOf } from '../checkpoints.js';
import type { Place } from '../stages/course.js';
import { captureTraining, placeSchema } from '../stages/expertCheckpoint.js';
import type { NamedTensor } from '../store/safetensors.js';

/** What one encoder has given, as it is kept. */
export const resultSchema = z.object({
  /** Test accuracy of a probe, for each share of labels; none without labels. */
  accuracies: z.array(z.number()),
  /** Equation (3): mean squared error to the teacher's representations of the test images; null without a teacher. */
  error: z.number().nullable(),
});

/** What one encoder has given. */
export type EncoderResult = z.infer<typeof resultSchema>;

/** A pre-training in its middle: where it goes on, and who is told how far it is. */
export interface KeptPretraining {
  readonly from: (Place & { readonly training: TrainingState }) | null;
  reached(place: Place, training: () => Promise<TrainingState>): Promise<void>;
}

/** Keeps an evaluation, encoders in their order. */
export interface EvaluationKeeper {
  /** What the encoders that were done before have given. */
  readonly results: readonly EncoderResult[];
  /** The pre-training of the next encoder. `results` are those before it. */
  pretraining(results: readonly EncoderResult[]): KeptPretraining;
  /** Told the results of all encoders so far. */
  reached(results: readonly EncoderResult[]): Promise<void>;
}

/** Keeps nothing. */
export const noKeeper: EvaluationKeeper = {
  results: [],
  pretraining: () => ({ from: null, reached: async () => {} }),
  reached: async () => {},
};

const stateSchema = z.object({ results: z.array(resultSchema), place: placeSchema.nullable() });

/**
 * Keeps an evaluation in a stage's checkpoints.
 *
 * @param beside what else each of them is to hold, by names of its own
 */
export function keeperOf(
  checkpoints: Checkpoints,
  beside: () => ReadonlyMap<string, NamedTensor> = () => new Map(),
): EvaluationKeeper {
  const { resumed } = checkpoints;
  const { results: known, place: next } =
    resumed === null ? { results: [], place: null } : stateOf(resumed, stateSchema);
  return {
    results: known,
    pretraining(results) {
      const isNext = results.length === known.length && resumed !== null && next !== null;
      return {
        from: isNext
          ? {
              ...next,
              training: { theta: tensorOf(resumed, 'theta'), momentum: tensorOf(resumed, 'momentum') },
            }
          : null,
        reached: (place, training) =>
          checkpoints.reached(results.length, async () => ({
            tensors: new Map([...beside(), ...captureTraining(await training())]),
            state: { results, place },
          })),
      };
    },
    reached: (results) =>
      checkpoints.reached(results.length, async () => ({
        tensors: beside(),
        state: { results, place: null },
      })),
  };
}
