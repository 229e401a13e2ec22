/** What the rows of an evaluation are made with: real and synthetic images, and students that are trained on them. */
import { type BufferRange, uploadRange } from '../../autograd/compile/bufferRange.js';
import type { Device } from '../../gpu/device.js';
import type { Model } from '../../nn/model.js';
import { makeResident, type ResidentData, releaseResident } from '../../nn/training.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../data/dataset.js';
import { Pretraining, type TrainingTables } from './pretraining.js';
import type { SelfSupervisedSet } from './selfSupervisedPretraining.js';

/** A synthetic set, as distillation leaves it. */
export interface SyntheticSet extends TrainingTables {
  readonly count: number;
  /** The learning rate α that was learnt with it. */
  readonly innerStep: number;
}

/** Real images that rows draw from, with the teacher's representations. */
export interface SourceImages extends TrainingTables {
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
  /** The set of the baseline that matches trajectories of the self-supervised loss, where there is one. */
  readonly selfSupervised?: SelfSupervisedSet;
  /** The source's images of highest loss; null where no expert has judged them. */
  readonly highLoss: Int32Array | null;
  /** Length D of a representation. */
  readonly representation: number;
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
  #sourceData: ResidentData | undefined;

  constructor(inputs: EvaluationInputs, model: Model) {
    this.inputs = inputs;
    this.model = model;
  }

  /** Has a resource released at the end, and gives it back. */
  own<Resource extends { release(): void }>(resource: Resource): Resource {
    this.#owned.push(resource);
    return resource;
  }

  /** Images in device memory until the end. */
  upload(images: Float32Array, label: string): BufferRange {
    const { device } = this.inputs;
    const range = uploadRange(device, images, label);
    this.own({ release: () => device.releaseBuffer(range.buffer) });
    return range;
  }

  /** The real training images that probes are fitted to, in device memory; shared with `onAll` where they are the same. */
  trainImages(): BufferRange {
    const { dataset, source } = this.inputs;
    if (source?.images === dataset.train.images) return this.#source(source).images;
    return this.upload(dataset.train.images, 'evaluate.train');
  }

  /** Training on sets as large as the synthetic one, each of which replaces the one before. */
  onSubset(): Promise<Pretraining> {
    const { synthetic, config } = this.inputs;
    this.#subset ??= this.#pretraining(this.#resident(synthetic), synthetic.count, config.evaluate);
    return this.#subset;
  }

  /** Training on all images of the source. */
  onAll(source: SourceImages): Promise<Pretraining> {
    this.#all ??= this.#pretraining(this.#source(source), source.count, this.inputs.config.evaluate.allData);
    return this.#all;
  }

  #source(source: SourceImages): ResidentData {
    this.#sourceData ??= this.#resident(source);
    return this.#sourceData;
  }

  #resident({ images, targets, count }: TrainingTables & { readonly count: number }): ResidentData {
    const { device, dataset, representation } = this.inputs;
    const shape = [count, ...dataset.image];
    const data = makeResident(device, images, shape, targets, [count, representation]);
    this.own({ release: () => releaseResident(device, data) });
    return data;
  }

  async #pretraining(
    data: ResidentData,
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
