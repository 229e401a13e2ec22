/** The labelled images that a linear probe sees. */
import { permutation } from '../../kernels/philox.js';

/**
 * An order of the training images in which every prefix holds the classes as evenly as they come: the labels that a probe
 * sees are its first ones.
 */
export function labelOrder(
  labels: Int32Array,
  classes: number,
  seed: number,
  repetition: number,
): Int32Array {
  const order = permutation({ seed, purpose: 'evaluate.labels', index: repetition }, labels.length);
  const byClass: number[][] = Array.from({ length: classes }, () => []);
  for (const image of order) byClass[labels[image]!]!.push(image);
  const longest = Math.max(...byClass.map((images) => images.length));
  const result: number[] = [];
  for (let k = 0; k < longest; k++) {
    for (const images of byClass) if (k < images.length) result.push(images[k]!);
  }
  return Int32Array.from(result);
}

/** How many labels a share of `count` training images is; at least one. */
export function labelCount(share: number, count: number): number {
  return Math.max(1, Math.round(share * count));
}
