/**
 * Random views of images on the device (augment.wgsl). The parameters of each view are drawn by whoever asks; the noise
 * comes from the counter-based stream. A view is affine in its image: the derivative is that of its linear part (warp.ts).
 */
import {
  apply,
  type OperationDefinition,
  type ReferenceRule,
  type ReferenceRules,
  referenceZeros,
} from '../operation.js';
import { sizeOf } from '../tape.js';
import type { Tensor } from '../trace.js';
import { normalAt, requireStream } from './random.js';
import { forEachSource, launchViews, refuseView, requireView, viewPlaces, warpAdjoint } from './warp.js';

const augmentReference: ReferenceRule = ([x, view, stream], _attributes, { shape }) => {
  const y = referenceZeros(shape);
  const perImage = sizeOf(shape.slice(1));
  for (let number = 0; number < y.data.length; number++) {
    const b = Math.floor(number / perImage);
    y.data[number] =
      view!.get(b, viewPlaces.brightness) + view!.get(b, viewPlaces.noise) * normalAt(stream!, number);
  }
  forEachSource(shape, view!, (inView, inSource, weight) => {
    y.data[inView]! += weight * x!.data[inSource]!;
  });
  return y;
};

const augmentDefinition: OperationDefinition = {
  name: 'augment',
  type([x, view, stream]) {
    requireView('augment', x!, view!);
    requireStream('augment', stream!);
    return x!;
  },
  vjp({ inputs: [, view] }, c, wanted) {
    refuseView('augment', wanted[1]);
    return [wanted[0] ? warpAdjoint(c, view!) : null, null, null];
  },
  lower(lowering, { inputs, output, type }) {
    launchViews(lowering, type.shape, [...inputs, output], false);
  },
};

/**
 * Random views of images: x [B,C,H,W], view [B,12], stream [4] of i32 → [B,C,H,W]. It can be differentiated by the images,
 * to any order: `warp` is its linear part.
 *
 * @param view for each image the numbers v0 … v9 and two unused: output pixel (i, j), counted from the centre, is read at
 *   column v0·j + v1·i + v2 and row v3·j + v4·i + v5 of the source; contrast v6, brightness v7, gray v8 (0 or 1), noise
 *   deviation v9
 * @param stream name of the counter-based stream that the noise comes from
 * @throws ShapeError when a shape differs; and in a gradient by the view.
 */
export const augment = (x: Tensor, view: Tensor, stream: Tensor): Tensor =>
  apply(augmentDefinition, [x, view, stream]);

export const augmentOperations: readonly OperationDefinition[] = [augmentDefinition];

export const augmentReferences: ReferenceRules = {
  augment: augmentReference,
};
