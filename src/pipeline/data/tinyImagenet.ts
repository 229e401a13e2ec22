/**
 * Tiny ImageNet's official folder: wnids.txt and words.txt, train/<wnid>/images/*.JPEG, and val/images with
 * val_annotations.txt, which are the test images here (the official test images have no labels).
 */
import { join } from 'node:path';
import { DataError } from '../../errors.js';
import type { Config } from '../config/schema.js';
import { listFolder, mapBounded, readLines, requireFolder } from './folders.js';
import { type FileImages, imagesOfFiles, isImageName, sizeOfAll } from './imageFiles.js';
import type { RawDataset } from './rawImages.js';

type Files = Pick<FileImages, 'paths' | 'labels'>;

/** Class folders that are listed at a time. */
const AT_ONCE = 8;

/** Reads the folder; pictures are decoded when they are drawn. Gray ones among the colour ones count as colour. Throws `DataError`. */
export async function readTinyImagenet(config: Config['data']): Promise<RawDataset> {
  const folder = requireFolder(
    config.folder,
    'tiny-imagenet',
    'its official folder (wnids.txt, words.txt, train, val)',
  );
  const top = await listFolder(folder);
  const missing = ['wnids.txt', 'words.txt'].find((name) => !top.files.includes(name));
  if (missing !== undefined) {
    throw new DataError(
      `The folder ${folder} lacks ${missing} of Tiny ImageNet. Give the folder that holds it (tiny-imagenet-200) with --data DIR.`,
    );
  }
  const wnids = await readLines(join(folder, 'wnids.txt'));
  if (wnids.length === 0) throw new DataError(`${join(folder, 'wnids.txt')} names no classes.`);
  const train = await trainFiles(folder, wnids);
  const test = await validationFiles(folder, wnids);
  const form = { channels: 3, resize: config.resize } as const;
  const size = await sizeOfAll(train.paths, form);
  return {
    origin: `tiny-imagenet in ${folder}`,
    classes: await classNames(join(folder, 'words.txt'), wnids),
    train: imagesOfFiles({ ...train, form, size }),
    test: imagesOfFiles({ ...test, form, size }),
  };
}

/** The first word of each class; where two classes share it, the identifier is added. */
async function classNames(path: string, wnids: readonly string[]): Promise<string[]> {
  const words = new Map<string, string>();
  for (const line of await readLines(path)) {
    const [wnid = '', names = ''] = line.split('\t');
    words.set(wnid, names.split(',')[0]!.trim());
  }
  const names = wnids.map((wnid) => words.get(wnid) || wnid);
  return names.map((name, label) =>
    names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} (${wnids[label]})`,
  );
}

async function trainFiles(folder: string, wnids: readonly string[]): Promise<Files> {
  const perClass = await mapBounded(wnids, AT_ONCE, async (wnid) => {
    const images = join(folder, 'train', wnid, 'images');
    const files = (await listFolder(images)).files.filter(isImageName);
    if (files.length === 0) throw new DataError(`The folder ${images} holds no images. Fetch it again.`);
    return files.map((file) => join(images, file));
  });
  return {
    paths: perClass.flat(),
    labels: Int32Array.from(perClass.flatMap((paths, label) => paths.map(() => label))),
  };
}

async function validationFiles(folder: string, wnids: readonly string[]): Promise<Files> {
  const images = join(folder, 'val', 'images');
  const present = new Set((await listFolder(images)).files);
  const table = join(folder, 'val', 'val_annotations.txt');
  const paths: string[] = [];
  const labels: number[] = [];
  for (const line of await readLines(table)) {
    const [file = '', wnid = ''] = line.split('\t');
    const label = wnids.indexOf(wnid);
    if (label < 0) {
      throw new DataError(`${table}: ${file} has the class ${JSON.stringify(wnid)}, which wnids.txt lacks.`);
    }
    if (!present.has(file)) {
      throw new DataError(`${table} names ${file}, and there is no such file in ${images}. Fetch it again.`);
    }
    paths.push(join(images, file));
    labels.push(label);
  }
  if (paths.length === 0) throw new DataError(`${table} names no images.`);
  return { paths, labels: Int32Array.from(labels) };
}
