/** CIFAR-10: the official binary files. */
import { join } from 'node:path';
import { DataError } from '../../errors.js';
import { type CifarFormat, readClassNames, readRecords } from './cifarRecords.js';
import { listFolder, requireFolder } from './folders.js';
import type { RawDataset } from './rawImages.js';

const format: CifarFormat = { name: 'CIFAR-10', labelBytes: 1, classes: 10 };
const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

/**
 * Reads those of data_batch_1.bin … data_batch_5.bin that exist (at least one), test_batch.bin, and the class
 * names of batches.meta.txt where there is one. Throws `DataError`.
 */
export async function readCifar10(named: string | null): Promise<RawDataset> {
  const folder = requireFolder(
    named,
    'cifar10',
    'a folder of its binary files (data_batch_1.bin …, test_batch.bin)',
  );
  const { files } = await listFolder(folder);
  const trainFiles = files.filter((file) => /^data_batch_[1-5]\.bin$/.test(file));
  const missing =
    trainFiles.length === 0
      ? 'data_batch_1.bin to data_batch_5.bin'
      : files.includes('test_batch.bin')
        ? null
        : 'test_batch.bin';
  if (missing) {
    throw new DataError(
      `The folder ${folder} lacks ${missing} of CIFAR-10's binary version. Give the folder that holds it with --data DIR.`,
    );
  }
  const classes = files.includes('batches.meta.txt')
    ? await readClassNames(join(folder, 'batches.meta.txt'), format)
    : CLASSES;
  const read = (names: readonly string[]) =>
    readRecords(
      names.map((file) => join(folder, file)),
      format,
    );
  const train = await read(trainFiles);
  return { origin: `cifar10 in ${folder}`, classes, train, test: await read(['test_batch.bin']) };
}
