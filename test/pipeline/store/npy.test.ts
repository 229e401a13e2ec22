import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { decodeNpy } from '../../../src/pipeline/store/npy.js';

const header = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

/** A .npy file of a header of one's own and a data part, as NumPy pads it. */
function fileOf(text: string, body: Uint8Array, version = 1): Uint8Array {
  const lengthBytes = version === 1 ? 2 : 4;
  const unpadded = 8 + lengthBytes + text.length + 1;
  const padded = `${text}${' '.repeat((64 - (unpadded % 64)) % 64)}\n`;
  const bytes = new Uint8Array(8 + lengthBytes + padded.length + body.length);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, padded.length, true);
  else view.setUint32(8, padded.length, true);
  bytes.set(new TextEncoder().encode(padded), 8 + lengthBytes);
  bytes.set(body, 8 + lengthBytes + padded.length);
  return bytes;
}

const values = [1, -2.5, 0, 0.099_975_585_937_5, 65_504, 2 ** -24];
const bytesOf = (array: Float32Array | Float64Array | Uint16Array) => new Uint8Array(array.buffer);
const bodies = {
  '<f4': bytesOf(Float32Array.from(values)),
  '<f8': bytesOf(Float64Array.from(values)),
  // The same numbers in half precision, the last one the smallest there is.
  '<f2': bytesOf(Uint16Array.of(0x3c00, 0xc100, 0x0000, 0x2e66, 0x7bff, 0x0001)),
};

describe('decodeNpy', () => {
  it.each(Object.entries(bodies))('reads %s in row-major order as float32', (descr, body) => {
    for (const version of [1, 2, 3]) {
      const { shape, data } = decodeNpy(fileOf(header(descr, '(2, 3)'), body, version), 'f.npy');
      expect(shape).toEqual([2, 3]);
      expect([...data]).toEqual(values);
    }
  });

  it('reads infinities and what is no number of half precision as such', () => {
    const body = bytesOf(Uint16Array.of(0x7c00, 0xfc00, 0x7e00, 0x8000));
    expect([...decodeNpy(fileOf(header('<f2', '(4,)'), body), 'f.npy').data]).toEqual([
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
      -0,
    ]);
  });

  it('reads what NumPy itself wrote', () => {
    // np.save(file, np.arange(4, dtype='<f4').reshape(2, 2)), byte by byte.
    const text =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }                                                          \n";
    const begin = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 0x01, 0x00, 0x76, 0x00];
    const bytes = Uint8Array.from([
      ...begin,
      ...new TextEncoder().encode(text),
      ...bytesOf(Float32Array.of(0, 1, 2, 3)),
    ]);
    expect(text.length).toBe(0x76);
    expect(decodeNpy(bytes, 'f.npy')).toEqual({ shape: [2, 2], data: Float32Array.of(0, 1, 2, 3) });
  });

  const body = bodies['<f4'];
  it.each<[string, Uint8Array, RegExp]>([
    ['another format', Uint8Array.of(1, 2, 3), /not a \.npy file/],
    ['another version', fileOf(header('<f4', '(2, 3)'), body, 4), /version 4; versions 1 to 3/],
    [
      'a header cut short',
      fileOf(header('<f4', '(2, 3)'), body).subarray(0, 40),
      /said to hold 118 bytes, and 30 follow/,
    ],
    ['a length cut short', fileOf(header('<f4', '(2, 3)'), body).subarray(0, 9), /header is cut short/],
    ['Fortran order', fileOf(header('<f4', '(2, 3)', 'True'), body), /column by column.*ascontiguousarray/],
    ['whole numbers', fileOf(header('<i4', '(2, 3)'), body), /type <i4; <f2, <f4 and <f8/],
    ['the other byte order', fileOf(header('>f4', '(2, 3)'), body), /type >f4/],
    ['a name of the prototype', fileOf(header('constructor', '(2, 3)'), body), /type constructor/],
    [
      'records',
      fileOf("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}", body),
      /not a plain array's/,
    ],
    ['no shape', fileOf("{'descr': '<f4', 'fortran_order': False}", body), /not a plain array's/],
    ['objects, which are pickles', fileOf(header('|O', '(2, 3)'), body), /type \|O; <f2, <f4/],
    [
      'a field twice',
      fileOf("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'shape': (3, 2)}", body),
      /not a plain array's/,
    ],
    [
      'what only looks like fields, in a text',
      fileOf(`{'a': "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)}"}`, body),
      /not a plain array's/,
    ],
    ['code in place of a value', fileOf("{'descr': __import__('os')}", body), /not a plain array's/],
    ['words after the dictionary', fileOf(`${header('<f4', '(6,)')} or 1`, body), /not a plain array's/],
    ['two numbers without a comma', fileOf(header('<f4', '(2 3)'), body), /not a plain array's/],
    [
      'a shape that no number holds',
      fileOf(header('<f4', `(${'9'.repeat(400)}, 0)`), body),
      /none of an array.*each below 2⁵³/,
    ],
    [
      'more dimensions than there are',
      fileOf(header('<f4', `(${'1, '.repeat(65)})`), body),
      /none of an array: at most 64 dimensions/,
    ],
    [
      'a header of megabytes, before reading it',
      fileOf(`${header('<f4', '(6,)')}${' '.repeat(2 ** 20)}`, body, 2),
      /header is said to hold \d+ bytes, where at most 10000/,
    ],
    ['a shape of more', fileOf(header('<f4', '(2, 4)'), body), /asks for 32 bytes, and 24 follow/],
    ['a shape of less', fileOf(header('<f4', '(2, 2)'), body), /asks for 16 bytes, and 24 follow/],
    [
      'a shape beyond memory',
      fileOf(header('<f4', '(99999999999, 99999999)'), body),
      /asks for .* bytes, and 24/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeNpy(bytes, 'f.npy')).toThrow(DataError);
    expect(() => decodeNpy(bytes, 'f.npy')).toThrow(message);
  });
});
