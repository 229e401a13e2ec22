/** Self-supervised learning from pairs of random views: their numbers as inputs of a tape, and the loss of a pair. */
import type { Numbers } from '../autograd/compile/bufferRange.js';
import type { TensorType } from '../autograd/tape.js';
import type { Tensor } from '../autograd/trace.js';
import type { StreamKey } from '../kernels/philox.js';
import {
  type AugmentationSettings,
  type AugmentedImages,
  augmentationTypes,
  augmentImages,
  drawAugmentation,
} from './augmentation.js';
import type { Model } from './model.js';
import { project, type SelfSupervisedSettings, selfSupervisedLoss, withProjector } from './selfSupervised.js';

/** How pairs are made and compared. */
export interface PairSettings extends SelfSupervisedSettings {
  readonly augmentation: AugmentationSettings;
}

const SIDES = ['A', 'B'] as const;

/** Fields under the names that they have for one side: `view` of side A is `viewA`. */
const sided = <Field>(side: string, fields: Readonly<Record<string, Field>>): Record<string, Field> =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [`${name}${side}`, field]));

/** What the pairs of `count` images are described by, as inputs of a tape. */
export function pairTypes(
  { augmentation }: PairSettings,
  image: AugmentedImages['image'],
  count: number,
): Record<string, TensorType> {
  const types = augmentationTypes(augmentation, image, count);
  return { ...sided('A', types), ...sided('B', types) };
}

/** Draws the pairs of `count` images: numbers for the inputs that `pairTypes` names, from streams named after the key. */
export function drawPairs(
  key: StreamKey,
  count: number,
  images: AugmentedImages,
  { augmentation }: PairSettings,
): Record<string, Numbers> {
  return Object.assign(
    {},
    ...SIDES.map((side) => sided(side, drawAugmentation(key, side, count, images, augmentation))),
  );
}

/** Records both views of images [B,C,H,W]: those of side A, and those of side B; `pairs` are tensors of the types that `pairTypes` gives. */
export function pairViews(
  images: Tensor,
  pairs: Readonly<Record<string, Tensor>>,
  { augmentation }: PairSettings,
): readonly [Tensor, Tensor] {
  const [count, ...image] = images.shape as [number, number, number, number];
  const names = Object.keys(augmentationTypes(augmentation, image, count));
  const view = (side: string): Tensor => {
    const inputs = Object.fromEntries(names.map((name) => [name, pairs[`${name}${side}`]!]));
    return augmentImages(images, inputs, augmentation);
  };
  return [view('A'), view('B')];
}

/**
 * The self-supervised loss of a batch, a scalar of shape []; it can be differentiated by θ and by the images.
 *
 * @param theta laid out by `withProjector`
 * @param images [B,C,H,W], B ≥ 2: both losses compare an image with the others of its batch
 * @param pairs tensors of the types that `pairTypes` gives
 */
export function pairLoss(
  model: Model,
  settings: PairSettings,
  theta: Tensor,
  images: Tensor,
  pairs: Readonly<Record<string, Tensor>>,
): Tensor {
  const layout = withProjector(model, settings);
  const [z1, z2] = pairViews(images, pairs, settings).map((view) =>
    project(layout, theta, model.forward(theta, view).output, settings),
  ) as [Tensor, Tensor];
  return selfSupervisedLoss(z1, z2, settings);
}
