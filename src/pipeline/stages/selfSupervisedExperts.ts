/**
 * First half of the baseline "trajectory matching on the self-supervised loss": experts that learn from the real images by the
 * teacher's own loss on pairs of random views, student and projector together. θ is kept at the start and after every epoch.
 */
import { permutation } from '../../kernels/philox.js';
import { placeImages, releaseImages } from '../../nn/deviceImages.js';
import { initialParameters } from '../../nn/model.js';
import { ObjectiveSteps } from '../../nn/objectiveSteps.js';
import { withProjector } from '../../nn/selfSupervised.js';
import { selfSupervision } from '../objectives.js';
import { files, floatTensor, placement, type StageContext, studentModel, writeTensors } from './context.js';
import { follow } from './course.js';
import { wholeBatches } from './draws.js';
import { captureExpert, expertOf } from './expertCheckpoint.js';
import { lower, requireFiniteParameters, watchLosses } from './finite.js';
import { Held } from './held.js';

/** Trains the experts; a trajectory [epochs + 1, θ] each. */
export async function trainSelfSupervisedExperts(context: StageContext): Promise<string[]> {
  const { config, dataset, device, folder, events, checkpoints } = context;
  const { seed } = config;
  const settings = config.selfSupervised.experts;
  const { epochs } = settings;
  const model = studentModel(context);
  const layout = withProjector(model, config.teacher);
  const { total } = layout;
  const { count } = dataset.train;
  const batch = Math.min(settings.batch, count);
  const perEpoch = Math.floor(count / batch);
  const resumed = checkpoints?.resumed == null ? null : expertOf(checkpoints.resumed, epochs, total);
  const written = Array.from({ length: resumed?.expert ?? 0 }, (_, expert) =>
    files.selfSupervisedExpert(expert),
  );
  const held = new Held();
  try {
    const data = held.takeWith(
      await placeImages(
        device,
        dataset.train,
        dataset.image,
        placement(config, batch, 'selfSupervised.experts'),
      ),
      (placed) => releaseImages(device, placed),
    );
    const objective = selfSupervision(model, config.teacher, settings, dataset);
    const steps = held.take(await ObjectiveSteps.create(device, objective, data, [batch]));
    for (let expert = written.length; expert < settings.count; expert++) {
      const kept = resumed?.expert === expert ? resumed : null;
      const trajectory = kept?.trajectory ?? new Float32Array((epochs + 1) * total);
      const losses = kept?.losses ?? new Float32Array(epochs);
      if (kept === null) {
        const start = initialParameters(layout, { seed, purpose: 'selfSupervised.expert', index: expert });
        trajectory.set(start);
        steps.start(start);
      } else steps.restore(kept.training);
      const batches = (epoch: number): Int32Array[] => {
        const index = expert * epochs + epoch;
        const order = permutation({ seed, purpose: 'selfSupervised.expert.order', index }, count);
        return wholeBatches(order, batch);
      };
      const remedy = lower(config, 'selfSupervised.experts.learningRate');
      const watch = watchLosses(
        `expert ${expert}'s loss of the stage selfSupervisedExperts`,
        remedy,
        kept === null ? 0 : kept.epoch * perEpoch + kept.step,
      );
      await follow(
        {
          epochs,
          batches,
          submit: async (taken, { epoch, step }) => {
            const first = (expert * epochs + epoch) * perEpoch + step;
            for (const [k, rows] of taken.entries()) {
              await steps.step({ rows, key: { seed, purpose: 'selfSupervised.expert', index: first + k } });
            }
          },
          wait: async () => watch(await steps.losses()),
          onEpoch: async (index) => {
            const epoch = index + 1;
            const theta = await steps.parameters();
            trajectory.set(theta, epoch * total);
            watch(await steps.losses());
            const what = `expert ${expert}'s θ of the stage selfSupervisedExperts after epoch ${epoch}`;
            requireFiniteParameters(theta, what, remedy);
            const loss = await steps.lastLoss(batch);
            losses[index] = loss;
            events.append({ stage: 'selfSupervisedExperts', expert, epoch, loss });
            context.advance(expert * epochs + epoch, loss);
          },
          reached: async (place) =>
            await checkpoints?.reached(expert * epochs + place.epoch, async () => ({
              ...captureExpert({ expert, ...place, training: await steps.state(), trajectory, losses }),
              files: written,
            })),
        },
        kept ?? undefined,
      );
      const file = files.selfSupervisedExpert(expert);
      await writeTensors(folder, file, [['trajectory', floatTensor(trajectory, epochs + 1, total)]]);
      written.push(file);
    }
  } finally {
    held.release();
  }
  return written;
}
