import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, sizeClass } from '../../src/gpu/bufferPool.js';

describe('sizeClass', () => {
  it('holds what is asked, wastes at most a quarter above 1 KiB, and is its own class', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1025, max: 2 ** 40 }), (byteLength) => {
        const size = sizeClass(byteLength);
        expect(size).toBeGreaterThanOrEqual(byteLength);
        expect(size).toBeLessThanOrEqual(byteLength * 1.25 + 256);
        expect(size % 256).toBe(0);
        expect(sizeClass(size)).toBe(size);
      }),
    );
  });

  it('gives the smallest class to small and empty buffers', () => {
    expect([0, 1, 4, 256].map(sizeClass)).toEqual([256, 256, 256, 256]);
    expect(sizeClass(257)).toBe(512);
  });
});

describe('formatBytes', () => {
  it('uses the largest unit that fits', () => {
    expect([12, 2048, 1.5 * 2 ** 20, 2 ** 30].map(formatBytes)).toEqual([
      '12 bytes',
      '2 KiB',
      '1.5 MiB',
      '1 GiB',
    ]);
  });
});
