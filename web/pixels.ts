/** Standardised images as pixels. */
import type { ImageTable } from './protocol.js';

/** A pixel's brightness, 0 … 1, from its standardised value. */
export const brightness = (value: number, mean: number, deviation: number): number =>
  Math.min(Math.max(value * deviation + mean, 0), 1);

/** The brightness of images with one channel, 8 bits a pixel, in their order. */
export function toBytes({ data, mean, deviation }: ImageTable): Uint8Array {
  return Uint8Array.from(data, (value) => Math.round(255 * brightness(value, mean[0]!, deviation[0]!)));
}

/** The greatest magnitude. */
export const largestOf = (numbers: Float32Array): number =>
  numbers.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
