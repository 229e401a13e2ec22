import { ShapeError } from '../../errors.js';

export interface ContactSheetInput {
  /** The images that distillation started from, standardised: [count, channels, height, width]. */
  readonly before: Float32Array;
  /** The synthetic images, in the same order and shape. */
  readonly after: Float32Array;
  readonly count: number;
  /** [channels, height, width], with 1 or 3 channels. */
  readonly image: readonly [channels: number, height: number, width: number];
  /** The mean and deviation per channel that the images were standardised by. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** Screen pixels per image pixel. */
  readonly scale: number;
}

/** Row-major pixels of 8 bits a channel, channels last. */
export interface ContactSheet {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/** Screen pixels between images; the two blocks stand four times as far apart. */
const GAP = 2;
const BLOCK_GAP = 4 * GAP;
/** Grey stands out from dark and from light images, on a light and on a dark page. */
const BACKGROUND = 128;

function check({ before, after, count, image, mean, deviation, scale }: ContactSheetInput): 1 | 3 {
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

/**
 * The images before distillation in a block on the left, and after it in a block on the right, both in the
 * same order and nearly square. Values are de-standardised (x · deviation + mean) and clamped to 0 … 1, and
 * each pixel becomes a square of `scale` pixels. Throws `ShapeError` when the input's parts do not fit.
 */
export function contactSheet(input: ContactSheetInput): ContactSheet {
  const channels = check(input);
  const { before, after, count, image, mean, deviation, scale } = input;
  const [, imageHeight, imageWidth] = image;
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  const stepX = imageWidth * scale + GAP;
  const stepY = imageHeight * scale + GAP;
  const blockWidth = columns * stepX - GAP;
  const width = 2 * blockWidth + BLOCK_GAP + 2 * GAP;
  const height = rows * stepY + GAP;
  const pixels = new Uint8Array(width * height * channels).fill(BACKGROUND);

  const place = (images: Float32Array, index: number, left: number, top: number): void => {
    for (let channel = 0; channel < channels; channel++) {
      const plane = (index * channels + channel) * imageHeight * imageWidth;
      for (let y = 0; y < imageHeight * scale; y++) {
        const row = plane + Math.floor(y / scale) * imageWidth;
        for (let x = 0; x < imageWidth * scale; x++) {
          const value = images[row + Math.floor(x / scale)]! * deviation[channel]! + mean[channel]!;
          const level = Math.round(255 * Math.min(Math.max(value, 0), 1));
          pixels[((top + y) * width + left + x) * channels + channel] = level;
        }
      }
    }
  };
  for (let index = 0; index < count; index++) {
    const left = GAP + (index % columns) * stepX;
    const top = GAP + Math.floor(index / columns) * stepY;
    place(before, index, left, top);
    place(after, index, left + blockWidth + BLOCK_GAP, top);
  }
  return { pixels, width, height, channels };
}
