/** Draws the random views of the teacher's training from the counter-based stream. */
import { VIEW_NUMBERS } from '../autograd/ops/warp.js';
import { type StreamKey, uniform } from '../kernels/philox.js';

export interface AugmentationSettings {
  /** Largest rotation either way, degrees. */
  readonly rotation: number;
  /** Range of the crop's area as a share of the image's. */
  readonly cropScale: readonly [low: number, high: number];
  /** Mirror left to right with probability 1/2. */
  readonly flip: boolean;
  /** Contrast is multiplied by 1 ± this at most. */
  readonly contrast: number;
  /** Largest shift of the standardised pixels. */
  readonly brightness: number;
  /** Standard deviation of the noise on the standardised pixels. */
  readonly noise: number;
  /** Probability of a colour image turning gray. */
  readonly grayscale: number;
}

/** Uniform numbers that one view takes. */
const DRAWS = 8;

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
  const views = new Float32Array(count * VIEW_NUMBERS);
  const [low, high] = settings.cropScale;
  for (let b = 0; b < count; b++) {
    const draw = (k: number): number => random[b * DRAWS + k]!;
    const signed = (k: number): number => 2 * draw(k) - 1;
    const side = Math.sqrt(low + (high - low) * draw(0));
    const angle = (settings.rotation * signed(1) * Math.PI) / 180;
    const mirror = settings.flip && draw(2) < 0.5 ? -1 : 1;
    // The crop's centre lies anywhere that keeps an upright crop inside the image.
    const centreColumn = (width - 1) / 2 + (signed(3) * (1 - side) * width) / 2;
    const centreRow = (height - 1) / 2 + (signed(4) * (1 - side) * height) / 2;
    const cosine = side * Math.cos(angle);
    const sine = side * Math.sin(angle);
    views.set(
      [
        ...[mirror * cosine, -sine, centreColumn],
        ...[mirror * sine, cosine, centreRow],
        1 + settings.contrast * signed(5),
        settings.brightness * signed(6),
        draw(7) < settings.grayscale ? 1 : 0,
        settings.noise,
      ],
      b * VIEW_NUMBERS,
    );
  }
  return views;
}
