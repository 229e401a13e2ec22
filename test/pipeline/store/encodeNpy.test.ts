import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/errors.js';
import { encodeNpy } from '../../../src/pipeline/store/encodeNpy.js';
import { decodeNpy } from '../../../src/pipeline/store/npy.js';

describe('a .npy file', () => {
  it('is read again as it was written, its data at a multiple of 64 bytes', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 5 });
    fc.assert(
      fc.property(shapes, (shape) => {
        const elements = shape.reduce((product, extent) => product * extent, 1);
        const data = Float32Array.from({ length: elements }, (_, k) => Math.fround(Math.sin(k)));
        const bytes = encodeNpy(data, shape);
        expect(decodeNpy(bytes, 'written')).toEqual({ shape, data });
        expect((bytes.length - 4 * elements) % 64).toBe(0);
      }),
    );
  });

  it('is refused for data that does not fit its shape', () => {
    expect(() => encodeNpy(new Float32Array(5), [2, 3])).toThrow(ShapeError);
  });
});
