/** What the synthetic set starts from. */
import { ConfigError } from '../../errors.js';
import { normal, permutation } from '../../kernels/philox.js';
import { subsetSize } from '../config/rules.js';
import { files, readFloats, readTensors, type StageContext, studentModel, takeRows } from './context.js';

/** Images [count, C, H, W] and their targets [count, D]. */
export interface StartingSet {
  readonly images: Float32Array;
  readonly targets: Float32Array;
  readonly count: number;
}

/** Numbers of all images, those of the greatest losses first. */
export const hardestFirst = (losses: Float32Array | Float64Array): number[] =>
  Array.from(losses.keys()).sort((a, b) => losses[b]! - losses[a]! || a - b);

/**
 * The images of the greatest losses, as many of each class: class by class each gives its hardest, until there are `count`.
 * Numbers differ by one where they do not divide, and by more where a class has no more images.
 *
 * @param losses one for each image
 * @param labels each image's class
 * @returns numbers of images, in the order in which they were taken
 */
export function classBalanced(losses: Float32Array, labels: Int32Array, count: number): Int32Array {
  const byClass = new Map<number, number[]>();
  for (const label of [...new Set(labels)].sort((a, b) => a - b)) byClass.set(label, []);
  for (const image of hardestFirst(losses)) byClass.get(labels[image]!)!.push(image);
  const taken: number[] = [];
  for (let rank = 0; taken.length < count && rank < losses.length; rank++) {
    for (const images of byClass.values()) if (rank < images.length) taken.push(images[rank]!);
  }
  return Int32Array.from(taken.slice(0, count));
}

/** The set that `distil.start` names. Throws `ConfigError` where a class-balanced one is asked of images without labels. */
export async function startingSet(context: StageContext): Promise<StartingSet> {
  const { config, dataset, folder } = context;
  const { seed } = config;
  const { start } = config.distil;
  const { train } = dataset;
  const imageElements = dataset.image.reduce((product, extent) => product * extent, 1);
  const count = subsetSize(config.subset.fraction, train.count);

  const chosen = async (): Promise<Int32Array> => {
    const subset = await readTensors(folder, files.subset);
    if (start === 'highLoss') return subset('indices').data as Int32Array;
    if (train.labels === null) {
      throw new ConfigError(
        'distil.start = classBalanced needs labels, and these images have none. Choose highLoss, random or noise.',
      );
    }
    return classBalanced(subset('losses').data as Float32Array, train.labels, count);
  };
  const isDrawn = start === 'random' || start === 'noise';
  const indices = isDrawn
    ? permutation({ seed, purpose: 'distil.start', index: 0 }, train.count).slice(0, count)
    : await chosen();
  return {
    images:
      start === 'noise'
        ? normal({ seed, purpose: 'distil.noise', index: 0 }, count * imageElements)
        : await train.rows(indices),
    targets: takeRows(
      await readFloats(folder, files.targets, 'train'),
      studentModel(context).outputCount,
      indices,
    ),
    count,
  };
}
