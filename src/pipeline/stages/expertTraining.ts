/** The training of one expert: a student that regresses the teacher's representations of the real images (MKDT eq. 5). */
import { permutation } from '../../kernels/philox.js';
import { initialParameters } from '../../nn/model.js';
import type { ParameterLayout } from '../../nn/parameters.js';
import { splitBatches, type Trainer } from '../../nn/training.js';
import type { Config } from '../config/schema.js';
import { requireFinite } from './finite.js';

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
}

/** What an expert leaves. */
export interface ExpertTrajectory {
  /** θ at the start and after every epoch [epochs + 1, parameters]. */
  readonly trajectory: Float32Array;
  /** Loss of each epoch's last batch [epochs]. */
  readonly losses: Float32Array;
}

/** Trains one expert. Throws `HypergradError` when its loss is no number any more. */
export async function trainTrajectory(options: ExpertTrainingOptions): Promise<ExpertTrajectory> {
  const { trainer, config, layout, count, expert, reached } = options;
  const { epochs, batch, learningRate } = config.experts;
  const { total } = layout;
  const start = initialParameters(layout, { seed: config.seed, purpose: 'expert', index: expert });
  const trajectory = new Float32Array((epochs + 1) * total);
  trajectory.set(start);
  const losses = new Float32Array(epochs);
  trainer.start(start, learningRate);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const index = expert * epochs + epoch;
    const batches = splitBatches(
      permutation({ seed: config.seed, purpose: 'expert.order', index }, count),
      batch,
    );
    await trainer.submit(batches);
    trajectory.set(await trainer.parameters(), epoch * total);
    const loss = await trainer.lastLoss(batches.at(-1)!.length);
    requireFinite(loss, `expert ${expert}'s loss after epoch ${epoch}`, 'Lower experts.learningRate.');
    losses[epoch - 1] = loss;
    reached(epoch, loss);
  }
  return { trajectory, losses };
}
