/** The sources of images by name, and how a folder is recognised as one of them. */
import { join } from 'node:path';
import { DataError } from '../../errors.js';
import type { Config } from '../config/schema.js';
import { readCifar10 } from './cifar10.js';
import { readCifar100 } from './cifar100.js';
import { type Listing, listFolder } from './folders.js';
import { findIdxFiles, readIdxFolder } from './idxFolder.js';
import { isImageName } from './imageFiles.js';
import { readImageFolder } from './imageFolder.js';
import { readMnist } from './mnist.js';
import type { RawDataset } from './rawImages.js';
import { readTinyImagenet } from './tinyImagenet.js';

export type SourceName = Config['data']['source'];

const readers: Record<SourceName, (config: Config['data']) => Promise<RawDataset>> = {
  mnist: ({ folder }) => readMnist(folder),
  cifar10: ({ folder }) => readCifar10(folder),
  cifar100: ({ folder }) => readCifar100(folder),
  'tiny-imagenet': readTinyImagenet,
  idx: ({ folder }) => readIdxFolder(folder),
  folder: readImageFolder,
};

/** Folders that are looked into for the one that was meant. */
const MOST_LOOKED_INTO = 100;

/** Names of all sources. */
export const sourceNames = Object.keys(readers) as readonly SourceName[];

/**
 * Reads the files that the configuration names. Throws `DataError`, and `MissingPackageError` where the package that they are
 * read with is not installed.
 */
export const readSource = (config: Config['data']): Promise<RawDataset> => readers[config.source](config);

/** The source that a folder's files belong to, by their names and magic numbers. Throws `DataError` where there is none. */
export async function recogniseSource(folder: string): Promise<SourceName> {
  const listing = await listFolder(folder);
  const known = await sourceOf(folder, listing, folder);
  if (known !== null) return known;
  throw new DataError(
    `The folder ${folder} holds no dataset that is known. ${await advice(folder, listing)}`,
  );
}

/** The same for a folder within the one that was named; null where there is none. */
async function sourceOf(folder: string, listing: Listing, root: string): Promise<SourceName | null> {
  const { files, folders } = listing;
  if (files.includes('wnids.txt') && folders.includes('train')) return 'tiny-imagenet';
  if (files.some((file) => /^(data_batch_\d|test_batch)\.bin$/.test(file))) return 'cifar10';
  if (files.includes('train.bin') || files.includes('test.bin')) return 'cifar100';
  const { images, labels } = await findIdxFiles(folder);
  if (images.length + labels.length > 0) return 'idx';
  return files.some(isImageName) || (await hasImagesBelow(folder, listing, root)) ? 'folder' : null;
}

async function hasImagesBelow(folder: string, { folders }: Listing, root: string): Promise<boolean> {
  const parts = folders.includes('train') ? ['train'] : folders;
  for (const name of parts) {
    const path = join(folder, name);
    const inner = await listFolder(path, root);
    if (inner.files.some(isImageName)) return true;
    // Below train are the classes, and nothing deeper: a link could lead round in circles.
    if (name === 'train') {
      for (const one of inner.folders) {
        if ((await listFolder(join(path, one), root)).files.some(isImageName)) return true;
      }
    }
  }
  return false;
}

async function advice(folder: string, { files, folders }: Listing): Promise<string> {
  const archive = files.find((file) => /\.(tar|tgz|zip|tar\.gz|7z)$/i.test(file));
  if (archive !== undefined) return `Unpack ${archive} first, and give the folder that comes out of it.`;
  if (files.some((file) => /^data_batch_\d$/.test(file))) {
    return 'It looks like CIFAR-10 for Python: fetch its binary version (cifar-10-binary.tar.gz).';
  }
  if (files.includes('train') && files.includes('meta')) {
    return 'It looks like CIFAR-100 for Python: fetch its binary version (cifar-100-binary.tar.gz).';
  }
  for (const name of folders.slice(0, MOST_LOOKED_INTO)) {
    const inner = join(folder, name);
    const known = await listFolder(inner, folder)
      .then((listing) => sourceOf(inner, listing, folder))
      .catch(() => null);
    if (known !== null) return `Its folder ${name} looks like ${known}: give ${inner}.`;
  }
  return 'Known are the binary files of CIFAR-10 and CIFAR-100, IDX files, the folder of Tiny ImageNet, and folders of PNG or JPEG files, one a class or flat.';
}
