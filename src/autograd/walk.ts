/**
 * Walks over strided tensors: how a kernel that runs over a box finds the place of an element in each tensor. Places are
 * unsigned in WGSL and wrap, so a negative step is written as its two's complement.
 */
import type { Shape } from './tape.js';

/** Axes of a walk, and each tensor's step along them. */
export interface Walk {
  /** Extents of the joined axes, outermost first; the last one is the row. */
  readonly extents: readonly number[];
  /** Step of each tensor along each joined axis, 0 where it is broadcast. */
  readonly strides: readonly (readonly number[])[];
}

/** Joins neighbouring axes that every tensor walks as one; axes of extent 1 drop out. At least one axis stays. */
export function joinAxes(shape: Shape, strides: readonly (readonly number[])[]): Walk {
  const extents: number[] = [];
  const joined: number[][] = strides.map(() => []);
  shape.forEach((extent, axis) => {
    if (extent === 1) return;
    const last = extents.length - 1;
    const joins = last >= 0 && strides.every((stride, k) => joined[k]![last] === stride[axis]! * extent);
    if (joins) {
      extents[last]! *= extent;
      strides.forEach((stride, k) => {
        joined[k]![last] = stride[axis]!;
      });
    } else {
      extents.push(extent);
      strides.forEach((stride, k) => {
        joined[k]!.push(stride[axis]!);
      });
    }
  });
  if (extents.length === 0) {
    extents.push(1);
    for (const stride of joined) stride.push(0);
  }
  return { extents, strides: joined };
}

/** A whole number as an unsigned literal of WGSL; a negative one as its two's complement. */
export const unsignedLiteral = (value: number): string => `${value >>> 0}u`;

/** WGSL of `Σ_k coordinate_k · stride_k` for a flat number over the given axes (outermost first). */
export function placeExpression(
  flat: string,
  extents: readonly number[],
  strides: readonly number[],
): string {
  const terms: string[] = [];
  let below = 1;
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    const extent = extents[axis]!;
    const stride = strides[axis]!;
    if (stride !== 0) {
      const divided = below === 1 ? flat : `(${flat} / ${below}u)`;
      const coordinate = axis === 0 ? divided : `(${divided} % ${extent}u)`;
      terms.push(stride === 1 ? coordinate : `${coordinate} * ${unsignedLiteral(stride)}`);
    }
    below *= extent;
  }
  return terms.length === 0 ? '0u' : terms.join(' + ');
}
