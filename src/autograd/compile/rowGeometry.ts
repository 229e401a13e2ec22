/** The planes that a row program runs over: rows (n, c) of tensors [N,C,…], their pixels, and windows of these. */
import type { RowDomain } from '../operation.js';
import { type Shape, sameShape, sizeOf } from '../tape.js';

/** Planes of pixels, and at most one way to tile them with windows. */
export interface PlaneGeometry {
  readonly images: number;
  readonly channels: number;
  /** Extents of a plane behind [N,C]. */
  readonly fine: Shape;
  /** Extents of a plane's windows, where operations at both resolutions take part. */
  readonly coarse: Shape | null;
  /** Extents of one window. */
  readonly window: Shape | null;
}

/** Whether a plane of such extents is a single number. */
export const isSingle = (shape: Shape): boolean => shape.every((extent) => extent === 1);

/** The extents behind the first two axes. */
export const planeOf = (shape: Shape): Shape => shape.slice(2);

/** The geometry of the planes of one shape [N,C,…]; `null` when there are no axes behind the first two. */
export function planes(shape: Shape): PlaneGeometry | null {
  if (shape.length < 3) return null;
  const [images, channels] = shape as [number, number];
  return { images, channels, fine: planeOf(shape), coarse: null, window: null };
}

/** The geometry of planes [N,C,H,W] and their windows [N,C,HO,WO]; windows that are whole planes are single numbers. */
export function windowedPlanes(fine: Shape, coarse: Shape): PlaneGeometry | null {
  const geometry = planes(fine);
  if (geometry === null || isSingle(planeOf(coarse))) return geometry;
  if (sameShape(fine, coarse)) return null;
  const window = planeOf(fine).map((extent, axis) => extent / planeOf(coarse)[axis]!);
  return { ...geometry, coarse: planeOf(coarse), window };
}

/** One geometry for the operations of both, or `null`. Single numbers go with every plane. */
export function joinGeometries(a: PlaneGeometry, b: PlaneGeometry): PlaneGeometry | null {
  if (a.images !== b.images || a.channels !== b.channels || a.fine.length !== b.fine.length) return null;
  const known = (geometry: PlaneGeometry): Shape[] =>
    [geometry.fine, geometry.coarse ?? []].filter((plane) => !isSingle(plane));
  const covers = (whole: PlaneGeometry, part: PlaneGeometry): boolean =>
    known(part).every((plane) => known(whole).some((other) => sameShape(plane, other)));
  if (a.coarse !== null && b.coarse !== null) {
    return sameShape(a.fine, b.fine) && sameShape(a.coarse, b.coarse) ? a : null;
  }
  if (b.coarse === null && covers(a, b)) return a;
  return a.coarse === null && covers(b, a) ? b : null;
}

/**
 * What an operand of such a shape holds a number for: it is the same along axes of extent 1. `null` where it varies along
 * some of a plane's axes only, or has other extents.
 */
export function domainOf(shape: Shape, { images, channels, fine, coarse }: PlaneGeometry): RowDomain | null {
  const rank = fine.length + 2;
  if (shape.length > rank) return null;
  const aligned = [...Array.from({ length: rank - shape.length }, () => 1), ...shape];
  const [n, c] = aligned as [number, number];
  if ((n !== 1 && n !== images) || (c !== 1 && c !== channels)) return null;
  const plane = planeOf(aligned);
  if (isSingle(plane)) return 'row';
  if (sameShape(plane, fine)) return 'fine';
  return coarse !== null && sameShape(plane, coarse) ? 'coarse' : null;
}

/** WGSL of the place in a tensor of such a shape at which this plane starts. */
export function planeStart(shape: Shape, { images, channels, fine }: PlaneGeometry): string {
  const rank = fine.length + 2;
  const [n, c, ...plane] = [...Array.from({ length: rank - shape.length }, () => 1), ...shape] as [
    number,
    number,
    ...number[],
  ];
  const size = sizeOf(plane);
  const times = size === 1 ? '' : ` * ${size}u`;
  const perChannel = c === channels;
  if ((n === images || images === 1) && perChannel) return `plane${times}`;
  if (n === images && n > 1) return `(plane / ${channels}u)${times}`;
  return perChannel && c > 1 ? `(plane % ${channels}u)${times}` : '0u';
}
