/**
 * What a distillation starts from: the recorded teacher's representations of the digits, experts trained here and now, and the
 * images on which they err most. The stages of a run, but for the teacher's training, without files.
 */
import type { Device } from '../../src/gpu/device.js';
import {
  placeImages,
  placeTraining,
  type RowSource,
  releaseImages,
  releaseTraining,
} from '../../src/nn/deviceImages.js';
import { Encoder, rowErrors } from '../../src/nn/encoder.js';
import type { Model } from '../../src/nn/model.js';
import { joinParameters } from '../../src/nn/parameters.js';
import { batchSizesOf, Trainer } from '../../src/nn/training.js';
import { subsetSize } from '../../src/pipeline/config/rules.js';
import type { Config } from '../../src/pipeline/config/schema.js';
import type { Dataset } from '../../src/pipeline/data/dataset.js';
import { placement, studentModel, takeRows, teacherModel } from '../../src/pipeline/stages/context.js';
import { trainTrajectory } from '../../src/pipeline/stages/expertTraining.js';
import { hardestFirst, type StartingSet } from '../../src/pipeline/stages/starts.js';
import { regressionOf } from '../../src/pipeline/stages/students.js';
import { decodeSafetensors } from '../../src/pipeline/store/safetensors.js';

export interface Material {
  readonly dataset: Dataset;
  /** The recorded teacher's file. */
  readonly teacher: Uint8Array;
}

/** What a seed decides, whatever is distilled then; no device memory is held. */
export interface Trained {
  /** The teacher's representations [count, D]. */
  readonly targets: { readonly train: Float32Array; readonly test: Float32Array };
  /** θ of each expert at the start and after every epoch [epochs + 1, parameters]. */
  readonly experts: readonly Float32Array[];
  /** Numbers of the digits, those first on which the experts' first epochs err most. */
  readonly hardest: Int32Array;
}

/** What is known before the first iteration. */
export interface Prepared extends Trained {
  readonly start: StartingSet;
}

/** Told what is being done, and how much of it. */
export type Told = (what: string, done: number, total: number) => void;

async function encodeAll(
  device: Device,
  config: Config,
  { image }: Dataset,
  model: Model,
  images: RowSource,
  thetas: readonly Float32Array[],
): Promise<Float32Array[]> {
  const placed = await placeImages(device, images, image, placement(config, 1, 'encode'));
  const encoder = await Encoder.create(device, model, placed);
  try {
    const outputs: Float32Array[] = [];
    for (const theta of thetas) outputs.push((await encoder.encode(theta)).outputs);
    return outputs;
  } finally {
    encoder.release();
    releaseImages(device, placed);
  }
}

function readTeacher({ parameters }: Model, file: Uint8Array): Float32Array {
  const { tensors } = decodeSafetensors(file, 'the recorded teacher');
  return joinParameters(
    parameters,
    Object.fromEntries([...tensors].map(([name, { data }]) => [name, data as Float32Array])),
  );
}

async function teacherTargets(
  device: Device,
  config: Config,
  material: Material,
): Promise<Trained['targets']> {
  const { train, test } = material.dataset;
  return {
    train: await representationsOf(device, config, material, train),
    test: await representationsOf(device, config, material, test),
  };
}

async function trainExperts(
  device: Device,
  config: Config,
  dataset: Dataset,
  targets: Float32Array,
  tell: Told,
): Promise<Float32Array[]> {
  const { batch, count, epochs } = config.experts;
  const model = studentModel({ config, dataset });
  const place = placement(config, batch, 'experts');
  const data = await placeTraining(device, dataset.train, dataset.image, targets, place);
  try {
    const trainer = await Trainer.create({
      device,
      data,
      ...regressionOf(model, config.experts),
      batchSizes: batchSizesOf(dataset.train.count, batch),
      label: 'expert',
    });
    try {
      const experts: Float32Array[] = [];
      for (let expert = 0; expert < count; expert++) {
        const { trajectory } = await trainTrajectory({
          trainer,
          config,
          layout: model.parameters,
          count: dataset.train.count,
          expert,
          reached: (epoch) => tell('Training experts', expert * epochs + epoch, count * epochs),
        });
        experts.push(trajectory);
      }
      return experts;
    } finally {
      trainer.release();
    }
  } finally {
    releaseTraining(device, data);
  }
}

/** The digits' mean error over the experts' first epochs, hardest first. */
async function rankDigits(
  device: Device,
  config: Config,
  dataset: Dataset,
  targets: Float32Array,
  experts: readonly Float32Array[],
): Promise<Int32Array> {
  const model = studentModel({ config, dataset });
  const { total } = model.parameters;
  const first = experts.map((trajectory) => trajectory.slice(total, 2 * total));
  const losses = new Float64Array(dataset.train.count);
  for (const outputs of await encodeAll(device, config, dataset, model, dataset.train, first)) {
    rowErrors(outputs, targets, model.outputCount).forEach((error, digit) => {
      losses[digit]! += error / experts.length;
    });
  }
  return Int32Array.from(hardestFirst(losses));
}

/** Everything that a seed decides. */
export async function train(
  device: Device,
  config: Config,
  material: Material,
  tell: Told,
): Promise<Trained> {
  const { dataset } = material;
  tell('Reading what the teacher sees', 0, 1);
  const targets = await teacherTargets(device, config, material);
  const experts = await trainExperts(device, config, dataset, targets.train, tell);
  tell('Choosing the hardest digits', 0, 1);
  return { targets, experts, hardest: await rankDigits(device, config, dataset, targets.train, experts) };
}

/** The hardest digits with their targets: what the set starts from. */
export async function startFrom(
  config: Config,
  dataset: Dataset,
  { targets, hardest }: Trained,
): Promise<StartingSet> {
  const count = subsetSize(config.subset.fraction, dataset.train.count);
  const chosen = hardest.slice(0, count);
  const { outputCount } = studentModel({ config, dataset });
  return {
    images: await dataset.train.rows(chosen),
    targets: takeRows(targets.train, outputCount, chosen),
    count,
  };
}

/** The teacher's representations [count, D] of images. */
export async function representationsOf(
  device: Device,
  config: Config,
  { dataset, teacher }: Material,
  images: RowSource,
): Promise<Float32Array> {
  const model = teacherModel({ config, dataset });
  const theta = readTeacher(model, teacher);
  return (await encodeAll(device, config, dataset, model, images, [theta]))[0]!;
}
