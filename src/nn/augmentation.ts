/**
 * The random views of self-supervised training: what is drawn for each on the host, from counter-based streams, and what the
 * device makes of it. In order: crop, rotation and mirroring in one bilinear sampling; contrast and brightness; saturation,
 * hue and gray; blur; solarising; noise. All is differentiable by the images.
 */
import { augment } from '../autograd/ops/augment.js';
import { blur } from '../autograd/ops/blur.js';
import { minimum } from '../autograd/ops/comparisons.js';
import { add, mul, scale, sub } from '../autograd/ops/elementwise.js';
import { randomNormal } from '../autograd/ops/random.js';
import { reshape, sum } from '../autograd/ops/reduce.js';
import { VIEW_NUMBERS, viewPlaces } from '../autograd/ops/warp.js';
import { f32, i32, type TensorType } from '../autograd/tape.js';
import type { Tensor } from '../autograd/trace.js';
import { type StreamKey, streamWords, uniform } from '../kernels/philox.js';
import { colourMatrix, onStandardised, type Standardisation, thenGray } from './colour.js';

/** How an image becomes a view. Probabilities and ranges are of independent draws for each view of each image. */
export interface AugmentationSettings {
  /** Largest rotation either way, degrees. */
  readonly rotation: number;
  /** Range of the crop's area as a share of the image's. */
  readonly cropScale: readonly [low: number, high: number];
  /** Range of the crop's width over its height, drawn evenly on a logarithmic scale. */
  readonly cropAspect: readonly [low: number, high: number];
  /** Mirror left to right with probability 1/2. */
  readonly flip: boolean;
  /** Contrast is multiplied by 1 ± this at most. */
  readonly contrast: number;
  /** Largest shift of the standardised pixels. */
  readonly brightness: number;
  /** The distance from gray is multiplied by 1 ± this at most; colour images only. */
  readonly saturation: number;
  /** Largest turn of the colours about the gray axis either way, in full turns; colour images only. */
  readonly hue: number;
  /** Probability that contrast, brightness, saturation and hue change at all. */
  readonly jitterProbability: number;
  /** Standard deviation of the noise on the standardised pixels. */
  readonly noise: number;
  /** Probability of a colour image turning gray. */
  readonly grayscale: number;
  /** Probability of a Gaussian blur. */
  readonly blur: number;
  /** Probability of inverting what is above 1/2 of the 0 … 1 scale. */
  readonly solarise: number;
}

/** The images that views are made of. */
export interface AugmentedImages extends Standardisation {
  /** Shape of one image [C, H, W]. */
  readonly image: readonly [channels: number, height: number, width: number];
}

/** Uniform numbers that one view takes, and further ones from a stream of their own. */
const DRAWS = 8;
const MORE_DRAWS = 8;

/** Range of a blur's standard deviation, pixels (SimCLR). */
const BLUR_DEVIATION = [0.1, 2] as const;
/** Half of a blur's window as a share of the image's side: the window is a tenth of it (SimCLR). */
const BLUR_REACH = 0.05;

/** A threshold that no pixel reaches. */
const NEVER = 1e9;

const isColoured = (
  { saturation, hue }: AugmentationSettings,
  [channels]: AugmentedImages['image'],
): boolean => channels === 3 && (saturation > 0 || hue > 0);

/** Whether anything stands between the sampling and the noise, which then is added at the end. */
const hasLaterSteps = (settings: AugmentationSettings, image: AugmentedImages['image']): boolean =>
  isColoured(settings, image) || settings.blur > 0 || settings.solarise > 0;

const blurReach = ([, height, width]: AugmentedImages['image']): number =>
  Math.max(1, Math.round(BLUR_REACH * Math.min(height, width)));

/**
 * What the views of `count` images are described by, as inputs of a tape: `view` and `noise`, and where the settings ask for
 * them `colour`, `tint`, `blur` and `solarise`.
 */
export function augmentationTypes(
  settings: AugmentationSettings,
  image: AugmentedImages['image'],
  count: number,
): Record<string, TensorType> {
  return {
    view: f32(count, VIEW_NUMBERS),
    noise: i32(4),
    ...(isColoured(settings, image) ? { colour: f32(count, 3, 3, 1), tint: f32(count, 3, 1) } : {}),
    ...(settings.blur > 0 ? { blur: f32(count, blurReach(image) + 1) } : {}),
    ...(settings.solarise > 0 ? { solarise: f32(count, image[0], 1, 1) } : {}),
  };
}

/**
 * Records the views of images [B,C,H,W].
 *
 * @param inputs tensors of the types that `augmentationTypes` gives, filled by `drawAugmentation` with the same settings
 */
export function augmentImages(
  images: Tensor,
  inputs: Readonly<Record<string, Tensor>>,
  settings: AugmentationSettings,
): Tensor {
  const { view, noise, colour, tint, blur: weights, solarise: threshold } = inputs;
  let x = augment(images, view!, noise!);
  if (colour === undefined && weights === undefined && threshold === undefined) return x;
  const [B, C, H, W] = images.shape as [number, number, number, number];
  if (colour !== undefined) {
    const mixed = sum(mul(colour, reshape(x, [B, 1, C, H * W])), [2]);
    x = reshape(add(reshape(mixed, [B, C, H * W]), tint!), images.shape);
  }
  if (weights !== undefined) x = blur(blur(x, weights, 2), weights, 3);
  // Inverting is a reflection at the threshold: 1 − x around 1/2, whatever the standardisation.
  if (threshold !== undefined) x = minimum(x, sub(scale(threshold, 2), x));
  return settings.noise > 0 ? add(x, scale(randomNormal(noise!, x.shape), settings.noise)) : x;
}

/**
 * `count` random views [count, 12] of images of height × width, as `augment` takes them: crop, rotation, flip, contrast,
 * brightness, gray, noise.
 */
export function drawViews(
  key: StreamKey,
  count: number,
  { height, width }: { readonly height: number; readonly width: number },
  settings: AugmentationSettings,
): Float32Array {
  const random = uniform(key, count * DRAWS);
  const more = moreDraws(key, count);
  const views = new Float32Array(count * VIEW_NUMBERS);
  const [low, high] = settings.cropScale;
  const [narrow, broad] = settings.cropAspect.map(Math.log) as [number, number];
  for (let b = 0; b < count; b++) {
    const draw = (k: number): number => random[b * DRAWS + k]!;
    const signed = (k: number): number => 2 * draw(k) - 1;
    const side = Math.sqrt(low + (high - low) * draw(0));
    const stretch = Math.sqrt(Math.exp(narrow + (broad - narrow) * more(b, 'aspect')));
    const [cropWidth, cropHeight] = [Math.min(1, side * stretch), Math.min(1, side / stretch)];
    const angle = (settings.rotation * signed(1) * Math.PI) / 180;
    const mirror = settings.flip && draw(2) < 0.5 ? -1 : 1;
    // The crop's centre lies anywhere that keeps an upright crop inside the image.
    const centreColumn = (width - 1) / 2 + (signed(3) * (1 - cropWidth) * width) / 2;
    const centreRow = (height - 1) / 2 + (signed(4) * (1 - cropHeight) * height) / 2;
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
    const isJittered = more(b, 'jitter') < settings.jitterProbability;
    views.set(
      [
        ...[mirror * (cropWidth * cosine), -(cropHeight * sine), centreColumn],
        ...[mirror * (cropWidth * sine), cropHeight * cosine, centreRow],
        isJittered ? 1 + settings.contrast * signed(5) : 1,
        isJittered ? settings.brightness * signed(6) : 0,
        draw(7) < settings.grayscale ? 1 : 0,
        settings.noise,
      ],
      b * VIEW_NUMBERS,
    );
  }
  return views;
}

/** Further uniform numbers of a view, by what they decide. */
const further = { aspect: 0, jitter: 1, saturation: 2, hue: 3, blur: 4, deviation: 5, solarise: 6 } as const;

function moreDraws(key: StreamKey, count: number): (b: number, what: keyof typeof further) => number {
  const random = uniform({ ...key, purpose: `${key.purpose}.more` }, count * MORE_DRAWS);
  return (b, what) => random[b * MORE_DRAWS + further[what]]!;
}

/** Weights of a Gaussian of this deviation in pixels, cut off beyond `reach` and summing to 1 over both sides. */
export function gaussianWeights(deviation: number, reach: number): number[] {
  const heights = Array.from({ length: reach + 1 }, (_, k) => Math.exp(-((k / deviation) ** 2) / 2));
  const total = heights.reduce((all, each, k) => all + (k === 0 ? each : 2 * each), 0);
  return heights.map((each) => each / total);
}

/**
 * Draws `count` random views: the numbers for the inputs that `augmentationTypes` names.
 *
 * @param key the training's seed and step, and what its streams are named by: `PURPOSE.viewSIDE` and `PURPOSE.noiseSIDE`
 * @param side which of an image's two views
 */
export function drawAugmentation(
  key: StreamKey,
  side: 'A' | 'B',
  count: number,
  images: AugmentedImages,
  settings: AugmentationSettings,
): Record<string, Float32Array | Int32Array> {
  const { image } = images;
  const [channels, height, width] = image;
  const viewKey = { ...key, purpose: `${key.purpose}.view${side}` };
  const view = drawViews(viewKey, count, { height, width }, settings);
  const noise = streamWords({ ...key, purpose: `${key.purpose}.noise${side}` });
  if (!hasLaterSteps(settings, image)) return { view, noise };

  const drawn: Record<string, Float32Array | Int32Array> = { view, noise };
  const more = moreDraws(viewKey, count);
  const rows = (length: number, rowOf: (b: number) => readonly number[]): Float32Array => {
    const table = new Float32Array(count * length);
    for (let b = 0; b < count; b++) table.set(rowOf(b), b * length);
    return table;
  };
  // The noise comes last now, and gray after the colours have changed.
  for (let b = 0; b < count; b++) view[b * VIEW_NUMBERS + viewPlaces.noise] = 0;
  if (isColoured(settings, image)) {
    const maps = Array.from({ length: count }, (_, b) => {
      const signed = (what: 'saturation' | 'hue'): number => settings[what] * (2 * more(b, what) - 1);
      const isJittered = more(b, 'jitter') < settings.jitterProbability;
      const map = onStandardised(
        isJittered ? colourMatrix(1 + signed('saturation'), signed('hue')) : colourMatrix(1, 0),
        images,
      );
      const gray = b * VIEW_NUMBERS + viewPlaces.gray;
      const isGray = view[gray] === 1;
      view[gray] = 0;
      return isGray ? thenGray(map) : map;
    });
    drawn.colour = rows(9, (b) => maps[b]!.matrix);
    drawn.tint = rows(3, (b) => maps[b]!.offset);
  }
  if (settings.blur > 0) {
    const reach = blurReach(image);
    const [low, high] = BLUR_DEVIATION;
    drawn.blur = rows(reach + 1, (b) =>
      more(b, 'blur') < settings.blur
        ? gaussianWeights(low + (high - low) * more(b, 'deviation'), reach)
        : [1],
    );
  }
  if (settings.solarise > 0) {
    drawn.solarise = rows(channels, (b) =>
      images.mean.map((mean, c) =>
        more(b, 'solarise') < settings.solarise ? (0.5 - mean) / images.deviation[c]! : NEVER,
      ),
    );
  }
  return drawn;
}
