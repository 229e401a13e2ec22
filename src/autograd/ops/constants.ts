/**
 * Numbers known when tracing, as attributes of a tape and as WGSL. A tape is data that JSON must be able to hold, and
 * JSON has no infinities, NaN or −0: those are attributes as text.
 */
import { ShapeError } from '../../errors.js';
import type { Attribute } from '../tape.js';

/**
 * A number as a tape's attribute.
 *
 * @throws ShapeError for a finite number beyond the range of f32.
 */
export function numberAttribute(operation: string, value: number): Attribute {
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) {
    throw new ShapeError(
      `${operation}: ${value} is beyond the range of f32, ±3.4e38. Use a smaller number, or Infinity if that is meant.`,
    );
  }
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? value : String(value);
}

/** The number of an attribute that `numberAttribute` made. */
export const attributeNumber = (attribute: Attribute | undefined): number => Number(attribute);

const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!;

/** WGSL of a number, rounded to f32. */
export function wgslNumber(value: number): string {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) return `float_of_bits(${bitsOf(rounded)}u)`;
  const text = Object.is(rounded, -0) ? '-0' : String(rounded);
  // Without a point or exponent a literal is a whole number, of at most 63 bits.
  return /[.e]/.test(text) ? `f32(${text})` : `f32(${text}.0)`;
}
