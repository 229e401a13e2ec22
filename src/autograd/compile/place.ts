/**
 * Places in the arena: every tensor of a plan gets a range of bytes that is its own for as long as it is needed,
 * and is another's before and after.
 */
import { wholeMultiple } from '../../kernels/catalogue.js';

/** A tensor's stay in memory: needed from step `first` to step `last`, both included. */
export interface Stay {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface Placement {
  /** Which of the arena's buffers, and the byte at which the tensor starts there. */
  readonly places: readonly { readonly buffer: number; readonly offset: number }[];
  /** Size of each of the arena's buffers. */
  readonly bufferBytes: readonly number[];
}

/**
 * First fit, in order of first use: each tensor goes to the lowest range that is free during its whole stay.
 *
 * @param alignment bytes; every place is a multiple of it
 * @param maximumBuffer bytes that one buffer may have; a tensor that fits in none opens another
 */
export function placeStays(stays: readonly Stay[], alignment: number, maximumBuffer: number): Placement {
  const order = stays.map((_, index) => index).sort((a, b) => stays[a]!.first - stays[b]!.first || a - b);
  const places: { buffer: number; offset: number }[] = [];
  const placed: number[][] = [];
  const bufferBytes: number[] = [];

  for (const index of order) {
    const stay = stays[index]!;
    const bytes = wholeMultiple(stay.bytes, alignment);
    for (let buffer = 0; ; buffer++) {
      placed[buffer] ??= [];
      bufferBytes[buffer] ??= 0;
      const neighbours = placed[buffer]
        .filter((other) => stays[other]!.last >= stay.first && stays[other]!.first <= stay.last)
        .sort((a, b) => places[a]!.offset - places[b]!.offset);
      let offset = 0;
      for (const other of neighbours) {
        if (offset + bytes <= places[other]!.offset) break;
        offset = Math.max(offset, places[other]!.offset + wholeMultiple(stays[other]!.bytes, alignment));
      }
      if (offset + bytes > maximumBuffer && placed[buffer].length > 0) continue;
      places[index] = { buffer, offset };
      placed[buffer].push(index);
      bufferBytes[buffer] = Math.max(bufferBytes[buffer], offset + bytes);
      break;
    }
  }
  return { places, bufferBytes };
}
