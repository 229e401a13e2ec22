/**
 * CIFAR-10's official binary files: records of one label byte and 3 × 32 × 32 pixel bytes (all red, all green,
 * all blue, each row by row).
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../errors.js';
import { type RawDataset, type RawImages, unreadable } from './rawImages.js';

const SIDE = 32;
const PIXEL_BYTES = 3 * SIDE * SIDE;
const RECORD_BYTES = 1 + PIXEL_BYTES;
const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

/**
 * Reads those of data_batch_1.bin … data_batch_5.bin that exist (at least one), test_batch.bin, and the class
 * names of batches.meta.txt where there is one. Throws `DataError`.
 */
export async function readCifar10(folder: string | null): Promise<RawDataset> {
  if (folder === null) {
    throw new DataError(
      'cifar10 is read from a folder of its binary files (data_batch_1.bin …, test_batch.bin), and none is given. Name it with --data DIR.',
    );
  }
  const present = await filesOf(folder);
  const trainFiles = [1, 2, 3, 4, 5]
    .map((batch) => `data_batch_${batch}.bin`)
    .filter((file) => present.has(file));
  const missing =
    trainFiles.length === 0
      ? 'data_batch_1.bin to data_batch_5.bin'
      : present.has('test_batch.bin')
        ? null
        : 'test_batch.bin';
  if (missing) {
    throw new DataError(
      `The folder ${folder} lacks ${missing} of CIFAR-10's binary version. Give the folder that holds it with --data DIR.`,
    );
  }
  const classes = present.has('batches.meta.txt')
    ? await readClasses(join(folder, 'batches.meta.txt'))
    : CLASSES;
  const train = await readBatches(trainFiles.map((file) => join(folder, file)));
  const test = await readBatches([join(folder, 'test_batch.bin')]);
  return { origin: `cifar10 in ${folder}`, classes, train, test };
}

async function filesOf(folder: string): Promise<Set<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'ENOTDIR'
          ? 'is not a folder'
          : `cannot be read (${code})`;
    throw new DataError(
      `The folder ${folder} ${reason}. Give the folder of CIFAR-10's binary files with --data DIR.`,
      { cause: error },
    );
  }
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function readClasses(path: string): Promise<string[]> {
  const text = (await readBytes(path)).toString('utf8');
  const names = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (names.length !== CLASSES.length) {
    throw new DataError(`${path} names ${names.length} classes, where ${CLASSES.length} are expected.`);
  }
  return names;
}

async function readBatches(paths: readonly string[]): Promise<RawImages> {
  const batches: Buffer[] = [];
  for (const path of paths) {
    const bytes = await readBytes(path);
    if (bytes.length === 0 || bytes.length % RECORD_BYTES !== 0) {
      throw new DataError(
        `${path} holds ${bytes.length} bytes, where a whole number of records of ${RECORD_BYTES} bytes is expected. Fetch the file again; it must be the binary version.`,
      );
    }
    batches.push(bytes);
  }
  const count = batches.reduce((sum, bytes) => sum + bytes.length / RECORD_BYTES, 0);
  const pixels = new Uint8Array(count * PIXEL_BYTES);
  const labels = new Uint8Array(count);
  let image = 0;
  for (const [file, bytes] of batches.entries()) {
    for (let start = 0; start < bytes.length; start += RECORD_BYTES) {
      const label = bytes[start]!;
      if (label >= CLASSES.length) {
        throw new DataError(
          `${paths[file]}: record ${start / RECORD_BYTES} has the label ${label}, where 0 to 9 are expected. It must be CIFAR-10's binary version.`,
        );
      }
      labels[image] = label;
      pixels.set(bytes.subarray(start + 1, start + RECORD_BYTES), image * PIXEL_BYTES);
      image += 1;
    }
  }
  return { count, channels: 3, height: SIDE, width: SIDE, pixels, labels };
}
