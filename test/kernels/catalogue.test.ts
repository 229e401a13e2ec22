import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evenPieces, kernelNames, splitSum, tuningFor } from '../../src/kernels/catalogue.js';

describe('evenPieces', () => {
  it('divides into the fewest pieces within the limit, none longer than it must be', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 40 }), (extent, limit) => {
        const piece = evenPieces(extent, limit);
        const pieces = Math.ceil(extent / limit);
        expect(piece).toBeLessThanOrEqual(limit);
        expect(Math.ceil(extent / piece)).toBe(pieces);
        expect((piece - 1) * pieces).toBeLessThan(extent);
      }),
      { seed: 1 },
    );
  });
});

describe('splitSum', () => {
  const lengths = fc.integer({ min: 1, max: 100_000 });
  const counts = fc.integer({ min: 1, max: 5000 });

  it.each(['software', 'wideSoftware', 'hardware'] as const)(
    'covers every term, with no empty slice (%s)',
    (device) => {
      fc.assert(
        fc.property(lengths, counts, (length, outputs) => {
          const { slices, perSlice } = splitSum(length, outputs, tuningFor(device));
          expect(slices * perSlice).toBeGreaterThanOrEqual(length);
          expect((slices - 1) * perSlice).toBeLessThan(length);
        }),
        { seed: 2 },
      );
    },
  );

  it('splits a long sum of one output, and leaves a short one or many outputs alone', () => {
    const tuning = tuningFor('software');
    expect(splitSum(100_000, 1, tuning).slices).toBe(tuning.parallelism);
    expect(splitSum(20, 1, tuning).slices).toBe(1);
    expect(splitSum(100_000, tuning.parallelism, tuning).slices).toBe(1);
  });
});

it.each(['software', 'wideSoftware', 'hardware'] as const)(
  'every kernel has a workgroup size for %s devices',
  (device) => {
    const { workgroup } = tuningFor(device);
    for (const name of kernelNames) expect(workgroup[name]).toBeGreaterThanOrEqual(1);
  },
);
