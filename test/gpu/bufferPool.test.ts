import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferPool, sizeClass } from '../../src/gpu/bufferPool.js';

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

describe('BufferPool', () => {
  const made: { readonly label: string; isDestroyed: boolean }[] = [];
  const gpu = {
    createBuffer: ({ size, label = '' }: GPUBufferDescriptor) => {
      const buffer = {
        ...{ size, label, isDestroyed: false },
        destroy() {
          buffer.isDestroyed = true;
        },
      };
      made.push(buffer);
      return buffer;
    },
  } as unknown as GPUDevice;

  it('lends nothing again of what was there when memory ran out', () => {
    const pool = new BufferPool(gpu, { usage: 0, largest: 2 ** 20, keep: 2 ** 20 });
    const unused = pool.acquire(256, 'unused');
    const lent = pool.acquire(512, 'lent');
    pool.release(unused);
    pool.distrust();
    expect(unused).toHaveProperty('isDestroyed', true);
    expect(pool.bytes).toBe(512);
    expect(pool.acquire(256, 'another')).not.toBe(unused);

    pool.release(lent);
    expect(lent).toHaveProperty('isDestroyed', true);
    const later = pool.acquire(512, 'later');
    expect(later).not.toBe(lent);
    expect(pool.bytes).toBe(256 + 512);
    pool.release(later);
    expect(pool.acquire(512, 'trusted again')).toBe(later);
    expect(made).toHaveLength(4);
  });
});
