/** A dataset that is not on this machine, as far as an estimate reads it: the official sets' counts, with zeros for pixels. */
import { imageShape } from '../config/rules.js';
import type { Config } from '../config/schema.js';
import type { Dataset, ImageSet } from '../data/dataset.js';

interface OfficialSet {
  readonly train: number;
  readonly test: number;
  readonly classes: number;
}

/** What their makers publish; of Tiny ImageNet the validation images are the test images. */
const official: Readonly<Partial<Record<Config['data']['source'], OfficialSet>>> = {
  mnist: { train: 60_000, test: 10_000, classes: 10 },
  cifar10: { train: 50_000, test: 10_000, classes: 10 },
  cifar100: { train: 50_000, test: 10_000, classes: 100 },
  'tiny-imagenet': { train: 100_000, test: 10_000, classes: 200 },
};

function zeros(count: number, elements: number, classes: number, part: 'train' | 'test'): ImageSet {
  const rowsOf = (rows: number): Float32Array => new Float32Array(rows * elements);
  let all: Float32Array | undefined;
  return {
    count,
    labels: Int32Array.from({ length: count }, (_, image) => image % classes),
    origin: { part, count, numbers: Int32Array.from({ length: count }, (_, image) => image) },
    get images() {
      all ??= rowsOf(count);
      return all;
    },
    rows: async ({ length }) => rowsOf(length),
  };
}

/** A stand-in for the official set that a configuration names; null where only its files tell what it holds. */
export function standIn({ data }: Pick<Config, 'data'>): Dataset | null {
  const set = official[data.source];
  const image = imageShape(data);
  if (set === undefined || image === null) return null;
  const [channels, height, width] = image;
  const elements = channels * height * width;
  const part = (name: 'train' | 'test'): ImageSet =>
    zeros(Math.min(data[name] ?? set[name], set[name]), elements, set.classes, name);
  return {
    name: data.source,
    image,
    classes: Array.from({ length: set.classes }, (_, label) => String(label)),
    train: part('train'),
    test: part('test'),
    mean: Array.from({ length: channels }, () => 0),
    deviation: Array.from({ length: channels }, () => 1),
    close() {},
  };
}
