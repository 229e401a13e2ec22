/**
 * Changes of colour as affine maps of a pixel's three channels. All are given on standardised pixels, (x − mean) / deviation
 * channel by channel: the map undoes that, acts on the 0 … 1 scale and standardises again, and is still one matrix and one
 * offset, so it can be differentiated like any product.
 */
import { LUMINANCE } from '../autograd/ops/warp.js';

/** y = matrix · x + offset on a pixel's channels [3], the matrix row by row. */
export interface ColourMap {
  readonly matrix: readonly number[];
  readonly offset: readonly number[];
}

/** How pixels were standardised, channel by channel, in the 0 … 1 scale. */
export interface Standardisation {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Red, green and blue to the two colour differences of NTSC's YIQ. */
const CHROMA_I: readonly number[] = [0.596, -0.274, -0.322];
const CHROMA_Q: readonly number[] = [0.211, -0.523, 0.312];

const CHANNELS: readonly number[] = [0, 1, 2];

const multiply = (a: readonly number[], b: readonly number[]): number[] =>
  CHANNELS.flatMap((row) =>
    CHANNELS.map((column) => CHANNELS.reduce((sum, k) => sum + a[3 * row + k]! * b[3 * k + column]!, 0)),
  );

/** Inverse of a 3×3 matrix by cofactors. */
function invert(m: readonly number[]): number[] {
  const cofactor = (row: number, column: number): number => {
    const at = (r: number, c: number): number => m[3 * ((row + r) % 3) + ((column + c) % 3)]!;
    return at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1);
  };
  const determinant = CHANNELS.reduce((sum, k) => sum + m[k]! * cofactor(0, k), 0);
  return CHANNELS.flatMap((row) => CHANNELS.map((column) => cofactor(column, row) / determinant));
}

const TO_YIQ = [...LUMINANCE, ...CHROMA_I, ...CHROMA_Q];
const FROM_YIQ = invert(TO_YIQ);

/**
 * Saturation and hue on the 0 … 1 scale as one matrix. Saturation is torchvision's: s · x + (1 − s) · luminance. Hue turns
 * the colour differences of YIQ, which keeps luminance and grays exactly; torchvision's turn in HSV is only piecewise linear,
 * and clamps.
 *
 * @param saturation factor, 1 to keep
 * @param hue in full turns, 0 to keep
 */
export function colourMatrix(saturation: number, hue: number): number[] {
  const [cosine, sine] = [Math.cos(2 * Math.PI * hue), Math.sin(2 * Math.PI * hue)];
  const turn = [
    1,
    0,
    0,
    0,
    saturation * cosine,
    -saturation * sine,
    0,
    saturation * sine,
    saturation * cosine,
  ];
  return multiply(FROM_YIQ, multiply(turn, TO_YIQ));
}

/** A matrix on the 0 … 1 scale as a map of standardised pixels: D⁻¹ · A · D and D⁻¹ · (A · mean − mean). */
export function onStandardised(matrix: readonly number[], { mean, deviation }: Standardisation): ColourMap {
  return {
    matrix: matrix.map((value, k) => (value * deviation[k % 3]!) / deviation[Math.floor(k / 3)]!),
    offset: CHANNELS.map((row) => {
      const moved = CHANNELS.reduce((sum, k) => sum + matrix[3 * row + k]! * mean[k]!, 0);
      return (moved - mean[row]!) / deviation[row]!;
    }),
  };
}

/** A map, and then the luminance of what it gives in every channel. */
export function thenGray({ matrix, offset }: ColourMap): ColourMap {
  const gray = CHANNELS.flatMap(() => LUMINANCE);
  const level = CHANNELS.reduce((sum, k) => sum + LUMINANCE[k]! * offset[k]!, 0);
  return { matrix: multiply(gray, matrix), offset: CHANNELS.map(() => level) };
}
