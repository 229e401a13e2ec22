/** The synthetic images as a report shows them: before, after, and what distillation changed. */
import { quantileSorted } from 'simple-statistics';
import { enlargement, levelOf } from '../sheets.js';
import { drawGrids, type LevelAt, levelsOf, requireImages, type ShownImages } from './contactSheet.js';
import type { Pictures } from './types.js';

/** Images that are shown at most: more are too small to be seen in a page. */
const MOST = 100;
/** The share of pixels whose differences are drawn within the scale; the others are drawn as the largest that it has. */
const WITHIN = 0.99;

/** What pictures are made from. */
export interface PicturesInput extends Omit<ShownImages, 'scale'> {
  /** The images that distillation started from, standardised [count, channels, height, width]. */
  readonly before: Float32Array;
  /** What they became. */
  readonly after: Float32Array;
}

/** The colours of no difference, and of the largest either way; each reads on a light and on a dark page. */
const NONE = [247, 247, 247] as const;
const BRIGHTER = [178, 24, 43] as const;
const DARKER = [33, 102, 172] as const;

/** Images evenly spaced over the set: it is ordered by how hard they were. */
function spread(count: number): number[] {
  const shown = Math.min(count, MOST);
  return Array.from({ length: shown }, (_, k) => Math.floor((k * count) / shown));
}

/** Of a picture's differences, the size below which nearly all of them are; of none at all, the smallest that can be seen. */
function scaleOf(differences: Float32Array): number {
  const sizes = differences.map(Math.abs).sort();
  return quantileSorted(Array.from(sizes), WITHIN) || 1 / 255;
}

/**
 * Three grids of the same images. Differences are of the learnt values, also where these lie outside of black and white. Throws
 * `ShapeError` when the input's parts do not fit.
 */
export function makePictures(input: PicturesInput): Pictures {
  const { count, image, deviation } = input;
  const scaled = { ...input, scale: enlargement(image[2]) };
  const channels = requireImages(scaled, input.before, input.after);
  const [, height, width] = image;
  const area = height * width;
  const places = spread(count);
  const take = (images: Float32Array): Float32Array => {
    const size = channels * area;
    const taken = new Float32Array(places.length * size);
    places.forEach((place, k) => {
      taken.set(images.subarray(place * size, (place + 1) * size), k * size);
    });
    return taken;
  };
  const [before, after] = [take(input.before), take(input.after)];
  const differences = after.map(
    (value, k) => (value - before[k]!) * deviation[Math.floor(k / area) % channels]!,
  );
  const scale = scaleOf(differences);
  const shareAt = (place: number, channel: number, pixel: number): number =>
    Math.min(Math.max(differences[(place * channels + channel) * area + pixel]! / scale, -1), 1);
  const inColours: LevelAt = (place, channel, pixel) => {
    const share = shareAt(place, 0, pixel);
    const end = share > 0 ? BRIGHTER : DARKER;
    return Math.round(NONE[channel]! + Math.abs(share) * (end[channel]! - NONE[channel]!));
  };
  const aroundGrey: LevelAt = (place, channel, pixel) => levelOf((1 + shareAt(place, channel, pixel)) / 2);
  const shown = { ...scaled, count: places.length };
  return {
    before: drawGrids(shown, channels, [levelsOf(shown, before)]),
    after: drawGrids(shown, channels, [levelsOf(shown, after)]),
    difference: drawGrids(shown, 3, [channels === 1 ? inColours : aroundGrey]),
    shown: places.length,
    count,
    scale,
  };
}
