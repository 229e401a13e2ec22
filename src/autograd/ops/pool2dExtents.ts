/** The extents of pooling windows on images, their rules, and the walk over them that the references share. */
import { ShapeError } from '../../errors.js';
import { type Attributes, type Shape, shapeText, type TensorType, typeText } from '../tape.js';
import { type Pair, pairAttribute, pairText, readPair } from './pair.js';

/** The window of a pooling. */
export interface Pool2dOptions {
  /** Extents of the window: a number, or [height, width]. */
  readonly size: Pair;
  /** Step of the window, the window's size by default: a number, or [vertical, horizontal]. */
  readonly stride?: Pair;
  /** Rows and columns added on each side, at most half of the window's size, 0 by default. */
  readonly padding?: Pair;
}

/** Extents of one pooling: x [N,C,H,W], window K × L, strides [SH,SW], paddings [PH,PW], y [N,C,HO,WO]. */
export interface PoolExtents {
  readonly [name: string]: number;
  readonly N: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
  readonly K: number;
  readonly L: number;
  readonly SH: number;
  readonly SW: number;
  readonly PH: number;
  readonly PW: number;
  readonly HO: number;
  readonly WO: number;
}

/** A pooling's options as attributes of its operation. */
export const poolAttributes = ({ size, stride = size, padding = 0 }: Pool2dOptions): Attributes => ({
  size: pairAttribute(size),
  stride: pairAttribute(stride),
  padding: pairAttribute(padding),
});

/**
 * @throws ShapeError when x is no f32 tensor of four axes, the window does not fit, the padding is more than half of the
 *   window (a window could then lie outside the image), or a setting is no whole number.
 */
export function poolExtents(operation: string, x: TensorType, attributes: Attributes): PoolExtents {
  if (x.shape.length !== 4 || x.dataType !== 'f32') {
    throw new ShapeError(`${operation}: x is ${typeText(x)}, but an f32 tensor [N,C,H,W] is needed.`);
  }
  const [N, C, H, W] = x.shape as [number, number, number, number];
  const [K, L] = readPair(operation, 'size', attributes.size, 1);
  const [SH, SW] = readPair(operation, 'stride', attributes.stride, 1);
  const [PH, PW] = readPair(operation, 'padding', attributes.padding, 0);
  if (2 * PH > K || 2 * PW > L) {
    throw new ShapeError(
      `${operation}: padding ${pairText(attributes.padding)} is more than half of the window of ` +
        `${pairText(attributes.size)}; use less padding or a larger window.`,
    );
  }
  const HO = Math.floor((H + 2 * PH - K) / SH) + 1;
  const WO = Math.floor((W + 2 * PW - L) / SW) + 1;
  if (HO < 1 || WO < 1) {
    throw new ShapeError(
      `${operation}: a window of ${pairText(attributes.size)} with stride ${pairText(attributes.stride)} does not fit ` +
        `into x ${shapeText(x.shape)} with padding ${pairText(attributes.padding)}; use a smaller window.`,
    );
  }
  return { N, C, H, W, K, L, SH, SW, PH, PW, HO, WO };
}

/** The shape that a pooling gives. */
export const pooledShape = ({ N, C, HO, WO }: PoolExtents): Shape => [N, C, HO, WO];

/**
 * @throws ShapeError when a gradient's cotangent has not the shape that the pooling gives.
 */
export function requirePooledCotangent(
  operation: string,
  cotangent: TensorType,
  extents: PoolExtents,
  x: Shape,
): void {
  const wanted = pooledShape(extents);
  if (
    cotangent.shape.length !== wanted.length ||
    cotangent.shape.some((extent, axis) => extent !== wanted[axis])
  ) {
    throw new ShapeError(
      `${operation}: cotangent ${shapeText(cotangent.shape)} must be ${shapeText(wanted)} for x ${shapeText(x)}.`,
    );
  }
}

/** Visits each window [n,c,i,j]. */
export function forEachWindow(
  { N, C, HO, WO }: PoolExtents,
  visit: (n: number, c: number, i: number, j: number) => void,
): void {
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++) for (let i = 0; i < HO; i++) for (let j = 0; j < WO; j++) visit(n, c, i, j);
}

/** Visits each pixel (r, s) of the image that the window (i, j) holds, in row-major order. */
export function forEachPixel(
  { H, W, K, L, SH, SW, PH, PW }: PoolExtents,
  i: number,
  j: number,
  visit: (r: number, s: number) => void,
): void {
  for (let r = Math.max(0, i * SH - PH); r < Math.min(H, i * SH - PH + K); r++)
    for (let s = Math.max(0, j * SW - PW); s < Math.min(W, j * SW - PW + L); s++) visit(r, s);
}
