/**
 * Tiny ImageNet's official folder: wnids.txt and words.txt, train/<wnid>/images/*.JPEG, and val/images with
 * val_annotations.txt, which are the test images here (the official test images have no labels).
 */
import { join } from 'node:path';
import { DataError } from '../../errors.js';
import type { Config } from '../config/schema.js';
import { shown } from '../store/shownText.js';
import { listFolder, readLines, requireFolder } from './folders.js';
import { type FileImages, imagesOfFiles, isImageName, sizeOfAll } from './imageFiles.js';
import { labelled } from './imageFolder.js';
import { mapBounded } from './mapBounded.js';
import type { RawDataset } from './rawImages.js';

type Files = Pick<FileImages, 'paths' | 'labels'>;

/** An identifier of WordNet. It becomes part of a path, so nothing else will do. */
const WNID = /^n\d{1,8}$/;
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
  const wnids = await readWnids(join(folder, 'wnids.txt'));
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

async function readWnids(path: string): Promise<string[]> {
  const wnids = await readLines(path);
  if (wnids.length === 0) throw new DataError(`${path} names no classes.`);
  const wrong = wnids.find((wnid) => !WNID.test(wnid));
  if (wrong !== undefined) {
    throw new DataError(
      `${path} names the class ${JSON.stringify(shown(wrong))}, where identifiers such as n01443537 are expected. Fetch it again.`,
    );
  }
  if (new Set(wnids).size !== wnids.length) {
    throw new DataError(`${path} names a class twice. Fetch it again.`);
  }
  return wnids;
}

/** The first word of each class; where two classes share it, the identifier is added. */
async function classNames(path: string, wnids: readonly string[]): Promise<string[]> {
  const words = new Map<string, string>();
  for (const line of await readLines(path)) {
    const [wnid = '', names = ''] = line.split('\t');
    words.set(wnid, names.split(',')[0]!.trim());
  }
  const names = wnids.map((wnid) => words.get(wnid) || wnid);
  const times = new Map<string, number>();
  for (const name of names) times.set(name, (times.get(name) ?? 0) + 1);
  return names.map((name, label) => (times.get(name) === 1 ? name : `${name} (${wnids[label]})`));
}

async function trainFiles(folder: string, wnids: readonly string[]): Promise<Files> {
  const perClass = await mapBounded(wnids, AT_ONCE, async (wnid) => {
    const images = join(folder, 'train', wnid, 'images');
    const files = (await listFolder(images, folder)).files.filter(isImageName);
    if (files.length === 0) throw new DataError(`The folder ${images} holds no images. Fetch it again.`);
    return files.map((file) => join(images, file));
  });
  return labelled(perClass);
}

async function validationFiles(folder: string, wnids: readonly string[]): Promise<Files> {
  const images = join(folder, 'val', 'images');
  // The table's folder is listed to see that nothing there leads elsewhere.
  await listFolder(join(folder, 'val'), folder);
  const present = new Set((await listFolder(images, folder)).files);
  const labelOf = new Map(wnids.map((wnid, label) => [wnid, label]));
  const table = join(folder, 'val', 'val_annotations.txt');
  const paths: string[] = [];
  const labels: number[] = [];
  for (const line of await readLines(table)) {
    const [file = '', wnid = ''] = line.split('\t');
    const label = labelOf.get(wnid);
    if (label === undefined) {
      throw new DataError(
        `${table}: ${shown(file)} has the class ${JSON.stringify(shown(wnid))}, which wnids.txt lacks.`,
      );
    }
    if (!present.has(file)) {
      throw new DataError(
        `${table} names ${shown(file)}, and there is no such file in ${images}. Fetch it again.`,
      );
    }
    paths.push(join(images, file));
    labels.push(label);
  }
  if (paths.length === 0) throw new DataError(`${table} names no images.`);
  return { paths, labels: Int32Array.from(labels) };
}
