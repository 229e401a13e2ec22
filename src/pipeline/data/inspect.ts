/** What a folder of data holds, found by looking: for `hypergrad data`. */
import { permutation } from '../../kernels/philox.js';
import { type Config, configSchema } from '../config/schema.js';
import { imageSizes } from './imageFiles.js';
import { imageFolderLayout } from './imageFolder.js';
import type { RawDataset, RawImages } from './rawImages.js';
import { readSource, recogniseSource, type SourceName } from './sources.js';

/** Images that are decoded to be measured; of a larger set a sample is. */
const MOST_MEASURED = 10_000;
/** Bytes of images that are decoded at a time. */
const CHUNK_BYTES = 2 ** 23;
/** Sides that are proposed for images of different sizes: the largest that the smallest image has. */
const PROPOSED_SIDES = [64, 32, 16, 8];

/** What was found. */
export interface DataReport {
  readonly source: SourceName;
  readonly folder: string;
  /** Number of images in each part; null where the files have no part for tests. */
  readonly train: number;
  readonly test: number | null;
  /** [channels, height, width] as a run would read them with `settings`. */
  readonly image: readonly [channels: number, height: number, width: number];
  /** The sizes of a folder's files, the most frequent first; empty for sources whose files are of one size. */
  readonly sizes: readonly { readonly height: number; readonly width: number; readonly images: number }[];
  /** Whether colours differ from gray in any measured image. */
  readonly isColour: boolean;
  /** Images of each class in each part; empty without labels. */
  readonly classes: readonly { readonly name: string; readonly train: number; readonly test: number }[];
  /** Training images that mean and deviation were measured on: all, or a sample. */
  readonly measured: number;
  /** Of each channel, in the 0 … 1 scale. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** What the configuration's section `data` must say for a run on these images. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What to know before a run: sizes that differ, classes without images. */
  readonly remarks: readonly string[];
}

/** A report, and the images for a look at them. */
export interface Inspection {
  readonly report: DataReport;
  readonly raw: RawDataset;
}

/**
 * Looks into a folder and measures its images, 10 000 at most. Without `source` the folder's files tell it. Throws
 * `DataError` where they are of no known dataset, or damaged, and `MissingPackageError` where the package that they are read
 * with is not installed.
 */
export async function inspectData(folder: string, asked?: SourceName): Promise<Inspection> {
  const source = asked ?? (await recogniseSource(folder));
  const sizes = source === 'folder' ? await folderSizes(folder) : [];
  const side = sizes.length > 1 ? proposedSide(sizes) : null;
  const defaults = configSchema.parse({}).data;
  const config: Config['data'] = { ...defaults, source, folder, resize: { side, rule: 'cover' } };
  const raw = await readSource(config);
  const { train, test } = raw;
  const { mean, deviation, measured, isColour } = await measure(train);
  const classes = countClasses(raw);
  const report: DataReport = {
    source,
    folder,
    train: train.count,
    test: test?.count ?? null,
    image: [train.channels, train.height, train.width],
    sizes,
    isColour,
    classes,
    measured,
    mean,
    deviation,
    settings: {
      source,
      folder,
      ...(side === null ? {} : { resize: { side, rule: 'cover' } }),
      ...(source === 'folder' && !isColour ? { channels: 'gray' } : {}),
      pool: 1,
    },
    remarks: [...remarksOn(sizes, side), ...classRemarks(raw, classes)],
  };
  return { report, raw };
}

async function folderSizes(folder: string): Promise<DataReport['sizes']> {
  const { train, test } = await imageFolderLayout(folder);
  const counts = new Map<string, { height: number; width: number; images: number }>();
  for (const { height, width } of await imageSizes([...train.paths, ...(test?.paths ?? [])])) {
    const key = `${height}×${width}`;
    counts.set(key, { height, width, images: (counts.get(key)?.images ?? 0) + 1 });
  }
  return [...counts.values()].sort((a, b) => b.images - a.images || a.height - b.height || a.width - b.width);
}

function proposedSide(sizes: DataReport['sizes']): number {
  const smallest = sizes.reduce((least, { height, width }) => Math.min(least, height, width), Infinity);
  return PROPOSED_SIDES.find((side) => side <= smallest) ?? smallest;
}

function remarksOn(sizes: DataReport['sizes'], side: number | null): string[] {
  if (side === null) return [];
  const [first, second] = sizes.map(({ height, width, images }) => `${height}×${width} (${images})`);
  return [
    `The images are of ${sizes.length} sizes, such as ${first} and ${second}. Set data.resize.side, for example to ${side}; data.resize.rule says what happens to what is not square.`,
  ];
}

function classRemarks({ test, train }: RawDataset, classes: DataReport['classes']): string[] {
  if (train.labels === null || (test !== null && test.labels === null)) {
    return ['Not all images have labels: a run measures the distance to the teacher, and no accuracy.'];
  }
  const empty = classes.filter((one) => one.train === 0).map(({ name }) => name);
  return empty.length === 0 ? [] : [`No training image has the class ${empty.join(', ')}.`];
}

function countClasses({ classes, train, test }: RawDataset): DataReport['classes'] {
  const counts = (part: RawImages | null): number[] => {
    const result: number[] = Array(classes.length).fill(0);
    for (const label of Array.from(part?.labels ?? [])) result[label]! += 1;
    return result;
  };
  const [inTrain, inTest] = [counts(train), counts(test)];
  return classes.map((name, label) => ({ name, train: inTrain[label]!, test: inTest[label]! }));
}

/** Moments of a sample of the images, from exact whole-number sums. */
async function measure(
  images: RawImages,
): Promise<Pick<DataReport, 'mean' | 'deviation' | 'measured' | 'isColour'>> {
  const { channels, height, width, count } = images;
  const area = height * width;
  const measured = Math.min(count, MOST_MEASURED);
  const sample = permutation({ seed: 1, purpose: 'data.inspect', index: 0 }, count).slice(0, measured).sort();
  const sums: number[] = Array(channels).fill(0);
  const squares: number[] = Array(channels).fill(0);
  let isColour = false;
  const chunk = Math.max(1, Math.floor(CHUNK_BYTES / (channels * area)));
  for (let start = 0; start < measured; start += chunk) {
    const bytes = await images.read(sample.subarray(start, start + chunk));
    for (let begin = 0; begin < bytes.length; begin += area) {
      const channel = (begin / area) % channels;
      let sum = 0;
      let square = 0;
      for (let at = begin; at < begin + area; at += 1) {
        const value = bytes[at]!;
        sum += value;
        square += value * value;
        if (channel > 0 && value !== bytes[at - area]) isColour = true;
      }
      sums[channel]! += sum;
      squares[channel]! += square;
    }
  }
  const pixels = measured * area;
  return {
    measured,
    isColour,
    mean: sums.map((sum) => sum / pixels / 255),
    deviation: sums.map(
      (sum, channel) => Math.sqrt(Math.max(0, squares[channel]! / pixels - (sum / pixels) ** 2)) / 255,
    ),
  };
}
