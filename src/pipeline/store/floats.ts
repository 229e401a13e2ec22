/** Floating-point numbers as files hold them, little-endian, read as float32. */

/** IEEE 754 formats: bytes a number. */
export const floatBytes = { F16: 2, F32: 4, F64: 8 } as const;
/** A format of floating-point numbers, as safetensors calls it. */
export type FloatFormat = keyof typeof floatBytes;

/** A half-precision number from its bits. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  // Below the smallest exponent there is no leading one.
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Reads `bytes`, a whole number of numbers that may lie at any offset. F64 is rounded to the nearest float32. */
export function readFloats(bytes: Uint8Array, format: FloatFormat): Float32Array {
  if (format === 'F32') return new Float32Array(new Uint8Array(bytes).buffer);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = floatBytes[format];
  const numbers = new Float32Array(bytes.length / size);
  for (let k = 0; k < numbers.length; k++) {
    const at = k * size;
    numbers[k] = format === 'F64' ? view.getFloat64(at, true) : fromHalf(view.getUint16(at, true));
  }
  return numbers;
}
