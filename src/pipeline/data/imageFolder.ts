/**
 * Pictures in folders: one sub-folder a class, or all in one folder without labels; with `train` and `test` (or `val`)
 * folders around them, or without.
 */
import { join } from 'node:path';
import { DataError } from '../../errors.js';
import type { Config } from '../config/schema.js';
import { type Listing, listFolder, requireFolder } from './folders.js';
import { imagesOfFiles, isImageName, sizeOfAll } from './imageFiles.js';
import type { RawDataset } from './rawImages.js';

/** How many names a message gives before it only counts. */
const MOST_NAMES = 3;

/** The picture files of one part, in the order of their classes and names. */
export interface FolderPart {
  readonly paths: readonly string[];
  /** Indices into the folder's classes; null where all lie in one folder. */
  readonly labels: Int32Array | null;
}

/** What an image folder holds, before any file is opened. */
export interface FolderLayout {
  readonly classes: readonly string[];
  readonly train: FolderPart;
  readonly test: FolderPart | null;
}

/** Finds the pictures. Throws `DataError`, naming what does not belong there. */
export async function imageFolderLayout(folder: string): Promise<FolderLayout> {
  const top = await listFolder(folder);
  if (!top.folders.includes('train')) {
    const classes = classesOf(top);
    return { classes, train: await readPart(folder, folder, top, classes), test: null };
  }
  const trainFolder = join(folder, 'train');
  const testName = ['test', 'val'].find((name) => top.folders.includes(name));
  const strange = [
    ...top.files,
    ...top.folders.filter((name) => !['train', 'test', 'val'].includes(name)),
  ].filter((name) => isImageName(name) || top.folders.includes(name));
  if (strange.length > 0) {
    throw new DataError(
      `The folder ${folder} holds ${some(strange)} beside train: it is not clear whether they belong to it. Leave only train, and test or val, there.`,
    );
  }
  const trainListing = await listFolder(trainFolder, folder);
  const classes = classesOf(trainListing);
  const train = await readPart(folder, trainFolder, trainListing, classes);
  if (testName === undefined) return { classes, train, test: null };
  const testFolder = join(folder, testName);
  const testListing = await listFolder(testFolder, folder);
  return { classes, train, test: await readPart(folder, testFolder, testListing, classes) };
}

/** Every sub-folder is a class, unless there are none. */
const classesOf = (listing: Listing): readonly string[] => listing.folders;

function some(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

async function readPart(
  root: string,
  folder: string,
  listing: Listing,
  classes: readonly string[],
): Promise<FolderPart> {
  if (listing.folders.length === 0) {
    const paths = imagePaths(folder, listing);
    return { paths, labels: null };
  }
  if (listing.files.some(isImageName)) {
    throw new DataError(
      `The folder ${folder} holds both images (${some(listing.files.filter(isImageName))}) and folders (${some(listing.folders)}). Put every image into the folder of its class, or all into one folder.`,
    );
  }
  // A map: there may be as many classes as images.
  const labelOf = new Map(classes.map((name, label) => [name, label]));
  const unknown = listing.folders.filter((name) => !labelOf.has(name));
  if (unknown.length > 0) {
    throw new DataError(
      `The folder ${folder} has ${some(unknown)}, and the training images have no such class. Use the same names in both parts.`,
    );
  }
  const perClass: string[][] = classes.map(() => []);
  for (const name of listing.folders) {
    const inner = join(folder, name);
    perClass[labelOf.get(name)!] = imagePaths(inner, await listFolder(inner, root));
  }
  return labelled(perClass);
}

/** The files of every class as one part, however many there are. */
export function labelled(
  perClass: readonly (readonly string[])[],
): FolderPart & { readonly labels: Int32Array } {
  return {
    paths: perClass.flat(),
    labels: Int32Array.from(perClass.flatMap((paths, label) => paths.map(() => label))),
  };
}

/** The images that lie directly in a folder, which must hold nothing else. */
function imagePaths(folder: string, { files, folders }: Listing): string[] {
  if (folders.length > 0) {
    throw new DataError(
      `The folder ${folder} holds ${some(folders)}: folders within a class's. Put its images directly into it.`,
    );
  }
  const strange = files.filter((file) => !isImageName(file));
  if (strange.length > 0) {
    throw new DataError(
      `The folder ${folder} holds ${some(strange)}, which ${strange.length === 1 ? 'is' : 'are'} no PNG or JPEG file by name. Convert ${strange.length === 1 ? 'it' : 'them'}, or move ${strange.length === 1 ? 'it' : 'them'} elsewhere.`,
    );
  }
  if (files.length === 0) {
    throw new DataError(
      `The folder ${folder} holds no images (.png, .jpg, .jpeg). Give the folder of the images with --data DIR.`,
    );
  }
  return files.map((file) => join(folder, file));
}

/** Reads an image folder; pictures are decoded when they are drawn. Throws `DataError`. */
export async function readImageFolder(config: Config['data']): Promise<RawDataset> {
  const folder = requireFolder(config.folder, 'folder', 'a folder of PNG or JPEG files');
  const { classes, train, test } = await imageFolderLayout(folder);
  const form = { channels: config.channels === 'gray' ? 1 : 3, resize: config.resize } as const;
  const size = await sizeOfAll(train.paths, form);
  return {
    origin: `the folder ${folder}`,
    classes,
    train: imagesOfFiles({ ...train, form, size }),
    test: test && imagesOfFiles({ ...test, form, size }),
  };
}
