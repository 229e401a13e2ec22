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
import { wholeBatches } from './draws.js';
import { requireFinite } from './finite.js';

/** Trains the experts; a trajectory [epochs + 1, θ] each. */
export async function trainSelfSupervisedExperts(context: StageContext): Promise<string[]> {
  const { config, dataset, device, folder, events } = context;
  const { seed } = config;
  const settings = config.selfSupervised.experts;
  const model = studentModel(context);
  const layout = withProjector(model, config.teacher);
  const { count } = dataset.train;
  const batch = Math.min(settings.batch, count);
  const perEpoch = Math.floor(count / batch);
  const data = await placeImages(
    device,
    dataset.train,
    dataset.image,
    placement(config, batch, 'selfSupervised.experts'),
  );
  const objective = selfSupervision(model, config.teacher, settings, dataset);
  const steps = await ObjectiveSteps.create(device, objective, data, [batch]);
  const written: string[] = [];
  try {
    for (let expert = 0; expert < settings.count; expert++) {
      const start = initialParameters(layout, { seed, purpose: 'selfSupervised.expert', index: expert });
      const trajectory = new Float32Array((settings.epochs + 1) * layout.total);
      trajectory.set(start);
      steps.start(start);
      for (let epoch = 1; epoch <= settings.epochs; epoch++) {
        const index = expert * settings.epochs + epoch - 1;
        const order = permutation({ seed, purpose: 'selfSupervised.expert.order', index }, count);
        for (const [step, rows] of wholeBatches(order, batch).entries()) {
          const key = { seed, purpose: 'selfSupervised.expert', index: index * perEpoch + step };
          await steps.step({ rows, key });
        }
        trajectory.set(await steps.parameters(), epoch * layout.total);
        const loss = await steps.loss(batch);
        requireFinite(
          loss,
          `self-supervised expert ${expert}'s loss after epoch ${epoch}`,
          'Lower selfSupervised.experts.learningRate.',
        );
        events.append({ stage: 'selfSupervisedExperts', expert, epoch, loss });
        context.advance(index + 1, loss);
      }
      const file = files.selfSupervisedExpert(expert);
      await writeTensors(folder, file, [
        ['trajectory', floatTensor(trajectory, settings.epochs + 1, layout.total)],
      ]);
      written.push(file);
    }
  } finally {
    steps.release();
    releaseImages(device, data);
  }
  return written;
}
