/** CIFAR-100: the official binary files, with the 100 fine labels. */
import { join } from 'node:path';
import { DataError } from '../../errors.js';
import { type CifarFormat, readClassNames, readRecords } from './cifarRecords.js';
import { listFolder, requireFolder } from './folders.js';
import type { RawDataset } from './rawImages.js';

/** A record begins with its coarse label; the fine one follows. */
const format: CifarFormat = { name: 'CIFAR-100', labelBytes: 2, classes: 100 };
const NAMES = 'fine_label_names.txt';

/**
 * Reads train.bin, test.bin, and the names of the fine classes from fine_label_names.txt; where that is missing the
 * classes are called by their numbers. Throws `DataError`.
 */
export async function readCifar100(named: string | null): Promise<RawDataset> {
  const folder = requireFolder(named, 'cifar100', 'a folder of its binary files (train.bin, test.bin)');
  const { files } = await listFolder(folder);
  const missing = ['train.bin', 'test.bin'].find((file) => !files.includes(file));
  if (missing !== undefined) {
    throw new DataError(
      `The folder ${folder} lacks ${missing} of CIFAR-100's binary version. Give the folder that holds it with --data DIR.`,
    );
  }
  const classes = files.includes(NAMES)
    ? await readClassNames(join(folder, NAMES), format)
    : Array.from({ length: format.classes }, (_, label) => String(label));
  const train = await readRecords([join(folder, 'train.bin')], format);
  const test = await readRecords([join(folder, 'test.bin')], format);
  return { origin: `cifar100 in ${folder}`, classes, train, test };
}
