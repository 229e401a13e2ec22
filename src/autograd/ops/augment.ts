/**
 * Random views of images on the device (augment.wgsl). The parameters of each view are drawn by whoever asks; the noise
 * comes from the counter-based stream. There is no derivative: views are inputs of training, not something it learns.
 */
import { ShapeError } from '../../errors.js';
import { apply, type OperationDefinition, type Reference, referenceZeros } from '../operation.js';
import { type Shape, sameShape, shapeText, sizeOf } from '../tape.js';
import type { Tensor } from '../trace.js';
import { normalAt, requireStream } from './random.js';

/**
 * Numbers that describe one view: the place in the source as s = v0·j + v1·i + v2 and r = v3·j + v4·i + v5 (i, j from the
 * centre), contrast v6, brightness v7, gray v8 (0 or 1), noise deviation v9; two are unused.
 */
export const VIEW_NUMBERS = 12;

const LUMINANCE = [0.299, 0.587, 0.114] as const;

function sample(x: Reference, b: number, c: number, r: number, s: number): number {
  const [H, W] = x.shape.slice(2) as [number, number];
  const row = Math.min(Math.max(r, 0), H - 1);
  const column = Math.min(Math.max(s, 0), W - 1);
  const top = Math.floor(row);
  const left = Math.floor(column);
  const bottom = Math.min(top + 1, H - 1);
  const right = Math.min(left + 1, W - 1);
  const mix = (a: number, z: number, t: number): number => a * (1 - t) + z * t;
  const upper = mix(x.get(b, c, top, left), x.get(b, c, top, right), column - left);
  const lower = mix(x.get(b, c, bottom, left), x.get(b, c, bottom, right), column - left);
  return mix(upper, lower, row - top);
}

const augmentDefinition: OperationDefinition = {
  name: 'augment',
  type([x, view, stream]) {
    const wanted: Shape = [x!.shape[0]!, VIEW_NUMBERS];
    if (x!.shape.length !== 4 || !sameShape(view!.shape, wanted)) {
      throw new ShapeError(
        `augment: images ${shapeText(x!.shape)} must be [B,C,H,W] and view ${shapeText(view!.shape)} [B,${VIEW_NUMBERS}].`,
      );
    }
    requireStream('augment', stream!);
    return x!;
  },
  reference([x, view, stream], _attributes, { shape }) {
    const [B, C, H, W] = shape as [number, number, number, number];
    const y = referenceZeros(shape);
    for (let number = 0; number < sizeOf(shape); number++) {
      const j = (number % W) - (W - 1) / 2;
      const i = (Math.floor(number / W) % H) - (H - 1) / 2;
      const plane = Math.floor(number / (H * W));
      const b = Math.floor(plane / C);
      const v = (k: number): number => view!.get(Math.min(b, B - 1), k);
      const s = v(0) * j + v(1) * i + v(2);
      const r = v(3) * j + v(4) * i + v(5);
      const isGray = C === 3 && v(8) > 0.5;
      const value = isGray
        ? LUMINANCE.reduce((total, weight, c) => total + weight * sample(x!, b, c, r, s), 0)
        : sample(x!, b, plane % C, r, s);
      y.data[number] = v(6) * value + v(7) + v(9) * normalAt(stream!, number);
    }
    return y;
  },
  vjp() {
    throw new ShapeError(
      'augment: has no derivative; wrap the views in stopGradient, or differentiate by what follows.',
    );
  },
  lower(lowering, { inputs, output, type }) {
    const [B, C, H, W] = type.shape as [number, number, number, number];
    lowering.launch('augment', { B, C, H, W }, [...inputs, output], Math.ceil((B * C * H * W) / 4));
  },
};

/**
 * Random views of images: x [B,C,H,W], view [B,12], stream [4] of i32 → [B,C,H,W]. It has no derivative.
 *
 * @param view for each image the numbers v0 … v9 and two unused: output pixel (i, j), counted from the centre, is read at
 *   column v0·j + v1·i + v2 and row v3·j + v4·i + v5 of the source; contrast v6, brightness v7, gray v8 (0 or 1), noise
 *   deviation v9
 * @param stream name of the counter-based stream that the noise comes from
 * @throws ShapeError when a shape differs; and in a gradient that reaches x.
 */
export const augment = (x: Tensor, view: Tensor, stream: Tensor): Tensor =>
  apply(augmentDefinition, [x, view, stream]);

export const augmentOperations: readonly OperationDefinition[] = [augmentDefinition];
