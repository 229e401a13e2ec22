/** The training of one expert: a student that regresses the teacher's representations of the real images (MKDT eq. 5). */
import { permutation } from '../../kernels/philox.js';
import { initialParameters } from '../../nn/model.js';
import type { ParameterLayout } from '../../nn/parameters.js';
import { splitBatches, type Trainer, type TrainingState } from '../../nn/training.js';
import type { Config } from '../config/schema.js';
import { follow, type Place } from './course.js';
import { lower, requireFiniteParameters, watchLosses } from './finite.js';

export interface ExpertTrainingOptions {
  /** Made for the model, the images and the batches of `config.experts`. */
  readonly trainer: Trainer;
  readonly config: Pick<Config, 'seed' | 'experts'>;
  readonly layout: ParameterLayout;
  /** Number of real images. */
  readonly count: number;
  /** Which expert: names its initialisation and the order of its batches. */
  readonly expert: number;
  /** Told of every epoch, with the loss of its last batch. */
  reached(epoch: number, loss: number): void;
  /** Where it goes on; from its start by default. */
  readonly from?: ExpertMiddle;
  /** Told between two steps now and then, and after every epoch; `capture` gives all that going on from there takes. */
  between?(place: Place, capture: () => Promise<Omit<ExpertMiddle, keyof Place>>): Promise<void>;
}

/** What an expert leaves. */
export interface ExpertTrajectory {
  /** θ at the start and after every epoch [epochs + 1, parameters]. */
  readonly trajectory: Float32Array;
  /** Loss of each epoch's last batch [epochs]. */
  readonly losses: Float32Array;
}

/** An expert in the middle of its training. θ of the epochs that are not done, and their losses, are zero. */
export interface ExpertMiddle extends Place, ExpertTrajectory {
  readonly training: TrainingState;
}

/** Trains one expert. Throws `NumericsError` when its loss, or θ after an epoch, is no number any more. */
export async function trainTrajectory(options: ExpertTrainingOptions): Promise<ExpertTrajectory> {
  const { trainer, config, layout, count, expert, reached, from, between } = options;
  const { epochs, batch, learningRate } = config.experts;
  const { total } = layout;
  const trajectory = from?.trajectory ?? new Float32Array((epochs + 1) * total);
  const losses = from?.losses ?? new Float32Array(epochs);
  if (from === undefined) {
    const start = initialParameters(layout, { seed: config.seed, purpose: 'expert', index: expert });
    trajectory.set(start);
    trainer.start(start, learningRate);
  } else trainer.restore(from.training, learningRate);
  const done = from === undefined ? 0 : from.epoch * Math.ceil(count / batch) + from.step;
  const remedy = lower(config, 'experts.learningRate');
  const watch = watchLosses(`expert ${expert}'s loss of the stage experts`, remedy, done);
  await follow(
    {
      epochs,
      batches(epoch) {
        const index = expert * epochs + epoch + 1;
        return splitBatches(permutation({ seed: config.seed, purpose: 'expert.order', index }, count), batch);
      },
      submit: (batches) => trainer.submit(batches),
      wait: async () => watch(await trainer.losses()),
      async onEpoch(index) {
        const epoch = index + 1;
        const theta = await trainer.parameters();
        trajectory.set(theta, epoch * total);
        watch(await trainer.losses());
        requireFiniteParameters(
          theta,
          `expert ${expert}'s θ of the stage experts after epoch ${epoch}`,
          remedy,
        );
        const loss = await trainer.lastLoss(count % batch || batch);
        losses[index] = loss;
        reached(epoch, loss);
      },
      reached: async (place) =>
        await between?.(place, async () => ({ training: await trainer.state(), trajectory, losses })),
    },
    from,
  );
  return { trajectory, losses };
}
