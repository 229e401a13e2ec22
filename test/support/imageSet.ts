import type { ImageSet } from '../../src/pipeline/data/dataset.js';
import { takeRows } from '../../src/pipeline/stages/context.js';

/** Images that a test has made, as a dataset holds them. */
export function imageSetOf(images: Float32Array, labels: Int32Array | null, count: number): ImageSet {
  return {
    images,
    labels,
    count,
    origin: { part: 'train', count, numbers: Int32Array.from({ length: count }, (_, number) => number) },
    rows: async (numbers) => takeRows(images, images.length / count, numbers),
  };
}
