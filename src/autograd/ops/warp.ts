/**
 * The linear part of a random view (augment.wgsl) and its adjoint (warpAdjoint.wgsl). Both are linear in the images, so each
 * is the other's derivative, and derivatives of every order follow. Views are constants: nothing is differentiated by them.
 */
import { ShapeError } from '../../errors.js';
import { NUMBERS_PER_BLOCK } from '../../kernels/philox.js';
import {
  apply,
  type Lowering,
  type OperationDefinition,
  type Reference,
  type ReferenceRule,
  type ReferenceRules,
  referenceZeros,
  type Storage,
} from '../operation.js';
import { type Shape, sameShape, shapeText, sizeOf, type TensorType } from '../tape.js';
import type { Tensor } from '../trace.js';
import { requireFloats } from './operands.js';

/**
 * Numbers that describe one view: the place in the source as s = v0·j + v1·i + v2 and r = v3·j + v4·i + v5 (i, j from the
 * centre), contrast v6, brightness v7, gray v8 (0 or 1), noise deviation v9; two are unused.
 */
export const VIEW_NUMBERS = 12;

/** Where some of them stand. */
export const viewPlaces = { contrast: 6, brightness: 7, gray: 8, noise: 9 } as const;

/** Shares of red, green and blue in the luminance (ITU-R BT.601). */
export const LUMINANCE: readonly [red: number, green: number, blue: number] = [0.299, 0.587, 0.114];

/** What the kernels of views are specialised with, beside the shape. */
const viewDefinitions = {
  VIEW_NUMBERS,
  CONTRAST: viewPlaces.contrast,
  BRIGHTNESS: viewPlaces.brightness,
  GRAY: viewPlaces.gray,
  NOISE: viewPlaces.noise,
  RED: LUMINANCE[0],
  GREEN: LUMINANCE[1],
  BLUE: LUMINANCE[2],
};

/** @throws ShapeError when the images have not four axes, the views are not one row of numbers an image, or one is not f32. */
export function requireView(operation: string, x: TensorType, view: TensorType): void {
  requireFloats(operation, [x, view]);
  const wanted: Shape = [x.shape[0]!, VIEW_NUMBERS];
  if (x.shape.length !== 4 || !sameShape(view.shape, wanted)) {
    throw new ShapeError(
      `${operation}: images ${shapeText(x.shape)} must be [B,C,H,W] and view ${shapeText(view.shape)} [B,${VIEW_NUMBERS}].`,
    );
  }
}

/** @throws ShapeError when a gradient by the view is asked for. */
export function refuseView(operation: string, isWanted: boolean | undefined): void {
  if (isWanted) {
    throw new ShapeError(
      `${operation}: has no derivative by the view; differentiate by the images, or wrap the view in stopGradient.`,
    );
  }
}

/** The two neighbours between which a place lies, clamped to the image, and the second one's weight. */
function between(place: number, extent: number): readonly (readonly [pixel: number, weight: number])[] {
  const inside = Math.min(Math.max(place, 0), extent - 1);
  const first = Math.floor(inside);
  return [
    [first, 1 - (inside - first)],
    [Math.min(first + 1, extent - 1), inside - first],
  ];
}

/**
 * Calls `visit` with every pixel of the source that a pixel of a view is made of: flat numbers of both, and the weight,
 * contrast included.
 */
export function forEachSource(
  shape: Shape,
  view: Reference,
  visit: (inView: number, inSource: number, weight: number) => void,
): void {
  const [, C, H, W] = shape as [number, number, number, number];
  for (let number = 0; number < sizeOf(shape); number++) {
    const j = (number % W) - (W - 1) / 2;
    const i = (Math.floor(number / W) % H) - (H - 1) / 2;
    const plane = Math.floor(number / (H * W));
    const b = Math.floor(plane / C);
    const v = (k: number): number => view.get(b, k);
    const isGray = C === 3 && v(viewPlaces.gray) > 0.5;
    const planes = isGray ? LUMINANCE.map((share, c) => [b * C + c, share] as const) : [[plane, 1] as const];
    for (const [source, share] of planes) {
      for (const [row, down] of between(v(3) * j + v(4) * i + v(5), H)) {
        for (const [column, across] of between(v(0) * j + v(1) * i + v(2), W)) {
          visit(number, (source * H + row) * W + column, v(viewPlaces.contrast) * share * down * across);
        }
      }
    }
  }
}

/** Launches augment.wgsl, or its linear part alone. */
export function launchViews(
  lowering: Lowering,
  shape: Shape,
  buffers: readonly Storage[],
  LINEAR: boolean,
): void {
  const [B, C, H, W] = shape as [number, number, number, number];
  const blocks = Math.ceil((B * C * H * W) / NUMBERS_PER_BLOCK);
  lowering.launch('augment', { ...viewDefinitions, B, C, H, W, LINEAR }, buffers, blocks);
}

const warpReference: ReferenceRule = ([x, view], _attributes, { shape }) => {
  const y = referenceZeros(shape);
  forEachSource(shape, view!, (inView, inSource, weight) => {
    y.data[inView]! += weight * x!.data[inSource]!;
  });
  return y;
};

const warpDefinition: OperationDefinition = {
  name: 'warp',
  type([x, view]) {
    requireView('warp', x!, view!);
    return x!;
  },
  vjp({ inputs: [, view] }, c, wanted) {
    refuseView('warp', wanted[1]);
    return [warpAdjoint(c, view!), null];
  },
  lower(lowering, { inputs, output, type }) {
    launchViews(lowering, type.shape, [...inputs, output], true);
  },
};

const warpAdjointReference: ReferenceRule = ([c, view], _attributes, { shape }) => {
  const x = referenceZeros(shape);
  forEachSource(shape, view!, (inView, inSource, weight) => {
    x.data[inSource]! += weight * c!.data[inView]!;
  });
  return x;
};

const warpAdjointDefinition: OperationDefinition = {
  name: 'warpAdjoint',
  type([c, view]) {
    requireView('warpAdjoint', c!, view!);
    return c!;
  },
  vjp({ inputs: [, view] }, c, wanted) {
    refuseView('warpAdjoint', wanted[1]);
    return [warp(c, view!), null];
  },
  lower(lowering, { inputs, output, type }) {
    const [B, C, H, W] = type.shape as [number, number, number, number];
    const definitions = { ...viewDefinitions, B, C, H, W };
    lowering.launch('warpAdjoint', definitions, [...inputs, output], B * C * H * W);
  },
};

/**
 * Views of images without what is added to them: `augment` without brightness and noise, linear in x.
 *
 * @param x images [B,C,H,W]
 * @param view the numbers of each view [B,12], as `augment` takes them
 * @throws ShapeError when a shape differs, or when a gradient by the view is asked for.
 */
export const warp = (x: Tensor, view: Tensor): Tensor => apply(warpDefinition, [x, view]);

/**
 * The adjoint of `warp`: ⟨warp(x, view), c⟩ = ⟨x, warpAdjoint(c, view)⟩ for all x. Each pixel of the source gathers what
 * was made of it, in a fixed order.
 *
 * @param c what views are weighed with [B,C,H,W]
 * @param view the numbers of each view [B,12], as `augment` takes them
 * @throws ShapeError when a shape differs, or when a gradient by the view is asked for.
 */
export const warpAdjoint = (c: Tensor, view: Tensor): Tensor => apply(warpAdjointDefinition, [c, view]);

export const warpOperations: readonly OperationDefinition[] = [warpDefinition, warpAdjointDefinition];

export const warpReferences: ReferenceRules = {
  warp: warpReference,
  warpAdjoint: warpAdjointReference,
};
