/** A synthetic set as its files hold it: tensors by name, and a picture of it. */
import type { Dataset } from '../data/dataset.js';
import { contactSheet } from '../report/contactSheet.js';
import { enlargement, type Sheet } from '../sheets.js';
import type { NamedTensor } from '../store/safetensors.js';
import { floatTensor } from './context.js';
import type { StartingSet } from './starts.js';

/** What is learnt. */
export interface SyntheticSet {
  /** [count, C, H, W], standardised. */
  readonly images: Float32Array;
  /** [count, D]. */
  readonly targets: Float32Array;
  /** α. */
  readonly innerStep: number;
}

/** The set, and the one that it started from. */
export function syntheticTensors(
  set: SyntheticSet,
  start: StartingSet,
  image: Dataset['image'],
): [string, NamedTensor][] {
  const { count } = start;
  const representation = start.targets.length / count;
  return [
    ['images', floatTensor(set.images, count, ...image)],
    ['targets', floatTensor(set.targets, count, representation)],
    ['innerStep', floatTensor(Float32Array.of(set.innerStep), 1)],
    ['start.images', floatTensor(start.images, count, ...image)],
    ['start.targets', floatTensor(start.targets, count, representation)],
  ];
}

/** The picture of a set beside the one that it started from. */
export const syntheticSheet = (
  set: Pick<SyntheticSet, 'images'>,
  start: StartingSet,
  { image, mean, deviation }: Pick<Dataset, 'image' | 'mean' | 'deviation'>,
): Sheet =>
  contactSheet({
    before: start.images,
    after: set.images,
    count: start.count,
    image,
    mean,
    deviation,
    scale: enlargement(image[2]),
  });
