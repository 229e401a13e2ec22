/** Writing NumPy's .npy format, version 1.0 (see `npy.ts`, which reads it). */
import { ShapeError } from '../../errors.js';
import { MAGIC } from './npy.js';

/** Bytes before the header's text: magic, version and the text's length. */
const PREFIX = 10;
/** NumPy wants the data to start at a multiple of this. */
const ALIGNMENT = 64;

/**
 * The bytes of a .npy file of little-endian float32 numbers in row-major order.
 *
 * @param shape extents, outermost first; none for a single number
 * @throws ShapeError when the data does not fit the shape.
 */
export function encodeNpy(data: Float32Array, shape: readonly number[]): Uint8Array {
  const elements = shape.reduce((product, extent) => product * extent, 1);
  if (elements !== data.length) {
    throw new ShapeError(
      `An array of shape [${shape.join(', ')}] has ${elements} elements, and ${data.length} are given.`,
    );
  }
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const fields = `{'descr': '<f4', 'fortran_order': False, 'shape': (${extents}), }`;
  const start = Math.ceil((PREFIX + fields.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(start + 4 * elements);
  bytes.set([...MAGIC, 1, 0]);
  const view = new DataView(bytes.buffer);
  view.setUint16(8, start - PREFIX, true);
  bytes.set(new TextEncoder().encode(`${fields.padEnd(start - PREFIX - 1)}\n`), PREFIX);
  for (let k = 0; k < elements; k++) view.setFloat32(start + 4 * k, data[k]!, true);
  return bytes;
}
