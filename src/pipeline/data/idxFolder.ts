/** Any dataset in IDX files (Fashion-MNIST, EMNIST, …): found by their magic numbers, told apart by their names. */
import { join } from 'node:path';
import { DataError } from '../../errors.js';
import { listFolder, requireFolder } from './folders.js';
import { idxDimensions, readIdxPair, requireOneSize } from './idx.js';
import type { RawDataset, RawImages } from './rawImages.js';

const IMAGE_DIMENSIONS = 3;
const LABEL_DIMENSIONS = 1;
const TEST_NAME = /t10k|test|val/i;

/** Names of the IDX files in a folder, by what they hold. */
export interface IdxFiles {
  /** Those of three dimensions. */
  readonly images: readonly string[];
  /** Those of one dimension. */
  readonly labels: readonly string[];
}

/** The folder's IDX files of unsigned bytes. Throws `DataError` where one cannot be read. */
export async function findIdxFiles(folder: string): Promise<IdxFiles> {
  const images: string[] = [];
  const labels: string[] = [];
  for (const file of (await listFolder(folder)).files) {
    const dimensions = await idxDimensions(join(folder, file));
    if (dimensions === IMAGE_DIMENSIONS) images.push(file);
    if (dimensions === LABEL_DIMENSIONS) labels.push(file);
  }
  return { images, labels };
}

/**
 * Reads one file of images and at most one of labels, or two of each, of which the test images have `t10k`, `test` or
 * `val` in their names. Classes are the numbers up to the largest label. Throws `DataError`.
 */
export async function readIdxFolder(named: string | null): Promise<RawDataset> {
  const folder = requireFolder(
    named,
    'idx',
    'a folder of IDX files (images, and labels where there are any)',
  );
  const { images, labels } = await findIdxFiles(folder);
  if (images.length === 0) {
    throw new DataError(
      `The folder ${folder} holds no IDX file of images (unsigned bytes in three dimensions). Give the folder that holds one with --data DIR.`,
    );
  }
  const parts = images.length === 1 ? [images] : [trainNames(images), testNames(images)];
  if (images.length > 2 || parts.some((part) => part.length !== 1)) {
    throw new DataError(
      `The folder ${folder} holds ${images.length} IDX files of images (${images.join(', ')}), where one is expected, or one for training and one whose name has t10k, test or val. Put each dataset into a folder of its own.`,
    );
  }
  const [train, test] = await readParts(folder, images, labels);
  if (test !== null) requireOneSize(folder, train, test);
  const largest = Math.max(largestLabel(train), test === null ? -1 : largestLabel(test));
  const classes = Array.from({ length: largest + 1 }, (_, label) => String(label));
  return { origin: `idx in ${folder}`, classes, train, test };
}

const testNames = (files: readonly string[]) => files.filter((file) => TEST_NAME.test(file));
const trainNames = (files: readonly string[]) => files.filter((file) => !TEST_NAME.test(file));

async function readParts(
  folder: string,
  images: readonly string[],
  labels: readonly string[],
): Promise<[train: RawImages, test: RawImages | null]> {
  const read = (image: string, label: string | undefined) =>
    readIdxPair(join(folder, image), label === undefined ? null : join(folder, label));
  if (images.length === 1) {
    if (labels.length > 1) throw unpaired(folder, images, labels);
    return [await read(images[0]!, labels[0]), null];
  }
  const [trainLabels, testLabels] = [trainNames(labels), testNames(labels)];
  if (trainLabels.length > 1 || testLabels.length > 1) throw unpaired(folder, images, labels);
  const train = await read(trainNames(images)[0]!, trainLabels[0]);
  return [train, await read(testNames(images)[0]!, testLabels[0])];
}

function unpaired(folder: string, images: readonly string[], labels: readonly string[]): DataError {
  return new DataError(
    `The folder ${folder} holds the labels ${labels.join(', ')} for the images ${images.join(', ')}, and it is not clear which belong together. Leave one file of labels a file of images.`,
  );
}

function largestLabel({ labels }: RawImages): number {
  let largest = -1;
  for (let k = 0; labels !== null && k < labels.length; k++) largest = Math.max(largest, labels[k]!);
  return largest;
}
