/** The extents of a convolution, their rules, and the plain loop over its products that every reference shares. */
import { ShapeError } from '../../errors.js';
import type { ConvolutionExtents } from '../../kernels/convolutionBlocks.js';
import { type Attributes, type Shape, shapeText, type TensorType, typeText } from '../tape.js';
import { pairText, readPair } from './pair.js';

/** Extents of one convolution: x [N,C,H,W], w [O,C,K,L], y [N,O,HO,WO], strides [SH,SW], paddings [PH,PW]. */
export interface Extents extends ConvolutionExtents {
  readonly [name: string]: number;
  readonly H: number;
  readonly W: number;
  readonly PH: number;
  readonly PW: number;
}

export function requireRank4(operation: string, argument: string, type: TensorType): void {
  if (type.shape.length !== 4 || type.dataType !== 'f32') {
    throw new ShapeError(
      `${operation}: ${argument} is ${typeText(type)}, but an f32 tensor of four axes is needed.`,
    );
  }
}

/**
 * @throws ShapeError when channels differ, the window does not fit, or stride or padding make no sense.
 */
export function extentsOf(operation: string, x: Shape, w: Shape, attributes: Attributes): Extents {
  const [N, C, H, W] = x as [number, number, number, number];
  const [O, inputs, K, L] = w as [number, number, number, number];
  if (C !== inputs) {
    throw new ShapeError(
      `${operation}: x ${shapeText(x)} has ${C} channels, but w ${shapeText(w)} takes ${inputs}.`,
    );
  }
  const [SH, SW] = readPair(operation, 'stride', attributes.stride, 1);
  const [PH, PW] = readPair(operation, 'padding', attributes.padding, 0);
  const HO = Math.floor((H + 2 * PH - K) / SH) + 1;
  const WO = Math.floor((W + 2 * PW - L) / SW) + 1;
  if (HO < 1 || WO < 1) {
    throw new ShapeError(
      `${operation}: the ${K}×${L} window of w ${shapeText(w)} does not fit into x ${shapeText(x)} with padding ` +
        `${pairText(attributes.padding)}; use a smaller window or more padding.`,
    );
  }
  return { N, C, H, W, O, K, L, HO, WO, SH, SW, PH, PW };
}

/**
 * The extents of a gradient of the convolution of x with w, whose cotangent must have that convolution's shape.
 *
 * @throws ShapeError as `extentsOf`, or when the cotangent's shape is another.
 */
export function extentsWithCotangent(
  operation: string,
  shapes: { readonly x: Shape; readonly w: Shape; readonly cotangent: Shape },
  attributes: Attributes,
): Extents {
  const extents = extentsOf(operation, shapes.x, shapes.w, attributes);
  const expected = [extents.N, extents.O, extents.HO, extents.WO];
  if (shapes.cotangent.some((extent, axis) => extent !== expected[axis])) {
    throw new ShapeError(
      `${operation}: cotangent ${shapeText(shapes.cotangent)} must be ${shapeText(expected)} for x ` +
        `${shapeText(shapes.x)} and w ${shapeText(shapes.w)}.`,
    );
  }
  return extents;
}

/** Visits every product of a convolution: y[n,o,i,j] += x[n,c,r,s] · w[o,c,p,q]. */
export function forEachProduct(
  { N, C, H, W, O, K, L, HO, WO, SH, SW, PH, PW }: Extents,
  visit: (
    n: number,
    o: number,
    i: number,
    j: number,
    c: number,
    p: number,
    q: number,
    r: number,
    s: number,
  ) => void,
): void {
  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++)
      for (let i = 0; i < HO; i++)
        for (let j = 0; j < WO; j++)
          for (let c = 0; c < C; c++)
            for (let p = 0; p < K; p++)
              for (let q = 0; q < L; q++) {
                const r = i * SH + p - PH;
                const s = j * SW + q - PW;
                if (r >= 0 && r < H && s >= 0 && s < W) visit(n, o, i, j, c, p, q, r, s);
              }
}
