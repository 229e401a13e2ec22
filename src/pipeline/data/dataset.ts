/**
 * Real images as every stage sees them: a random sample of a dataset's files, average-pooled, and standardised
 * by the training sample. The files themselves are read by the sources (`sources.ts`).
 */
import { ConfigError, DataError } from '../../errors.js';
import { permutation } from '../../kernels/philox.js';
import type { RowSource } from '../../nn/deviceImages.js';
import type { Config } from '../config/schema.js';
import { MEBIBYTE } from '../store/bytes.js';
import { chunksOf, largestSum, type PooledTable, poolImages, tableBytes } from './pooledTable.js';
import { type RawDataset, type RawImages, takeImages } from './rawImages.js';
import { readSource } from './sources.js';

/** Images with their labels; `rows` gives standardised images [rows, channels, height, width], the same bits as in `images`. */
export interface ImageSet extends RowSource {
  /** [count, channels, height, width], standardised: all of them, made when they are first asked for. */
  readonly images: Float32Array;
  /** [count]; indices into the dataset's classes. Null for a set without labels. */
  readonly labels: Int32Array | null;
  /** Where the images lie in the dataset's files. */
  readonly origin: ImageOrigin;
}

/** Where a run's images lie in the dataset's files, for whoever brings numbers for each image of the files. */
export interface ImageOrigin {
  /** The part of the files that they were drawn from: `train` for test images that were held out of it. */
  readonly part: 'train' | 'test';
  /** Images of that part. */
  readonly count: number;
  /** [images of the set]; each image's number in the part's order. */
  readonly numbers: Int32Array;
}

/** The training and test images that a run uses. */
export interface Dataset {
  /** Name of the source, such as `mnist`. */
  readonly name: string;
  /** Shape of one image, after pooling. */
  readonly image: readonly [channels: number, height: number, width: number];
  /** Names of the classes, in the order of the labels; none for data without labels. */
  readonly classes: readonly string[];
  /** What teacher, experts, subset and probes learn from. */
  readonly train: ImageSet;
  /** What is held out for the evaluation. */
  readonly test: ImageSet;
  /** Each channel's mean over the training images used, in the 0 … 1 scale. */
  readonly mean: readonly number[];
  /** Each channel's standard deviation over the training images used, in the 0 … 1 scale. */
  readonly deviation: readonly number[];
  /** Gives back the file that images beyond `data.memory` lie in; no rows can be read after. */
  close(): void;
}

/** Whether pooled images of so many bytes, training and test together, lie in a file instead of in memory. */
export const isInFile = (bytes: number, { memory }: Config['data']): boolean => bytes > memory * MEBIBYTE;

/**
 * Reads a dataset and prepares it: pixels scaled to 0 … 1, average-pooled by `pool`, then standardised channel
 * by channel. Of each part the first `train` (`test`) images of a random permutation named by the seed are
 * used, in the permutation's order; only these are decoded. Where the files have no part for tests, `holdOut` of the
 * images, drawn by a permutation named by the seed, are its test images. Images beyond `memory` MiB lie in a file in the
 * cache folder instead of in memory. Throws `DataError` for files that are missing or not of their format,
 * `MissingPackageError` where the package that they are read with is not installed, and `ConfigError` when more images are
 * asked for than there are or `pool` does not divide their sides.
 */
export async function loadDataset(config: Config['data'], seed: number): Promise<Dataset> {
  return await drawDataset(await readSource(config), config, seed);
}

/** What `loadDataset` makes of the files, once they are read. Throws as it does. */
export async function drawDataset(raw: RawDataset, config: Config['data'], seed: number): Promise<Dataset> {
  const parts: Parts =
    raw.test === null ? holdOut(raw, config, seed) : { train: raw.train, test: raw.test, split: null };
  const { channels, height, width } = raw.train;
  const { pool } = config;
  if (height % pool !== 0 || width % pool !== 0) {
    throw new ConfigError(
      `data.pool = ${pool} does not divide the ${height}×${width} pixels of ${raw.origin}. Choose a factor that does.`,
    );
  }
  const orders = {
    train: draw(parts, 'train', raw, config, seed),
    test: draw(parts, 'test', raw, config, seed),
  };
  const bytes =
    tableBytes(parts.train, orders.train.length, pool) + tableBytes(parts.test, orders.test.length, pool);
  const storage = { pool, inFile: isInFile(bytes, config) };
  const tables: PooledTable[] = [];
  const close = () => {
    for (const table of tables) table.close();
  };
  const poolPart = async (name: 'train' | 'test'): Promise<PooledTable> => {
    const table = await poolImages(parts[name], orders[name], storage);
    tables.push(table);
    return table;
  };
  const originOf = (name: 'train' | 'test'): ImageOrigin => {
    const part = parts.split === null ? name : 'train';
    const split = parts.split?.[name];
    const numbers = split === undefined ? orders[name] : orders[name].map((place) => split[place]!);
    return { part, count: (raw[part] ?? raw.train).count, numbers };
  };
  try {
    const train = await poolPart('train');
    const test = await poolPart('test');
    const moments = channelMoments(train, channels, pool);
    const values = standardisedValues(moments, pool);
    return {
      name: config.source,
      image: [channels, height / pool, width / pool],
      classes: raw.classes,
      train: imageSet(train, values, labelsOf(parts.train, orders.train), originOf('train')),
      test: imageSet(test, values, labelsOf(parts.test, orders.test), originOf('test')),
      ...moments,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

interface Parts {
  readonly train: RawImages;
  readonly test: RawImages;
  /** Numbers of each part's images in the files' training images; null where the files have a part for tests. */
  readonly split: Readonly<Record<'train' | 'test', Int32Array>> | null;
}

/** How many of so many images, two or more, are held out for tests. */
export const heldOutCount = ({ holdOut }: Pick<Config['data'], 'holdOut'>, count: number): number =>
  Math.min(Math.max(1, Math.round(holdOut * count)), count - 1);

/** Splits the training images by a permutation of their own, which no other draw changes; both parts keep the files' order. */
function holdOut({ origin, train }: RawDataset, config: Config['data'], seed: number): Parts {
  if (train.count < 2) {
    throw new DataError(
      `There is one image in ${origin}, and it cannot be both for training and for tests. Add more images.`,
    );
  }
  const count = heldOutCount(config, train.count);
  const order = permutation({ seed, purpose: 'data.holdOut', index: 0 }, train.count);
  const split = { train: order.slice(count).sort(), test: order.slice(0, count).sort() };
  return { train: takeImages(train, split.train), test: takeImages(train, split.test), split };
}

/** Numbers of the images that a part's share of the run is. */
function draw(
  parts: Parts,
  part: 'train' | 'test',
  { origin, test }: RawDataset,
  config: Config['data'],
  seed: number,
): Int32Array {
  const images = parts[part];
  const count = config[part] ?? images.count;
  if (count > images.count) {
    const split = test === null ? ` (data.holdOut = ${config.holdOut} of its images are for tests)` : '';
    throw new ConfigError(
      `data.${part} = ${count}, but ${origin} has only ${images.count} ${part === 'train' ? 'training' : 'test'} images${split}. Set it to ${images.count} or less, or to null for all.`,
    );
  }
  return permutation({ seed, purpose: `data.${part}`, index: 0 }, images.count).slice(0, count);
}

const labelsOf = ({ labels }: RawImages, order: Int32Array): Int32Array | null =>
  labels && Int32Array.from(order, (index) => labels[index]!);

interface Moments {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Mean and population standard deviation of each channel, in float64 and two passes over the table. */
function channelMoments(table: PooledTable, channels: number, pool: number): Moments {
  const area = table.elements / channels;
  const pixels = table.count * area;
  const scale = largestSum(pool);
  /** Sum over each channel's pixels, in the order of the images. */
  const overChannels = (term: (sum: number, channel: number) => number): number[] => {
    const totals: number[] = Array(channels).fill(0);
    for (const sums of chunksOf(table)) {
      for (let start = 0; start < sums.length; start += area) {
        const channel = (start / area) % channels;
        let total = totals[channel]!;
        for (let pixel = start; pixel < start + area; pixel += 1) total += term(sums[pixel]!, channel);
        totals[channel] = total;
      }
    }
    return totals;
  };
  const average = overChannels((sum) => sum).map((total) => total / pixels);
  const squares = overChannels((sum, channel) => (sum - average[channel]!) ** 2);
  return {
    mean: average.map((sum) => sum / scale),
    // A channel without any variation has nothing to scale by.
    deviation: squares.map((total) => Math.sqrt(total / pixels) / scale || 1),
  };
}

/** The standardised value of every possible sum, a table a channel. */
function standardisedValues({ mean, deviation }: Moments, pool: number): Float32Array[] {
  const scale = largestSum(pool);
  return mean.map((average, channel) =>
    Float32Array.from({ length: scale + 1 }, (_, sum) => (sum / scale - average) / deviation[channel]!),
  );
}

function imageSet(
  table: PooledTable,
  values: readonly Float32Array[],
  labels: Int32Array | null,
  origin: ImageOrigin,
): ImageSet {
  const area = table.elements / values.length;
  const standardise = (numbers: ArrayLike<number>): Float32Array => {
    const sums = table.read(numbers);
    const images = new Float32Array(sums.length);
    for (let start = 0; start < images.length; start += area) {
      const value = values[(start / area) % values.length]!;
      for (let pixel = start; pixel < start + area; pixel += 1) images[pixel] = value[sums[pixel]!]!;
    }
    return images;
  };
  let all: Float32Array | undefined;
  return {
    count: table.count,
    labels,
    origin,
    get images() {
      all ??= standardise(Int32Array.from({ length: table.count }, (_, number) => number));
      return all;
    },
    rows: async (numbers) => standardise(numbers),
  };
}
