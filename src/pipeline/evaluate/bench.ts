/** What the rows of an evaluation are made with: real and synthetic images, and students that are trained on them. */
import type { Device } from '../../gpu/device.js';
import {
  type DeviceImages,
  placeImages,
  placeTraining,
  type RowSource,
  releaseImages,
  releaseTraining,
  type TrainingImages,
  tableSource,
} from '../../nn/deviceImages.js';
import type { Model } from '../../nn/model.js';
import type { Config } from '../config/schema.js';
import type { EvaluationRow } from '../config/sections/evaluate.js';
import type { Dataset } from '../data/dataset.js';
import { placement } from '../stages/context.js';
import type { EvaluationKeeper } from './keeper.js';
import { Pretraining, type TrainingTables } from './pretraining.js';
import type { SelfSupervisedSet } from './selfSupervisedPretraining.js';

/** A synthetic set, as distillation leaves it. */
export interface SyntheticSet extends TrainingTables {
  readonly count: number;
  /** The learning rate α that was learnt with it; null for a set that has none. */
  readonly innerStep: number | null;
}

/** Real images that rows draw from, with the teacher's representations. */
export interface SourceImages {
  /** Images [C, H, W] by number. */
  readonly images: RowSource;
  /** [count, D] */
  readonly targets: Float32Array;
  readonly count: number;
}

/** Everything that an evaluation reads. */
export interface EvaluationInputs {
  readonly device: Device;
  readonly config: Config;
  /** The real images that probes are fitted to and tested on. */
  readonly dataset: Dataset;
  /** The teacher's representations [count, D] of those images; null without a teacher. */
  readonly representations: { readonly train: Float32Array; readonly test: Float32Array } | null;
  /** What subsets and "all data" are taken from; null where there are no targets for real images. */
  readonly source: SourceImages | null;
  readonly synthetic: SyntheticSet;
  /** The set of the baseline that matches trajectories of the self-supervised loss; null where there is none. */
  readonly selfSupervised: SelfSupervisedSet | null;
  /** The source's images of highest loss; null where no expert has judged them. */
  readonly highLoss: Int32Array | null;
  /** Length D of a representation. */
  readonly representation: number;
  /** Keeps the evaluation in its middle; nothing does by default. */
  readonly keeper?: EvaluationKeeper;
  /**
   * Told what an encoder of the student's architecture gives for the test images [count, D], in which repetition; asked for by
   * nobody by default.
   */
  encoded?(row: EvaluationRow, repetition: number, outputs: Float32Array): void;
  /** Told how many encoders have been evaluated. */
  advance(done: number): void;
}

/** Students of one architecture: compiled when a row first asks, released together. */
export class Bench {
  readonly inputs: EvaluationInputs;
  readonly model: Model;
  readonly #owned: { release(): void }[] = [];
  #subset: Promise<Pretraining> | undefined;
  #all: Promise<Pretraining> | undefined;
  #sourceData: Promise<TrainingImages> | undefined;

  constructor(inputs: EvaluationInputs, model: Model) {
    this.inputs = inputs;
    this.model = model;
  }

  /** Has a resource released at the end, and gives it back. */
  own<Resource extends { release(): void }>(resource: Resource): Resource {
    this.#owned.push(resource);
    return resource;
  }

  /** Images on the device until the end, for encoders. */
  async place(source: RowSource, label: string): Promise<DeviceImages> {
    const { device, dataset, config } = this.inputs;
    const images = await placeImages(device, source, dataset.image, placement(config, 1, label));
    this.own({ release: () => releaseImages(device, images) });
    return images;
  }

  /** The real training images that probes are fitted to, on the device; shared with `onAll` where they are the same. */
  async trainImages(): Promise<DeviceImages> {
    const { dataset, source } = this.inputs;
    if (source?.images === dataset.train) return await this.#source(source);
    return await this.place(dataset.train, 'evaluate.train');
  }

  /** Training on sets as large as the synthetic one, each of which replaces the one before. */
  onSubset(): Promise<Pretraining> {
    const { synthetic, config } = this.inputs;
    const { images, targets, count } = synthetic;
    // Sets replace one another in place: the synthetic set is small, and lies there whole.
    const make = async () =>
      this.#pretraining(
        await this.#placed({ images: tableSource(images, count), targets }, count, Number.POSITIVE_INFINITY),
        count,
        config.evaluate,
      );
    this.#subset ??= make();
    return this.#subset;
  }

  /** Training on all images of the source. */
  onAll(source: SourceImages): Promise<Pretraining> {
    const make = async () =>
      this.#pretraining(await this.#source(source), source.count, this.inputs.config.evaluate.allData);
    this.#all ??= make();
    return this.#all;
  }

  #source(source: SourceImages): Promise<TrainingImages> {
    this.#sourceData ??= this.#placed(source, this.inputs.config.evaluate.allData.batch);
    return this.#sourceData;
  }

  async #placed(
    { images, targets }: Pick<SourceImages, 'images' | 'targets'>,
    batch: number,
    budget?: number,
  ): Promise<TrainingImages> {
    const { device, dataset, config } = this.inputs;
    const place = placement(config, batch, 'evaluate');
    const data = await placeTraining(device, images, dataset.image, targets, {
      ...place,
      budget: budget ?? place.budget,
    });
    this.own({ release: () => releaseTraining(device, data) });
    return data;
  }

  async #pretraining(
    data: TrainingImages,
    count: number,
    { epochs, batch }: { readonly epochs: number; readonly batch: number },
  ): Promise<Pretraining> {
    const { device, config } = this.inputs;
    const { model } = this;
    return this.own(await Pretraining.create({ device, config, model, data, count, epochs, batch }));
  }

  release(): void {
    // Plans before the data that they are bound to.
    for (const resource of this.#owned.reverse()) resource.release();
  }
}
