/**
 * Representations that somebody else made, in place of a teacher's: read, checked against the dataset's files, and brought
 * into the order of the images that the run has drawn.
 */
import { createHash } from 'node:crypto';
import { ConfigError, DataError } from '../../errors.js';
import type { Config } from '../config/schema.js';
import type { Dataset, ImageSet } from '../data/dataset.js';
import { fileLimits, readBounded, readingFault } from '../store/boundedFile.js';
import { decodeNpy } from '../store/npy.js';
import { decodeSafetensors } from '../store/safetensors.js';
import { shownShape } from '../store/shownText.js';
import { files, floatTensor, type StageContext, takeRows, writeTensors } from './context.js';

/** Representations of the images that a run has drawn. */
export interface GivenTargets {
  /** [train.count, dimension] */
  readonly train: Float32Array;
  /** [test.count, dimension] */
  readonly test: Float32Array;
  readonly dimension: number;
}

/** A table [rows, D], and how messages call it. */
interface Table {
  readonly name: string;
  readonly rows: number;
  readonly dimension: number;
  readonly data: Float32Array;
}

type Part = ImageSet['origin']['part'];

type Drawn = Pick<Dataset, 'name'> & Readonly<Record<'train' | 'test', Pick<ImageSet, 'origin'>>>;

async function readGiven(path: string): Promise<Uint8Array> {
  try {
    return await readBounded(path, fileLimits.data);
  } catch (error) {
    throw new DataError(`${path} ${readingFault(error)}. Give a file of representations with targets.from.`, {
      cause: error,
    });
  }
}

const pathsOf = (from: NonNullable<Config['targets']['from']>): readonly string[] =>
  typeof from === 'string' ? [from] : from;

/** SHA-256 of the representations that a configuration names; undefined where a teacher is trained. */
export async function hashGivenTargets({ from }: Config['targets']): Promise<string | undefined> {
  if (from === null) return undefined;
  const hash = createHash('sha256');
  for (const path of pathsOf(from)) hash.update(await readGiven(path));
  return hash.digest('hex');
}

function tableOf(name: string, shape: readonly number[], data: Float32Array): Table {
  const [rows, dimension] = shape;
  if (shape.length !== 2 || rows === undefined || dimension === undefined || rows < 1 || dimension < 1) {
    throw new DataError(
      `${name} has the shape ${shownShape(shape)}, but a table [images, dimensions] is needed.`,
    );
  }
  const broken = data.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    throw new DataError(
      `${name}: row ${Math.floor(broken / dimension)} holds ${data[broken]}; every number must be finite.`,
    );
  }
  return { name, rows, dimension, data };
}

const rowsOf = ({ data, dimension, name }: Table, start: number, end: number, what: string): Table => ({
  name: `${name} (${what})`,
  rows: end - start,
  dimension,
  data: data.subarray(start * dimension, end * dimension),
});

/** The tables of the parts that the dataset's files have. */
async function readTables(
  from: NonNullable<Config['targets']['from']>,
  counts: Readonly<Partial<Record<Part, number>>>,
): Promise<Partial<Record<Part, Table>>> {
  const parts = Object.keys(counts) as Part[];
  const npy = async (path: string): Promise<Table> => {
    const { shape, data } = decodeNpy(await readGiven(path), path);
    return tableOf(path, shape, data);
  };
  if (typeof from !== 'string') {
    if (counts.test === undefined) {
      throw new DataError(
        `targets.from names two files, ${from.join(' and ')}, but the dataset's files have no test images: give one file with a row for each image.`,
      );
    }
    return { train: await npy(from[0]), test: await npy(from[1]) };
  }
  if (/\.npy$/i.test(from)) {
    const all = await npy(from);
    const wanted = parts.reduce((total, part) => total + counts[part]!, 0);
    if (all.rows !== wanted) {
      const kinds = parts.map((part) => `${counts[part]} ${part === 'train' ? 'training' : 'test'}`);
      throw new DataError(
        `${from} holds ${all.rows} rows, but the dataset's files hold ${kinds.join(' and ')} images: a row for each is needed, the training images' first.`,
      );
    }
    const train = counts.train!;
    return {
      train: rowsOf(all, 0, train, 'training images'),
      ...(counts.test === undefined ? {} : { test: rowsOf(all, train, wanted, 'test images') }),
    };
  }
  const { tensors } = decodeSafetensors(await readGiven(from), from, { widen: true });
  const tables: Partial<Record<Part, Table>> = {};
  for (const part of parts) {
    const tensor = tensors.get(part);
    if (tensor === undefined || !(tensor.data instanceof Float32Array)) {
      throw new DataError(
        `${from} holds no tensor '${part}' of floating-point numbers; the representations of the ${part === 'train' ? 'training' : 'test'} images are looked for there.`,
      );
    }
    tables[part] = tableOf(`${from}: tensor ${part}`, tensor.shape, tensor.data);
  }
  return tables;
}

/**
 * The representations that `targets.from` names, row by row of the images that the run has drawn.
 *
 * Throws `DataError` for files that are missing, not of their format, not finite or of other counts than the dataset's files,
 * and `ConfigError` when `teacher.representation` is not their dimension.
 */
export async function readGivenTargets(config: Config, dataset: Drawn): Promise<GivenTargets> {
  const { from } = config.targets;
  if (from === null) throw new ConfigError('targets.from = null names no representations to read.');
  const origins = [dataset.train.origin, dataset.test.origin];
  const counts = Object.fromEntries(origins.map(({ part, count }) => [part, count]));
  const tables = await readTables(from, counts);
  const { dimension } = tables.train!;
  for (const { part, count } of origins) {
    const table = tables[part]!;
    if (table.rows !== count) {
      throw new DataError(
        `${table.name} holds ${table.rows} rows, but the files of ${dataset.name} hold ${count} ${part === 'train' ? 'training' : 'test'} images: a row for each is needed, in the files' order.`,
      );
    }
    if (table.dimension !== dimension) {
      throw new DataError(
        `${table.name} has ${table.dimension} dimensions, but the training images' representations have ${dimension}.`,
      );
    }
  }
  if (config.teacher.representation !== dimension) {
    throw new ConfigError(
      `teacher.representation = ${config.teacher.representation}, but the representations of targets.from have ${dimension} dimensions. Set teacher.representation=${dimension}.`,
    );
  }
  const drawn = ({ origin }: Pick<ImageSet, 'origin'>): Float32Array =>
    takeRows(tables[origin.part]!.data, dimension, origin.numbers);
  return { train: drawn(dataset.train), test: drawn(dataset.test), dimension };
}

/** Writes the given representations of every training and test image [count, D], as a teacher's would be. */
export async function copyGivenTargets(context: StageContext): Promise<string[]> {
  const { config, dataset, folder } = context;
  const { train, test, dimension } = await readGivenTargets(config, dataset);
  await writeTensors(folder, files.targets, [
    ['train', floatTensor(train, dataset.train.count, dimension)],
    ['test', floatTensor(test, dataset.test.count, dimension)],
  ]);
  context.advance(dataset.train.count + dataset.test.count);
  return [files.targets];
}
