/** Pictures of many small images: grids of them, and two grids side by side. */
import { ShapeError } from '../../errors.js';
import { drawCell, emptySheet, GAP, levelOf, type Sheet } from '../sheets.js';

/** Images as they are learnt, and what makes pixels of them. */
export interface ShownImages {
  /** How many there are. */
  readonly count: number;
  /** [channels, height, width], with 1 or 3 channels. */
  readonly image: readonly [channels: number, height: number, width: number];
  /** The mean and deviation per channel that the images were standardised by. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** Screen pixels per image pixel. */
  readonly scale: number;
}

export interface ContactSheetInput extends ShownImages {
  /** The images that distillation started from, standardised: [count, channels, height, width]. */
  readonly before: Float32Array;
  /** The synthetic images, in the same order and shape. */
  readonly after: Float32Array;
}

/** Screen pixels between two blocks of images. */
const BLOCK_GAP = 4 * GAP;

/** Requires that images fit their sizes. Throws `ShapeError`. */
export function requireImages(
  { count, image, mean, deviation, scale }: ShownImages,
  before: Float32Array,
  after: Float32Array,
): 1 | 3 {
  const [channels, height, width] = image;
  if (channels !== 1 && channels !== 3) {
    throw new ShapeError(`A contact sheet shows images of 1 or 3 channels, not of ${channels}.`);
  }
  if (![count, height, width, scale].every((value) => Number.isInteger(value) && value > 0)) {
    throw new ShapeError(
      `A contact sheet of ${count} images of ${height} × ${width} pixels at scale ${scale} does not exist: give positive integers.`,
    );
  }
  const size = count * channels * height * width;
  if (before.length !== size || after.length !== size) {
    throw new ShapeError(
      `The contact sheet got ${before.length} and ${after.length} values for ${count} images of ${channels} × ${height} × ${width}: pass ${size} of each.`,
    );
  }
  if (mean.length !== channels || deviation.length !== channels) {
    throw new ShapeError(
      `The contact sheet got ${mean.length} means and ${deviation.length} deviations for ${channels} channels: pass one a channel.`,
    );
  }
  return channels;
}

/** A pixel's level of 8 bits in one channel of the picture; `pixel` counts row by row within the image. */
export type LevelAt = (image: number, channel: number, pixel: number) => number;

/**
 * Grids of the same images side by side, each nearly square and in the same order. Each pixel of an image becomes a square of
 * `scale` pixels.
 */
export function drawGrids(
  { count, image: [, height, width], scale }: Pick<ShownImages, 'count' | 'image' | 'scale'>,
  channels: 1 | 3,
  grids: readonly LevelAt[],
): Sheet {
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  const stepX = width * scale + GAP;
  const stepY = height * scale + GAP;
  const gridWidth = columns * stepX - GAP;
  const sheetWidth = grids.length * (gridWidth + BLOCK_GAP) - BLOCK_GAP + 2 * GAP;
  const sheet = emptySheet(sheetWidth, rows * stepY + GAP, channels);
  for (const [place, levelAt] of grids.entries()) {
    for (let image = 0; image < count; image++) {
      const left = GAP + (image % columns) * stepX + place * (gridWidth + BLOCK_GAP);
      const top = GAP + Math.floor(image / columns) * stepY;
      drawCell(sheet, { left, top, width, height, scale }, (channel, pixel) =>
        levelAt(image, channel, pixel),
      );
    }
  }
  return sheet;
}

/** Levels of standardised images: values are de-standardised (x · deviation + mean) and cut to 0 … 1. */
export function levelsOf(
  { image: [channels, height, width], mean, deviation }: ShownImages,
  images: Float32Array,
): LevelAt {
  const area = height * width;
  return (image, channel, pixel) =>
    levelOf(images[(image * channels + channel) * area + pixel]! * deviation[channel]! + mean[channel]!);
}

/**
 * The images before distillation in a block on the left, and after it in a block on the right, both in the
 * same order and nearly square. Throws `ShapeError` when the input's parts do not fit.
 */
export function contactSheet(input: ContactSheetInput): Sheet {
  const { before, after } = input;
  const channels = requireImages(input, before, after);
  return drawGrids(input, channels, [levelsOf(input, before), levelsOf(input, after)]);
}
