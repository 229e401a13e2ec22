/**
 * Real images as every stage sees them: a random sample of a dataset's files, average-pooled, and standardised
 * by the training sample. The files themselves are read by `mnist.ts` and `cifar10.ts`.
 */
import { ConfigError } from '../../errors.js';
import { permutation } from '../../kernels/philox.js';
import type { Config } from '../config/schema.js';
import { readCifar10 } from './cifar10.js';
import { readMnist } from './mnist.js';
import type { RawDataset, RawImages } from './rawImages.js';

/** Images with their labels. */
export interface ImageSet {
  /** [count, channels, height, width], standardised. */
  readonly images: Float32Array;
  /** [count]; indices into the dataset's classes. Null for a set without labels. */
  readonly labels: Int32Array | null;
  /** Number of images. */
  readonly count: number;
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
}

const readers: Record<Config['data']['source'], (folder: string | null) => Promise<RawDataset>> = {
  mnist: readMnist,
  cifar10: readCifar10,
};

/**
 * Reads a dataset and prepares it: pixels scaled to 0 … 1, average-pooled by `pool`, then standardised channel
 * by channel. Of each part the first `train` (`test`) images of a random permutation named by the seed are
 * used, in the permutation's order. Throws `DataError` for files that are missing or not of their format, and
 * `ConfigError` when more images are asked for than there are or `pool` does not divide their sides.
 */
export async function loadDataset(config: Config['data'], seed: number): Promise<Dataset> {
  const raw = await readers[config.source](config.folder);
  const train = pooledSample(raw, 'train', config, seed);
  const test = pooledSample(raw, 'test', config, seed);
  const { channels, height, width } = raw.train;
  const moments = channelMoments(train, channels);
  return {
    name: config.source,
    image: [channels, height / config.pool, width / config.pool],
    classes: raw.classes,
    train: standardise(train, moments),
    test: standardise(test, moments),
    ...moments,
  };
}

/** Sums of each pool's bytes: whole numbers, so that nothing is rounded before the images are standardised. */
interface PooledSums {
  readonly sums: Uint32Array;
  readonly labels: Int32Array | null;
  readonly count: number;
  /** What a sum is divided by to give a value in 0 … 1. */
  readonly scale: number;
}

function pooledSample(
  raw: RawDataset,
  part: 'train' | 'test',
  config: Config['data'],
  seed: number,
): PooledSums {
  const images = raw[part];
  const count = config[part] ?? images.count;
  if (count > images.count) {
    throw new ConfigError(
      `data.${part} = ${count}, but ${raw.origin} has only ${images.count} ${part === 'train' ? 'training' : 'test'} images. Set it to ${images.count} or less, or to null for all.`,
    );
  }
  const { pool } = config;
  if (images.height % pool !== 0 || images.width % pool !== 0) {
    throw new ConfigError(
      `data.pool = ${pool} does not divide the ${images.height}×${images.width} pixels of ${raw.origin}. Choose a factor that does.`,
    );
  }
  const { labels } = images;
  const order = permutation({ seed, purpose: `data.${part}`, index: 0 }, images.count).subarray(0, count);
  return {
    sums: poolSums(images, order, pool),
    labels: labels && Int32Array.from(order, (index) => labels[index]!),
    count,
    scale: 255 * pool * pool,
  };
}

function poolSums(images: RawImages, order: Int32Array, pool: number): Uint32Array {
  const { channels, height, width, pixels } = images;
  const pooledWidth = width / pool;
  const pooledSize = channels * (height / pool) * pooledWidth;
  const sums = new Uint32Array(order.length * pooledSize);
  for (const [position, index] of order.entries()) {
    const from = index * channels * height * width;
    const to = position * pooledSize;
    // pool divides the height, so rows of all channels pool as one tall image.
    for (let row = 0; row < channels * height; row += 1) {
      const toRow = to + Math.floor(row / pool) * pooledWidth;
      for (let column = 0; column < width; column += 1) {
        sums[toRow + Math.floor(column / pool)]! += pixels[from + row * width + column]!;
      }
    }
  }
  return sums;
}

interface Moments {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Mean and population standard deviation of each channel, in float64 and two passes. */
function channelMoments({ sums, count, scale }: PooledSums, channels: number): Moments {
  const area = sums.length / (count * channels);
  const mean: number[] = [];
  const deviation: number[] = [];
  for (let channel = 0; channel < channels; channel += 1) {
    const overChannel = (term: (value: number) => number): number => {
      let total = 0;
      for (let image = 0; image < count; image += 1) {
        const start = (image * channels + channel) * area;
        for (let pixel = start; pixel < start + area; pixel += 1) total += term(sums[pixel]!);
      }
      return total;
    };
    const average = overChannel((sum) => sum) / (count * area);
    const variance = overChannel((sum) => (sum - average) ** 2) / (count * area);
    mean.push(average / scale);
    // A channel without any variation has nothing to scale by.
    deviation.push(Math.sqrt(variance) / scale || 1);
  }
  return { mean, deviation };
}

function standardise({ sums, labels, count, scale }: PooledSums, { mean, deviation }: Moments): ImageSet {
  const area = sums.length / (count * mean.length);
  const images = new Float32Array(sums.length);
  for (let pixel = 0; pixel < images.length; pixel += 1) {
    const channel = Math.floor(pixel / area) % mean.length;
    images[pixel] = (sums[pixel]! / scale - mean[channel]!) / deviation[channel]!;
  }
  return { images, labels, count };
}
