/**
 * Stage 3: K experts, students that regress the teacher's representations of the real images (MKDT eq. 5) from different
 * initialisations; their parameters at the start and after every epoch are kept. Stage 4: the high-loss subset.
 */
import { permutation } from '../../kernels/philox.js';
import { placeImages, placeTraining, releaseImages, releaseTraining } from '../../nn/deviceImages.js';
import { Encoder, rowErrors } from '../../nn/inference.js';
import { mse } from '../../nn/losses.js';
import { initialParameters, type Model } from '../../nn/model.js';
import type { SgdSettings } from '../../nn/optimisers/sgd.js';
import { batchSizesOf, splitBatches, Trainer, type TrainingStep } from '../../nn/training.js';
import { subsetSize } from '../config/rules.js';
import {
  files,
  floatTensor,
  integerTensor,
  placement,
  readFloats,
  type StageContext,
  studentModel,
  writeTensors,
} from './context.js';
import { requireFinite } from './finite.js';

/** How a student learns a table of targets. */
export const regression = (model: Model, optimiser: SgdSettings): TrainingStep => ({
  parameters: model.parameters.total,
  loss: (theta, x, y) => mse(model.forward(theta, x).output, y),
  optimiser,
});

export async function trainExperts(context: StageContext): Promise<string[]> {
  const { config, dataset, device, folder, events } = context;
  const settings = config.experts;
  const model = studentModel(context);
  const { total } = model.parameters;
  const { count } = dataset.train;
  const targets = await readFloats(folder, files.targets, 'train');
  const place = placement(config, settings.batch, 'experts');
  const data = await placeTraining(device, dataset.train, dataset.image, targets, place);
  const trainer = await Trainer.create({
    device,
    data,
    ...regression(model, settings),
    batchSizes: batchSizesOf(count, settings.batch),
    label: 'expert',
  });
  const written: string[] = [];
  try {
    for (let expert = 0; expert < settings.count; expert++) {
      const start = initialParameters(model.parameters, {
        seed: config.seed,
        purpose: 'expert',
        index: expert,
      });
      const trajectory = new Float32Array((settings.epochs + 1) * total);
      trajectory.set(start);
      trainer.start(start, settings.learningRate);
      for (let epoch = 1; epoch <= settings.epochs; epoch++) {
        const index = expert * settings.epochs + epoch;
        const order = permutation({ seed: config.seed, purpose: 'expert.order', index }, count);
        const batches = splitBatches(order, settings.batch);
        await trainer.submit(batches);
        trajectory.set(await trainer.parameters(), epoch * total);
        const loss = await trainer.lastLoss(batches.at(-1)!.length);
        requireFinite(loss, `expert ${expert}'s loss after epoch ${epoch}`, 'Lower experts.learningRate.');
        events.append({ stage: 'experts', expert, epoch, loss });
        context.advance(expert * settings.epochs + epoch, loss);
      }
      const file = files.expert(expert);
      await writeTensors(
        folder,
        file,
        [['trajectory', floatTensor(trajectory, settings.epochs + 1, total)]],
        {
          layout: JSON.stringify(
            model.parameters.entries.map(({ name, shape, offset }) => ({ name, shape, offset })),
          ),
        },
      );
      written.push(file);
    }
  } finally {
    trainer.release();
    releaseTraining(device, data);
  }
  return written;
}

/** All trajectories, [epochs + 1, total] each. */
export async function readExperts({ config, folder }: StageContext): Promise<Float32Array[]> {
  return await Promise.all(
    Array.from({ length: config.experts.count }, (_, k) => readFloats(folder, files.expert(k), 'trajectory')),
  );
}

/**
 * The images on which the experts' first-epoch checkpoints err most, averaged over experts; writes their numbers, most
 * difficult first, and every image's loss.
 */
export async function chooseSubset(context: StageContext): Promise<string[]> {
  const { config, dataset, device, folder } = context;
  const model = studentModel(context);
  const { total } = model.parameters;
  const { count } = dataset.train;
  const targets = await readFloats(folder, files.targets, 'train');
  const losses = new Float64Array(count);
  const images = await placeImages(device, dataset.train, dataset.image, placement(config, 1, 'subset'));
  const encoder = await Encoder.create(device, model, images);
  try {
    const experts = await readExperts(context);
    for (const [k, trajectory] of experts.entries()) {
      const { outputs } = await encoder.encode(trajectory.slice(total, 2 * total));
      rowErrors(outputs, targets, model.outputCount).forEach((error, i) => {
        losses[i]! += error / experts.length;
      });
      context.advance(k + 1);
    }
  } finally {
    encoder.release();
    releaseImages(device, images);
  }
  const size = subsetSize(config.subset.fraction, count);
  const order = Array.from(losses.keys()).sort((a, b) => losses[b]! - losses[a]! || a - b);
  await writeTensors(folder, files.subset, [
    ['indices', integerTensor(Int32Array.from(order.slice(0, size)), size)],
    ['losses', floatTensor(Float32Array.from(losses), count)],
  ]);
  return [files.subset];
}
