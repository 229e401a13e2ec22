/**
 * Stage 6: evaluation. For each seed and each row of the table a fresh student is pre-trained (or not, or on all data),
 * then a linear probe on its features sees a share of the labels. Rows of one seed share the student's initialisation and
 * the labelled images, so that their differences are paired.
 */
import { z } from 'zod';
import { type BufferRange, uploadRange } from '../../autograd/compile/bufferRange.js';
import { StoreError } from '../../errors.js';
import { permutation } from '../../kernels/philox.js';
import { Encoder, rowErrors } from '../../nn/inference.js';
import { mse } from '../../nn/losses.js';
import { initialParameters } from '../../nn/model.js';
import { fitProbe, probeAccuracy } from '../../nn/probe.js';
import {
  batchSizesOf,
  makeResident,
  type ResidentData,
  releaseResident,
  splitBatches,
  Trainer,
} from '../../nn/training.js';
import type { Dataset } from '../data/dataset.js';
import { MKDT_ROW, RANDOM_SUBSET_ROW } from '../report/types.js';
import type { RunFolder } from '../store/runFolder.js';
import { files, readTensors, type StageContext, studentModel, takeRows } from './context.js';

/** The table's rows, in the order in which they are shown. */
export const rowNames = [
  'random encoder',
  RANDOM_SUBSET_ROW,
  'high-loss subset',
  MKDT_ROW,
  'all data',
  'teacher',
] as const;
export type RowName = (typeof rowNames)[number];

/** Whether linear probes can be fitted and tested. Without labels only equation (3) is measured. */
const canProbe = ({ train, test }: Dataset): boolean => train.labels !== null && test.labels !== null;

/** The rows that can be measured: the teacher's has nothing but probes, its distance to itself being 0. */
export function rowsOf(dataset: Dataset): RowName[] {
  return rowNames.filter((name) => name !== 'teacher' || canProbe(dataset));
}

const evaluationSchema = z.object({
  version: z.literal(1),
  rows: z.array(
    z.object({
      name: z.enum(rowNames),
      labels: z.number(),
      /** Test accuracy of each seed, 0 to 1. */
      accuracies: z.array(z.number()),
    }),
  ),
  /** Equation (3): each seed's mean squared error to the teacher on the test images. */
  heldOut: z.array(z.object({ name: z.enum(rowNames), errors: z.array(z.number()) })),
});
export type Evaluation = z.infer<typeof evaluationSchema>;

/** @throws StoreError when the file is not an evaluation of this version. */
export async function readEvaluation(folder: RunFolder): Promise<Evaluation> {
  const text = new TextDecoder().decode(await folder.readBytes(files.evaluation));
  try {
    return evaluationSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new StoreError(
      `${folder.pathOf(files.evaluation)} is damaged or of another version; delete it and run again.`,
      { cause },
    );
  }
}

/**
 * An order of the training images in which every prefix holds the classes as evenly as they come: the labels that a probe
 * sees are its first ones.
 */
export function labelOrder(
  labels: Int32Array,
  classes: number,
  seed: number,
  repetition: number,
): Int32Array {
  const order = permutation({ seed, purpose: 'evaluate.labels', index: repetition }, labels.length);
  const byClass: number[][] = Array.from({ length: classes }, () => []);
  for (const image of order) byClass[labels[image]!]!.push(image);
  const longest = Math.max(...byClass.map((images) => images.length));
  const result: number[] = [];
  for (let k = 0; k < longest; k++) {
    for (const images of byClass) if (k < images.length) result.push(images[k]!);
  }
  return Int32Array.from(result);
}

/** Trains students on data that is exchanged between rows, with one set of compiled steps. */
class Pretraining {
  readonly #context: StageContext;
  readonly #data: ResidentData;
  readonly #trainer: Trainer;
  readonly #count: number;
  readonly #epochs: number;
  readonly #batch: number;

  private constructor(
    context: StageContext,
    data: ResidentData,
    trainer: Trainer,
    sizes: { readonly count: number; readonly epochs: number; readonly batch: number },
  ) {
    this.#context = context;
    this.#data = data;
    this.#trainer = trainer;
    this.#count = sizes.count;
    this.#epochs = sizes.epochs;
    this.#batch = sizes.batch;
  }

  static async create(
    context: StageContext,
    images: Float32Array,
    targets: Float32Array,
    sizes: { readonly count: number; readonly epochs: number; readonly batch: number },
  ): Promise<Pretraining> {
    const { config, dataset, device } = context;
    const model = studentModel(context);
    const shape = [sizes.count, ...dataset.image];
    const data = makeResident(device, images, shape, targets, [sizes.count, model.outputCount]);
    const trainer = await Trainer.create({
      device,
      data,
      parameters: model.parameters.total,
      loss: (theta, x, y) => mse(model.forward(theta, x).output, y),
      optimiser: config.evaluate,
      batchSizes: batchSizesOf(sizes.count, sizes.batch),
      label: 'pretrain',
    });
    return new Pretraining(context, data, trainer, sizes);
  }

  /** The images in device memory, for whoever else reads them. */
  get images(): BufferRange {
    return this.#data.images;
  }

  /** θ after pre-training from `start`; the order of the images is named by the repetition. */
  async train(
    start: Float32Array,
    learningRate: number,
    repetition: number,
    replace?: { readonly images: Float32Array; readonly targets: Float32Array },
  ): Promise<Float32Array> {
    const { config, device } = this.#context;
    if (replace !== undefined) {
      device.write(this.#data.images.buffer, replace.images);
      device.write(this.#data.targets.buffer, replace.targets);
    }
    this.#trainer.start(start, learningRate);
    for (let epoch = 0; epoch < this.#epochs; epoch++) {
      const index = repetition * this.#epochs + epoch;
      const order = permutation({ seed: config.seed, purpose: 'evaluate.order', index }, this.#count);
      this.#trainer.submit(splitBatches(order, this.#batch));
    }
    return await this.#trainer.parameters();
  }

  release(): void {
    this.#trainer.release();
    releaseResident(this.#context.device, this.#data);
  }
}

export async function evaluate(context: StageContext): Promise<string[]> {
  const { config, dataset, device, folder } = context;
  const settings = config.evaluate;
  const model = studentModel(context);
  const { train, test } = dataset;
  const rows = rowsOf(dataset);
  const shares = canProbe(dataset) ? settings.labels : [];
  const classes = dataset.classes.length;
  const imageElements = dataset.image.reduce((product, extent) => product * extent, 1);
  const targets = await readTensors(folder, files.targets);
  const trainTargets = targets('train').data as Float32Array;
  const testTargets = targets('test').data as Float32Array;
  const synthetic = await readTensors(folder, files.synthetic);
  const floats = (name: string): Float32Array => synthetic(name).data as Float32Array;
  const learntInnerStep = floats('innerStep')[0]!;
  const subsetCount = synthetic('images').shape[0]!;

  const onSubset = await Pretraining.create(context, floats('images'), floats('targets'), {
    count: subsetCount,
    epochs: settings.epochs,
    batch: settings.batch,
  });
  const onAll = await Pretraining.create(context, train.images, trainTargets, {
    count: train.count,
    ...settings.allData,
  });
  const trainShape = [train.count, ...dataset.image];
  const trainEncoder = await Encoder.create(device, model, onAll.images, trainShape);
  const testImages = uploadRange(device, test.images, 'evaluate.test');
  const testEncoder = await Encoder.create(device, model, testImages, [test.count, ...dataset.image]);

  const accuracies = new Map<string, number[]>();
  const heldOut = new Map<RowName, number[]>();
  const push = <Key>(map: Map<Key, number[]>, key: Key, value: number): void => {
    map.set(key, [...(map.get(key) ?? []), value]);
  };

  try {
    for (let repetition = 0; repetition < settings.seeds; repetition++) {
      const start = initialParameters(model.parameters, {
        seed: config.seed,
        purpose: 'evaluate.student',
        index: repetition,
      });
      const order =
        train.labels === null ? new Int32Array() : labelOrder(train.labels, classes, config.seed, repetition);
      const labelled = order.slice(0, Math.max(0, ...shares.map((share) => labelCount(share, train.count))));
      const randomIndices = permutation(
        { seed: config.seed, purpose: 'evaluate.randomSubset', index: repetition },
        train.count,
      ).slice(0, subsetCount);
      const subset = (images: Float32Array, chosenTargets: Float32Array, learningRate: number) => () =>
        onSubset.train(start, learningRate, repetition, { images, targets: chosenTargets });
      const encoders: Record<Exclude<RowName, 'teacher'>, () => Promise<Float32Array>> = {
        'random encoder': async () => start,
        [RANDOM_SUBSET_ROW]: subset(
          takeRows(train.images, imageElements, randomIndices),
          takeRows(trainTargets, model.outputCount, randomIndices),
          settings.learningRate,
        ),
        'high-loss subset': subset(floats('start.images'), floats('start.targets'), settings.learningRate),
        [MKDT_ROW]: subset(floats('images'), floats('targets'), learntInnerStep),
        'all data': () => onAll.train(start, settings.learningRate, repetition),
      };

      const probe = (
        name: RowName,
        dimension: number,
        trainFeatures: Float32Array,
        testFeatures: Float32Array,
      ) => {
        for (const share of shares) {
          const count = labelCount(share, train.count);
          const labels = Int32Array.from(labelled.subarray(0, count), (image) => train.labels![image]!);
          const fitted = fitProbe(trainFeatures.slice(0, count * dimension), labels, {
            classes,
            dimension,
            regularisation: settings.probe.regularisation,
          });
          push(accuracies, rowKey(name, share), probeAccuracy(fitted, testFeatures, test.labels!));
        }
      };

      for (const [index, name] of rows.entries()) {
        if (name === 'teacher') {
          const known = takeRows(trainTargets, model.outputCount, labelled);
          probe(name, model.outputCount, known, testTargets);
        } else {
          const theta = await encoders[name]();
          const known = await trainEncoder.encode(theta, labelled);
          const unseen = await testEncoder.encode(theta);
          probe(name, model.featureCount, known.features, unseen.features);
          const errors = rowErrors(unseen.outputs, testTargets, model.outputCount);
          push(heldOut, name, errors.reduce((total, error) => total + error, 0) / errors.length);
        }
        context.advance(repetition * rows.length + index + 1);
      }
    }
  } finally {
    trainEncoder.release();
    testEncoder.release();
    device.releaseBuffer(testImages.buffer);
    onSubset.release();
    onAll.release();
  }

  const evaluation: Evaluation = {
    version: 1,
    rows: rows.flatMap((name) =>
      shares.map((labels) => ({ name, labels, accuracies: accuracies.get(rowKey(name, labels))! })),
    ),
    heldOut: [...heldOut].map(([name, errors]) => ({ name, errors })),
  };
  await folder.writeText(files.evaluation, `${JSON.stringify(evaluation, null, 2)}\n`);
  return [files.evaluation];
}

const rowKey = (name: RowName, labels: number): string => `${name} ${labels}`;

/** How many labels a share of the training images is; at least one. */
function labelCount(share: number, count: number): number {
  return Math.max(1, Math.round(share * count));
}
