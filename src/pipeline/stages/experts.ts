/**
 * The stage `experts`: K of them, students that regress the teacher's representations of the real images (MKDT eq. 5) from
 * different initialisations; their parameters at the start and after every epoch are kept. The stage `subset`: the images of
 * the highest loss.
 */
import { placeImages, placeTraining, releaseImages, releaseTraining } from '../../nn/deviceImages.js';
import { Encoder, rowErrors } from '../../nn/encoder.js';
import { batchSizesOf, Trainer } from '../../nn/training.js';
import { doublesOf, doublesTensor } from '../checkpoints.js';
import { subsetSize } from '../config/rules.js';
import type { Config } from '../config/schema.js';
import type { Parts } from '../parts.js';
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
import { captureExpert, expertOf } from './expertCheckpoint.js';
import { trainTrajectory } from './expertTraining.js';
import { Held } from './held.js';
import { readAhead } from './readAhead.js';
import { hardestFirst } from './starts.js';
import { regressionOf } from './students.js';
import { LOSSES, requireSpace, TRAJECTORY, Trajectories } from './trajectories.js';

/** Name of an expert's part of the stage. */
const partOf = (expert: number): string => String(expert).padStart(3, '0');

/** The parts of the stage: one an expert. */
export const expertParts = ({ experts }: Config): string[] =>
  Array.from({ length: experts.count }, (_, expert) => partOf(expert));

/**
 * Trains the experts that the folder does not hold yet, the one that a checkpoint is of from there on. What is done is told
 * again, so that the events are those of a run in one go. Throws `StoreError` where the disk is too small for the trajectories.
 */
export async function trainExperts(context: StageContext & { readonly parts: Parts }): Promise<string[]> {
  const { config, parts } = context;
  const { count } = config.experts;
  const trajectories = new Trajectories(context);
  await requireSpace(context);
  const isDone: boolean[] = [];
  for (let expert = 0; expert < count; expert++) isDone.push(await parts.isDone(partOf(expert)));
  const training = isDone.every(Boolean) ? null : await ExpertTraining.create(context);
  try {
    for (let expert = 0; expert < count; expert++) {
      if (isDone[expert]) {
        tell(context, expert, await trajectories.losses(expert));
      } else {
        await training!.train(expert);
        await parts.record(partOf(expert), [files.expert(expert)]);
      }
    }
  } finally {
    training?.release();
  }
  return Array.from({ length: count }, (_, expert) => files.expert(expert));
}

/** Trains one expert alone, in a folder that need not hold the others. Steps are told of this expert. */
export async function trainExpertPart(context: StageContext, part: string): Promise<string[]> {
  const expert = Number(part);
  const done = expert * context.config.experts.epochs;
  const training = await ExpertTraining.create({
    ...context,
    advance: (epoch, loss) => context.advance(epoch - done, loss),
  });
  try {
    await training.train(expert);
  } finally {
    training.release();
  }
  return [files.expert(expert)];
}

/** Tells of epochs that were done before, by the loss of each. */
function tell({ config, events, advance }: StageContext, expert: number, losses: Float32Array): void {
  losses.forEach((loss, index) => {
    events.append({ stage: 'experts', expert, epoch: index + 1, loss });
  });
  advance(expert * config.experts.epochs + losses.length, losses.at(-1));
}

/** Owns the data on the device and the compiled steps that every expert is trained with. */
class ExpertTraining {
  readonly #context: StageContext;
  readonly #trainer: Trainer;
  readonly #held: Held;

  private constructor(context: StageContext, trainer: Trainer, held: Held) {
    this.#context = context;
    this.#trainer = trainer;
    this.#held = held;
  }

  static async create(context: StageContext): Promise<ExpertTraining> {
    const { config, dataset, device, folder } = context;
    const model = studentModel(context);
    const { count } = dataset.train;
    const targets = await readFloats(folder, files.targets, 'train');
    const place = placement(config, config.experts.batch, 'experts');
    const held = new Held();
    try {
      const data = held.takeWith(
        await placeTraining(device, dataset.train, dataset.image, targets, place),
        (placed) => releaseTraining(device, placed),
      );
      const trainer = held.take(
        await Trainer.create({
          device,
          data,
          ...regressionOf(model, config.experts),
          batchSizes: batchSizesOf(count, config.experts.batch),
          label: 'expert',
        }),
      );
      return new ExpertTraining(context, trainer, held);
    } catch (error) {
      held.release();
      throw error;
    }
  }

  /** Trains one expert and writes its trajectory, whole. */
  async train(expert: number): Promise<void> {
    const { config, dataset, folder, events, advance, checkpoints } = this.#context;
    const { epochs } = config.experts;
    const { parameters } = studentModel(this.#context);
    const { total } = parameters;
    const resumed = checkpoints?.resumed == null ? null : expertOf(checkpoints.resumed, epochs, total);
    const from = resumed?.expert === expert ? resumed : undefined;
    if (from !== undefined) tell(this.#context, expert, from.losses.slice(0, from.epoch));
    const { trajectory, losses } = await trainTrajectory({
      trainer: this.#trainer,
      config,
      layout: parameters,
      count: dataset.train.count,
      expert,
      reached(epoch, loss) {
        events.append({ stage: 'experts', expert, epoch, loss });
        advance(expert * epochs + epoch, loss);
      },
      ...(from === undefined ? {} : { from }),
      between: async (place, capture) =>
        await checkpoints?.reached(expert * epochs + place.epoch, async () =>
          captureExpert({ expert, ...place, ...(await capture()) }),
        ),
    });
    const layout = parameters.entries.map(({ name, shape, offset }) => ({ name, shape, offset }));
    await writeTensors(
      folder,
      files.expert(expert),
      [
        [TRAJECTORY, floatTensor(trajectory, epochs + 1, parameters.total)],
        [LOSSES, floatTensor(losses, epochs)],
      ],
      { layout: JSON.stringify(layout) },
    );
  }

  release(): void {
    this.#held.release();
  }
}

/**
 * The images on which the experts' first-epoch checkpoints err most, averaged over experts; writes their numbers, most
 * difficult first, and every image's loss.
 */
export async function chooseSubset(context: StageContext): Promise<string[]> {
  const { config, dataset, device, folder } = context;
  const model = studentModel(context);
  const { count } = dataset.train;
  const targets = await readFloats(folder, files.targets, 'train');
  const resumed = context.checkpoints?.resumed ?? null;
  const losses = resumed === null ? new Float64Array(count) : doublesOf(resumed, 'losses', count);
  const held = new Held();
  try {
    const images = held.takeWith(
      await placeImages(device, dataset.train, dataset.image, placement(config, 1, 'subset')),
      (placed) => releaseImages(device, placed),
    );
    const encoder = held.take(await Encoder.create(device, model, images));
    const trajectories = new Trajectories(context);
    const experts = config.experts.count;
    let done = resumed?.done ?? 0;
    const first = done;
    const read = (ahead: number): Promise<Float32Array> => trajectories.checkpoint(first + ahead, 1);
    for await (const theta of readAhead(experts - first, read)) {
      const { outputs } = await encoder.encode(theta);
      rowErrors(outputs, targets, model.outputCount).forEach((error, i) => {
        losses[i]! += error / experts;
      });
      done++;
      context.advance(done);
      await context.checkpoints?.reached(done, async () => ({
        tensors: new Map([['losses', doublesTensor(losses)]]),
      }));
    }
  } finally {
    held.release();
  }
  const size = subsetSize(config.subset.fraction, count);
  await writeTensors(folder, files.subset, [
    ['indices', integerTensor(Int32Array.from(hardestFirst(losses).slice(0, size)), size)],
    ['losses', floatTensor(Float32Array.from(losses), count)],
  ]);
  return [files.subset];
}
