/** Pre-training of a student on synthetic images by the teacher's own, self-supervised loss. */
import { uploadRange } from '../../autograd/compile/bufferRange.js';
import type { Device } from '../../gpu/device.js';
import { permutation } from '../../kernels/philox.js';
import { initialParameters } from '../../nn/model.js';
import { ObjectiveSteps } from '../../nn/objectiveSteps.js';
import { withProjector } from '../../nn/selfSupervised.js';
import { selfSupervision } from '../objectives.js';
import { follow } from '../stages/course.js';
import { wholeBatches } from '../stages/draws.js';
import { requireFiniteParameters, watchLosses } from '../stages/finite.js';
import type { Bench } from './bench.js';
import type { RowTraining } from './pretraining.js';
import type { Pretrain } from './rows.js';

/** A synthetic set that was learnt for the self-supervised loss: it has no targets. */
export interface SelfSupervisedSet {
  /** [count, C, H, W] */
  readonly images: Float32Array;
  readonly count: number;
  /** The learning rate α that was learnt with it. */
  readonly innerStep: number;
}

function uploadedImages(device: Device, images: Float32Array) {
  const range = uploadRange(device, images, 'evaluate.selfSupervised');
  return { range, release: () => device.releaseBuffer(range.buffer) };
}

/**
 * Compiles the training. The projector starts afresh in each repetition and is left behind; a rest of the images too short for
 * a batch is left out of its epoch.
 *
 * @param training its `learningRate` is the set's α
 * @returns θ of the student [model.parameters.total] after training from its start, by the repetition; throws `NumericsError`
 * when a loss or θ is no number any more
 */
export async function onSelfSupervisedSet(
  bench: Bench,
  { images, count }: SelfSupervisedSet,
  { row, learningRate, remedy }: RowTraining,
): Promise<Pretrain> {
  const { device, config, dataset } = bench.inputs;
  const { model } = bench;
  const { seed, evaluate, teacher } = config;
  const layout = withProjector(model, teacher);
  const batch = Math.min(evaluate.batch, count);
  const uploaded = bench.own(uploadedImages(device, images));
  const data = { count, images: uploaded.range, imageShape: [count, ...dataset.image] };
  const objective = selfSupervision(model, teacher, { ...evaluate, learningRate }, dataset);
  const steps = bench.own(await ObjectiveSteps.create(device, objective, data, [batch]));
  const perEpoch = Math.floor(count / batch);
  return async (start, repetition, kept) => {
    if (kept.from === null) {
      const theta = initialParameters(layout, { seed, purpose: 'evaluate.projector', index: repetition });
      theta.set(start);
      steps.start(theta);
    } else steps.restore(kept.from.training);
    const watch = watchLosses(
      `a student's self-supervised loss of the row ${row} of the stage evaluate, in repetition ${repetition},`,
      remedy,
      kept.from === null ? 0 : kept.from.epoch * perEpoch + kept.from.step,
    );
    await follow(
      {
        epochs: evaluate.epochs,
        batches(epoch) {
          const index = repetition * evaluate.epochs + epoch;
          return wholeBatches(permutation({ seed, purpose: 'evaluate.order', index }, count), batch);
        },
        async submit(batches, { epoch, step }) {
          const first = (repetition * evaluate.epochs + epoch) * perEpoch + step;
          for (const [k, rows] of batches.entries()) {
            await steps.step({ rows, key: { seed, purpose: 'evaluate.selfSupervised', index: first + k } });
          }
        },
        wait: async () => watch(await steps.losses()),
        reached: (place) => kept.reached(place, () => steps.state()),
      },
      kept.from ?? undefined,
    );
    watch(await steps.losses());
    const theta = await steps.parameters();
    const what = `a student's θ of the row ${row} of the stage evaluate, in repetition ${repetition},`;
    requireFiniteParameters(theta, what, remedy);
    return theta.slice(0, model.parameters.total);
  };
}
