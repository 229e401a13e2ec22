/** Pre-training of students: regression of target representations on one set of images. */

import { ShapeError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { permutation } from '../../kernels/philox.js';
import type { TrainingImages } from '../../nn/deviceImages.js';
import type { Model } from '../../nn/model.js';
import { batchSizesOf, splitBatches, Trainer } from '../../nn/training.js';
import type { Config } from '../config/schema.js';
import { follow } from '../stages/course.js';
import { requireFiniteParameters, watchLosses } from '../stages/finite.js';
import { regressionOf } from '../stages/students.js';
import type { KeptPretraining } from './keeper.js';

/** Images and their target representations, one row an image. */
export interface TrainingTables {
  /** [count, C, H, W] */
  readonly images: Float32Array;
  /** [count, D] */
  readonly targets: Float32Array;
}

/** How a row trains, and what is said where that diverges. */
export interface RowTraining {
  /** What tables call the row. */
  readonly row: string;
  readonly learningRate: number;
  /** What usually helps, as a sentence. */
  readonly remedy: string;
}

export interface PretrainingOptions {
  readonly device: Device;
  readonly config: Config;
  readonly model: Model;
  /** Images and targets in device memory; theirs who made them. */
  readonly data: TrainingImages;
  /** Rows of the data. */
  readonly count: number;
  readonly epochs: number;
  readonly batch: number;
}

/** Trains students on data that may be exchanged between trainings, with one set of compiled steps. */
export class Pretraining {
  readonly #options: PretrainingOptions;
  readonly #trainer: Trainer;

  private constructor(options: PretrainingOptions, trainer: Trainer) {
    this.#options = options;
    this.#trainer = trainer;
  }

  static async create(options: PretrainingOptions): Promise<Pretraining> {
    const { device, config, model, data, count, batch } = options;
    const trainer = await Trainer.create({
      device,
      data,
      ...regressionOf(model, config.evaluate),
      batchSizes: batchSizesOf(count, batch),
      label: 'pretrain',
    });
    return new Pretraining(options, trainer);
  }

  /**
   * θ after pre-training from `start`; the order of the images is named by the repetition.
   *
   * @param replace what to train on, where it is not what lies in device memory already; as many rows
   * @throws ShapeError for other tables; NumericsError when a loss or θ is no number any more.
   */
  async train(
    start: Float32Array,
    { row, learningRate, remedy }: RowTraining,
    repetition: number,
    kept: KeptPretraining,
    replace?: TrainingTables,
  ): Promise<Float32Array> {
    const { device, config, model, data, count, epochs, batch } = this.#options;
    const trainer = this.#trainer;
    if (replace !== undefined) {
      // What is shorter would leave rows of the tables before it.
      const [given, needed] = [replace.targets.length, count * model.outputCount];
      if (given !== needed) {
        throw new ShapeError(
          `The row ${row} got ${given} numbers of targets for ${count} images, which have ${needed}: give as many images as the synthetic set has.`,
        );
      }
      device.write(data.images.buffer, replace.images);
      device.write(data.targets.buffer, replace.targets);
    }
    if (kept.from === null) trainer.start(start, learningRate);
    else trainer.restore(kept.from.training, learningRate);
    const perEpoch = Math.ceil(count / batch);
    const watch = watchLosses(
      `a student's loss of the row ${row} of the stage evaluate, in repetition ${repetition},`,
      remedy,
      kept.from === null ? 0 : kept.from.epoch * perEpoch + kept.from.step,
    );
    await follow(
      {
        epochs,
        batches(epoch) {
          const index = repetition * epochs + epoch;
          const order = permutation({ seed: config.seed, purpose: 'evaluate.order', index }, count);
          return splitBatches(order, batch);
        },
        submit: (batches) => trainer.submit(batches),
        wait: async () => watch(await trainer.losses()),
        reached: (place) => kept.reached(place, () => trainer.state()),
      },
      kept.from ?? undefined,
    );
    watch(await trainer.losses());
    const theta = await trainer.parameters();
    requireFiniteParameters(
      theta,
      `a student's θ of the row ${row} of the stage evaluate, in repetition ${repetition},`,
      remedy,
    );
    return theta;
  }

  release(): void {
    this.#trainer.release();
  }
}
