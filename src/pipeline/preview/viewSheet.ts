/** A picture of images and of random views of each, as the teacher's training sees them. */
import { compile } from '../../autograd/compile/plan.js';
import { f32 } from '../../autograd/tape.js';
import { trace } from '../../autograd/trace.js';
import type { Device } from '../../gpu/device.js';
import { augmentationTypes, augmentImages, drawAugmentation } from '../../nn/augmentation.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../data/dataset.js';
import { drawCell, emptySheet, enlargement, GAP, levelOf, type Sheet } from '../sheets.js';

/** How many images are shown, and how many views of each. */
export interface PreviewSize {
  readonly images: number;
  readonly views: number;
}

/** Between the images and their views. */
const WIDE_GAP = 8;

/**
 * `views` random views of each of the first `images` training images [images · views, C, H, W], standardised, image by image.
 * They are drawn and made as the teacher's are, from a stream of their own.
 */
export async function drawPreview(
  device: Device,
  config: Pick<Config, 'seed' | 'teacher'>,
  dataset: Dataset,
  { images, views }: PreviewSize,
): Promise<Float32Array> {
  const { augmentation } = config.teacher;
  const count = images * views;
  const repeated = Int32Array.from({ length: count }, (_, place) => Math.floor(place / views));
  const originals = await dataset.train.rows(repeated);
  const types = { x: f32(count, ...dataset.image), ...augmentationTypes(augmentation, dataset.image, count) };
  const tape = trace(types, ({ x, ...inputs }) => ({ views: augmentImages(x!, inputs, augmentation) }));
  const plan = await compile(tape, device, { label: 'preview' });
  try {
    const key = { seed: config.seed, purpose: 'preview', index: 0 };
    const drawn = drawAugmentation(key, 'A', count, dataset, augmentation);
    const made = await plan.run({ x: originals, ...drawn });
    return made.views as Float32Array;
  } finally {
    plan.release();
  }
}

/**
 * A row for each image: the image, a gap, and its views. Values are de-standardised and cut to 0 … 1; images of other than
 * one or three channels show their first one.
 *
 * @param originals [images, C, H, W], standardised
 * @param views [images · views, C, H, W], standardised
 */
export function viewSheet(
  { image, mean, deviation }: Pick<Dataset, 'image' | 'mean' | 'deviation'>,
  originals: Float32Array,
  views: Float32Array,
): Sheet {
  const [depth, height, width] = image;
  const channels = depth === 3 ? 3 : 1;
  const size = depth * height * width;
  const rows = originals.length / size;
  const columns = views.length / originals.length;
  const scale = enlargement(width);
  const [stepX, stepY] = [width * scale + GAP, height * scale + GAP];
  const sheetWidth = (columns + 1) * stepX + GAP + WIDE_GAP - GAP;
  const sheetHeight = rows * stepY + GAP;
  const sheet = emptySheet(sheetWidth, sheetHeight, channels);
  const place = (source: Float32Array, start: number, left: number, top: number): void =>
    drawCell(sheet, { left, top, width, height, scale }, (channel, pixel) => {
      const value = source[start + channel * height * width + pixel]!;
      return levelOf(value * deviation[channel]! + mean[channel]!);
    });
  for (let row = 0; row < rows; row++) {
    const top = GAP + row * stepY;
    place(originals, row * size, GAP, top);
    for (let column = 0; column < columns; column++) {
      place(views, (row * columns + column) * size, WIDE_GAP + (column + 1) * stepX, top);
    }
  }
  return sheet;
}

/** The picture of a configuration's augmentations: the first training images and random views of each. */
export async function previewSheet(
  device: Device,
  config: Pick<Config, 'seed' | 'teacher'>,
  dataset: Dataset,
  size: PreviewSize,
): Promise<Sheet> {
  const images = Math.min(size.images, dataset.train.count);
  const views = await drawPreview(device, config, dataset, { images, views: size.views });
  const originals = await dataset.train.rows(Int32Array.from({ length: images }, (_, number) => number));
  return viewSheet(dataset, originals, views);
}
