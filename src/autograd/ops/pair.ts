/** Settings of windows on images that may differ by direction: strides, paddings, sizes. */
import { ShapeError } from '../../errors.js';
import type { Attribute } from '../tape.js';

/** One whole number for both directions of an image, or one for each. */
export type Pair = number | readonly [vertical: number, horizontal: number];

/** A pair as an attribute of an operation: one number where both are equal, so that equal settings look equal. */
export function pairAttribute(pair: Pair): number | readonly number[] {
  if (typeof pair === 'number') return pair;
  return pair.length === 2 && pair[0] === pair[1] ? pair[0] : [...pair];
}

/** `3`, or `[1,3]`, as messages show a pair. */
export const pairText = (attribute: Attribute | undefined): string =>
  Array.isArray(attribute) ? `[${attribute.join(',')}]` : String(attribute);

/**
 * The two numbers of an attribute.
 *
 * @throws ShapeError when it is not one or two whole numbers of at least `minimum`.
 */
export function readPair(
  operation: string,
  argument: string,
  attribute: Attribute | undefined,
  minimum: number,
): readonly [vertical: number, horizontal: number] {
  const [vertical, horizontal, ...rest] = Array.isArray(attribute) ? attribute : [attribute, attribute];
  const isFit = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= minimum;
  if (!isFit(vertical) || !isFit(horizontal) || rest.length > 0) {
    throw new ShapeError(
      `${operation}: ${argument} ${pairText(attribute)} must be a whole number ≥ ${minimum}, or two of them: ` +
        '[vertical, horizontal].',
    );
  }
  return [Number(vertical), Number(horizontal)];
}
